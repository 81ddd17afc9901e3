#include "methods/simplenet/golden.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include <torch/torch.h>

#include "core/error.h"
#include "formats/array.h"
#include "methods/golden_training.h"
#include "methods/simplenet/network.h"
#include "nn/module_state.h"
#include "tensor/maps.h"

namespace adb::simplenet {
namespace {

constexpr auto kKind = ErrorKind::kData;
constexpr const char* kScale = "embedding_scale";

// Keys of `config` that are options.
const std::vector<std::string> kOptionKeys = {"backbone",
                                              "image_size",
                                              "batch",
                                              "patch_size",
                                              "patch_stride",
                                              "pretrain_embed_dimension",
                                              "target_embed_dimension",
                                              "pre_projection_layers",
                                              "discriminator_hidden",
                                              "margin",
                                              "noise_std",
                                              "mix_noise",
                                              "sigma"};

SimplenetOptions options_of(const GoldenCase& golden, const std::vector<std::string>& other_keys) {
  return read_options<SimplenetOptions>(golden.options(kOptionKeys, other_keys),
                                        golden.name + ": config");
}

// The value of `key` in `config`, which must be one of `choices`; the first of them when absent.
std::string choice(const GoldenCase& golden,
                   const std::string& key,
                   const std::vector<std::string>& choices) {
  const auto where = fmt::format("{}: config: {}", golden.name, key);
  if (!golden.config.contains(key)) {
    return choices.front();
  }
  const auto value = json_string(golden.config[key], where, kKind);
  for (const auto& known : choices) {
    if (value == known) {
      return value;
    }
  }
  fail(kKind, "{}: expected one of '{}', got '{}'", where, fmt::join(choices, "', '"), value);
}

// --- the aggregation alone

GoldenResult run_aggregation(const GoldenCase& golden) {
  choice(golden, "part", {"patch aggregation only"});
  const auto options = options_of(golden, {"part", "layer2", "layer3"});
  const Levels maps = {golden.input("layer2"), golden.input("layer3")};
  for (std::size_t level = 0; level < kNumLevels; ++level) {
    const auto& map = maps[level];
    const auto key = fmt::format("layer{}", level + 2);
    const auto where = fmt::format("{}: {}", golden.name, key);
    ADB_CHECK(map.dim() == 4 && map.numel() > 0 && map.size(0) == maps[0].size(0),
              kKind,
              "{}: expected [B, C, H, W], the same B for both maps, got {}",
              where,
              shape_text(map.sizes()));
    ADB_CHECK(!golden.config.contains(key) || golden.config[key] == Json(map.sizes().vec()),
              kKind,
              "{}: config and input have different shapes",
              where);
    const auto smallest = std::min(map.size(2), map.size(3)) + 2 * ((options.patch_size - 1) / 2);
    ADB_CHECK(smallest >= options.patch_size,
              kKind,
              "{}: {} holds no patch of side {}",
              where,
              shape_text(map.sizes()),
              options.patch_size);
  }
  constexpr std::int64_t kMostElements = std::int64_t{1} << 28;
  const PatchAggregation aggregation({maps[0].size(1), maps[1].size(1)}, options);
  const auto num_rows =
      maps[0].size(0) * aggregation.patches(maps[0].size(2)) * aggregation.patches(maps[0].size(3));
  ADB_CHECK(num_rows <= kMostElements / options.target_embed_dimension,
            kKind,
            "{}: {} rows of {} numbers are too many",
            golden.name,
            num_rows,
            options.target_embed_dimension);
  const auto embedding = aggregation(maps);
  GoldenResult result;
  result.tensors = {{"embedding", embedding}};
  result.scalars["sum"] = embedding.to(at::kDouble).sum().item<double>();
  result.scalars["l2"] = at::linalg_vector_norm(embedding.to(at::kDouble), 2).item<double>();
  for (std::int64_t i = 0; i < std::min<std::int64_t>(4, embedding.size(1)); ++i) {
    result.scalars[fmt::format("first_row_first_4/{}", i)] = embedding[0][i].item<double>();
    result.scalars[fmt::format("last_row_last_4/{}", i)] =
        embedding[-1][std::max<std::int64_t>(embedding.size(1) - 4, 0) + i].item<double>();
  }
  return result;
}

// --- the whole network

const Json* listed_parameter(const GoldenCase& golden, const std::string& name) {
  const auto& parameters = json_at(golden.json, "parameters", golden.name, kKind);
  for (const auto& entry : parameters) {
    if (entry.is_object() && entry.value("name", "") == name) {
      return &entry;
    }
  }
  return nullptr;
}

// Fills the state, and sets the scale of the embedding: 1 for the published backbone (whose cases
// leave it out), else as listed or, as in training, from the case's own images.
void set_state(const GoldenCase& golden,
               const SimplenetOptions& options,
               const at::Tensor& images,
               Network& network) {
  auto state = network.state();
  const auto* scale = listed_parameter(golden, kScale);
  if (scale != nullptr) {
    state.emplace_back(kScale, network.embedding_scale);
  }
  golden.fill(state);
  if (options.backbone == kPublishedBackbone && scale == nullptr) {
    network.embedding_scale.fill_(1);
  } else if (scale == nullptr || !scale->value("filled", true)) {
    std::int64_t image = 0;
    network.calibrate(images.size(0), [&] { return network.encode(images.narrow(0, image++, 1)); });
  }
}

void add_sizes(const GoldenCase& golden, const Network& network, GoldenResult& result) {
  std::map<std::string, std::int64_t> sizes;
  for (const auto& [name, tensor] : network.backbone->state()) {
    const bool buffer = name.ends_with("running_mean") || name.ends_with("running_var") ||
                        name.ends_with("num_batches_tracked");
    sizes["backbone_to_layer3"] += buffer ? 0 : tensor.numel();
  }
  for (const auto& [name, tensor] : network.trained()) {
    sizes[name.substr(0, name.find('.'))] += tensor.numel();
    sizes["trainable"] += tensor.numel();
  }
  sizes["total"] = sizes["backbone_to_layer3"] + sizes["trainable"];
  const auto stated = golden.json.find("sizes");
  for (const auto& [name, value] : sizes) {
    if (stated != golden.json.end() && stated->contains(name)) {
      result.scalars["sizes/" + name] = static_cast<double>(value);
    }
  }
}

void add_scores(const std::string& name, const at::Tensor& maps, GoldenResult& result) {
  const auto scores = pooled_maximum(maps, 1);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    result.scalars[fmt::format("{}/{}", name, i)] = scores[i];
  }
}

GoldenResult run_forward(const GoldenCase& golden,
                         const SimplenetOptions& options,
                         const Network& network,
                         const Levels& maps) {
  const at::NoGradGuard no_grad;
  network.train(choice(golden, "mode", {"eval", "train"}) == "train");
  const auto embedding = network.embedding(maps);
  const auto projected = network.projection->forward(embedding);
  const auto out = anomaly_maps(options, network, projected, maps);
  GoldenResult result;
  result.tensors = {{"backbone.layer2", maps[0]},
                    {"backbone.layer3", maps[1]},
                    {"embedding", embedding},
                    {"projected", projected},
                    {"patch_scores", out.patches},
                    {"map.raw", out.raw},
                    {"map.smooth", out.smooth}};
  add_scores("image_score_max_of_smoothed_map", out.smooth, result);
  add_scores("image_score_max_of_patches", out.patches, result);
  add_sizes(golden, network, result);
  return result;
}

// The recipe of a training case.
struct Recipe {
  AdamRecipe projection, discriminator;
  std::string decay_on = "matrices";
  double clip_norm = std::numeric_limits<double>::infinity();
};

// A number, or the one that stands behind `lead` in words: "0.01 on the weight", "global L2
// norm 5.0, ...".
double number_in(const Json& value, const std::string& lead, const std::string& where) {
  if (value.is_number()) {
    return json_number(value, where, kKind);
  }
  const auto words = json_string(value, where, kKind);
  const auto found = words.find(lead);
  const char* const begin =
      found == std::string::npos ? nullptr : words.c_str() + found + lead.size();
  char* end = nullptr;
  const double number = begin == nullptr ? 0 : std::strtod(begin, &end);
  ADB_CHECK(begin != nullptr && end != begin && std::isfinite(number) && number >= 0,
            kKind,
            "{}: expected a number or '{}NUMBER ...', got '{}'",
            where,
            lead,
            words);
  return number;
}

AdamRecipe group_of(const GoldenCase& golden, const std::string& group, OptimiserRule::Kind kind) {
  const auto where = fmt::format("{}: train: optimisers: {}", golden.name, group);
  const auto& list = json_at(golden.json["train"], "optimisers", golden.name + ": train", kKind);
  ADB_CHECK(list.is_array(), kKind, "{}: expected a list", where);
  for (const auto& entry : list) {
    if (json_at(entry, "group", where, kKind) != group) {
      continue;
    }
    return {adam_rule(entry, kind, where),
            json_number(json_at(entry, "lr", where, kKind), where, kKind),
            number_in(json_at(entry, "weight_decay", where, kKind), "", where)};
  }
  fail(kKind, "{}: is missing", where);
}

Recipe recipe_of(const GoldenCase& golden) {
  const auto where = golden.name + ": train";
  const auto& train = golden.json["train"];
  Recipe recipe;
  recipe.projection = group_of(golden, "pre_projection", OptimiserRule::Kind::kAdamW);
  recipe.discriminator = group_of(golden, "discriminator", OptimiserRule::Kind::kAdam);
  recipe.decay_on = choice(golden, "recipe", {"ader", "original"}) == "ader" ? "matrices" : "all";
  if (const auto clip = train.find("clip"); clip != train.end() && !clip->is_null()) {
    recipe.clip_norm = number_in(*clip, "norm ", where + ": clip");
  }
  return recipe;
}

// Adds what the case asks for by the name of an entry of the state.
void record(const GoldenCase& golden,
            const std::string& prefix,
            const NamedTensors& state,
            const std::string& suffix,
            GoldenResult& result) {
  for (const auto& [name, tensor] : state) {
    if (golden.wants(prefix + name + suffix)) {
      result.tensors.emplace_back(prefix + name + suffix, tensor.detach().clone());
    }
  }
}

GoldenResult run_training(const GoldenCase& golden,
                          const SimplenetOptions& options,
                          const Network& network,
                          const Levels& maps) {
  const auto recipe = recipe_of(golden);
  const auto state = network.state();
  const auto optimiser =
      [&](const AdamRecipe& group, const torch::nn::Module& module, const std::string& name) {
        return make_optimiser(group.rule,
                              module_parameters(module, name + "."),
                              name,
                              group.lr,
                              group.weight_decay,
                              recipe.decay_on);
      };
  auto of_projection = optimiser(recipe.projection, *network.projection, "pre_projection");
  auto of_discriminator = optimiser(recipe.discriminator, *network.discriminator, "discriminator");
  const auto embedding = network.embedding(maps);

  GoldenResult result;
  GoldenTraining training{network.trained(), {&of_projection, &of_discriminator}};
  training.clip_norm = recipe.clip_norm;
  training.steps = num_steps(golden);
  // In training mode: it moves the running statistics.
  training.forward = [&](std::int64_t index) {
    const auto& noise = golden.input(fmt::format("noise.{}", index), embedding.sizes().vec());
    network.train(true);
    const auto losses = hinge_losses(network, embedding, noise, options.margin);
    const auto loss = losses.on_true + losses.on_fake;
    result.scalars[fmt::format("loss_by_step/{}", index)] = loss.item<double>();
    result.scalars[fmt::format("true_fake_loss_by_step/{}/0", index)] =
        losses.on_true.item<double>();
    result.scalars[fmt::format("true_fake_loss_by_step/{}/1", index)] =
        losses.on_fake.item<double>();
    record(golden, "", state, fmt::format(".after_forward{}", index), result);
    return loss;
  };
  training.gradient_norms = "gradient_l2_step0/";
  training.total_norm = [](std::int64_t step, std::size_t group) {
    return fmt::format("group_gradient_l2_before_clip/{}/{}", step, group);
  };
  run_steps(golden, training, &result);
  record(golden, "after_last.", state, "", result);
  const at::NoGradGuard no_grad;
  training.forward(training.steps);
  network.train(false);
  const auto out = anomaly_maps(options, network, network.projection->forward(embedding), maps);
  result.tensors.insert(result.tensors.end(),
                        {{"patch_scores.after_last", out.patches},
                         {"map.raw.after_last", out.raw},
                         {"map.smooth.after_last", out.smooth}});
  add_scores("image_score_max_of_smoothed_map_after_last_step", out.smooth, result);
  add_scores("image_score_max_of_patches_after_last_step", out.patches, result);
  add_sizes(golden, network, result);
  return result;
}

}  // namespace

GoldenResult run_golden(const GoldenCase& golden) {
  if (golden.config.contains("part")) {
    return run_aggregation(golden);
  }
  const auto options = options_of(golden, {"layers", "mode", "image_score", "recipe"});
  choice(golden, "image_score", {"max of the raw patch scores", "max of the smoothed map"});
  ADB_CHECK(!golden.config.contains("layers") ||
                golden.config["layers"] == Json::array({"layer2", "layer3"}),
            kKind,
            "{}: config: layers: simplenet knows only layer2 and layer3",
            golden.name);
  const auto& images = golden.input("input", {-1, 3, options.image_size, options.image_size});
  Network network(options, golden.tensor());
  set_state(golden, options, images, network);
  const auto maps = network.encode(images);
  return golden.training() ? run_training(golden, options, network, maps)
                           : run_forward(golden, options, network, maps);
}

}  // namespace adb::simplenet
