#include "methods/destseg/golden.h"

#include <torch/torch.h>

#include "core/error.h"
#include "methods/destseg/network.h"
#include "methods/golden_training.h"
#include "tensor/maps.h"

namespace adb::destseg {
namespace {

constexpr auto kKind = ErrorKind::kData;

// Keys of `config` that are options; the others say what to do with them.
const std::vector<std::string> kOptionKeys = {
    "backbone", "image_size", "batch", "encoder_decoder_student", "dest", "gamma", "T"};

DestsegOptions options_of(const GoldenCase& golden) {
  return read_options<DestsegOptions>(golden.options(kOptionKeys, {"mode", "phase"}),  // prose
                                      golden.name + ": config");
}

const at::Tensor& checked(const GoldenCase& golden,
                          const DestsegOptions& options,
                          const std::string& name,
                          std::int64_t channels = 3) {
  return golden.input(name, {options.batch, channels, options.image_size, options.image_size});
}

double count(const NamedTensors& parameters) {
  double total = 0;
  for (const auto& [name, parameter] : parameters) {
    total += static_cast<double>(parameter.numel());
  }
  return total;
}

// What is trained in a forward pass.
enum class Phase { kNone, kStudent, kSegmentation };

struct Outcome {
  Levels cosine;           // [B, 1, Hk, Wk], as the student's loss compares
  at::Tensor probability;  // [B, 1, H1, W1]
};

// The whole forward pass as the reference runs it; the method itself leaves out what a phase does
// not need. Gradients flow only into what the phase trains.
Outcome forward(const Network& network,
                const DestsegOptions& options,
                const at::Tensor& clean,
                const at::Tensor& corrupted,
                Phase phase,
                const Tap& tap) {
  const auto teacher_of_corrupted = network.teach(corrupted);
  const auto teacher_of_clean =
      clean.is_same(corrupted) ? teacher_of_corrupted : network.teach(clean);
  for (std::size_t k = 0; k < kNumLevels; ++k) {
    tap(fmt::format("teacher_net.encoder.layer{}", k + 1), teacher_of_clean[k]);
  }
  Levels of_corrupted, compared;
  {
    const at::AutoGradMode student(phase == Phase::kStudent && options.dest);
    of_corrupted = network.student->forward(corrupted, options.dest ? tap : Tap());
  }
  const at::AutoGradMode student(phase == Phase::kStudent);
  compared = options.dest ? of_corrupted : network.student->forward(clean, tap);
  Outcome outcome;
  outcome.cosine = cosine_maps(compared, teacher_of_clean);
  for (std::size_t k = 0; k < kNumLevels; ++k) {
    tap(fmt::format("cosine_map_level{}", k + 1), outcome.cosine[k]);
  }
  tap("cosine_map_product_quarter", cosine_product(outcome.cosine));

  const at::AutoGradMode segmentation(phase == Phase::kSegmentation);
  const auto input = segmentation_input(of_corrupted, teacher_of_corrupted);
  tap("segmentation_input", input);
  const auto logits = network.segmentation->forward(input, tap);
  tap("segmentation_logits", logits);
  outcome.probability = logits.sigmoid();
  tap("segmentation_map_quarter", outcome.probability);
  return outcome;
}

// A tap that keeps what the case names PREFIX + NAME + SUFFIX.
Tap recorder(const GoldenCase& golden,
             const std::string& prefix,
             const std::string& suffix,
             GoldenResult& result) {
  return [&golden, prefix, suffix, &result](const std::string& name, const at::Tensor& output) {
    const auto key = prefix + name + suffix;
    if (golden.wants(key)) {
      result.tensors.emplace_back(key, output.detach());
    }
  };
}

// One evaluation: maps and scores of images taken as both clean and corrupted.
void record_evaluation(const GoldenCase& golden,
                       const DestsegOptions& options,
                       const Network& network,
                       const std::string& prefix,
                       GoldenResult& result) {
  const at::NoGradGuard no_grad;
  network.set_modes({false, false});
  const auto& images = checked(golden, options, "input");
  const auto tap = recorder(golden, prefix, "", result);
  const auto outcome = forward(network, options, images, images, Phase::kNone, tap);
  const auto whole = [&](const at::Tensor& coarse) {
    return upsample_maps(coarse.squeeze(1), options.image_size, /*align_corners=*/false);
  };
  const auto map = whole(outcome.probability);
  const auto map_cosine = whole(cosine_product(outcome.cosine));
  tap("map", map.unsqueeze(1));
  tap("map_cosine", map_cosine.unsqueeze(1));
  const auto tell = [&](const char* name, const std::vector<double>& scores) {
    for (std::size_t i = 0; i < scores.size(); ++i) {
      result.scalars[fmt::format("{}{}/{}", prefix, name, i)] = scores[i];
    }
  };
  tell("image_score", top_k_mean(map, options.top_values));
  tell("image_score_cosine", top_k_mean(map_cosine, options.top_values));
  tell("image_score_quarter_map", top_k_mean(outcome.probability.squeeze(1), options.top_values));
  tell("image_score_max", pooled_maximum(map, 1));
}

// The statistics of one batch become the running ones.
void calibrate(const GoldenCase& golden, const DestsegOptions& options, const Network& network) {
  const at::NoGradGuard no_grad;
  const auto& images = checked(golden, options, "calibration");
  network.set_momentum(1);
  network.set_modes({true, true});
  forward(
      network, options, images, images, Phase::kNone, [](const std::string&, const at::Tensor&) {});
  network.set_momentum(0.1);
  network.set_modes({false, false});
}

// The recipe of a training case.
struct Recipe {
  Phase phase = Phase::kStudent;
  OptimiserRule rule;
  double lr_student = 0, lr_res = 0, lr_head = 0;
  double weight_decay = 1e-4;
};

Recipe recipe_of(const GoldenCase& golden) {
  const auto where = golden.name + ": train";
  const auto& train = golden.json["train"];
  const auto number = [&](const Json& object, const char* key) {
    return json_number(json_at(object, key, where, kKind), where + ": " + key, kKind);
  };
  const auto phase = json_string(json_at(golden.config, "phase", golden.name + ": config", kKind),
                                 golden.name + ": config: phase",
                                 kKind);
  ADB_CHECK(phase == "student" || phase == "segmentation",
            kKind,
            "{}: config: phase: expected student or segmentation, got '{}'",
            golden.name,
            phase);
  const auto optimiser = json_string(json_at(train, "optimiser", where, kKind), where, kKind);
  ADB_CHECK(optimiser == "SGD", kKind, "{}: destseg trains with SGD, not '{}'", where, optimiser);
  ADB_CHECK(!train.contains("dampening") || number(train, "dampening") == 0,
            kKind,
            "{}: dampening: destseg knows only 0",
            where);
  ADB_CHECK(!train.contains("nesterov") || train["nesterov"] == false,
            kKind,
            "{}: nesterov: destseg knows only false",
            where);

  Recipe recipe;
  recipe.rule.kind = OptimiserRule::Kind::kSgd;
  recipe.rule.momentum = number(train, "momentum");
  const auto& lr = json_at(train, "lr", where, kKind);
  if (phase == "student") {
    recipe.lr_student = number(train, "lr");
  } else {
    recipe.phase = Phase::kSegmentation;
    recipe.lr_res = number(lr, "segmentation_net.res");
    recipe.lr_head = number(lr, "segmentation_net.head");
  }
  // Usually prose that tells which parameters decay; those of the card's ADer column do.
  if (const auto decay = train.find("weight_decay"); decay != train.end() && decay->is_number()) {
    recipe.weight_decay = number(train, "weight_decay");
  }
  return recipe;
}

void add_groups(const Recipe& recipe, const NamedTensors& parameters, Optimiser& optimiser) {
  if (recipe.phase == Phase::kStudent) {
    const auto split = split_for_decay(parameters);
    optimiser.add_group("student", split.decayed, recipe.lr_student, recipe.weight_decay);
    optimiser.add_group("student_norms", split.plain, recipe.lr_student, 0);
    return;
  }
  NamedTensors res, head;
  for (const auto& named : parameters) {
    (named.first.starts_with("segmentation_net.res.") ? res : head).push_back(named);
  }
  optimiser.add_group("res", res, recipe.lr_res, recipe.weight_decay);
  optimiser.add_group("head", head, recipe.lr_head, recipe.weight_decay);
}

void run_training(const GoldenCase& golden,
                  const DestsegOptions& options,
                  const Network& network,
                  GoldenResult& result) {
  const auto& clean = checked(golden, options, "input");
  const auto& corrupted = checked(golden, options, "augmented");
  const auto& mask = checked(golden, options, "mask", 1);
  const auto recipe = recipe_of(golden);
  const bool student = recipe.phase == Phase::kStudent;
  const auto parameters =
      student ? network.student_parameters() : network.segmentation_parameters();
  Optimiser optimiser(recipe.rule);
  add_groups(recipe, parameters, optimiser);
  const auto before = copies_of(parameters);
  result.scalars["sizes/trainable"] = count(parameters);
  result.tensors.emplace_back("augmented_normalised", corrupted);
  network.set_modes({student, !student});

  // All three terms; the loss that is trained is returned. The pass after the last step only tells
  // them.
  const auto pass = [&](std::int64_t index, Phase phase) {
    const auto tap = recorder(golden, "", fmt::format(".step{}", index), result);
    const auto outcome = forward(network, options, clean, corrupted, phase, tap);
    const auto target = mask_at(mask, outcome.probability);
    if (index == 0) {
      result.tensors.emplace_back("mask_quarter", target);
    }
    const auto cosine = student_loss(outcome.cosine);
    const auto losses = segmentation_losses(outcome.probability, target, options.gamma);
    const auto loss = student ? cosine : losses.total();
    const auto tell = [&](const char* name, const at::Tensor& value) {
      result.scalars[fmt::format("{}/{}", name, index)] = value.item<double>();
    };
    tell("loss", loss);
    tell("cosine", cosine);
    tell("l1", losses.l1);
    tell("focal", losses.focal);
    return loss;
  };
  GoldenTraining training{parameters, {&optimiser}};
  training.clip_norm = clip_norm(golden, "clip_grad_norm");
  training.steps = num_steps(golden);
  training.forward = [&](std::int64_t step) { return pass(step, recipe.phase); };
  training.total_norm = [](std::int64_t step, std::size_t) {
    return fmt::format("grad_total/{}", step);
  };
  run_steps(golden, training, &result);
  const at::NoGradGuard no_grad;
  pass(training.steps, Phase::kNone);
  add_changes("change_norm_after_steps/", before, parameters, &result);
}

}  // namespace

GoldenResult run_golden(const GoldenCase& golden) {
  const auto options = options_of(golden);
  const Network network(options, golden.tensor());
  golden.fill(network.state());
  GoldenResult result;
  for (const auto& item : golden.json["tensors"].items()) {
    if (item.key().starts_with("plain.")) {
      record_evaluation(golden, options, network, "plain.", result);
      break;
    }
  }
  if (find_tensor(golden.inputs, "calibration") != nullptr) {
    calibrate(golden, options, network);
  }
  if (golden.training()) {
    run_training(golden, options, network, result);
  } else {
    record_evaluation(golden, options, network, "", result);
    result.scalars["sizes/trainable"] =
        count(network.student_parameters()) + count(network.segmentation_parameters());
  }
  NamedTensors teacher;
  for (const auto& named : network.teacher->state()) {
    if (named.first.ends_with(".weight") || named.first.ends_with(".bias")) {
      teacher.push_back(named);
    }
  }
  result.scalars["sizes/teacher"] = count(teacher);
  result.scalars["sizes/student"] = count(network.student_parameters());
  result.scalars["sizes/segmentation"] = count(network.segmentation_parameters());
  return result;
}

}  // namespace adb::destseg
