#include "methods/uniad/golden.h"

#include <limits>
#include <utility>

#include <torch/torch.h>

#include "core/error.h"
#include "formats/array.h"
#include "methods/uniad/network.h"
#include "nn/module_state.h"
#include "nn/optim.h"
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
  auto known = kOptionKeys;
  known.insert(known.end(), {"feature_size", "window", "dropout_in_this_case"});
  golden.require_config(known);
  Json options = Json::object();
  for (const auto& key : kOptionKeys) {
    if (golden.config.contains(key)) {
      options[key] = golden.config[key];
    }
  }
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
  const auto check = [&](const at::Tensor& tensor, std::int64_t channels, std::int64_t side) {
    ADB_CHECK(tensor.dim() == 4 && tensor.size(0) > 0 && tensor.size(1) == channels &&
                  tensor.size(2) == side && tensor.size(3) == side,
              kKind,
              "{}: input: expected [B, {}, {}, {}], got {}",
              golden.name,
              channels,
              side,
              side,
              shape_text(tensor.sizes()));
  };
  Target target;
  if (find_tensor(golden.inputs, "features") != nullptr) {
    target.input = target.features = golden.input("features");
    check(target.features, network.channels(), options.grid());
    return target;
  }
  target.input = golden.input("input");
  check(target.input, 3, options.image_size);
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

// The recipe of a training case.
struct Recipe {
  OptimiserRule rule;
  double lr = 0;
  double weight_decay = 0;
  std::string decay_on = "matrices";
  double clip_norm = std::numeric_limits<double>::infinity();
  std::int64_t steps = 0;
};

Recipe recipe_of(const GoldenCase& golden) {
  constexpr std::int64_t kMostSteps = 1000;
  const auto where = golden.name + ": train";
  const auto& train = golden.json["train"];
  const auto number = [&](const char* key) {
    return json_number(json_at(train, key, where, kKind), where, kKind);
  };
  const auto optimiser = json_string(json_at(train, "optimiser", where, kKind), where, kKind);
  ADB_CHECK(
      optimiser == "AdamW", kKind, "{}: uniad trains with AdamW, not with '{}'", where, optimiser);
  const auto& betas = json_at(train, "betas", where, kKind);
  ADB_CHECK(betas.is_array() && betas.size() == 2, kKind, "{}: betas: expected two numbers", where);
  Recipe recipe;
  recipe.rule.beta1 = json_number(betas[0], where, kKind);
  recipe.rule.beta2 = json_number(betas[1], where, kKind);
  recipe.rule.eps = number("eps");
  recipe.lr = number("lr");
  recipe.weight_decay = number("weight_decay");
  if (const auto on = train.find("weight_decay_on"); on != train.end()) {
    // In words; both recipes of the card.
    const auto words = json_string(*on, where, kKind);
    if (words.starts_with("all")) {
      recipe.decay_on = "all";
    } else {
      ADB_CHECK(
          words.starts_with("parameters of rank >= 2"),
          kKind,
          "{}: weight_decay_on: expected 'all ...' or 'parameters of rank >= 2 ...', got '{}'",
          where,
          words);
    }
  }
  if (const auto clip = train.find("clip_grad_norm"); clip != train.end() && !clip->is_null()) {
    recipe.clip_norm = json_number(*clip, where, kKind);
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

// The draws of step `index`, given as [L, B, C].
Noise noise_of(const GoldenCase& golden,
               const UniadOptions& options,
               const at::Tensor& features,
               std::int64_t index) {
  Noise noise;
  if (options.jitter_scale > 0 && options.jitter_prob > 0) {
    const auto name = fmt::format("jitter.{}", index);
    const auto draws = golden.input(name);
    const std::vector<std::int64_t> expected = {
        features.size(2) * features.size(3), features.size(0), features.size(1)};
    ADB_CHECK(draws.sizes() == at::IntArrayRef(expected),
              kKind,
              "{}: {}: expected {}, got {}",
              golden.name,
              name,
              shape_text(expected),
              shape_text(draws.sizes()));
    noise.jitter = draws.transpose(0, 1);
  }
  return noise;
}

double norm_of(const at::Tensor& tensor) {
  return at::linalg_vector_norm(tensor.detach(), 2).item<double>();
}

GoldenResult run_training(const GoldenCase& golden,
                          const UniadOptions& options,
                          const Network& network,
                          const at::Tensor& features) {
  const auto recipe = recipe_of(golden);
  auto optimiser =
      make_optimiser(network, recipe.rule, recipe.lr, recipe.weight_decay, recipe.decay_on);
  NamedTensors before;
  for (const auto& [name, parameter] : network.trained()) {
    before.emplace_back(name, parameter.detach().clone());
  }

  GoldenResult result;
  const auto forward = [&](std::int64_t index) {
    const auto noise = noise_of(golden, options, features, index);
    const auto rebuilt = network.reconstruction->forward(features, noise).rebuilt;
    const auto loss = feature_loss(options.loss, rebuilt, features);
    result.scalars[fmt::format("losses/{}", index)] = loss.item<double>();
    return loss;
  };
  for (std::int64_t step = 0; step < recipe.steps; ++step) {
    backward(forward(step), {&optimiser});
    if (step == 0) {
      for (const auto& [name, parameter] : network.trained()) {
        if (parameter.grad().defined()) {
          result.scalars["grad_norm/" + name] = norm_of(parameter.grad());
          result.tensors.emplace_back("grad." + name, parameter.grad().clone());
        }
      }
    }
    const auto norm = clip_gradients(optimiser.parameters(), recipe.clip_norm);
    if (step == 0) {
      result.scalars["grad_norm_total"] = norm.item<double>();
    }
    optimiser.step();
  }
  {
    const at::NoGradGuard no_grad;
    forward(recipe.steps);
  }
  result.scalars["loss"] = result.scalars["losses/0"];
  const auto change = fmt::format("change_norm_after_{}_steps/", recipe.steps);
  for (const auto& [name, parameter] : network.trained()) {
    result.scalars[change + name] = norm_of(parameter.detach() - *find_tensor(before, name));
  }
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
