// Rotation about the centre, keeping the size.
#pragma once

#include "images/image.h"
#include "synthesis/perlin.h"

namespace adb {

// Clockwise on the screen for positive degrees; bilinear, 0 where the source has no pixel. Source
// coordinates are rounded to 1/32 pixel, as in the reference (imgaug on OpenCV 4.7: card
// anomaly-synthesis, section 4). An angle near 0 therefore changes nothing, which the reference
// makes sure of by a rule of its own. Any number of channels.
Image rotate(const Image& image, double degrees);
Plane rotate(const Plane& plane, double degrees);

}  // namespace adb
