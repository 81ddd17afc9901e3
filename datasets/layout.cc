#include "datasets/layout.h"

#include <algorithm>
#include <array>
#include <set>

#include "core/error.h"
#include "core/text.h"

namespace adb {
namespace {

// Source: card training-protocol, section 2.
constexpr std::array<std::string_view, 15> kMvtecOrder = {"carpet",
                                                          "grid",
                                                          "leather",
                                                          "tile",
                                                          "wood",
                                                          "bottle",
                                                          "cable",
                                                          "capsule",
                                                          "hazelnut",
                                                          "metal_nut",
                                                          "pill",
                                                          "screw",
                                                          "toothbrush",
                                                          "transistor",
                                                          "zipper"};
constexpr std::array<std::string_view, 12> kVisaOrder = {"pcb1",
                                                         "pcb2",
                                                         "pcb3",
                                                         "pcb4",
                                                         "macaroni1",
                                                         "macaroni2",
                                                         "capsules",
                                                         "candle",
                                                         "cashew",
                                                         "chewinggum",
                                                         "fryum",
                                                         "pipe_fryum"};

std::size_t place(std::span<const std::string_view> order, std::string_view name) {
  return static_cast<std::size_t>(std::find(order.begin(), order.end(), name) - order.begin());
}

}  // namespace

void sort_categories(std::vector<std::string>& categories) {
  std::sort(categories.begin(), categories.end());
  for (const std::span<const std::string_view> order :
       {std::span<const std::string_view>(kMvtecOrder),
        std::span<const std::string_view>(kVisaOrder)}) {
    if (std::all_of(categories.begin(), categories.end(), [&](const std::string& name) {
          return place(order, name) < order.size();
        })) {
      std::sort(
          categories.begin(), categories.end(), [&](const std::string& a, const std::string& b) {
            return place(order, a) < place(order, b);
          });
      return;
    }
  }
}

std::vector<std::string> choose_categories(const std::vector<std::string>& found,
                                           const std::vector<std::string>& chosen,
                                           const std::string& dataset) {
  if (chosen.empty()) {
    return found;
  }
  for (const std::string& name : chosen) {
    ADB_CHECK(std::find(found.begin(), found.end(), name) != found.end(),
              ErrorKind::kUsage,
              "{}",
              unknown_name("category of '" + dataset + "'", name, found));
  }
  std::vector<std::string> kept;
  std::copy_if(found.begin(), found.end(), std::back_inserter(kept), [&](const std::string& name) {
    return std::find(chosen.begin(), chosen.end(), name) != chosen.end();
  });
  return kept;
}

void check_not_empty(const Dataset& dataset, const OpenOptions& options) {
  for (const Split split : {Split::kTrain, Split::kTest}) {
    if (split == Split::kTrain && !options.need_train) {
      continue;
    }
    std::set<std::string_view> filled;
    for (const Sample& sample : dataset.samples(split)) {
      filled.insert(sample.category);
    }
    for (const std::string& category : dataset.categories) {
      ADB_CHECK(filled.contains(category),
                ErrorKind::kData,
                "category '{}' of '{}' has no {} images",
                category,
                dataset.root.string(),
                split_name(split));
    }
  }
}

void report_missing(Dataset& dataset, const OpenOptions& options, std::string message) {
  if (!options.keep_going) {
    throw Error(ErrorKind::kData, message);
  }
  dataset.missing.push_back(std::move(message));
}

}  // namespace adb
