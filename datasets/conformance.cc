#include "datasets/conformance.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/error.h"
#include "datasets/layout.h"

namespace adb {
namespace {

constexpr const char* kUnknown = "no category has this name";

std::vector<std::string> ids(const std::vector<Sample>& samples) {
  std::vector<std::string> names;
  for (const Sample& sample : samples) {
    names.push_back(sample.id);
  }
  return names;
}

class Check {
 public:
  explicit Check(const std::function<Dataset(const OpenOptions&)>& open)
      : open_(open), whole_(open({})) {}

  std::vector<std::string> run() && {
    expect(whole_.categories.size() >= 2, "fewer than two categories to check with");
    const std::set<std::string> unique(whole_.categories.begin(), whole_.categories.end());
    expect(unique.size() == whole_.categories.size(), "a category stands twice");
    for (const Split split : {Split::kTrain, Split::kTest}) {
      check_samples(split);
      check_order(split);
    }
    if (problems_.empty()) {  // the hash needs all files
      expect(manifest_hash(open_({})) == manifest_hash(whole_),
             "opened again, it is another data set (manifest hash)");
    }
    check_choice();
    return std::move(problems_);
  }

 private:
  void expect(bool kept, const std::string& promise) {
    if (!kept) {
      problems_.push_back(promise);
    }
  }

  void check_samples(Split split) {
    for (const Sample& sample : whole_.samples(split)) {
      expect(seen_.insert(sample.id).second, fmt::format("the id '{}' stands twice", sample.id));
      expect(std::filesystem::is_regular_file(sample.image),
             fmt::format("'{}' has no image '{}'", sample.id, sample.image.string()));
      expect(!sample.mask || std::filesystem::is_regular_file(*sample.mask),
             fmt::format("'{}' has no mask '{}'", sample.id, sample.mask.value_or("").string()));
      expect(split == Split::kTest || !sample.anomalous,
             fmt::format("the training image '{}' is anomalous", sample.id));
      expect((sample.defect == kGood) == !sample.anomalous,
             fmt::format("'{}' is {} and its defect is '{}'",
                         sample.id,
                         sample.anomalous ? "anomalous" : "normal",
                         sample.defect));
    }
  }

  void check_order(Split split) {
    std::vector<std::string> met;
    for (const Sample& sample : whole_.samples(split)) {
      if (met.empty() || met.back() != sample.category) {
        met.push_back(sample.category);
      }
    }
    expect(met == whole_.categories,
           fmt::format("{} images do not come by category, in the order of the categories, some of "
                       "each",
                       split_name(split)));
  }

  void check_choice() {
    const auto& last = whole_.categories.back();
    const auto part = open_({.categories = {last}});
    const auto expected = whole_.restrict({last});
    expect(
        part.categories == expected.categories && ids(part.train) == ids(expected.train) &&
            ids(part.test) == ids(expected.test),
        fmt::format("opened with the category '{}' alone, it is not that part of the whole", last));
    expect(ids(open_({.categories = {}, .need_train = false}).test) == ids(whole_.test),
           "without the need of training images its test images are others");
    try {
      open_({.categories = {kUnknown}});
      expect(false, "an unknown category is not refused");
    } catch (const Error& e) {
      expect(e.kind() == ErrorKind::kUsage &&
                 std::string(e.what()).find(kUnknown) != std::string::npos,
             fmt::format("an unknown category is not refused by its name: {}", e.what()));
    }
  }

  const std::function<Dataset(const OpenOptions&)>& open_;
  const Dataset whole_;
  std::set<std::string> seen_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> check_dataset_conformance(
    const std::function<Dataset(const OpenOptions&)>& open) {
  return Check(open).run();
}

}  // namespace adb
