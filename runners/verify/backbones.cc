#include "runners/verify/backbones.h"

#include <array>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "nn/efficientnet.h"
#include "tensor/state.h"

namespace adb {
namespace {

constexpr auto kKind = ErrorKind::kData;

// Published weights: file name in the weights folder and name for `adbench weights fetch`.
struct Published {
  const char* backbone;
  const char* file;
  const char* checkpoint;
};
constexpr std::array kPublished = {
    Published{
        "tf_efficientnet_b4", "tf_efficientnet_b4_aa-818f208c.pth", "tf_efficientnet_b4.aa_in1k"},
    Published{"tf_efficientnet_lite0", "efficientnet-lite0-57934424.pth", "efficientnet_lite0"},
    Published{"tf_efficientnet_lite1", "efficientnet-lite1-77cc7160.pth", "efficientnet_lite1"},
    Published{"tf_efficientnet_lite2", "efficientnet-lite2-9656183e.pth", "efficientnet_lite2"}};

void load_published(const GoldenCase& golden,
                    const std::string& backbone,
                    const EfficientNetClassifier& network) {
  for (const auto& published : kPublished) {
    if (backbone != published.backbone) {
      continue;
    }
    const auto file = golden.weights_folder / published.file;
    if (golden.weights_folder.empty() || !std::filesystem::exists(file)) {
      throw WeightsAbsent(fmt::format("needs the weights '{}': `adbench weights fetch {}`",
                                      published.file,
                                      published.checkpoint));
    }
    network.load(read_checkpoint(file, ErrorKind::kWeights), file.string());
    return;
  }
  fail(kKind, "{}: no published weights are known for '{}'", golden.name, backbone);
}

GoldenResult run_backbone(const GoldenCase& golden) {
  golden.require_config({"backbone", "image_size", "pretrained"});
  const auto where = golden.name + ": config";
  const auto name =
      json_string(json_at(golden.config, "backbone", where, kKind), where + ": backbone", kKind);
  std::vector<std::string> known;
  std::vector<FeatureLevel> levels;
  for (const auto& entry : efficientnet_backbones()) {
    known.push_back(entry.info.name);
    if (entry.info.name == name) {
      levels = entry.info.levels;
    }
  }
  if (levels.empty()) {
    throw Error(kKind, fmt::format("{}: {}", where, unknown_name("backbone", name, known)));
  }
  const auto size = json_int(json_at(golden.config, "image_size", where, kKind), where, kKind);
  const auto& images = golden.input("input");
  ADB_CHECK(images.dim() == 4 && images.size(0) > 0 && images.size(1) == 3 &&
                images.size(2) == size && images.size(3) == size,
            kKind,
            "{}: input: expected [B, 3, {}, {}], got {}",
            golden.name,
            size,
            size,
            shape_text(images.sizes()));

  const EfficientNetClassifier network(name, golden.tensor());
  if (json_bool(json_at(golden.config, "pretrained", where, kKind), where, kKind)) {
    load_published(golden, name, network);
  }
  golden.fill(network.state());
  const auto output = network.forward(images);
  GoldenResult result;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    result.tensors.emplace_back(fmt::format("stage_stride{}", levels[i].stride), output.levels[i]);
  }
  result.tensors.emplace_back("logits", output.logits);
  return result;
}

}  // namespace

GoldenFunction backbone_golden_function() {
  return {"backbone", "*", run_backbone, {}, ""};
}

}  // namespace adb
