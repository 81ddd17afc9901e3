#include "datasets/dataset.h"

#include <set>

#include "core/error.h"
#include "core/hash.h"
#include "datasets/layout.h"
#include "datasets/parallel.h"

namespace adb {

std::string_view split_name(Split split) {
  return split == Split::kTrain ? "train" : "test";
}

Dataset Dataset::restrict(const std::vector<std::string>& chosen) const {
  Dataset part = *this;
  part.categories = choose_categories(categories, chosen, name);
  const std::set<std::string> wanted(part.categories.begin(), part.categories.end());
  const auto unwanted = [&](const Sample& sample) { return !wanted.contains(sample.category); };
  std::erase_if(part.train, unwanted);
  std::erase_if(part.test, unwanted);
  return part;
}

std::optional<std::string> Dataset::why_no_pixel_figures(const std::string& category) const {
  std::size_t anomalous = 0, without = 0;
  const Sample* first = nullptr;
  for (const Sample& sample : test) {
    if (sample.category != category || !sample.anomalous) {
      continue;
    }
    ++anomalous;
    if (!sample.mask) {
      first = first == nullptr ? &sample : first;
      ++without;
    }
  }
  if (without == 0) {
    return std::nullopt;
  }
  return fmt::format(
      "{} of {} anomalous images have no mask, the first is '{}'", without, anomalous, first->id);
}

SampleHashes hash_files(const Sample& sample) {
  return {sha256_file(sample.image, ErrorKind::kData),
          sample.mask ? sha256_file(*sample.mask, ErrorKind::kData) : std::string()};
}

std::string manifest_hash(const Dataset& dataset, int threads) {
  const std::size_t num_train = dataset.train.size();
  std::vector<SampleHashes> hashes(num_train + dataset.test.size());
  parallel_for(hashes.size(), threads, [&](std::size_t i) {
    hashes[i] = hash_files(i < num_train ? dataset.train[i] : dataset.test[i - num_train]);
  });
  return manifest_hash(dataset, hashes);
}

std::string manifest_hash(const Dataset& dataset, const std::vector<SampleHashes>& hashes) {
  ADB_ASSERT(hashes.size() == dataset.train.size() + dataset.test.size());
  Sha256 hash;
  // Every field ends with a byte that no field contains, so that no two lists give the same text.
  const auto add = [&hash](std::string_view field) {
    hash.add(field).add(std::string_view("\0", 1));
  };
  auto files = hashes.begin();
  for (const Split split : {Split::kTrain, Split::kTest}) {
    for (const Sample& sample : dataset.samples(split)) {
      add(split_name(split));
      add(sample.id);
      add(sample.category);
      add(sample.defect);
      add(sample.anomalous ? "anomalous" : "normal");
      add(files->image);
      add(files->mask);
      ++files;
    }
  }
  return hash.hex();
}

}  // namespace adb
