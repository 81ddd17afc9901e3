#include "methods/rd/golden.h"

#include <limits>

#include <torch/torch.h>

#include "core/error.h"
#include "methods/rd/network.h"
#include "nn/optim.h"
#include "tensor/maps.h"

namespace adb::rd {
namespace {

constexpr auto kKind = ErrorKind::kData;

// Keys of `config` that are options; the others say what to do with them.
const std::vector<std::string> kOptionKeys = {"backbone",
                                              "image_size",
                                              "batch",
                                              "bottleneck_width_per_group",
                                              "bottleneck_has_unused_conv4_bn4",
                                              "loss",
                                              "map",
                                              "sigma"};

RdOptions options_of(const GoldenCase& golden) {
  auto known = kOptionKeys;
  known.insert(known.end(), {"mode", "image_score"});
  golden.require_config(known);
  if (golden.config.contains("image_score")) {
    ADB_CHECK(golden.config["image_score"] == "max of the smoothed map",
              kKind,
              "{}: config.image_score: rd knows only 'max of the smoothed map'",
              golden.name);
  }
  Json options = Json::object();
  for (const auto& key : kOptionKeys) {
    if (golden.config.contains(key)) {
      options[key] = golden.config[key];
    }
  }
  return read_options<RdOptions>(options, golden.name + ": config");
}

double total(const Scales& losses) {
  return losses[0].item<double>() + losses[1].item<double>() + losses[2].item<double>();
}

GoldenResult run_forward(const GoldenCase& golden,
                         const RdOptions& options,
                         const Network& network,
                         const Scales& features) {
  const at::NoGradGuard no_grad;
  const auto mode = golden.config.value("mode", "eval");
  ADB_CHECK(mode == "eval" || mode == "train",
            kKind,
            "{}: config.mode: expected eval or train, got '{}'",
            golden.name,
            mode);
  network.train(mode == "train");
  const auto squeezed = network.bottleneck->forward(features);
  const auto rebuilt = network.decoder->forward(squeezed.embedding);
  const auto maps = anomaly_maps(options, features, rebuilt);

  GoldenResult result;
  result.tensors = {{"bn.reduce_layer1", squeezed.reduced1},
                    {"bn.reduce_layer2", squeezed.reduced2},
                    {"bn.output", squeezed.embedding},
                    {"map.raw", maps.raw},
                    {"map.smooth", maps.smooth}};
  for (std::size_t k = 0; k < kNumScales; ++k) {
    result.tensors.emplace_back(fmt::format("encoder.layer{}", k + 1), features[k]);
    result.tensors.emplace_back(fmt::format("decoder.layer{}", kNumScales - k), rebuilt[k]);
    result.tensors.emplace_back(fmt::format("map.layer{}", k + 1), maps.by_scale[k]);
  }
  const auto scores = pooled_maximum(maps.smooth, 1);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    result.scalars[fmt::format("image_score/{}", i)] = scores[i];
  }
  network.train(false);
  const auto evaluated = network.rebuild(features);
  for (const std::string kind : {"cos_flat", "cos_pixel", "mse", "l1"}) {
    result.scalars["losses_eval_mode/" + kind] = total(scale_losses(kind, features, evaluated));
  }
  return result;
}

// The recipe of a training case.
struct Recipe {
  OptimiserRule rule;
  double lr = 0;
  double weight_decay = 0;
  double clip_norm = std::numeric_limits<double>::infinity();
  std::int64_t steps = 0;
};

Recipe recipe_of(const GoldenCase& golden) {
  constexpr std::int64_t kMostSteps = 1000;
  const auto where = golden.name + ": train";
  const auto& train = golden.json["train"];
  const auto number = [&](const Json& value) { return json_number(value, where, kKind); };
  const auto optimiser = json_string(json_at(train, "optimiser", where, kKind), where, kKind);
  ADB_CHECK(optimiser == "Adam", kKind, "{}: rd trains with Adam, not with '{}'", where, optimiser);
  const auto& betas = json_at(train, "betas", where, kKind);
  ADB_CHECK(betas.is_array() && betas.size() == 2, kKind, "{}: betas: expected two numbers", where);

  Recipe recipe;
  recipe.rule.kind = OptimiserRule::Kind::kAdam;
  recipe.rule.beta1 = number(betas[0]);
  recipe.rule.beta2 = number(betas[1]);
  recipe.rule.eps = number(json_at(train, "eps", where, kKind));
  recipe.lr = number(json_at(train, "lr", where, kKind));
  recipe.weight_decay = number(json_at(train, "weight_decay", where, kKind));
  if (const auto clip = train.find("clip_global_l2_norm");
      clip != train.end() && !clip->is_null()) {
    recipe.clip_norm = number(*clip);
  }
  recipe.steps = json_int(json_at(train, "steps", where, kKind), where, kKind);
  ADB_CHECK(recipe.steps >= 0 && recipe.steps <= kMostSteps,
            kKind,
            "{}: steps: expected 0 to {}, got {}",
            where,
            kMostSteps,
            recipe.steps);
  return recipe;
}

// Copies into `result` the tensors that the case names PREFIX + NAME + SUFFIX, NAME being an entry
// of the state.
void collect(const GoldenCase& golden,
             const NamedTensors& state,
             const std::string& prefix,
             const std::string& suffix,
             bool gradient,
             GoldenResult& result) {
  for (const auto& item : golden.json["tensors"].items()) {
    const std::string& key = item.key();
    if (key.size() < prefix.size() + suffix.size() || !key.starts_with(prefix) ||
        !key.ends_with(suffix)) {
      continue;
    }
    const auto name = key.substr(prefix.size(), key.size() - prefix.size() - suffix.size());
    const auto* tensor = find_tensor(state, name);
    ADB_CHECK(tensor != nullptr,
              kKind,
              "{}: tensors: '{}' names no entry of the state",
              golden.name,
              key);
    ADB_CHECK(!gradient || tensor->grad().defined(),
              kKind,
              "{}: tensors: '{}' has no gradient",
              golden.name,
              key);
    result.tensors.emplace_back(key, (gradient ? tensor->grad() : *tensor).detach().clone());
  }
}

GoldenResult run_training(const GoldenCase& golden,
                          const RdOptions& options,
                          const Network& network,
                          const Scales& features) {
  const auto recipe = recipe_of(golden);
  const auto state = network.state();
  Optimiser optimiser(recipe.rule);
  optimiser.add_group("all", network.trained(), recipe.lr, recipe.weight_decay);

  GoldenResult result;
  // A training-mode forward; it moves the running statistics.
  const auto forward = [&](std::int64_t index) {
    network.train(true);
    const auto losses = scale_losses(options.loss, features, network.rebuild(features));
    result.scalars[fmt::format("loss_by_step/{}", index)] = total(losses);
    collect(golden, state, "", fmt::format(".after_forward{}", index), /*gradient=*/false, result);
    return losses[0] + losses[1] + losses[2];
  };
  for (std::int64_t step = 0; step < recipe.steps; ++step) {
    backward(forward(step), {&optimiser});
    if (step == 0) {
      collect(golden, state, "grad.", "", /*gradient=*/true, result);
      for (const auto& [name, parameter] : network.trained()) {
        if (parameter.grad().defined()) {
          result.scalars["gradient_l2_step0/" + name] =
              at::linalg_vector_norm(parameter.grad(), 2).item<double>();
        }
      }
    }
    const auto norm = clip_gradients(optimiser.parameters(), recipe.clip_norm);
    result.scalars[fmt::format("global_gradient_l2_before_clip/{}", step)] = norm.item<double>();
    optimiser.step();
    collect(golden, state, fmt::format("after{}.", step + 1), "", /*gradient=*/false, result);
  }
  const at::NoGradGuard no_grad;
  forward(recipe.steps);
  network.train(false);
  result.scalars["loss_eval_mode_after_last_step"] =
      total(scale_losses(options.loss, features, network.rebuild(features)));
  return result;
}

}  // namespace

GoldenResult run_golden(const GoldenCase& golden) {
  const auto options = options_of(golden);
  const Network network(options, golden.tensor());
  golden.fill(network.state());
  const auto& images = golden.input("input");
  ADB_CHECK(images.dim() == 4 && images.size(0) > 0 && images.size(1) == 3 &&
                images.size(2) == options.image_size && images.size(3) == options.image_size,
            kKind,
            "{}: input: expected [B, 3, {}, {}], got [{}]",
            golden.name,
            options.image_size,
            options.image_size,
            fmt::join(images.sizes(), ", "));
  const auto features = network.encode(images);
  return golden.training() ? run_training(golden, options, network, features)
                           : run_forward(golden, options, network, features);
}

}  // namespace adb::rd
