#include "methods/draem/golden.h"

#include <torch/torch.h>

#include "core/error.h"
#include "methods/draem/network.h"
#include "methods/golden_training.h"
#include "nn/image_losses.h"

namespace adb::draem {
namespace {

constexpr auto kKind = ErrorKind::kData;

DraemOptions options_of(const GoldenCase& golden) {
  const auto& images = golden.input("input");
  ADB_CHECK(images.dim() == 4, kKind, "{}: input: expected a batch of images", golden.name);
  Json options = {{"image_size", images.size(3)}, {"batch", images.size(0)}};
  for (const char* key : {"base_width", "base_channels", "image_size", "batch"}) {
    if (golden.config.contains(key)) {
      options[key] = golden.config[key];
    }
  }
  return read_options<DraemOptions>(options, golden.name + ": config");
}

// Adds one forward pass: what the case names PREFIX + NAME.
void record_forward(const GoldenCase& golden,
                    const Network& network,
                    const at::Tensor& images,
                    const std::string& prefix,
                    GoldenResult& result) {
  const auto add = [&](const std::string& name, const at::Tensor& tensor) {
    if (golden.wants(prefix + name)) {
      result.tensors.emplace_back(prefix + name, tensor);
    }
  };
  const auto out = network.forward(images, add);
  const auto map = out.probabilities.narrow(1, 1, 1);
  const auto pooled = pooled_maps(map.squeeze(1), /*padded=*/true);
  add("reconstruction", out.reconstruction);
  add("logits", out.logits);
  add("map", map);
  add("probability", map);
  add("map_pooled", pooled.unsqueeze(1));
  const auto inside = pooled_maps(map.squeeze(1), /*padded=*/false);
  for (std::int64_t i = 0; i < map.size(0); ++i) {
    result.scalars[fmt::format("{}image_score/{}", prefix, i)] = pooled[i].max().item<double>();
    result.scalars[fmt::format("{}image_score_valid_pooling/{}", prefix, i)] =
        inside[i].max().item<double>();
  }
}

GoldenResult run_forward(const GoldenCase& golden,
                         const DraemOptions& options,
                         const Network& network) {
  const at::NoGradGuard no_grad;
  const std::vector<std::int64_t> shape = {
      options.batch, 3, options.image_size, options.image_size};
  const auto& images = golden.input("input", shape);
  GoldenResult result;
  network.train(false);
  const auto& named = golden.json["tensors"];
  for (const auto& item : named.items()) {
    if (item.key().starts_with("plain.")) {
      record_forward(golden, network, images, "plain.", result);
      break;
    }
  }
  if (find_tensor(golden.inputs, "calibration") != nullptr) {
    network.set_momentum(1);
    network.train(true);
    network.forward(golden.input("calibration"));
    network.train(false);
  }
  record_forward(golden, network, images, "", result);
  for (const auto& [name, tensor] : network.state()) {
    if (golden.wants("calibrated." + name)) {
      result.tensors.emplace_back("calibrated." + name, tensor);
    }
  }
  return result;
}

// The buffers that the case names running_mean.MODULE.after_forwardK, and running_var likewise.
void record_buffers(const GoldenCase& golden,
                    const Network& network,
                    std::int64_t forward,
                    GoldenResult& result) {
  for (const auto& [name, tensor] : network.state()) {
    for (const std::string statistic : {"running_mean", "running_var"}) {
      if (!name.ends_with("." + statistic)) {
        continue;
      }
      const auto module = name.substr(0, name.size() - statistic.size() - 1);
      const auto key = fmt::format("{}.{}.after_forward{}", statistic, module, forward);
      if (golden.wants(key)) {
        result.tensors.emplace_back(key, tensor.clone());
      }
    }
  }
}

GoldenResult run_training(const GoldenCase& golden,
                          const DraemOptions& options,
                          const Network& network) {
  const auto side = options.image_size;
  const auto& target = golden.input("input", {options.batch, 3, side, side});
  const auto& augmented = golden.input("augmented", {options.batch, 3, side, side});
  const auto& mask = golden.input("mask", {options.batch, 1, side, side});
  const auto recipe = adam_recipe(golden, OptimiserRule::Kind::kAdam);
  const auto window = ssim_window().to(golden.tensor());
  const auto parameters = network.parameters();
  Optimiser optimiser(recipe.rule);
  optimiser.add_group("all", parameters, recipe.lr, recipe.weight_decay);

  GoldenResult result;
  const auto before = copies_of(parameters);
  result.tensors = {{"augmented", augmented}, {"mask", mask}};
  network.train(true);
  // A forward pass in training mode, which moves the running statistics; the one after the last
  // step only tells the losses.
  GoldenTraining training{parameters, {&optimiser}};
  training.clip_norm = clip_norm(golden, "clip_grad_norm");
  training.steps = num_steps(golden);
  training.forward = [&](std::int64_t index) {
    const auto out = network.forward(augmented);
    const auto range = ssim_range(ssim_range_decisions(out.reconstruction));
    const auto losses = losses_of(out, target, mask, range, window);
    const auto total = losses.total();
    const auto tell = [&](const char* name, const at::Tensor& value) {
      result.scalars[fmt::format("{}/{}", name, index)] = value.item<double>();
    };
    tell("loss", total);
    tell("mse", losses.mse);
    tell("ssim", losses.ssim);
    tell("focal", losses.focal);
    tell("dynamic_range", range);
    result.tensors.emplace_back(fmt::format("reconstruction.step{}", index),
                                out.reconstruction.detach());
    result.tensors.emplace_back(fmt::format("probability.step{}", index),
                                out.probabilities.narrow(1, 1, 1).detach());
    record_buffers(golden, network, index, result);
    return total;
  };
  training.total_norm = [](std::int64_t step, std::size_t) {
    return fmt::format("grad_total/{}", step);
  };
  run_steps(golden, training, &result);
  const at::NoGradGuard no_grad;
  training.forward(training.steps);
  add_changes("change_norm_after_steps/", before, parameters, &result);
  network.train(false);
  const auto out = network.forward(target);
  result.scalars["eval_after_training/mse_to_image"] =
      (out.reconstruction - target).square().mean().item<double>();
  result.scalars["eval_after_training/mean_probability"] =
      out.probabilities.select(1, 1).mean().item<double>();
  return result;
}

GoldenResult run_losses(const GoldenCase& golden) {
  constexpr std::int64_t kMostWindow = 101;
  const at::NoGradGuard no_grad;
  const auto where = golden.name + ": config";
  const auto size = golden.config.contains("window")
                        ? json_int(golden.config["window"], where + ": window", kKind)
                        : 11;
  const auto sigma = golden.config.contains("sigma")
                         ? json_number(golden.config["sigma"], where + ": sigma", kKind)
                         : 1.5;
  ADB_CHECK(size >= 1 && size <= kMostWindow && size % 2 == 1,
            kKind,
            "{}: window: expected an odd size up to {}, got {}",
            where,
            kMostWindow,
            size);
  ADB_CHECK(sigma > 0, kKind, "{}: sigma: expected more than 0, got {}", where, sigma);
  const auto window = ssim_window(size, sigma).to(golden.tensor());
  const auto& a = golden.input("a");
  ADB_CHECK(a.dim() == 4, kKind, "{}: a: expected a batch of images", golden.name);
  const auto shape = a.sizes().vec();
  auto pair = shape, single = shape;
  pair[1] = 2;
  single[1] = 1;
  const NamedTensors images = {
      {"a", a}, {"b", golden.input("b", shape)}, {"signal", golden.input("s", shape)}};
  const auto& mask = golden.input("mask", single);
  const auto& logits = golden.input("logits", pair);

  GoldenResult result;
  result.tensors = {{"window", window}};
  for (const auto& [first, x] : images) {
    const auto range = ssim_range(ssim_range_decisions(x));
    result.scalars["range_" + first] = range.item<double>();
    for (const auto& [second, y] : images) {
      const auto map = ssim_map(x, y, range, window);
      result.scalars[fmt::format("ssim_{}_{}", first, second)] = (1 - map.mean()).item<double>();
      result.scalars[fmt::format("mse_{}_{}", first, second)] =
          (x - y).square().mean().item<double>();
      result.tensors.emplace_back(fmt::format("ssim_map_{}_{}", first, second),
                                  map.narrow(0, 0, 1));
    }
  }
  const auto tell = [&](const char* name, const at::Tensor& value) {
    result.scalars[name] = value.item<double>();
  };
  const auto probabilities = logits.softmax(1);
  const auto sigmoid = logits.narrow(1, 0, 1).sigmoid();
  tell("focal", softmax_focal_loss(probabilities, mask));
  tell("focal_all_normal", softmax_focal_loss(probabilities, at::zeros_like(mask)));
  tell("focal_perfect", softmax_focal_loss(at::cat({1 - mask, mask}, 1), mask));
  tell("focal_all_wrong", softmax_focal_loss(at::cat({mask, 1 - mask}, 1), mask));
  tell("destseg_focal_gamma4", sigmoid_focal_loss(sigmoid, mask));
  tell("destseg_focal_saturated", sigmoid_focal_loss(1 - mask, mask));
  tell("destseg_l1", (sigmoid - mask).abs().mean());
  return result;
}

}  // namespace

GoldenResult run_golden(const GoldenCase& golden) {
  golden.require_config(
      {"base_width", "base_channels", "image_size", "batch", "mode", "window", "sigma"});
  const auto parameters = golden.json.find("parameters");
  if (parameters == golden.json.end() || parameters->empty()) {
    return run_losses(golden);
  }
  const auto options = options_of(golden);
  const Network network(options, golden.tensor());
  golden.fill(network.state());
  auto result = golden.training() ? run_training(golden, options, network)
                                  : run_forward(golden, options, network);
  const auto count = [](const torch::nn::Module& module) {
    double total = 0;
    for (const auto& parameter : module.parameters()) {
      total += static_cast<double>(parameter.numel());
    }
    return total;
  };
  result.scalars["sizes/model"] = count(*network.model);
  result.scalars["sizes/model_seg"] = count(*network.model_seg);
  result.scalars["sizes/trainable"] = count(*network.model) + count(*network.model_seg);
  return result;
}

}  // namespace adb::draem
