// What a method may do to single images before they become tensors. No tensors here: the functions
// run in the loader's threads on 8-bit images.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/seed.h"
#include "images/image.h"

namespace adb {

// Random texture images for methods that paste foreign texture (DRÆM, DeSTSeg). Thread-safe.
class TexturePool {
 public:
  virtual ~TexturePool() = default;
  virtual std::int64_t size() const = 0;  // > 0
  // Texture `index` in [0, size) as 8-bit RGB of side x side pixels.
  virtual Image texture(std::int64_t index, int side) const = 0;
};

// One named array of a sample, row-major. The field "image" ([3, S, S]) takes the place of the
// plain image and is used as it is, without the input's normalisation.
struct SampleField {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

// Makes the fields of one training sample.
//   image: 8-bit RGB, resized to the input's size unless the input has full_size_samples
//   random: the stream of this (epoch, position in the epoch); every draw must come from it
//   textures: null unless the input asks for them
using SampleFunction = std::function<std::vector<SampleField>(
    const Image& image, Stream& random, const TexturePool* textures)>;

}  // namespace adb
