// How DeSTSeg makes its training samples (card anomaly-synthesis).
#pragma once

#include <array>

#include "core/seed.h"
#include "images/image.h"
#include "methods/destseg/options.h"
#include "methods/sample.h"

namespace adb::destseg {

// The fields of one sample of side S: "image" [3, S, S] with the defect and "target" [3, S, S]
// without it, both normalised as (x / 255 - mean) / std, and "mask" [1, S, S] of 0 and 1. Every
// sample gets a defect; about one mask in twenty is empty all the same.
SampleFunction sample_function(const DestsegOptions& options,
                               const std::array<float, 3>& mean,
                               const std::array<float, 3>& std);

// `quarter_turns` times 90 degrees counter-clockwise. The image must be square.
Image rotate_quarters(const Image& image, int quarter_turns);

// Counter-clockwise about the centre, keeping the size: bilinear between pixels, grey 114 where the
// source has none. Source: Pillow's rotate with that fill colour, as the authors call it.
Image rotate_on_grey(const Image& image, double degrees);

}  // namespace adb::destseg
