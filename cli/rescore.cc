#include "cli/rescore.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <span>
#include <utility>

#include "cli/metric_rows.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/json.h"
#include "formats/safetensors.h"
#include "images/loader.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

constexpr auto kKind = ErrorKind::kData;

// Maps of one epoch: a tensor [N, S, S] for each class, and in the metadata the ids of its images.
class KeptMaps {
 public:
  KeptMaps(const fs::path& file, const ArtifactRow& artifact) : where_(file.string()) {
    std::error_code error;
    ADB_CHECK(fs::is_regular_file(file, error),
              kKind,
              "its maps of epoch {} are missing: '{}'",
              artifact.epoch,
              where_);
    ADB_CHECK(sha256_file(file, kKind) == artifact.sha256,
              kKind,
              "its maps of epoch {} have changed: '{}' does not have the stored hash",
              artifact.epoch,
              where_);
    tensors_.emplace(SafetensorsFile::open(file, kKind));
    const auto samples = tensors_->metadata().find("samples");
    ADB_CHECK(samples != tensors_->metadata().end(),
              kKind,
              "'{}' does not say which images its maps belong to",
              where_);
    samples_ = parse_json(samples->second, where_, kKind);
  }

  // Maps of one class, in the order of `tests`.
  struct ClassMaps {
    int side = 0;
    std::vector<std::span<const float>> maps;
    std::vector<float> copy;  // where the file does not hold them aligned
  };

  ClassMaps of_class(const std::string& category, const std::vector<const Sample*>& tests) const {
    const ArrayView& tensor = tensors_->at(category);
    const auto& ids = json_at(samples_, category, where_, kKind);
    const bool fits = tensor.dtype == DType::kF32 && tensor.shape.size() == 3 && ids.is_array() &&
                      tensor.shape[0] == std::ssize(ids) && tensor.shape[1] == tensor.shape[2] &&
                      tensor.shape[1] >= 1 && tensor.shape[1] <= 65536;
    ADB_CHECK(fits,
              kKind,
              "'{}': '{}' has the shape {}: expected square float32 maps of {} images",
              where_,
              category,
              shape_text(tensor.shape),
              ids.size());
    ADB_CHECK(ids.size() == tests.size(),
              kKind,
              "'{}' holds the maps of {} of {} images of '{}': figures need --save-maps all",
              where_,
              ids.size(),
              tests.size(),
              category);
    std::map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      places[json_string(ids[i], where_, kKind)] = i;
    }
    ClassMaps maps;
    maps.side = static_cast<int>(tensor.shape[1]);
    const auto plane = static_cast<std::size_t>(maps.side) * static_cast<std::size_t>(maps.side);
    const void* bytes = tensor.bytes.data();
    const auto* values = static_cast<const float*>(bytes);
    if (std::bit_cast<std::uintptr_t>(bytes) % alignof(float) != 0) {
      maps.copy = to_floats(tensor, where_, kKind);
      values = maps.copy.data();
    }
    for (const Sample* test : tests) {
      const auto found = places.find(test->id);
      ADB_CHECK(found != places.end(), kKind, "'{}' has no map of '{}'", where_, test->id);
      maps.maps.emplace_back(values + found->second * plane, plane);
    }
    return maps;
  }

 private:
  std::string where_;
  std::optional<SafetensorsFile> tensors_;
  Json samples_;
};

using Scores = std::map<std::string, const ScoreRow*>;  // by sample

CategoryResult rescore_class(const std::string& category,
                             const KeptMaps& kept,
                             const Scores& scores,
                             RescoreData& data,
                             const EvaluationOptions& options,
                             int* side) {
  const auto tests = data.tests(category);
  const auto maps = kept.of_class(category, tests);
  *side = maps.side;
  CategoryInput input;
  input.height = input.width = static_cast<std::size_t>(maps.side);
  input.maps = maps.maps;
  std::vector<std::uint8_t> labels;
  std::vector<float> image_scores, ader_scores;
  for (const Sample* test : tests) {
    const auto found = scores.find(test->id);
    ADB_CHECK(found != scores.end(), kKind, "the store has no score of '{}'", test->id);
    const ScoreRow& score = *found->second;
    labels.push_back(score.anomalous ? 1 : 0);
    image_scores.push_back(static_cast<float>(score.score));
    ader_scores.push_back(static_cast<float>(score.ader_score.value_or(score.score)));
    input.without_masks = input.without_masks || (score.anomalous && !test->mask);
  }
  if (!input.without_masks) {
    for (const Sample* test : tests) {
      input.masks.emplace_back(data.mask(*test, maps.side));
    }
  }
  input.image_labels = labels;
  input.image_scores = image_scores;
  input.ader_image_scores = ader_scores;
  input.image_name = [&](std::size_t i) { return fmt::format("'{}'", tests[i]->id); };
  return evaluate_category(input, options);
}

}  // namespace

const std::string& RescoreData::manifest(const std::vector<std::string>& classes) {
  const auto [at, is_new] = manifests_.try_emplace(classes);
  if (is_new) {
    at->second = manifest_hash(dataset_.restrict(classes));
  }
  return at->second;
}

std::vector<const Sample*> RescoreData::tests(const std::string& category) const {
  std::vector<const Sample*> tests;
  for (const Sample& sample : dataset_.test) {
    if (sample.category == category) {
      tests.push_back(&sample);
    }
  }
  return tests;
}

const std::vector<std::uint8_t>& RescoreData::mask(const Sample& sample, int side) {
  const auto [at, is_new] = masks_.try_emplace({sample.mask ? sample.id : std::string(), side});
  if (is_new) {
    const auto pixels = static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
    const auto& images = images_api();
    at->second = sample.mask ? images.resize_mask(images.read_mask(*sample.mask), side, side)
                             : std::vector<std::uint8_t>(pixels);
  }
  return at->second;
}

std::vector<RescoredEpoch> rescore_run(const Store& store,
                                       const RunRow& run,
                                       const fs::path& folder,
                                       RescoreData& data,
                                       const EvaluationOptions& options) {
  std::vector<ArtifactRow> artifacts;
  for (const auto& artifact : store.artifacts(run.id)) {
    if (artifact.kind == "maps") {
      artifacts.push_back(artifact);
    }
  }
  std::vector<RescoredEpoch> epochs;
  if (artifacts.empty()) {
    return epochs;
  }
  for (const auto& name : run.classes) {
    const auto& known = data.dataset().categories;
    ADB_CHECK(std::find(known.begin(), known.end(), name) != known.end(),
              kKind,
              "data set '{}' has no class '{}'",
              data.dataset().root.string(),
              name);
  }
  ADB_CHECK(data.manifest(run.classes) == run.data_manifest,
            kKind,
            "the data in '{}' are not those of the run: manifest {}, stored {}",
            data.dataset().root.string(),
            data.manifest(run.classes),
            run.data_manifest);
  for (const auto& artifact : artifacts) {
    const KeptMaps kept(folder / artifact.path, artifact);
    const auto rows = store.scores(run.id, artifact.epoch);
    Scores scores;
    for (const ScoreRow& row : rows) {
      scores[row.sample] = &row;
    }
    RescoredEpoch out;
    out.epoch = artifact.epoch;
    int side = 0;
    std::vector<CategoryResult> results;
    for (const auto& name : run.classes) {
      results.push_back(rescore_class(name, kept, scores, data, options, &side));
    }
    out.setting = metric_setting(options, std::to_string(side));
    out.rows = metric_rows(artifact.epoch, run.classes, results, out.setting);
    epochs.push_back(std::move(out));
  }
  return epochs;
}

}  // namespace adb
