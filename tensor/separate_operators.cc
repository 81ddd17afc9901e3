#include "tensor/separate_operators.h"

#include <utility>

namespace adb {
namespace {

thread_local bool separate = false;

}  // namespace

SeparateOperators::SeparateOperators() : before_(std::exchange(separate, true)) {}

SeparateOperators::~SeparateOperators() {
  separate = before_;
}

bool SeparateOperators::wanted() {
  return separate;
}

}  // namespace adb
