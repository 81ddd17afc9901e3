#include "nn/backbone.h"

#include "core/error.h"
#include "core/text.h"
#include "nn/efficientnet.h"
#include "nn/resnet.h"

namespace adb {
namespace {

const std::vector<BackboneEntry>& entries() {
  static const std::vector<BackboneEntry> all = [] {
    std::vector<BackboneEntry> list;
    for (const auto& family : {resnet_backbones(), efficientnet_backbones()}) {
      list.insert(list.end(), family.begin(), family.end());
    }
    return list;
  }();
  return all;
}

const BackboneEntry& entry(const std::string& name) {
  for (const auto& candidate : entries()) {
    if (candidate.info.name == name) {
      return candidate;
    }
  }
  throw Error(ErrorKind::kUsage, unknown_name("backbone", name, backbone_names()));
}

}  // namespace

std::int64_t BackboneInfo::channels(std::int64_t stride) const {
  for (const auto& level : levels) {
    if (level.stride == stride) {
      return level.channels;
    }
  }
  fail(ErrorKind::kInternal, "backbone '{}' has no feature map of stride {}", name, stride);
}

std::vector<std::string> backbone_names() {
  std::vector<std::string> names;
  for (const auto& candidate : entries()) {
    names.push_back(candidate.info.name);
  }
  return names;
}

const BackboneInfo& backbone_info(const std::string& name) {
  return entry(name).info;
}

std::unique_ptr<FeatureBackbone> make_backbone(const std::string& name,
                                               const BackboneOptions& options) {
  return entry(name).make(options);
}

}  // namespace adb
