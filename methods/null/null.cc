#include "methods/null/null.h"

#define AT_PER_OPERATOR_HEADERS
#include <ATen/ops/zeros.h>

namespace adb {
namespace {

struct NullOptions : CommonOptions {
  NullOptions() { epochs = 1; }
  template <class V>
  void visit(V& v) {
    visit_common(v);
  }
};

class Null final : public Method {
 public:
  explicit Null(const NullOptions& options) : options_(options) {}

  InputSpec input() const override {
    InputSpec spec;
    spec.image_size = options_.image_size;
    spec.batch = options_.batch;
    return spec;
  }

  StepResult step(const Batch& batch, const StepPlan&) override {
    return {at::zeros({}, batch.images.options()), {}, {}};
  }

  Prediction predict(const Batch& batch) override {
    const auto n = batch.images.size(0);
    return {at::zeros({n, options_.image_size, options_.image_size}, at::kFloat),
            std::vector<double>(static_cast<std::size_t>(n), 0.0)};
  }

  NamedTensors state() const override { return {}; }
  NamedTensors optimiser_state() const override { return {}; }
  std::vector<std::string> trainable() const override { return {}; }
  void load_pretrained(const NamedTensors&, const std::string&) override {}

 private:
  NullOptions options_;
};

}  // namespace

MethodEntry null_method() {
  MethodEntry entry;
  entry.name = "null";
  entry.title = "Null";
  entry.summary = "the same score for every pixel and image; the floor, and a test of the harness";
  entry.options = list_options<NullOptions>();
  entry.make = [](const Json& options, const Context&) {
    return std::make_unique<Null>(read_options<NullOptions>(options, "null"));
  };
  return entry;
}

}  // namespace adb
