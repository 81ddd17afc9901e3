// Random changes of 8-bit training images (card vitad, Table XII).
#pragma once

#include <array>
#include <string>

#include "core/seed.h"
#include "images/image.h"
#include "methods/sample.h"

namespace adb::vitad {

// The parts, all on square 8-bit RGB images and keeping their size. They follow torchvision's
// transforms on Pillow images, which round and truncate to 8 bits after every step.

// A random part of 1/4 to all of the area, of aspect 3/4 to 4/3, enlarged bilinearly.
Image random_resized_crop(const Image& image, Stream& random);
// Left and right exchanged with probability 1/2.
Image random_flip(const Image& image, Stream& random);
// Brightness, contrast and saturation in random order, each by a factor in [0.6, 1.4].
Image colour_jitter(const Image& image, Stream& random);
// By an angle in [-17, 17] degrees about the centre, bilinear; what comes from outside is black.
Image random_rotation(const Image& image, Stream& random);

// Anticlockwise by `degrees`, as random_rotation does it.
Image rotate(const Image& image, double degrees);

// The lists of Table XII: cc_cj, cc_rhf, cc_rr, rrc, all, then (x / 255 - mean) / std. They run on
// images that already have the input's size, so that their centre crop (cc) changes nothing.
//   throws: Error(kUsage) for another kind
SampleFunction augmentation(const std::string& kind,
                            const std::array<float, 3>& mean,
                            const std::array<float, 3>& std);

}  // namespace adb::vitad
