// From features to anomaly maps and image scores, with the exact conventions of the cards.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace adb {

// Distance maps: 1 - cosine similarity along the channels at every position, norms clamped from
// below at 1e-8.
//   a, b: [B, C, H, W]   returns: [B, H, W] in [0, 2]
at::Tensor cosine_distance(const at::Tensor& a, const at::Tensor& b);

// [B, H, W] -> [B, side, side], bilinear.
at::Tensor upsample_maps(const at::Tensor& maps, std::int64_t side, bool align_corners);

// Gaussian filter of each map in double: separable, radius int(4 sigma + 0.5), weights exp(-k^2 /
// (2 sigma^2)) normalised to sum 1, half-sample symmetric border (d c b a | a b c d | d c b a), as
// SciPy's gaussian_filter.
//   maps: [B, H, W]   returns: [B, H, W] float64
at::Tensor gaussian_smooth(const at::Tensor& maps, double sigma);

// Means of all k x k windows, in double; `border` zeros around the map count.
//   maps: [B, H, W]   returns: [B, H + 2 border - k + 1, W + 2 border - k + 1] float64
at::Tensor window_means(const at::Tensor& maps, std::int64_t k, std::int64_t border = 0);

// Maximum of each map's window_means without a border; k = 1: the plain maximum.
//   maps: [B, H, W] with H, W >= k
std::vector<double> pooled_maximum(const at::Tensor& maps, std::int64_t k);

// Mean of the k largest values of each map, in double.
std::vector<double> top_k_mean(const at::Tensor& maps, std::int64_t k);

// Reconstruction losses between feature maps of one stage (card vitad, Table XI): kind is
//   cos_flat   mean over images of 1 - cosine of the whole flattened maps
//   cos_pixel  mean over images and positions of 1 - cosine along channels
//   l1, mse    mean over all elements
// a, b: [B, C, H, W]   returns: 0-d
at::Tensor feature_loss(const std::string& kind, const at::Tensor& a, const at::Tensor& b);

}  // namespace adb
