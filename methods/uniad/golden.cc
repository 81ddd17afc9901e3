#include "methods/uniad/golden.h"

#include <utility>

#include <torch/torch.h>

#include "core/error.h"
#include "formats/array.h"
#include "methods/golden_training.h"
#include "methods/uniad/network.h"
#include "nn/module_state.h"
#include "tensor/maps.h"

namespace adb::uniad {
namespace {

constexpr auto kKind = ErrorKind::kData;

// Keys of `config` that are options.
const std::vector<std::string> kOptionKeys = {"backbone",
                                              "image_size",
                                              "batch",
                                              "neighbor_size",
                                              "hidden_dim",
                                              "heads",
                                              "encoder_layers",
                                              "decoder_layers",
                                              "feedforward",
                                              "jitter_scale",
                                              "jitter_prob",
                                              "loss"};

UniadOptions options_of(const GoldenCase& golden) {
  const auto where = golden.name + ": config";
  auto options = golden.options(kOptionKeys, {"feature_size", "window", "dropout_in_this_case"});
  if (golden.training() && golden.json["train"].contains("loss")) {
    options["loss"] = golden.json["train"]["loss"];
  }
  const auto read = read_options<UniadOptions>(options, where);
  const auto derived = [&](const char* key, std::int64_t own) {
    if (const auto given = golden.config.find(key); given != golden.config.end()) {
      const auto value = json_int(*given, where, kKind);
      ADB_CHECK(value == own, kKind, "{}: {}: expected {}, got {}", where, key, own, value);
    }
  };
  derived("feature_size", read.grid());
  derived("window", 2 * read.neighbor_radius() + 1);
  if (const auto rate = golden.config.find("dropout_in_this_case"); rate != golden.config.end()) {
    ADB_CHECK(
        !golden.training() || !rate->is_number() || rate->get<double>() == 0,
        kKind,
        "{}: dropout_in_this_case: the draws of dropout cannot be given, so the rate must be 0",
        where);
  }
  return read;
}

// The image features to rebuild: given, or the encoder's.
struct Target {
  NamedTensors levels;  // "backbone_stage1", ...; empty when given
  at::Tensor input;
  at::Tensor features;  // [B, C, G, G]
};

Target target_of(const GoldenCase& golden, const UniadOptions& options, const Network& network) {
  Target target;
  if (find_tensor(golden.inputs, "features") != nullptr) {
    target.input = target.features =
        golden.input("features", {-1, network.channels(), options.grid(), options.grid()});
    return target;
  }
  target.input = golden.input("input", {-1, 3, options.image_size, options.image_size});
  const auto levels = network.levels(target.input);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    target.levels.emplace_back(fmt::format("backbone_stage{}", i + 1), levels[i]);
  }
  target.features = network.align(levels);
  return target;
}

void add_sizes(const Network& network, GoldenResult& result) {
  std::int64_t parameters = 0, trainable = 0;
  for (const auto& [name, tensor] : network.encoder->state()) {
    const bool buffer = name.ends_with("running_mean") || name.ends_with("running_var") ||
                        name.ends_with("num_batches_tracked");
    parameters += buffer ? 0 : tensor.numel();
  }
  for (const auto& [name, tensor] : network.trained()) {
    trainable += tensor.numel();
  }
  result.scalars["sizes/parameters"] = static_cast<double>(parameters + trainable);
  result.scalars["sizes/trainable"] = static_cast<double>(trainable);
}

GoldenResult run_forward(const UniadOptions& options,
                         const Network& network,
                         const Target& target) {
  const at::NoGradGuard no_grad;
  const auto out = network.reconstruction->forward(target.features);
  const auto maps = anomaly_maps(target.features, out.rebuilt);
  const auto sequence_first = [](const at::Tensor& tokens) { return tokens.transpose(0, 1); };

  GoldenResult result;
  result.tensors = target.levels;
  result.tensors.insert(result.tensors.end(),
                        {{"input", target.input},
                         {"feature_align", target.features},
                         {"tokens_projected", sequence_first(out.projected)},
                         {"position_embedding", out.position},
                         {"encoder_out", sequence_first(out.encoded.back())},
                         {"decoder_out", sequence_first(out.normed)},
                         {"feature_rec", out.rebuilt},
                         {"map_small", maps.coarse},
                         {"map", maps.full}});
  for (std::size_t i = 0; i < out.encoded.size(); ++i) {
    result.tensors.emplace_back(fmt::format("encoder_layer{}", i + 1),
                                sequence_first(out.encoded[i]));
  }
  for (std::size_t i = 0; i < out.decoded.size(); ++i) {
    result.tensors.emplace_back(fmt::format("decoder_layer{}", i + 1),
                                sequence_first(out.decoded[i]));
  }
  const auto scores = pooled_maximum(maps.full, kScoreWindow);
  const auto means = at::avg_pool2d(maps.full.unsqueeze(1), kScoreWindow, 1).flatten(1).mean(1);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    result.scalars[fmt::format("image_score/{}", i)] = scores[i];
    result.scalars[fmt::format("image_score_mean_pool/{}", i)] =
        means[static_cast<std::int64_t>(i)].item<double>();
  }
  const auto loss = [&](const std::string& kind) {
    return feature_loss(kind, out.rebuilt, target.features).item<double>();
  };
  for (const std::string kind : {"l1", "cos_pixel", "cos_flat", "mse"}) {
    result.scalars["loss_" + kind] = loss(kind);
  }
  result.scalars["loss"] = loss(options.loss);
  result.scalars["map_min"] = maps.full.min().item<double>();
  result.scalars["map_max"] = maps.full.max().item<double>();
  result.scalars["map_std"] = maps.full.std().item<double>();
  add_sizes(network, result);
  return result;
}

