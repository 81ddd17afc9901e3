#include "nn/frozen.h"

#define AT_PER_OPERATOR_HEADERS
#include <cstdint>

#include <ATen/Parallel.h>
#include <ATen/ThreadLocalState.h>
#include <ATen/ops/empty.h>

#include "core/error.h"

namespace adb {

std::vector<at::Tensor> frozen_by_image(
    const std::function<std::vector<at::Tensor>(const at::Tensor&)>& network,
    const at::Tensor& images) {
  ADB_ASSERT(images.dim() > 0 && images.size(0) > 0);
  const auto num_images = images.size(0);
  std::vector<std::vector<at::Tensor>> outputs(static_cast<std::size_t>(num_images));
  const at::ThreadLocalState caller;  // no gradients, for one
  const auto run = [&](std::int64_t first, std::int64_t last) {
    const at::ThreadLocalStateGuard guard(caller);
    for (auto i = first; i < last; ++i) {
      outputs[static_cast<std::size_t>(i)] = network(images.narrow(0, i, 1));
    }
  };
  if (num_images > 1 && images.is_cpu()) {
    at::parallel_for(0, num_images, 1, run);
  } else {
    run(0, num_images);  // parallel_for would keep the kernels of a single image to one thread
  }
  std::vector<at::Tensor> joined;
  for (std::size_t k = 0; k < outputs.front().size(); ++k) {
    const auto& first = outputs.front()[k];
    auto shape = first.sizes().vec();
    shape[0] = num_images;
    const auto options = first.options().memory_format(at::MemoryFormat::Contiguous);
    joined.push_back(at::empty(shape, options));
    for (std::int64_t i = 0; i < num_images; ++i) {
      joined[k].narrow(0, i, 1).copy_(outputs[static_cast<std::size_t>(i)][k]);
    }
  }
  return joined;
}

}  // namespace adb
