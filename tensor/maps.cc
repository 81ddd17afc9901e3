#include "tensor/maps.h"

#define AT_PER_OPERATOR_HEADERS
#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/cosine_similarity.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include "core/error.h"

namespace adb {
namespace {

constexpr double kCosineEps = 1e-8;

// 1 - <a, b> / (max(|a|, eps) max(|b|, eps)) along dimension 1.
at::Tensor one_minus_cosine(const at::Tensor& a, const at::Tensor& b) {
  const auto dot = (a * b).sum(1);
  // The clamp stands before the root: at a zero vector the root's derivative is infinite, and 0 *
  // inf is NaN.
  const auto norm_a = a.square().sum(1).clamp_min(kCosineEps * kCosineEps).sqrt();
  const auto norm_b = b.square().sum(1).clamp_min(kCosineEps * kCosineEps).sqrt();
  return 1 - dot / (norm_a * norm_b);
}

// Pads the last dimension by mirroring around the border: the edge element is repeated.
at::Tensor pad_symmetric(at::Tensor x, std::int64_t radius) {
  const auto n = x.size(-1);
  // A map narrower than the radius is mirrored more than once: period 2n.
  auto index = at::arange(-radius, n + radius, x.options().dtype(at::kLong)).remainder(2 * n);
  index = index.minimum(2 * n - 1 - index);
  return x.index_select(-1, index);
}

}  // namespace

at::Tensor cosine_distance(const at::Tensor& a, const at::Tensor& b) {
  return one_minus_cosine(a, b);
}

at::Tensor upsample_maps(const at::Tensor& maps, std::int64_t side, bool align_corners) {
  return at::upsample_bilinear2d(maps.unsqueeze(1), {side, side}, align_corners).squeeze(1);
}

at::Tensor gaussian_smooth(const at::Tensor& maps, double sigma) {
  const auto radius = static_cast<std::int64_t>(4 * sigma + 0.5);
  auto weights = at::arange(-radius, radius + 1, maps.options().dtype(at::kDouble));
  weights = (weights.square() / (-2 * sigma * sigma)).exp();
  weights = weights / weights.sum();
  auto x = maps.to(at::kDouble).unsqueeze(1);
  for (int axis = 0; axis < 2; ++axis) {
    x = x.transpose(2, 3).contiguous();  // filters along rows twice, the transposed ones first
    x = at::conv2d(pad_symmetric(x, radius), weights.view({1, 1, 1, -1}));
  }
  return x.squeeze(1);
}

std::vector<double> pooled_maximum(const at::Tensor& maps, std::int64_t k) {
  ADB_ASSERT(maps.dim() == 3 && maps.size(1) >= k && maps.size(2) >= k);
  auto x = maps.to(at::kDouble);
  if (k > 1) {
    x = at::avg_pool2d(x.unsqueeze(1), {k, k}, {1, 1}).squeeze(1);
  }
  x = x.flatten(1).amax(1).cpu().contiguous();
  const auto* data = x.const_data_ptr<double>();
  return {data, data + x.numel()};
}

std::vector<double> top_k_mean(const at::Tensor& maps, std::int64_t k) {
  const auto flat = maps.to(at::kDouble).flatten(1);
  const auto top = std::get<0>(flat.topk(std::min(k, flat.size(1)), 1));
  const auto mean = top.mean(1).cpu().contiguous();
  const auto* data = mean.const_data_ptr<double>();
  return {data, data + mean.numel()};
}

at::Tensor feature_loss(const std::string& kind, const at::Tensor& a, const at::Tensor& b) {
  if (kind == "cos_flat") {
    return one_minus_cosine(a.flatten(1), b.flatten(1)).mean();
  }
  if (kind == "cos_pixel") {
    return one_minus_cosine(a, b).mean();
  }
  if (kind == "mse") {
    return (a - b).square().mean();
  }
  ADB_CHECK(kind == "l1", ErrorKind::kUsage, "unknown loss '{}'", kind);
  return (a - b).abs().mean();
}

}  // namespace adb
