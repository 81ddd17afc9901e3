#include "methods/simplenet/network.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/error.h"
#include "nn/init.h"
#include "nn/module_state.h"
#include "tensor/maps.h"

namespace adb::simplenet {
namespace {

const std::vector<std::int64_t> kStrides = {8, 16};
constexpr double kNormEps = 1e-5;
constexpr double kLeak = 0.2;
constexpr double kMixedNoiseGrowth = 1.1;

// Window `index` of an adaptive average pooling from n numbers to m: [first, last).
struct Window {
  std::int64_t first, last;
  double weight() const { return 1.0 / static_cast<double>(last - first); }
};
Window adaptive_window(std::int64_t index, std::int64_t n, std::int64_t m) {
  return {index * n / m, ((index + 1) * n + m - 1) / m};
}

using Row = std::map<std::int64_t, double>;  // place in a flattened patch -> weight

// Whether row `i + step` is row `i` moved by `shift` places, for all rows.
bool repeats(const std::vector<Row>& rows, std::size_t step, std::int64_t shift) {
  for (std::size_t i = 0; i + step < rows.size(); ++i) {
    const auto& row = rows[i];
    const auto& later = rows[i + step];
    if (!std::equal(
            row.begin(), row.end(), later.begin(), later.end(), [&](const auto& a, const auto& b) {
              return a.first + shift == b.first && a.second == b.second;
            })) {
      return false;
    }
  }
  return true;
}

std::array<std::int64_t, kNumLevels> channels_of(const std::string& backbone) {
  const auto& info = backbone_info(backbone);
  return {info.channels(kStrides[0]), info.channels(kStrides[1])};
}

}  // namespace

PatchAggregation::PatchAggregation(const std::array<std::int64_t, kNumLevels>& channels,
                                   const SimplenetOptions& options)
    : size_(options.patch_size),
      stride_(options.patch_stride),
      padding_((options.patch_size - 1) / 2),
      dimension_(options.target_embed_dimension) {
  for (std::size_t level = 0; level < kNumLevels; ++level) {
    plans_[level] = plan_for(level, channels[level], options.pretrain_embed_dimension);
  }
}

PatchAggregation::Plan PatchAggregation::plan_for(std::size_t level,
                                                  std::int64_t channels,
                                                  std::int64_t pooled) const {
  const auto area = size_ * size_;
  const auto begin = static_cast<std::int64_t>(level) * pooled;  // of this map in the concatenation
  Plan plan;
  plan.channels = channels;
  std::vector<Row> rows;
  for (std::int64_t t = 0; t < dimension_; ++t) {
    const auto outer = adaptive_window(t, 2 * pooled, dimension_);
    Row row;
    for (auto u = std::max(outer.first, begin); u < std::min(outer.last, begin + pooled); ++u) {
      const auto inner = adaptive_window(u - begin, channels * area, pooled);
      for (auto place = inner.first; place < inner.last; ++place) {
        row[place] += outer.weight() * inner.weight();
      }
    }
    if (!row.empty()) {
      plan.first_output = rows.empty() ? t : plan.first_output;
      rows.push_back(std::move(row));
    }
  }
  plan.num_outputs = static_cast<std::int64_t>(rows.size());
  // The more groups, the fewer and larger the operations.
  for (auto groups = std::gcd(channels, plan.num_outputs); groups > 1; --groups) {
    if (channels % groups == 0 && plan.num_outputs % groups == 0 &&
        repeats(
            rows, static_cast<std::size_t>(plan.num_outputs / groups), channels / groups * area)) {
      plan.num_groups = groups;
      break;
    }
  }
  for (std::int64_t output = 0; output < plan.num_outputs / plan.num_groups; ++output) {
    for (const auto& [place, weight] : rows[static_cast<std::size_t>(output)]) {
      plan.taps.push_back({output, place / area, place % area / size_, place % size_, weight});
    }
  }
  return plan;
}

at::Tensor PatchAggregation::pooled(const Plan& plan, const at::Tensor& map) const {
  const auto height = patches(map.size(1)), width = patches(map.size(2));
  const auto padded = at::constant_pad_nd(map, {padding_, padding_, padding_, padding_}, 0);
  const auto source = padded.view(
      {plan.num_groups, plan.channels / plan.num_groups, padded.size(1), padded.size(2)});
  const auto out = at::zeros({plan.num_outputs, height, width}, map.options());
  const auto grouped =
      out.view({plan.num_groups, plan.num_outputs / plan.num_groups, height, width});
  for (const auto& tap : plan.taps) {
    grouped.select(1, tap.output)
        .add_(source.select(1, tap.channel)
                  .slice(1, tap.row, tap.row + (height - 1) * stride_ + 1, stride_)
                  .slice(2, tap.column, tap.column + (width - 1) * stride_ + 1, stride_),
              tap.weight);
  }
  return out;
}

at::Tensor PatchAggregation::operator()(const Levels& maps) const {
  const at::NoGradGuard no_grad;
  const auto num_images = maps[0].size(0);
  for (std::size_t level = 0; level < kNumLevels; ++level) {
    ADB_CHECK(maps[level].dim() == 4 && maps[level].size(0) == num_images &&
                  maps[level].size(1) == plans_[level].channels,
              ErrorKind::kInternal,
              "simplenet: expected maps of {} channels for {} images, got [{}]",
              plans_[level].channels,
              num_images,
              fmt::join(maps[level].sizes(), ", "));
  }
  const auto height = patches(maps[0].size(2)), width = patches(maps[0].size(3));
  const auto embedding = at::empty({num_images, height * width, dimension_}, maps[0].options());
  for (std::int64_t image = 0; image < num_images; ++image) {
    const auto planes = at::zeros({dimension_, height, width}, maps[0].options());
    for (std::size_t level = 0; level < kNumLevels; ++level) {
      const auto& plan = plans_[level];
      if (plan.num_outputs == 0) {
        continue;
      }
      auto part = pooled(plan, maps[level][image]);
      if (part.size(1) != height || part.size(2) != width) {
        part = at::upsample_bilinear2d(part.unsqueeze(0), {height, width}, /*align_corners=*/false)
                   .squeeze(0);
      }
      planes.narrow(0, plan.first_output, plan.num_outputs).add_(part);
    }
    embedding[image].copy_(planes.flatten(1).t());
  }
  return embedding.flatten(0, 1);
}

Projection::Projection(std::int64_t dimension,
                       std::int64_t num_layers,
                       const at::TensorOptions& tensor) {
  const auto layers = register_module("layers", std::make_shared<torch::nn::Module>());
  for (std::int64_t i = 0; i < num_layers; ++i) {
    layers_.push_back(layers->register_module(
        fmt::format("{}fc", i), std::make_shared<LinearLayer>(dimension, dimension, tensor)));
  }
}

at::Tensor Projection::forward(at::Tensor x) const {
  for (const auto& layer : layers_) {
    x = layer->forward(x);
  }
  return x;
}

Discriminator::Discriminator(std::int64_t dimension,
                             std::int64_t hidden,
                             const at::TensorOptions& tensor) {
  const auto body = register_module("body", std::make_shared<torch::nn::Module>());
  const auto block = body->register_module("block1", std::make_shared<torch::nn::Module>());
  first_ = block->register_module("0", std::make_shared<LinearLayer>(dimension, hidden, tensor));
  norm_ = block->register_module("1", std::make_shared<BatchNorm>(hidden, kNormEps, tensor));
  const auto tail = register_module("tail", std::make_shared<torch::nn::Module>());
  tail_weight_ = tail->register_parameter("weight", at::zeros({1, hidden}, tensor));
}

at::Tensor Discriminator::forward(const at::Tensor& x) const {
  const auto hidden = at::leaky_relu(norm_->forward(first_->forward(x)), kLeak);
  return at::linear(hidden, tail_weight_).squeeze(1);
}

Network::Network(const SimplenetOptions& options, const at::TensorOptions& tensor)
    : backbone(make_backbone(options.backbone, {kStrides, tensor})),
      aggregation(channels_of(options.backbone), options),
      embedding_scale(at::zeros({}, at::kDouble)) {
  const auto dimension = options.target_embed_dimension;
  projection = std::make_shared<Projection>(dimension, options.pre_projection_layers, tensor);
  discriminator = std::make_shared<Discriminator>(dimension, options.discriminator_hidden, tensor);
}

Levels Network::encode(const at::Tensor& images) const {
  const auto maps = backbone->features(images);
  return {maps[0], maps[1]};
}

at::Tensor Network::embedding(const Levels& maps) const {
  auto embedding = aggregation(maps);
  const double scale = embedding_scale.item<double>();
  return scale > 0 && scale != 1 ? embedding.div_(scale) : embedding;
}

void Network::calibrate(std::int64_t num_images, const std::function<Levels()>& next) {
  double count = 0, sum = 0, squares = 0;
  for (std::int64_t i = 0; i < num_images; ++i) {
    const auto values = aggregation(next()).to(at::kDouble);
    count += static_cast<double>(values.numel());
    sum += values.sum().item<double>();
    squares += values.square().sum().item<double>();
  }
  const double std = std::sqrt((squares - sum * sum / count) / (count - 1));
  ADB_CHECK(
      std::isfinite(std) && std > 0,
      ErrorKind::kNumeric,
      "simplenet: the embeddings of the first {} training images have a standard deviation of {}",
      num_images,
      std);
  embedding_scale.fill_(std);
}

void Network::train(bool on) const {
  projection->train(on);
  discriminator->train(on);
}

void Network::initialise(const Streams& streams) const {
  init::random_backbone(backbone->state(), streams, "init.simplenet.backbone");
  const auto parameters = trained();
  for (const auto& [name, tensor] : parameters) {
    if (tensor.dim() != 2) {
      continue;  // biases go with their weights; batch norms are 1 and 0 from the start
    }
    const auto fan_out = static_cast<double>(tensor.size(0)),
               fan_in = static_cast<double>(tensor.size(1));
    init::normal(
        tensor, 0, std::sqrt(2 / (fan_in + fan_out)), streams.named("init.simplenet." + name));
    const auto bias_name = name.substr(0, name.rfind('.')) + ".bias";
    if (const auto* bias = find_tensor(parameters, bias_name)) {
      const double bound = 1 / std::sqrt(fan_in);
      init::uniform(*bias, -bound, bound, streams.named("init.simplenet." + bias_name));
    }
  }
}

NamedTensors Network::trained() const {
  auto parameters = module_parameters(*projection, "pre_projection.");
  const auto more = module_parameters(*discriminator, "discriminator.");
  parameters.insert(parameters.end(), more.begin(), more.end());
  return parameters;
}

NamedTensors Network::state() const {
  NamedTensors state;
  for (const auto& [name, tensor] : backbone->state()) {
    state.emplace_back("backbone." + name, tensor);
  }
  for (const auto& part : {module_state(*projection, "pre_projection."),
                           module_state(*discriminator, "discriminator.")}) {
    state.insert(state.end(), part.begin(), part.end());
  }
  return state;
}

HingeLosses hinge_losses(const Network& network,
                         const at::Tensor& embedding,
                         const at::Tensor& noise,
                         double margin) {
  const auto projected = network.projection->forward(embedding);
  // One batch: two calls would normalise true and fake patches by statistics of their own.
  const auto outputs = network.discriminator->forward(at::cat({projected, projected + noise}));
  const auto num_rows = embedding.size(0);
  return {(margin - outputs.narrow(0, 0, num_rows)).clamp_min(0).mean(),
          (margin + outputs.narrow(0, num_rows, num_rows)).clamp_min(0).mean()};
}

at::Tensor draw_noise(const Streams& streams,
                      std::int64_t epoch,
                      const std::vector<std::int64_t>& ids,
                      std::int64_t rows,
                      std::int64_t dimension,
                      double std,
                      std::int64_t mix) {
  const auto num_rows = static_cast<std::int64_t>(ids.size()) * rows;
  auto noise = at::empty({num_rows, dimension}, at::kFloat);
  auto* const data = noise.mutable_data_ptr<float>();
  at::parallel_for(0, num_rows, 16, [&](std::int64_t first, std::int64_t last) {
    for (auto row = first; row < last; ++row) {
      const auto id = ids[static_cast<std::size_t>(row / rows)];
      auto stream = streams.named("simplenet.noise", epoch, id * rows + row % rows);
      const double row_std =
          mix > 1 ? std * std::pow(kMixedNoiseGrowth, static_cast<double>(stream.below(mix))) : std;
      for (std::int64_t i = 0; i < dimension; ++i) {
        data[row * dimension + i] = static_cast<float>(row_std * stream.normal());
      }
    }
  });
  return noise;
}

Optimiser make_optimiser(const OptimiserRule& rule,
                         const NamedTensors& parameters,
                         const std::string& group,
                         double lr,
                         double weight_decay,
                         const std::string& decay_on) {
  Optimiser optimiser(rule);
  if (decay_on == "all") {
    optimiser.add_group(group, parameters, lr, weight_decay);
    return optimiser;
  }
  const auto split = split_for_decay(parameters);
  optimiser.add_group(group, split.decayed, lr, weight_decay);
  optimiser.add_group(group + "_plain", split.plain, lr, 0);
  return optimiser;
}

AnomalyMaps anomaly_maps(const SimplenetOptions& options,
                         const Network& network,
                         const at::Tensor& projected,
                         const Levels& maps) {
  const auto height = network.aggregation.patches(maps[0].size(2)),
             width = network.aggregation.patches(maps[0].size(3));
  AnomalyMaps out;
  out.patches = network.discriminator->forward(projected).neg().view({-1, height, width});
  out.raw = upsample_maps(out.patches, options.image_size, /*align_corners=*/false);
  out.smooth =
      options.sigma > 0 ? gaussian_smooth(out.raw, options.sigma) : out.raw.to(at::kDouble);
  return out;
}

}  // namespace adb::simplenet
