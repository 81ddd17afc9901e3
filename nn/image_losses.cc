#include "nn/image_losses.h"

#define AT_PER_OPERATOR_HEADERS
#include <cmath>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/binary_cross_entropy.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

#include "core/error.h"

namespace adb {
namespace {

// Correlates each image of x [N, H, W] with a window [K, K] (K odd) that is its own mirror image
// upside down; zero padding. Row k of the window and its mirror row are one product with a banded
// matrix [W, W]: measured on one core, conv2d on single channels takes several times as long
// forward and far longer backward.
at::Tensor filtered(const at::Tensor& x, const at::Tensor& window) {
  const auto size = window.size(0), half = size / 2, height = x.size(1), width = x.size(2);
  const auto columns = at::arange(width, x.options().dtype(at::kLong));
  const auto tap = columns.unsqueeze(1) - columns.unsqueeze(0) + half;  // from column to column
  const auto inside = ((tap >= 0) & (tap < size)).to(x.options());
  const auto bands = window.narrow(0, 0, half + 1)
                         .index_select(1, tap.clamp(0, size - 1).flatten())
                         .view({half + 1, width, width}) *
                     inside;
  const auto padded = at::constant_pad_nd(x, {0, 0, half, half});
  auto sum = padded.narrow(1, half, height).matmul(bands[half]);
  for (std::int64_t k = 0; k < half; ++k) {
    const auto rows = padded.narrow(1, k, height) + padded.narrow(1, size - 1 - k, height);
    sum = sum + rows.matmul(bands[k]);
  }
  return sum;
}

}  // namespace

at::Tensor ssim_window(std::int64_t size, double sigma) {
  ADB_ASSERT(size >= 1 && size % 2 == 1 && sigma > 0);
  std::vector<float> weights;
  double sum = 0;
  for (std::int64_t k = 0; k < size; ++k) {
    const auto d = static_cast<double>(k - size / 2);
    weights.push_back(static_cast<float>(std::exp(-(d * d) / (2 * sigma * sigma))));
    sum += static_cast<double>(weights.back());
  }
  for (auto& weight : weights) {
    weight /= static_cast<float>(sum);
  }
  auto window = at::empty({1, 1, size, size}, at::kFloat);
  auto* out = window.mutable_data_ptr<float>();
  for (const float row : weights) {
    for (const float column : weights) {
      *out++ = row * column;
    }
  }
  return window;
}

at::Tensor ssim_range_decisions(const at::Tensor& reconstruction) {
  const auto r = reconstruction.detach();
  return at::stack({r.max() > 128, r.min() < -0.5}).to(at::kDouble);
}

at::Tensor ssim_range(const at::Tensor& decisions) {
  const auto yes = (decisions > 0).to(at::kDouble);
  return yes[0] * 254 + 1 + yes[1];
}

at::Tensor ssim_map(const at::Tensor& a,
                    const at::Tensor& b,
                    const at::Tensor& range,
                    const at::Tensor& window) {
  const auto taps = window[0][0].to(a.options());
  const auto means_of = [&](const std::vector<at::Tensor>& images) {
    const auto together = at::cat(images);
    return filtered(together.flatten(0, 1), taps)
        .view(together.sizes())
        .chunk(static_cast<std::int64_t>(images.size()));
  };
  // Apart, so that nothing is differentiated for the sake of b.
  const auto with_a = means_of({a, a * a, a * b}), of_b = means_of({b, b * b});
  const auto &mu_a = with_a[0], &mu_b = of_b[0];
  const auto mu_aa = mu_a * mu_a, mu_bb = mu_b * mu_b, mu_ab = mu_a * mu_b;
  const auto c1 = (range * 0.01).square(), c2 = (range * 0.03).square();
  return ((2 * mu_ab + c1) * (2 * (with_a[2] - mu_ab) + c2)) /
         ((mu_aa + mu_bb + c1) * ((with_a[1] - mu_aa) + (of_b[1] - mu_bb) + c2));
}

at::Tensor softmax_focal_loss(const at::Tensor& probabilities, const at::Tensor& mask) {
  constexpr double kSmooth = 1e-5;
  // The smoothed targets are float32 numbers, in a double run too (card draem, section 5).
  constexpr auto kLow = static_cast<double>(static_cast<float>(kSmooth));
  constexpr auto kHigh = static_cast<double>(static_cast<float>(1 - kSmooth));
  const auto classes = mask.select(1, 0).trunc();
  const auto normal = probabilities.select(1, 0), defect = probabilities.select(1, 1);
  const auto target = [&](double k) {
    return at::where(classes == k, at::Scalar(kHigh), at::Scalar(kLow)).to(normal.options());
  };
  const auto q = target(0) * normal + target(1) * defect + kSmooth;
  return -((1 - q).square() * q.log()).mean();
}

at::Tensor sigmoid_focal_loss(const at::Tensor& probability, const at::Tensor& mask, double gamma) {
  const auto s = probability.to(at::kFloat), m = mask.to(at::kFloat);
  const auto bce = at::binary_cross_entropy(s, m, {}, at::Reduction::None);
  const auto p_t = s * m + (1 - s) * (1 - m);
  return ((1 - p_t).pow(gamma) * bce).mean();
}

}  // namespace adb
