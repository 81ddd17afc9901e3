#include "runners/worker/conformance.h"

#define AT_PER_OPERATOR_HEADERS
#include <cmath>
#include <set>

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>

#include "methods/optional.h"
#include "runners/worker/formula_trial.h"
#include "tensor/state.h"

namespace adb {
namespace {

constexpr std::int64_t kSeed = 7;

class Kit {
 public:
  Kit(const MethodEntry& entry, const Json& options)
      : entry_(entry),
        options_(options),
        trial_(entry, options, Context{at::kFloat, at::kCPU, Streams(kSeed)}) {}

  std::vector<std::string> run(std::int64_t steps) {
    check("options", [&] { options(); });
    check("names", [&] { names(); });
    check("predict", [&] { predict(); });
    check("features", [&] { features(); });
    check("rebuilt features", [&] { rebuilt_features(); });
    check("training", [&] { training(steps); });
    check("state", [&] { saved_state(); });
    return problems_;
  }

  std::vector<std::string> run_once() {
    check("one step", [&] {
      const auto method = make();
      const auto input = method->input();
      const double loss = train_step(*method, 0);
      expect(std::isfinite(loss), fmt::format("the first loss is {}", loss));
      const auto prediction = method->predict(trial_.images(input, {1}));
      const std::vector<std::int64_t> shape = {1, input.image_size, input.image_size};
      expect(prediction.maps.sizes() == at::IntArrayRef(shape),
             fmt::format("a map is [{}], not [{}]",
                         fmt::join(prediction.maps.sizes(), ", "),
                         fmt::join(shape, ", ")));
      expect(prediction.maps.isfinite().all().item<bool>(), "a map is not finite");
      expect(prediction.scores.size() == 1 && std::isfinite(prediction.scores[0]),
             "there is no finite score");
    });
    return problems_;
  }

 private:
  template <class F>
  void check(const char* what, F body) {
    try {
      body();
    } catch (const std::exception& e) {
      problems_.push_back(fmt::format("{}: {}: {}", entry_.name, what, e.what()));
    }
  }

  void expect(bool holds, const std::string& promise) {
    if (!holds) {
      problems_.push_back(entry_.name + ": " + promise);
    }
  }

  std::unique_ptr<Method> make() const { return trial_.make(); }

  static StepPlan plan_at(std::int64_t step) {
    StepPlan plan;
    plan.step = step;
    plan.steps_per_epoch = 50;
    plan.epochs = 4;
    return plan;
  }

  double train_step(Method& method, std::int64_t step, bool with_features = false) const {
    auto batch = trial_.training(method.input(), step);
    if (with_features && !method.input().sample) {
      batch.features = method.features(batch.images);
    }
    return method.step(batch, plan_at(step)).loss.item<double>();
  }

  static NamedTensors copy_of(const Method& method) {
    NamedTensors copy;
    for (const auto& list : {method.state(), method.optimiser_state()}) {
      for (const auto& [name, tensor] : list) {
        copy.emplace_back(name, tensor.detach().clone());
      }
    }
    return copy;
  }

  // The first name whose values differ, or "".
  static std::string first_change(const NamedTensors& before, const NamedTensors& after) {
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (!at::equal(before[i].second, after[i].second)) {
        return before[i].first;
      }
    }
    return "";
  }

  // --- promises

  void options() {
    const auto refused = [&](const Json& options) {
      try {
        entry_.make(options, Context{});
        return false;
      } catch (const Error& e) {
        return e.kind() == ErrorKind::kUsage;
      }
    };
    auto unknown = options_;
    unknown["no_such_option"] = 1;
    expect(refused(unknown), "an unknown option is not refused");
    for (const auto& field : entry_.options) {
      expect(!field.help.empty(), fmt::format("option '{}' has no help", field.path));
      const bool number = field.type == OptionType::kInteger || field.type == OptionType::kNumber;
      expect(!number || field.range.has_value(),
             fmt::format("option '{}' has no range", field.path));
      if (number && field.range) {
        auto outside = options_;
        outside[field.path] = field.range->high * 2 + 1;
        expect(refused(outside),
               fmt::format("option '{}' above its range is not refused", field.path));
      }
    }
  }

  void names() {
    const auto method = make();
    std::set<std::string> state;
    for (const auto& [name, tensor] : method->state()) {
      expect(state.insert(name).second, fmt::format("state holds '{}' twice", name));
    }
    for (const auto& name : method->trainable()) {
      expect(state.count(name) == 1, fmt::format("trainable '{}' is not in the state", name));
    }
    for (const auto& [name, tensor] : method->optimiser_state()) {
      expect(name.starts_with("optim."),
             fmt::format("optimiser state '{}' does not begin with 'optim.'", name));
    }
  }

