#include "methods/vitad/network.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/error.h"
#include "nn/frozen.h"
#include "nn/init.h"
#include "nn/module_state.h"
#include "tensor/maps.h"

namespace adb::vitad {
namespace {

constexpr double kEps = 1e-6;  // of the LayerNorms of decoder and fuser
constexpr std::int64_t kHeadClasses = 1000;

VitShape shape_of(const Architecture& built) {
  VitShape shape;
  shape.patch = built.encoder.patch;
  shape.grid = built.grid;
  shape.dim = built.encoder.dim;
  shape.heads = built.encoder.heads;
  shape.depth = built.encoder.depth;
  shape.distilled = built.encoder.distilled;
  shape.norm_pre = built.encoder.norm_pre;
  shape.patch_bias = built.encoder.patch_bias;
  shape.fixed_position = built.encoder.fixed_position;
  shape.eps = built.encoder.eps;
  return shape;
}

bool used_in_decoder(const std::string& name) {
  return name == "net_s.pos_embed" || name.starts_with("net_s.blocks.");
}

// How a publisher's name reads in timm's naming (card section 7).
std::string timm_name(std::string name) {
  if (name.starts_with("module.")) {  // MoCo v3
    name = name.substr(7);
  }
  if (name.starts_with("fc_norm.")) {  // MAE
    name = name.substr(3);
  }
  return name;
}

// Whether `name` belongs to a block that a truncated encoder does not have.
bool beyond(const std::string& name, std::int64_t depth) {
  constexpr std::string_view kPrefix = "blocks.";
  if (!name.starts_with(kPrefix)) {
    return false;
  }
  const auto digits = name.substr(kPrefix.size(), name.find('.', kPrefix.size()) - kPrefix.size());
  const bool number = !digits.empty() && digits.size() < 6 &&
                      digits.find_first_not_of("0123456789") == std::string::npos;
  return number && std::stoll(digits) >= depth;
}

}  // namespace

Fuser::Fuser(const VitadOptions& options,
             const Architecture& built,
             const at::TensorOptions& tensor)
    : add_(options.fuser == "add"), num_blocks_(options.fuser_blocks), grid_(built.grid) {
  const auto dim = built.encoder.dim;
  if (options.fuser == "vit") {
    transformer_ =
        register_module("blocks",
                        std::make_shared<TransformerBlocks>(
                            num_blocks_, dim, built.encoder.decoder_heads, kEps, tensor));
  } else if (options.fuser == "conv") {
    ResidualShape bottleneck;
    bottleneck.in = bottleneck.out = dim;
    bottleneck.width = dim / 4;
    bottlenecks_ = register_module(
        "blocks",
        std::make_shared<ResidualLayer>(bottleneck, num_blocks_, /*last_relu=*/true, tensor));
  } else if (options.fuser != "identity") {
    const auto inputs = add_ ? 1 : static_cast<std::int64_t>(built.neck.size());
    fc_ = register_module("fc", std::make_shared<LinearLayer>(dim * inputs, dim, tensor));
  }
}

at::Tensor Fuser::forward(const std::vector<at::Tensor>& neck) const {
  if (fc_) {
    at::Tensor x = neck.front();
    if (add_) {
      for (std::size_t i = 1; i < neck.size(); ++i) {
        x = x + neck[i];
      }
    } else if (neck.size() > 1) {
      x = at::cat(neck, -1);
    }
    return fc_->forward(x);
  }
  const auto& x = neck.front();
  if (transformer_) {
    return transformer_->forward(x, {num_blocks_}).front();
  }
  if (bottlenecks_) {
    const auto map = x.transpose(1, 2).reshape({x.size(0), x.size(2), grid_, grid_});
    return bottlenecks_->forward(map).flatten(2).transpose(1, 2);
  }
  return x;
}

Decoder::Decoder(const VitadOptions& options,
                 const Architecture& built,
                 const at::TensorOptions& tensor) {
  const auto dim = built.encoder.dim;
  register_parameter("cls_token", at::zeros({1, 1, dim}, tensor));
  if (options.decoder_position_embedding) {
    const auto num_tokens = built.grid * built.grid + (options.keep_class_token ? 1 : 0);
    pos_embed_ = register_parameter("pos_embed", at::zeros({1, num_tokens, dim}, tensor));
  }
  register_module(
      "patch_embed",
      std::make_shared<PatchEmbedding>(built.encoder.patch, dim, /*bias=*/true, tensor));
  blocks_ =
      register_module("blocks",
                      std::make_shared<TransformerBlocks>(
                          built.decoder_depth, dim, built.encoder.decoder_heads, kEps, tensor));
  register_module("norm", std::make_shared<LayerNorm>(dim, kEps, tensor));
  register_module("head", std::make_shared<LinearLayer>(dim, kHeadClasses, tensor));
}

std::vector<at::Tensor> Decoder::forward(const at::Tensor& fused,
                                         const std::vector<std::int64_t>& after) const {
  return blocks_->forward(pos_embed_.defined() ? fused + pos_embed_ : fused, after);
}

Network::Network(const VitadOptions& options, const at::TensorOptions& tensor)
    : built_(resolve(options)),
      neck_after_final_norm_(options.neck_after_final_norm),
      keep_class_token_(options.keep_class_token),
      skip_norm_pre_(options.clip_skip_norm_pre) {
  encoder = std::make_shared<VitEncoder>(shape_of(built_), tensor);
  freeze(*encoder);
  fuser = std::make_shared<Fuser>(options, built_, tensor);
  decoder = std::make_shared<Decoder>(options, built_, tensor);
  for (const auto block : built_.teachers) {
    taps_.push_back({block, true});
  }
  for (const auto block : built_.neck) {
    if (std::find(taps_.begin(), taps_.end(), neck_tap(block)) == taps_.end()) {
      taps_.push_back(neck_tap(block));
    }
  }
}

Network::Tap Network::neck_tap(std::int64_t block) const {
  return {block, !neck_after_final_norm_ && !keep_class_token_};
}

at::Tensor Network::tapped(const Tap& tap, const at::Tensor& tokens) const {
  const auto prefix = encoder->shape().prefix();
  if (tap.plain) {
    return tokens.slice(1, prefix);
  }
  const auto x = neck_after_final_norm_ ? encoder->final_norm(tokens) : tokens;
  if (!keep_class_token_) {
    return x.slice(1, prefix);
  }
  return prefix == 1 ? x : at::cat({x.slice(1, 0, 1), x.slice(1, prefix)}, 1);
}

std::vector<at::Tensor> Network::encode(const at::Tensor& images) const {
  const at::NoGradGuard no_grad;
  std::set<std::int64_t> blocks;
  for (const auto& tap : taps_) {
    blocks.insert(tap.block);
  }
  const std::vector<std::int64_t> after(blocks.begin(), blocks.end());
  const auto one_image = [&](const at::Tensor& image) {
    const auto tokens = encoder->forward(image, after, skip_norm_pre_);
    std::vector<at::Tensor> features;
    for (const auto& tap : taps_) {
      const auto place = std::distance(blocks.begin(), blocks.find(tap.block));
      features.push_back(tapped(tap, tokens[static_cast<std::size_t>(place)]));
    }
    return features;
  };
  return frozen_by_image(one_image, images);
}

std::vector<at::Tensor> Network::teachers(const std::vector<at::Tensor>& features) const {
  ADB_ASSERT(features.size() == taps_.size());
  return {features.begin(), features.begin() + static_cast<std::ptrdiff_t>(built_.teachers.size())};
}

std::vector<at::Tensor> Network::neck(const std::vector<at::Tensor>& features) const {
  ADB_ASSERT(features.size() == taps_.size());
  std::vector<at::Tensor> chosen;
  for (const auto block : built_.neck) {
    const auto place = std::find(taps_.begin(), taps_.end(), neck_tap(block)) - taps_.begin();
    chosen.push_back(features[static_cast<std::size_t>(place)]);
  }
  return chosen;
}

std::vector<at::Tensor> Network::rebuild(const at::Tensor& fused) const {
  auto students = decoder->forward(fused, built_.students);
  std::reverse(students.begin(), students.end());
  if (keep_class_token_) {
    for (auto& tokens : students) {
      tokens = tokens.slice(1, 1);
    }
  }
  return students;
}

void Network::train(bool on) const {
  fuser->train(on);
  decoder->train(on);
}

void Network::initialise(const Streams& streams) const {
  const auto encoder_state = module_state(*encoder);
  init_transformer(encoder_state, streams, "vitad.init.net_t");
  if (encoder->shape().fixed_position) {
    const at::NoGradGuard no_grad;
    find_tensor(encoder_state, "pos_embed")
        ->detach()
        .copy_(sine_cosine_position_embedding(
            built_.encoder.dim, encoder->shape().prefix(), built_.grid));
  }
  init_transformer(module_state(*decoder), streams, "vitad.init.net_s");
  const auto fusion = module_parameters(*fuser);
  if (const auto* weight = find_tensor(fusion, "fc.weight"); weight != nullptr) {
    init::default_weight(
        *weight, *find_tensor(fusion, "fc.bias"), streams.named("vitad.init.net_fusion.fc"));
  } else if (find_tensor(fusion, "blocks.0.conv1.weight") != nullptr) {
    init_residual(*fuser, streams, "vitad.init.net_fusion");
  } else {
    init_transformer(fusion, streams, "vitad.init.net_fusion");
  }
}

void Network::load_encoder(const NamedTensors& weights, const std::string& file) const {
  NamedTensors renamed;
  for (const auto& [published, tensor] : weights) {
    const auto name = timm_name(published);
    if (beyond(name, built_.encoder.depth)) {
      continue;
    }
    renamed.emplace_back(name,
                         name == "pos_embed"
                             ? resample_position_embedding(
                                   tensor.to(at::kFloat), encoder->shape().prefix(), built_.grid)
                             : tensor);
  }
  LoadRules rules;
  rules.drop_prefixes = {"head"};
  load_weights(module_state(*encoder), renamed, file, rules);
}

NamedTensors Network::state() const {
  auto state = module_state(*encoder, "net_t.");
  for (const auto& part : {module_state(*fuser, "net_fusion."), module_state(*decoder, "net_s.")}) {
    state.insert(state.end(), part.begin(), part.end());
  }
  return state;
}

NamedTensors Network::trained() const {
  auto trained = module_parameters(*fuser, "net_fusion.");
  const auto more = module_parameters(*decoder, "net_s.");
  trained.insert(trained.end(), more.begin(), more.end());
  return trained;
}

NamedTensors Network::used() const {
  NamedTensors used;
  for (const auto& named : trained()) {
    if (!named.first.starts_with("net_s.") || used_in_decoder(named.first)) {
      used.push_back(named);
    }
  }
  return used;
}

Optimiser make_optimiser(const Network& network,
                         const OptimiserRule& rule,
                         double lr,
                         double weight_decay) {
  const auto split = split_for_decay(network.used());
  Optimiser optimiser(rule);
  optimiser.add_group("decayed", split.decayed, lr, weight_decay);
  optimiser.add_group("plain", split.plain, lr, 0);
  return optimiser;
}

std::vector<at::Tensor> stage_losses(const std::string& kind,
                                     const std::vector<at::Tensor>& teachers,
                                     const std::vector<at::Tensor>& students) {
  ADB_ASSERT(teachers.size() == students.size());
  std::vector<at::Tensor> losses;
  for (std::size_t i = 0; i < teachers.size(); ++i) {
    // Only cos_pixel needs to know where the channels are; the others take the tokens as they lie.
    losses.push_back(
        kind == "cos_pixel"
            ? feature_loss(kind, teachers[i].transpose(1, 2), students[i].transpose(1, 2))
            : feature_loss(kind, teachers[i], students[i]));
  }
  return losses;
}

at::Tensor sum(const std::vector<at::Tensor>& losses) {
  auto total = losses.front();
  for (std::size_t i = 1; i < losses.size(); ++i) {
    total = total + losses[i];
  }
  return total;
}

AnomalyMaps anomaly_maps(const Architecture& built,
                         const std::vector<at::Tensor>& teachers,
                         const std::vector<at::Tensor>& students) {
  ADB_ASSERT(teachers.size() == students.size());
  AnomalyMaps maps;
  for (std::size_t i = 0; i < teachers.size(); ++i) {
    maps.by_stage.push_back(
        cosine_distance(teachers[i].transpose(1, 2), students[i].transpose(1, 2))
            .view({-1, built.grid, built.grid}));
    const auto large = upsample_maps(maps.by_stage.back(), built.image_size, /*align_corners=*/true)
                           .to(at::kDouble);
    maps.raw = maps.raw.defined() ? maps.raw + large : large;
  }
  const auto stages = static_cast<double>(teachers.size());
  maps.raw = maps.raw / (stages * stages);
  maps.smooth = gaussian_smooth(maps.raw, kSigma);
  return maps;
}

}  // namespace adb::vitad