// Which parameters decay. In words; both recipes of the card.
std::string decay_on(const GoldenCase& golden) {
  const auto& train = golden.json["train"];
  const auto on = train.find("weight_decay_on");
  if (on == train.end()) {
    return "matrices";
  }
  const auto where = golden.name + ": train";
  const auto words = json_string(*on, where, kKind);
  if (words.starts_with("all")) {
    return "all";
  }
  ADB_CHECK(words.starts_with("parameters of rank >= 2"),
            kKind,
            "{}: weight_decay_on: expected 'all ...' or 'parameters of rank >= 2 ...', got '{}'",
            where,
            words);
  return "matrices";
}

// The draws of step `index`, given as [L, B, C].
Noise noise_of(const GoldenCase& golden,
               const UniadOptions& options,
               const at::Tensor& features,
               std::int64_t index) {
  Noise noise;
  if (options.jitter_scale > 0 && options.jitter_prob > 0) {
    const auto name = fmt::format("jitter.{}", index);
    const auto& draws = golden.input(
        name, {features.size(2) * features.size(3), features.size(0), features.size(1)});
    noise.jitter = draws.transpose(0, 1);
  }
  return noise;
}

GoldenResult run_training(const GoldenCase& golden,
                          const UniadOptions& options,
                          const Network& network,
                          const at::Tensor& features) {
  const auto recipe = adam_recipe(golden, OptimiserRule::Kind::kAdamW);
  auto optimiser =
      make_optimiser(network, recipe.rule, recipe.lr, recipe.weight_decay, decay_on(golden));
  const auto before = copies_of(network.trained());

  GoldenResult result;
  GoldenTraining training{network.trained(), {&optimiser}};
  training.clip_norm = clip_norm(golden, "clip_grad_norm");
  training.steps = num_steps(golden);
  training.forward = [&](std::int64_t step) {
    const auto noise = noise_of(golden, options, features, step);
    const auto rebuilt = network.reconstruction->forward(features, noise).rebuilt;
    const auto loss = feature_loss(options.loss, rebuilt, features);
    result.scalars[fmt::format("losses/{}", step)] = loss.item<double>();
    return loss;
  };
  training.total_norm = [](std::int64_t step, std::size_t) {
    return step == 0 ? "grad_norm_total" : "";
  };
  run_steps(golden, training, &result);
  {
    const at::NoGradGuard no_grad;
    training.forward(training.steps);
  }
  result.scalars["loss"] = result.scalars["losses/0"];
  add_changes(fmt::format("change_norm_after_{}_steps/", training.steps),
              before,
              network.trained(),
              &result);
  add_sizes(network, result);
  return result;
}

}  // namespace

GoldenResult run_golden(const GoldenCase& golden) {
  const auto options = options_of(golden);
  const Network network(options, golden.tensor());
  const bool alone = find_tensor(golden.inputs, "features") != nullptr;
  golden.fill(alone ? network.trained() : network.state());
  const auto target = target_of(golden, options, network);
  return golden.training() ? run_training(golden, options, network, target.features)
                           : run_forward(options, network, target);
}

}  // namespace adb::uniad
