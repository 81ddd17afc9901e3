// Parts of the seam that few methods have. A method implements such a class beside Method; a driver
// asks with dynamic_cast.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "methods/sample.h"
#include "tensor/tensor.h"

namespace adb {

struct Batch;

// A method that must look at training images before the first step.
class NeedsCalibration {
 public:
  virtual ~NeedsCalibration() = default;

  // How many images it wants: the first ones of the training list, or all where the list is
  // shorter. 0: none. Asked once the weights are loaded.
  virtual std::int64_t calibration_images() const = 0;

  // Called once, before the first step and never in a resumed run, whose state holds the outcome.
  // With several ranks all of them see the same images.
  //   num_images > 0   next: what Method::features gives for the next image of the list, alone
  virtual void calibrate(std::int64_t num_images,
                         const std::function<std::vector<at::Tensor>()>& next) = 0;
};

// A method that changes test images as it does training images, which some published code does and
// a benchmark should not: for reproducing such rows.
class ChangesTestImages {
 public:
  virtual ~ChangesTestImages() = default;
  virtual SampleFunction test_sample() const = 0;  // empty: images as they are
};

// A method whose published size counts layers that its outputs do not depend on and that are not
// built.
class HasUnbuiltParameters {
 public:
  virtual ~HasUnbuiltParameters() = default;
  virtual std::int64_t unbuilt_parameters() const = 0;
};

struct FeaturePair {
  std::string name;    // of the layer
  at::Tensor given;    // what the frozen network sees: [B, C, H, W]
  at::Tensor rebuilt;  // what the trained one makes of it, of the same shape
};

// A method whose trained part rebuilds features of a frozen network.
class RebuildsFeatures {
 public:
  virtual ~RebuildsFeatures() = default;

  // Uses evaluation mode and no gradients and leaves the state as it was, like Method::predict.
  virtual std::vector<FeaturePair> feature_pairs(const Batch& batch) = 0;
};

}  // namespace adb
