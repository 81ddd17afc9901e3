// One test: predictions for all test images, category by category, and their figures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/curves.h"
#include "core/json.h"
#include "formats/report_files.h"
#include "methods/method.h"
#include "metrics/evaluate.h"
#include "runners/wire/wire.h"
#include "runners/worker/features.h"
#include "runners/worker/loader.h"
#include "runners/worker/ranks.h"

namespace adb {

struct Evaluation {
  Json event;  // fields of the `evaluation` event but `epoch`
  std::optional<double> mean_pixel_auroc;
  std::map<std::string, std::vector<float>>
      maps;  // by category: the kept maps, images one after another
  std::map<std::string, std::vector<std::string>> map_samples;  // their sample ids
  std::vector<CategoryCurves> curves;  // for reports, when they were asked for
  std::vector<Thumbnail> thumbnails;   // of the images that the method is most wrong about
};

// Keeps decoded test images, masks and frozen features from one test to the next.
class Evaluator {
 public:
  Evaluator(const wire::Job& job,
            const MethodEntry& entry,
            const Method& method,
            std::int64_t budget_bytes,
            ThreadPool& pool,
            const Ranks& ranks);

  // `epoch`: of the test, 1-based. `keep`: also hand out curves, thumbnails, and the maps that the
  // job wants saved. Ranks that do not lead predict their part and return nothing. throws:
  // Error(kData) of unreadable images and masks, Error(kNumeric) for maps that are not finite
  Evaluation run(Method& method, std::int64_t epoch, bool keep);

  const FeatureCache& features() const { return features_; }

 private:
  struct Category;
  std::vector<std::uint8_t> mask(std::size_t test_index);  // S * S values 0 or 1
  void predict(Method& method, std::int64_t epoch, Category* category);
  void gather(Category* category) const;
  CategoryInput input_of(const Category& category);
  CategoryResult score(const std::string& name, const CategoryInput& input) const;
  // The category's images, those first that the method is most wrong about.
  std::vector<std::size_t> worst_first(const Category& category) const;
  void add_report_material(const std::string& name,
                           const Category& category,
                           const CategoryInput& input,
                           Evaluation* evaluation) const;
  Json counts(const CategoryResult& result, const Category& category) const;
  void keep_maps(const std::string& name,
                 const Category& category,
                 std::size_t plane,
                 Evaluation* evaluation) const;

  const wire::Job& job_;
  const MethodEntry& entry_;
  InputSpec input_;
  ThreadPool& pool_;
  const Ranks& ranks_;
  Streams streams_;
  SampleFunction sample_;  // for the rows of ChangesTestImages
  ImageStore images_;
  FeatureCache features_;
  std::vector<std::vector<std::uint8_t>> masks_;  // of the test images, once read
};

}  // namespace adb
