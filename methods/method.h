// The seam between methods and everything that drives them. A method owns its networks and
// optimisers; it knows nothing of files, data sets, the order of epochs, metrics or storage.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/options.h"
#include "core/registry.h"
#include "core/seed.h"
#include "methods/sample.h"
#include "tensor/tensor.h"

namespace adb {

// What a method wants to be fed with.
struct InputSpec {
  std::int64_t image_size = 256;  // S: images are resized to S x S
  std::int64_t batch =
      8;  // images in a training batch; the last partial batch of an epoch is dropped
  std::array<float, 3> mean = {0.485F, 0.456F, 0.406F};  // per RGB channel of x / 255
  std::array<float, 3> std = {0.229F, 0.224F, 0.225F};
  enum class Order { kPermutation, kWithReplacement };
  Order order = Order::kPermutation;  // each image once an epoch, or drawn afresh for every place
  bool needs_textures = false;
  bool features_suffice =
      true;               // with Batch::features given, step and predict do without Batch::images
  SampleFunction sample;  // empty: images as they are
  bool full_size_samples =
      false;  // the sample function takes images of their own size and makes them S x S
};

struct Batch {
  // [B, 3, S, S], normalised (or the sample function's "image"); [B, 0] when the features suffice
  // and are given.
  at::Tensor images;
  std::vector<std::int64_t> ids;  // index of each image in its list
  std::map<std::string, at::Tensor>
      fields;                        // the sample function's other fields, stacked: [B, ...]
  std::vector<at::Tensor> features;  // what Method::features gave for these images, or empty
};

// How gradients of several ranks become one.
enum class Reduction { kMean, kSum };

// Where in the training a step stands.
struct StepPlan {
  std::int64_t step = 0;             // 0-based, over the whole training
  std::int64_t steps_per_epoch = 0;  // floor(images / batch)
  std::int64_t epochs = 0;
  std::int64_t total_steps() const { return epochs * steps_per_epoch; }
  // Combines gradients over ranks in place; empty on one rank.
  std::function<void(const std::vector<at::Tensor>&, Reduction)> reduce;
};

struct StepResult {
  at::Tensor loss;                                        // 0-d, detached
  std::vector<std::pair<std::string, at::Tensor>> parts;  // named terms of the loss, 0-d, detached
  std::vector<std::pair<std::string, double>> rates;      // learning rate of each optimiser group
};

struct Prediction {
  at::Tensor
      maps;  // [B, S, S], higher is more anomalous; float64 where the card computes in double
  std::vector<double> scores;  // B image scores, the method's own
};

// Not thread-safe. Call order: step and predict in any order after make.
class Method {
 public:
  virtual ~Method() = default;
  virtual InputSpec input() const = 0;

  // One update. throws: Error(kInternal) for shapes that do not fit the input
  virtual StepResult step(const Batch& batch, const StepPlan& plan) = 0;

  // Maps and scores. Uses evaluation mode and no gradients and leaves parameters, buffers and modes
  // unchanged.
  virtual Prediction predict(const Batch& batch) = 0;

  // Outputs of the frozen part for images [B, 3, S, S]; they may be kept and given back in
  // Batch::features. Bitwise the same for an image wherever it stands in a batch. Empty: the method
  // has no frozen part.
  virtual std::vector<at::Tensor> features(const at::Tensor& images) {
    return (void)images, std::vector<at::Tensor>();
  }

  // Every parameter and buffer under its published name.
  virtual NamedTensors state() const = 0;
  // Moments and step counts of the optimisers, as "optim.GROUP.NAME".
  virtual NamedTensors optimiser_state() const = 0;
  // Names of the parameters in `state` that are not frozen (unused ones too where the published
  // number counts them).
  virtual std::vector<std::string> trainable() const = 0;

  // Copies pretrained weights into the frozen part.
  //   throws: Error(kWeights) that lists missing, unexpected and mis-shaped names
  virtual void load_pretrained(const NamedTensors& weights, const std::string& file) = 0;
};

// What a method is built with.
struct Context {
  at::ScalarType dtype = at::kFloat;
  at::Device device = at::kCPU;
  Streams streams{42};
};

// Which checkpoint the frozen part wants, as data: the value of an option names it.
struct WeightsChoice {
  std::string option;  // "" : the method has no pretrained part
  std::map<std::string, std::string>
      checkpoints;  // value of the option -> name in configs/weights.yaml
};

struct GoldenCase;
struct GoldenResult;

struct MethodEntry {
  std::string name;     // as on the command line
  std::string title;    // as in papers
  std::string summary;  // one line
  int version = 1;      // raised by hand when behaviour or a default changes
  std::vector<OptionField> options;
  WeightsChoice weights;
  std::int64_t ader_pool =
      1;  // side of the average pooling before the maximum in the `ader` image score
  // throws: Error(kUsage) for options that do not fit together
  std::function<std::unique_ptr<Method>(const Json& options, const Context& context)> make;
  std::string golden_name;  // field `method` of golden cases, "" when there are none
  std::function<GoldenResult(const GoldenCase&)> golden;
};

// Options that every method has; a method's options struct derives from it and starts its visit
// with visit_common.
struct CommonOptions {
  std::int64_t epochs = 100;
  std::int64_t image_size = 256;
  std::int64_t batch = 8;
  std::string weights = "auto";

  template <class V>
  void visit_common(V& v) {
    v.integer("epochs", epochs, {1, 100000}, "passes over the training images");
    v.integer("image_size", image_size, {16, 2048}, "side of the input in pixels");
    v.integer("batch", batch, {1, 4096}, "images in a training batch");
    v.text("weights",
           weights,
           "pretrained weights: auto (by name in the weights folder), random, a checkpoint of "
           "`adbench weights list`, or a file");
  }
};

}  // namespace adb
