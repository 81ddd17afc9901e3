// Losses between images, and between predicted and true masks, as DRÆM and DeSTSeg train with them.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace adb {

// The Gaussian window of the structural similarity: [1, 1, size, size] float32, of sum 1.
//   size: odd, in pixels. Source: card draem, section 5: float32 whatever the network's dtype, as
//   the reference rounds it (a last place matters after two training steps).
at::Tensor ssim_window(std::int64_t size = 11, double sigma = 1.5);

// The dynamic range L that the structural similarity assumes, decided by a reconstruction: its
// largest value says 1 or 255, its smallest 0 or -1.
//   returns: the two decisions, [2] float64 of 0 and 1: some value > 128, some value < -0.5. Adding
//   them up over the parts of a batch leaves the meaning: anything > 0 is yes.
at::Tensor ssim_range_decisions(const at::Tensor& reconstruction);
//   returns: L, 0-d float64: 1, 2, 255 or 256
at::Tensor ssim_range(const at::Tensor& decisions);

// Structural similarity at every pixel, channels apart; zero padding, the window not renormalised
// at the border.
//   a, b: [B, C, H, W]   range: 0-d   returns: [B, C, H, W]
//   source: Wang et al. 2004; card draem, section 5
at::Tensor ssim_map(const at::Tensor& a,
                    const at::Tensor& b,
                    const at::Tensor& range,
                    const at::Tensor& window);

// Focal loss of two-class probabilities, gamma 2, targets smoothed by 1e-5: mean over pixels of
// -(1 - q)^2 ln q, q = t0 p0 + t1 p1 + 1e-5.
//   probabilities: [B, 2, H, W], channel 1 = defect   mask: [B, 1, H, W], truncated to integers
//   returns: 0-d. source: card draem, section 5
at::Tensor softmax_focal_loss(const at::Tensor& probabilities, const at::Tensor& mask);

// Focal loss of defect probabilities, always in float32 (the reference computes it so): mean of
// (1 - p_t)^gamma bce. The logarithms are clamped at -100, and so is their gradient: a
// probability of exactly 0 or 1 gives a finite one.
//   probability, mask: same shape   returns: 0-d float32. source: card destseg, section 5
at::Tensor sigmoid_focal_loss(const at::Tensor& probability,
                              const at::Tensor& mask,
                              double gamma = 4);

}  // namespace adb
