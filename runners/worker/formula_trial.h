// A method on formula images: for checks and timings that need no data set.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/json.h"
#include "methods/method.h"

namespace adb {

class FormulaTrial {
 public:
  // Draws come from `context.streams`. `entry` must outlive this.
  FormulaTrial(const MethodEntry& entry, const Json& options, const Context& context);

  // The method as a run would have it before its first step, calibrated on two of the images.
  //   throws: as MethodEntry::make
  std::unique_ptr<Method> make() const;

  // Images 0, 1, 2, ... as a test would feed them: smooth waves with noise, something that a
  // network can learn.
  Batch images(const InputSpec& input, std::vector<std::int64_t> ids) const;

  // What training step `step` sees: the first two images in turn, with the sample function's
  // fields. On the context's device, as above.
  Batch training(const InputSpec& input, std::int64_t step) const;

 private:
  const MethodEntry& entry_;
  Json options_;
  Context context_;
  std::unique_ptr<TexturePool> textures_;
};

}  // namespace adb
