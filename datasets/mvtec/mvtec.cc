#include "datasets/mvtec/mvtec.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "datasets/layout.h"
#include "datasets/listing.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

std::string stem(const std::string& file) {
  return fs::path(file).stem().string();
}

// Opens one category after the other into `dataset`.
class Loader {
 public:
  Loader(Dataset& dataset, const OpenOptions& options) : dataset_(dataset), options_(options) {}

  void add_category(const fs::path& folder, const std::string& category) {
    if (options_.need_train || is_folder(folder / "train")) {
      add_train(folder, category);
    }
    for (const std::string& defect : list_folders(folder / "test")) {
      add_defect(folder, category, defect);
    }
    if (is_folder(folder / "ground_truth")) {
      for (const std::string& defect : list_folders(folder / "ground_truth")) {
        if (!is_folder(folder / "test" / defect)) {
          note("'{}' has no test images beside it", (folder / "ground_truth" / defect).string());
        }
      }
    }
  }

 private:
  template <class... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) {
    dataset_.notes.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  void add_train(const fs::path& folder, const std::string& category) {
    const fs::path good = folder / "train" / kGood;
    const std::vector<std::string> names =
        is_folder(good) ? images_of(good) : std::vector<std::string>{};
    ADB_CHECK(!names.empty() || !options_.need_train,
              ErrorKind::kData,
              "'{}' has no images to train on",
              good.string());
    for (const std::string& name : names) {
      dataset_.train.push_back({category + "/train/good/" + name,
                                category,
                                good / name,
                                std::nullopt,
                                std::string(kGood),
                                false});
    }
    for (const std::string& other : list_folders(folder / "train")) {
      if (other != kGood) {
        note("'{}' is not used: only train/good is", (folder / "train" / other).string());
      }
    }
  }

  void add_defect(const fs::path& folder, const std::string& category, const std::string& defect) {
    const fs::path images = folder / "test" / defect;
    const std::vector<std::string> names = images_of(images);
    const bool anomalous = defect != kGood;
    std::vector<std::optional<fs::path>> masks(names.size());
    if (anomalous && !names.empty()) {
      if (const fs::path truth = folder / "ground_truth" / defect; is_folder(truth)) {
        masks = pair_masks(images, names, truth);
      } else {
        note("'{}' has no masks: pixel figures of '{}' are undefined", images.string(), category);
      }
    }
    for (std::size_t k = 0; k < names.size(); ++k) {
      dataset_.test.push_back({category + "/test/" + defect + "/" + names[k],
                               category,
                               images / names[k],
                               masks[k],
                               defect,
                               anomalous});
    }
  }

  std::vector<std::string> images_of(const fs::path& folder) {
    ImageListing listing = list_images(folder);
    if (listing.others > 0) {
      note("'{}': passed over {} that {} no image files",
           folder.string(),
           listing.others == 1 ? "one entry" : fmt::format("{} entries", listing.others),
           listing.others == 1 ? "is" : "are");
    }
    std::map<std::string, std::string> by_stem;  // maps and masks are named by stem
    for (const std::string& name : listing.images) {
      const auto [first, fresh] = by_stem.emplace(stem(name), name);
      ADB_CHECK(fresh,
                ErrorKind::kData,
                "'{}' has two images called '{}': '{}' and '{}'",
                folder.string(),
                first->first,
                first->second,
                name);
    }
    return std::move(listing.images);
  }

  std::vector<std::optional<fs::path>> pair_masks(const fs::path& images,
                                                  const std::vector<std::string>& names,
                                                  const fs::path& truth) {
    const std::vector<std::string> files = list_images(truth).images;
    std::map<std::string, std::string> by_stem;
    for (const std::string& file : files) {
      by_stem.emplace(stem(file), file);
    }
    std::vector<std::optional<fs::path>> masks(names.size());
    std::size_t found = 0;
    for (std::size_t k = 0; k < names.size(); ++k) {
      for (const std::string& wanted : {stem(names[k]) + "_mask", stem(names[k])}) {
        if (const auto it = by_stem.find(wanted); it != by_stem.end()) {
          masks[k] = truth / it->second;
          ++found;
          break;
        }
      }
    }
    if (found == 0 && files.size() == names.size()) {
      std::transform(files.begin(), files.end(), masks.begin(), [&](const std::string& file) {
        return truth / file;
      });
      note("'{}': masks are not named after images; paired in sorted order", truth.string());
      return masks;
    }
    if (found < files.size()) {
      note("'{}': {} of {} masks belong to no image",
           truth.string(),
           files.size() - found,
           files.size());
    }
    for (std::size_t k = 0; k < names.size(); ++k) {
      if (!masks[k]) {
        report_missing(dataset_,
                       options_,
                       fmt::format("the mask of '{}' is missing: expected '{}'",
                                   (images / names[k]).string(),
                                   (truth / (stem(names[k]) + "_mask.png")).string()));
      }
    }
    return masks;
  }

  Dataset& dataset_;
  const OpenOptions& options_;
};

}  // namespace

bool is_category_folder(const fs::path& folder, bool need_train) {
  return is_folder(folder / "test") && (!need_train || is_folder(folder / "train"));
}

Dataset open_mvtec(const fs::path& root, const std::string& name, const OpenOptions& options) {
  Dataset dataset;
  dataset.name = name;
  dataset.title = name;
  dataset.root = root;
  Loader loader(dataset, options);
  if (is_category_folder(root, options.need_train)) {
    const std::string category = fs::weakly_canonical(root).filename().string();
    dataset.categories = choose_categories({category}, options.categories, name);
    loader.add_category(root, category);
  } else {
    std::vector<std::string> found;
    for (const std::string& folder : list_folders(root)) {
      if (is_category_folder(root / folder, options.need_train)) {
        found.push_back(folder);
      } else {
        dataset.notes.push_back(fmt::format("'{}' is not a category: it has no {}test/",
                                            (root / folder).string(),
                                            options.need_train ? "train/ and " : ""));
      }
    }
    sort_categories(found);
    dataset.categories = choose_categories(found, options.categories, name);
    for (const std::string& category : dataset.categories) {
      loader.add_category(root / category, category);
    }
  }
  check_not_empty(dataset, options);
  return dataset;
}

}  // namespace adb
