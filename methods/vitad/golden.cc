#include "methods/vitad/golden.h"

#include <utility>

#include <torch/torch.h>

#include "core/error.h"
#include "formats/array.h"
#include "methods/golden_training.h"
#include "methods/vitad/network.h"
#include "nn/module_state.h"
#include "tensor/maps.h"

namespace adb::vitad {
namespace {

constexpr auto kKind = ErrorKind::kData;

// Keys of `config` that are options.
const std::vector<std::string> kOptionKeys = {"backbone",
                                              "image_size",
                                              "patch",
                                              "dim",
                                              "heads",
                                              "encoder_depth",
                                              "teachers",
                                              "neck",
                                              "students",
                                              "decoder_depth",
                                              "fuser",
                                              "fuser_blocks",
                                              "neck_after_final_norm",
                                              "keep_class_token",
                                              "decoder_position_embedding",
                                              "clip_skip_norm_pre",
                                              "loss",
                                              "batch"};

VitadOptions options_of(const GoldenCase& golden) {
  auto options = golden.options(kOptionKeys, {"fuser_inputs"});
  if (golden.training() && golden.json["train"].contains("loss")) {
    options["loss"] = golden.json["train"]["loss"];
  }
  const auto where = golden.name + ": config";
  const auto read = read_options<VitadOptions>(options, where);
  if (const auto inputs = golden.config.find("fuser_inputs"); inputs != golden.config.end()) {
    const auto neck = static_cast<std::int64_t>(resolve(read).neck.size());
    ADB_CHECK(json_int(*inputs, where, kKind) == neck,
              kKind,
              "{}: fuser_inputs: expected the number of neck features, {}",
              where,
              neck);
  }
  return read;
}

// [B, L, C] -> [B, C, G, G]
at::Tensor as_map(const at::Tensor& tokens, std::int64_t grid) {
  return tokens.transpose(1, 2).reshape({tokens.size(0), tokens.size(2), grid, grid});
}

double total_loss(const std::string& kind,
                  const std::vector<at::Tensor>& teachers,
                  const std::vector<at::Tensor>& students) {
  return sum(stage_losses(kind, teachers, students)).item<double>();
}

void add_sizes(const Network& network, GoldenResult& result) {
  std::int64_t parameters = 0, trainable = 0;
  for (const auto& [name, tensor] : module_parameters(*network.encoder)) {
    parameters += tensor.numel();
  }
  for (const auto& [name, tensor] : network.trained()) {
    trainable += tensor.numel();
  }
  result.scalars["sizes/parameters"] = static_cast<double>(parameters + trainable);
  result.scalars["sizes/trainable"] = static_cast<double>(trainable);
}

GoldenResult run_forward(const GoldenCase& golden,
                         const VitadOptions& options,
                         const Network& network) {
  const at::NoGradGuard no_grad;
  network.train(false);
  const auto& images = golden.input("input");
  const auto& built = network.architecture();
  const auto features = network.encode(images);
  const auto teachers = network.teachers(features);
  const auto neck = network.neck(features);
  const auto fused = network.fuser->forward(neck);
  const auto students = network.rebuild(fused);
  const auto maps = anomaly_maps(built, teachers, students);
  const auto first_tokens = network.encoder->forward(images, {0, 1}, options.clip_skip_norm_pre);

  GoldenResult result;
  result.tensors = {{"input", images},
                    {"tokens_in", first_tokens[0]},
                    {"encoder_block1", first_tokens[1]},
                    {"fused", fused},
                    {"decoder_block1", network.decoder->forward(fused, {1}).front()},
                    {"map_raw", maps.raw},
                    {"map", maps.smooth}};
  for (std::size_t i = 0; i < neck.size(); ++i) {
    result.tensors.emplace_back(fmt::format("neck_block{}", built.neck[i]), neck[i]);
  }
  for (std::size_t i = 0; i < teachers.size(); ++i) {
    const auto block = built.teachers[i];
    result.tensors.emplace_back(fmt::format("teacher_block{}", block),
                                as_map(teachers[i], built.grid));
    result.tensors.emplace_back(fmt::format("student_for_block{}", block),
                                as_map(students[i], built.grid));
    result.tensors.emplace_back(fmt::format("stage_map_block{}", block), maps.by_stage[i]);
  }
  const auto scores = pooled_maximum(maps.smooth, kScoreWindow);
  const auto means = at::avg_pool2d(maps.smooth.unsqueeze(1), kScoreWindow, 1).flatten(1).mean(1);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    result.scalars[fmt::format("image_score/{}", i)] = scores[i];
    result.scalars[fmt::format("image_score_mean_pool/{}", i)] =
        means[static_cast<std::int64_t>(i)].item<double>();
  }
  for (const std::string kind : {"cos_flat", "cos_pixel", "l1", "mse"}) {
    result.scalars["loss_" + kind] = total_loss(kind, teachers, students);
  }
  result.scalars["loss"] = total_loss(options.loss, teachers, students);
  add_sizes(network, result);
  return result;
}

GoldenResult run_training(const GoldenCase& golden,
                          const VitadOptions& options,
                          const Network& network) {
  const auto recipe = adam_recipe(golden, OptimiserRule::Kind::kAdamW);
  auto optimiser = make_optimiser(network, recipe.rule, recipe.lr, recipe.weight_decay);
  const auto features = network.encode(golden.input("input"));
  const auto teachers = network.teachers(features);
  const auto before = copies_of(network.trained());

  GoldenResult result;
  network.train(true);
  GoldenTraining training{network.trained(), {&optimiser}};
  training.clip_norm = clip_norm(golden, "clip_grad_norm");
  training.steps = num_steps(golden);
  training.forward = [&](std::int64_t step) {
    const auto loss = sum(stage_losses(options.loss, teachers, network.rebuild(features)));
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

// One transformer block on given tokens, small enough that the epsilon of its norms decides.
GoldenResult run_block(const GoldenCase& golden) {
  golden.require_config({"dim", "heads", "tokens", "layernorm_eps"});
  const auto where = golden.name + ": config";
  const auto dim = json_int(json_at(golden.config, "dim", where, kKind), where, kKind);
  const auto heads = json_int(json_at(golden.config, "heads", where, kKind), where, kKind);
  const auto eps = json_number(json_at(golden.config, "layernorm_eps", where, kKind), where, kKind);
  ADB_CHECK(dim >= 1 && dim <= 4096 && heads >= 1 && dim % heads == 0,
            kKind,
            "{}: dim {} and heads {} do not fit together",
            where,
            dim,
            heads);
  const at::NoGradGuard no_grad;
  const auto& tokens = golden.input("tokens", {-1, -1, dim});
  const TransformerBlock block(dim, heads, eps, golden.tensor());
  golden.fill(module_parameters(block, "block."));
  GoldenResult result;
  result.tensors = {
      {"tokens", tokens}, {"norm1", block.first_norm(tokens)}, {"out", block.forward(tokens)}};
  return result;
}

// Position embeddings "pos_embed_A" at the grids B that the case's tensors "resized_A_to_B" name.
GoldenResult run_position_embedding(const GoldenCase& golden) {
  golden.require_config({"dim", "prefix_tokens", "interpolation", "antialias", "align_corners"});
  const auto where = golden.name + ": config";
  const auto& config = golden.config;
  ADB_CHECK(config.value("interpolation", Json("bicubic")) == "bicubic" &&
                config.value("antialias", Json(true)) == true &&
                config.value("align_corners", Json(false)) == false,
            kKind,
            "{}: only antialiased bicubic interpolation without aligned corners is known",
            where);
  const auto prefix = json_int(json_at(config, "prefix_tokens", where, kKind), where, kKind);
  ADB_CHECK(
      prefix >= 0 && prefix <= 16, kKind, "{}: prefix_tokens {} is not in 0 .. 16", where, prefix);
  GoldenResult result;
  for (const auto& item : json_at(golden.json, "tensors", golden.name, kKind).items()) {
    const std::string& name = item.key();
    const auto middle = name.find("_to_");
    constexpr std::string_view kStart = "resized_";
    ADB_CHECK(name.starts_with(kStart) && middle != std::string::npos,
              kKind,
              "{}: tensors: '{}' is not resized_A_to_B",
              golden.name,
              name);
    const auto from = name.substr(kStart.size(), middle - kStart.size());
    const auto to = name.substr(middle + 4);
    const bool digits =
        !to.empty() && to.size() <= 4 && to.find_first_not_of("0123456789") == std::string::npos;
    const auto grid = digits ? std::stoll(to) : 0;
    ADB_CHECK(
        grid >= 1 && grid <= 512, kKind, "{}: tensors: '{}': impossible grid", golden.name, name);
    result.tensors.emplace_back(
        name, resample_position_embedding(golden.input("pos_embed_" + from), prefix, grid));
  }
  return result;
}

}  // namespace

GoldenResult run_golden(const GoldenCase& golden) {
  if (golden.config.contains("layernorm_eps")) {
    return run_block(golden);
  }
  if (golden.config.contains("interpolation")) {
    return run_position_embedding(golden);
  }
  const auto options = options_of(golden);
  const Network network(options, golden.tensor());
  golden.fill(network.state());
  golden.input("input", {-1, 3, options.image_size, options.image_size});
  return golden.training() ? run_training(golden, options, network)
                           : run_forward(golden, options, network);
}

}  // namespace adb::vitad
