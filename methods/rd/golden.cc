#include "methods/rd/golden.h"

#include <torch/torch.h>

#include "core/error.h"
#include "methods/golden_training.h"
#include "methods/rd/network.h"
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
  const auto options = golden.options(kOptionKeys, {"mode", "image_score"});
  if (golden.config.contains("image_score")) {
    ADB_CHECK(golden.config["image_score"] == "max of the smoothed map",
              kKind,
              "{}: config.image_score: rd knows only 'max of the smoothed map'",
              golden.name);
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

// Copies into `result` the tensors that the case names PREFIX + NAME + SUFFIX, NAME being an entry
// of the state.
void collect(const GoldenCase& golden,
             const NamedTensors& state,
             const std::string& prefix,
             const std::string& suffix,
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
    result.tensors.emplace_back(key, tensor->detach().clone());
  }
}

GoldenResult run_training(const GoldenCase& golden,
                          const RdOptions& options,
                          const Network& network,
                          const Scales& features) {
  const auto recipe = adam_recipe(golden, OptimiserRule::Kind::kAdam);
  const auto state = network.state();
  Optimiser optimiser(recipe.rule);
  optimiser.add_group("all", network.trained(), recipe.lr, recipe.weight_decay);

  GoldenResult result;
  GoldenTraining training{network.trained(), {&optimiser}};
  training.clip_norm = clip_norm(golden, "clip_global_l2_norm");
  training.steps = num_steps(golden);
  // In training mode: it moves the running statistics.
  training.forward = [&](std::int64_t step) {
    network.train(true);
    const auto losses = scale_losses(options.loss, features, network.rebuild(features));
    result.scalars[fmt::format("loss_by_step/{}", step)] = total(losses);
    collect(golden, state, "", fmt::format(".after_forward{}", step), result);
    return losses[0] + losses[1] + losses[2];
  };
  training.after_step = [&](std::int64_t step) {
    collect(golden, state, fmt::format("after{}.", step + 1), "", result);
  };
  training.gradient_norms = "gradient_l2_step0/";
  training.total_norm = [](std::int64_t step, std::size_t) {
    return fmt::format("global_gradient_l2_before_clip/{}", step);
  };
  run_steps(golden, training, &result);
  const at::NoGradGuard no_grad;
  training.forward(training.steps);
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
  const auto& images = golden.input("input", {-1, 3, options.image_size, options.image_size});
  const auto features = network.encode(images);
  return golden.training() ? run_training(golden, options, network, features)
                           : run_forward(golden, options, network, features);
}

}  // namespace adb::rd
