#include "tensor/maps.h"

#define AT_PER_OPERATOR_HEADERS
#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/zeros.h>

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

// The filter along a side of n elements as a matrix [n, n]: row i holds what element i of the
// result takes from each element.
at::Tensor filter_matrix(const at::Tensor& weights, std::int64_t n) {
  const auto radius = weights.size(0) / 2;
  const auto whole = weights.options().dtype(at::kLong);
  auto from = at::arange(n, whole).unsqueeze(1) + at::arange(-radius, radius + 1, whole);
  // Mirrored around the borders, the edge element repeated; a map narrower than the radius is
  // mirrored more than once: period 2n.
  from = from.remainder(2 * n);
  from = from.minimum(2 * n - 1 - from);
  return at::zeros({n, n}, weights.options())
      .scatter_add(1, from, weights.expand({n, weights.size(0)}));
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
  auto weights = at::arange(-radius, radius + 1, at::kDouble);
  weights = (weights.square() / (-2 * sigma * sigma)).exp();
  weights = weights / weights.sum();
  const auto along = [&](std::int64_t side) {
    return filter_matrix(weights, side).to(maps.device()).expand({maps.size(0), side, side});
  };
  // Two products of matrices are several times as fast as LibTorch's convolution in double.
  const auto down = along(maps.size(1));
  const auto across = maps.size(2) == maps.size(1) ? down : along(maps.size(2));
  return at::bmm(at::bmm(down, maps.to(at::kDouble)), across.transpose(1, 2));
}

at::Tensor window_means(const at::Tensor& maps, std::int64_t k, std::int64_t border) {
  const auto rows = at::avg_pool2d(maps.to(at::kDouble).unsqueeze(1), {1, k}, {1, 1}, {0, border});
  return at::avg_pool2d(rows, {k, 1}, {1, 1}, {border, 0}).squeeze(1);
}

std::vector<double> pooled_maximum(const at::Tensor& maps, std::int64_t k) {
  ADB_ASSERT(maps.dim() == 3 && maps.size(1) >= k && maps.size(2) >= k);
  auto x = k > 1 ? window_means(maps, k) : maps.to(at::kDouble);
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
