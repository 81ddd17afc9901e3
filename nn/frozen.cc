#include "nn/frozen.h"

#define AT_PER_OPERATOR_HEADERS
#include <algorithm>

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>

#include "core/error.h"

namespace adb {

std::vector<at::Tensor> frozen_in_chunks(
    const std::function<std::vector<at::Tensor>(const at::Tensor&)>& network,
    const at::Tensor& images,
    std::int64_t chunk) {
  ADB_ASSERT(chunk > 0 && images.dim() > 0 && images.size(0) > 0);
  const auto num_images = images.size(0);
  std::vector<at::Tensor> joined;
  for (std::int64_t first = 0; first < num_images; first += chunk) {
    const auto count = std::min(chunk, num_images - first);
    auto part = images.narrow(0, first, count);
    if (count < chunk) {
      std::vector<std::int64_t> padding(static_cast<std::size_t>(2 * images.dim()), 0);
      padding.back() = chunk - count;  // the last pair belongs to the first dimension
      part = at::constant_pad_nd(part, padding, 0);
    }
    const auto outputs = network(part);
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      if (first == 0) {
        auto shape = outputs[k].sizes().vec();
        shape[0] = num_images;
        joined.push_back(
            at::empty(shape, outputs[k].options().memory_format(at::MemoryFormat::Contiguous)));
      }
      joined[k].narrow(0, first, count).copy_(outputs[k].narrow(0, 0, count));
    }
  }
  return joined;
}

}  // namespace adb
