#include "nn/onednn.h"

#include <ATen/Context.h>

#include "tensor/separate_operators.h"

namespace adb {

std::optional<c10::OperatorHandle> onednn_operator(const char* name,
                                                   const char* overload,
                                                   std::size_t num_arguments) {
  if (!at::hasMKLDNN()) {
    return std::nullopt;
  }
  auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
  if (handle && handle->schema().arguments().size() != num_arguments) {
    return std::nullopt;
  }
  return handle;
}

bool onednn_serves(const at::Tensor& x) {
  return x.scalar_type() == at::kFloat && x.is_cpu() && !SeparateOperators::wanted() &&
         at::globalContext().userEnabledMkldnn();
}

at::Tensor call(const c10::OperatorHandle& op, torch::jit::Stack arguments) {
  op.callBoxed(arguments);
  return arguments.at(0).toTensor();
}

}  // namespace adb
