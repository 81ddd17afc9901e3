// Textures made from random numbers, for when no folder of texture images is at hand.
#pragma once

#include "core/seed.h"
#include "images/image.h"

namespace adb {

// Coloured fractal noise, stripes or a checkerboard, Voronoi cells, or a flat colour with pixel
// noise; blurred in half of the cases. 8-bit RGB, side x side.
//   side: > 0   source: card anomaly-synthesis, section 6 (the project's own recipe)
Image procedural_texture(int side, Stream& random);

}  // namespace adb
