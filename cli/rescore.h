// The figures of a stored run again, from the maps that it kept.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "metrics/evaluate.h"
#include "results/store.h"

namespace adb {

// The data set of stored runs, with what several runs on it share.
class RescoreData {
 public:
  explicit RescoreData(Dataset dataset) : dataset_(std::move(dataset)) {}

  const Dataset& dataset() const { return dataset_; }

  // Of the part with these classes; the files are read once.
  const std::string& manifest(const std::vector<std::string>& classes);

  // Test images of one class, in the data set's order.
  std::vector<const Sample*> tests(const std::string& category) const;

  // 0 and 1, side x side, by the protocol's resize; all 0 without a mask. Decoded once.
  //   throws: Error(kData) naming the file
  const std::vector<std::uint8_t>& mask(const Sample& sample, int side);

 private:
  Dataset dataset_;
  std::map<std::vector<std::string>, std::string> manifests_;
  std::map<std::pair<std::string, int>, std::vector<std::uint8_t>> masks_;
};

// One tested epoch.
struct RescoredEpoch {
  std::int64_t epoch = 0;
  MetricSetting setting;        // of the new figures
  std::vector<MetricRow> rows;  // means first, then class by class
};

// Figures of all tested epochs whose maps `run` kept; none when it kept no maps. Labels and image
// scores are those that the store has.
//   folder: of the run
//   throws: Error(kData) when maps are missing, do not have the stored hash, or are not those of
//   all
//           test images; when `data` is not what the run was tested on; RejectedInput
std::vector<RescoredEpoch> rescore_run(const Store& store,
                                       const RunRow& run,
                                       const std::filesystem::path& folder,
                                       RescoreData& data,
                                       const EvaluationOptions& options);

}  // namespace adb