  void predict() {
    const auto method = make();
    const auto input = method->input();
    const auto before = copy_of(*method);
    const auto three = method->predict(trial_.images(input, {0, 1, 2}));
    const auto alone = method->predict(trial_.images(input, {1}));
    expect(first_change(before, copy_of(*method)).empty(),
           "predict changes '" + first_change(before, copy_of(*method)) + "'");
    const std::vector<std::int64_t> shape = {3, input.image_size, input.image_size};
    if (three.maps.sizes() != at::IntArrayRef(shape) || three.scores.size() != 3) {
      problems_.push_back(fmt::format("{}: maps are [{}] with {} scores, not [3, {}, {}] with 3",
                                      entry_.name,
                                      fmt::join(three.maps.sizes(), ", "),
                                      three.scores.size(),
                                      input.image_size,
                                      input.image_size));
      return;
    }
    expect(three.maps.isfinite().all().item<bool>(), "a map is not finite");
    expect(std::isfinite(three.scores[0]), "a score is not finite");
    const double range = (three.maps.max() - three.maps.min()).item<double>();
    const double moved =
        (three.maps[1].to(at::kDouble) - alone.maps[0].to(at::kDouble)).abs().max().item<double>();
    // Half a dozen float32 roundings are allowed beside it: an untrained map may be almost flat.
    const double rounding = 6 * 0x1p-23 * three.maps.abs().max().item<double>();
    expect(moved <= std::max(1e-4 * range, rounding),
           fmt::format("an image's map depends on its batch: {} of range {}", moved, range));
  }

  void features() {
    const auto method = make();
    const auto input = method->input();
    const auto batch = trial_.images(input, {0, 1, 2, 3, 4});
    const auto together = method->features(batch.images);
    if (together.empty()) {
      return;
    }
    for (std::int64_t i = 0; i < 5; ++i) {
      const auto alone = method->features(batch.images.narrow(0, i, 1));
      for (std::size_t f = 0; f < together.size(); ++f) {
        expect(at::equal(alone[f][0], together[f][i]),
               fmt::format("features of image {} depend on its batch", i));
      }
    }
    auto given = batch;
    given.features = together;
    const auto a = method->predict(batch);
    const auto b = method->predict(given);
    expect(at::equal(a.maps, b.maps) && a.scores == b.scores,
           "a prediction changes when features are given");
  }

  void rebuilt_features() {
    const auto method = make();
    auto* rebuilds = dynamic_cast<RebuildsFeatures*>(method.get());
    if (rebuilds == nullptr) {
      return;
    }
    const auto before = copy_of(*method);
    const auto pairs = rebuilds->feature_pairs(trial_.images(method->input(), {0, 1}));
    expect(first_change(before, copy_of(*method)).empty(),
           "feature_pairs changes '" + first_change(before, copy_of(*method)) + "'");
    expect(!pairs.empty(), "feature_pairs gives none");
    for (const auto& pair : pairs) {
      expect(pair.given.dim() == 4 && pair.given.size(0) == 2 &&
                 pair.given.sizes() == pair.rebuilt.sizes(),
             fmt::format("'{}' is no pair of maps of two images", pair.name));
    }
  }

  void training(std::int64_t steps) {
    const auto first = make();
    const auto second = make();
    const auto before = copy_of(*first);
    std::vector<double> losses;
    for (std::int64_t step = 0; step < 3; ++step) {
      losses.push_back(train_step(*first, step));
      const double again = train_step(*second, step, /*with_features=*/true);
      expect(
          losses.back() == again,
          fmt::format("step {}: losses {} and {} of one seed differ", step, losses.back(), again));
    }
    const auto trainable = first->trainable();
    const std::set<std::string> trained(trainable.begin(), trainable.end());
    if (trained.empty()) {
      return;
    }
    const auto after = copy_of(*first);
    bool moved = false;
    for (std::size_t i = 0; i < before.size(); ++i) {
      const auto& name = before[i].first;
      const bool changed = !at::equal(before[i].second, after[i].second);
      moved = moved || (changed && trained.count(name) == 1);
      const bool free = trained.count(name) == 1 || name.starts_with("optim.") ||
                        name.ends_with("running_mean") || name.ends_with("running_var") ||
                        name.ends_with("num_batches_tracked");
      expect(!changed || free, fmt::format("training changes '{}', which is frozen", name));
    }
    expect(moved, "three steps move no parameter");
    for (std::int64_t step = 3; step < steps; ++step) {
      losses.push_back(train_step(*first, step));
    }
    const auto mean_of = [&](std::size_t begin, std::size_t end) {
      double sum = 0;
      for (std::size_t i = begin; i < end; ++i) {
        sum += losses[i];
      }
      return sum / static_cast<double>(end - begin);
    };
    expect(mean_of(losses.size() - 5, losses.size()) < mean_of(0, 5),
           fmt::format("the loss does not fall: {} to {}",
                       mean_of(0, 5),
                       mean_of(losses.size() - 5, losses.size())));
  }

  void saved_state() {
    const auto first = make();
    train_step(*first, 0);
    train_step(*first, 1);
    const auto second = entry_.make(options_, Context{at::kFloat, at::kCPU, Streams(kSeed)});
    auto target = second->state();
    for (const auto& named : second->optimiser_state()) {
      target.push_back(named);
    }
    restore_tensors(target, copy_of(*first), "saved state", ErrorKind::kInternal);
    const auto batch = trial_.images(first->input(), {0, 1});
    expect(at::equal(first->predict(batch).maps, second->predict(batch).maps),
           "a prediction changes when the state is saved and loaded");
    expect(train_step(*first, 2) == train_step(*second, 2),
           "the first loss after save and load differs");
    expect(train_step(*first, 3) == train_step(*second, 3),
           "the second loss after save and load differs");
  }

  const MethodEntry& entry_;
  Json options_;
  FormulaTrial trial_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> check_conformance(const MethodEntry& entry,
                                           const Json& options,
                                           std::int64_t steps) {
  return Kit(entry, options).run(steps);
}

std::string check_one_step(const MethodEntry& entry, const Json& options) {
  return fmt::format("{}", fmt::join(Kit(entry, options).run_once(), "\n"));
}

}  // namespace adb
