// Random changes of 8-bit training images (card vitad, Table XII).
#pragma once

#include <array>
#include <string>

#include "core/seed.h"
#include "images/image.h"
#include "methods/sample.h"

namespace adb::vitad {

// The parts, all on 8-bit RGB images. They follow torchvision's transforms on Pillow images, which
// round and truncate to 8 bits after every step. The crops give side x side pixels, the others keep
// the size.

// A random part of 1/4 to all of the area, of aspect 3/4 to 4/3, resized as everywhere.
Image random_resized_crop(const Image& image, int side, Stream& random);
// The middle, with black around where the image is smaller.
Image centre_crop(const Image& image, int side);
// Left and right exchanged with probability 1/2.
Image random_flip(const Image& image, Stream& random);
// Brightness, contrast and saturation in random order, each by a factor in [0.6, 1.4].
Image colour_jitter(const Image& image, Stream& random);
// By an angle in [-17, 17] degrees about the centre, bilinear; what comes from outside is black.
Image random_rotation(const Image& image, Stream& random);

// Anticlockwise by `degrees`, as random_rotation does it.
Image rotate(const Image& image, double degrees);

// The lists of Table XII: cc_cj, cc_rhf, cc_rr, rrc, all, then (x / 255 - mean) / std, as samples
// of side x side pixels from images of any size. Of images that have that size the centre crop (cc)
// changes nothing.
//   throws: Error(kUsage) for another kind
SampleFunction augmentation(const std::string& kind,
                            int side,
                            const std::array<float, 3>& mean,
                            const std::array<float, 3>& std);

}  // namespace adb::vitad
