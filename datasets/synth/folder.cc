// Writing the sample data set to a folder.
#include <filesystem>
#include <fstream>
#include <set>
#include <utility>

#include <unistd.h>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/json.h"
#include "datasets/parallel.h"
#include "datasets/synth/synth.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

constexpr const char* kStamp = "synth.json";

// Removes a folder on the way out of a failure.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(fs::path path) : path_(std::move(path)) {
    std::error_code ignored;
    fs::remove_all(path_, ignored);  // left over by a process of the same number that died
    make_folder(path_);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

Json describe(const SynthSpec& spec) {
  return {{"generator", "adbench data synth"},
          {"version", kSynthVersion},
          {"size", spec.size},
          {"train", spec.train},
          {"test_good", spec.test_good},
          {"test_defective", spec.test_defective},
          {"seed", spec.seed},
          {"categories", spec.categories}};
}

// Names and bytes of all files but the stamp.
std::string hash_folder(const fs::path& folder, int threads) {
  std::vector<std::string> files = files_below(folder);
  std::erase(files, kStamp);
  std::vector<std::string> hashes(files.size());
  parallel_for(files.size(), threads, [&](std::size_t i) {
    hashes[i] = sha256_file(folder / files[i], ErrorKind::kData);
  });
  Sha256 hash;
  for (std::size_t i = 0; i < files.size(); ++i) {
    hash.add(files[i]).add(std::string_view("\0", 1)).add(hashes[i]);
  }
  return hash.hex();
}

// The stamp of a folder that this generator made; null for none.
Json read_stamp(const fs::path& folder) {
  const fs::path file = folder / kStamp;
  if (!fs::exists(file)) {
    return nullptr;
  }
  try {
    return read_json(file, ErrorKind::kData);
  } catch (const Error&) {
    return Json::object();  // ours, but damaged
  }
}

// A file that this generator never makes, as its path in the folder; "" for none.
std::string foreign_file(const fs::path& folder) {
  std::set<std::string> ours;  // folders
  for (const SynthCategory& category : synth_categories()) {
    ours.insert({category.name + "/train/good", category.name + "/test/good"});
    for (const std::string& defect : category.defects) {
      ours.insert({category.name + "/test/" + defect, category.name + "/ground_truth/" + defect});
    }
  }
  for (const std::string& file : files_below(folder)) {
    const fs::path path(file);
    const bool is_image =
        path.extension() == ".png" && ours.contains(path.parent_path().generic_string());
    if (!is_image && file != kStamp) {
      return file;
    }
  }
  return "";
}

bool is_complete(const fs::path& folder, const SynthSpec& spec, int threads) {
  Json stamp = read_stamp(folder);
  if (!stamp.is_object() || !stamp.contains("hash")) {
    return false;
  }
  const Json hash = stamp["hash"];
  stamp.erase("hash");
  return stamp == describe(spec) && hash == hash_folder(folder, threads);
}

void write_file(const fs::path& file, const std::string& bytes) {
  std::ofstream out(file, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  ADB_CHECK(out.good(), ErrorKind::kData, "cannot write '{}'", file.string());
}

}  // namespace

bool make_synth_dataset(const fs::path& folder,
                        const SynthSpec& spec,
                        const PngEncoder& encode_png,
                        int threads) {
  const std::vector<SynthItem> items = synth_items(spec);
  std::error_code error;
  const bool exists = fs::exists(folder, error);
  if (exists) {
    ADB_CHECK(fs::is_directory(folder, error) &&
                  (fs::is_empty(folder, error) || !read_stamp(folder).is_null()),
              ErrorKind::kData,
              "'{}' exists and is no generated data set: choose another folder",
              folder.string());
    if (is_complete(folder, spec, threads)) {
      return false;
    }
    const std::string foreign = foreign_file(folder);  // do not delete what others put there
    ADB_CHECK(foreign.empty(),
              ErrorKind::kData,
              "'{}' was generated, but also holds '{}': remove that, or choose another folder",
              folder.string(),
              foreign);
  }
  const fs::path whole = fs::absolute(folder).lexically_normal();
  const fs::path target =
      whole.has_filename() ? whole : whole.parent_path();  // without a trailing '/'
  make_folder(target.parent_path());
  const TemporaryFolder work(target.parent_path() /
                             fmt::format(".{}.tmp-{}", target.filename().string(), ::getpid()));
  for (const SynthItem& item : items) {
    make_folder((work.path() / item.image_path()).parent_path());
    if (item.defect != "good") {
      make_folder((work.path() / item.mask_path()).parent_path());
    }
  }
  parallel_for(items.size(), threads, [&](std::size_t i) {
    const SynthImage drawn = synth_image(spec, items[i]);
    write_file(work.path() / items[i].image_path(), encode_png(drawn.image));
    if (items[i].defect != "good") {
      write_file(work.path() / items[i].mask_path(), encode_png(drawn.mask));
    }
  });
  Json stamp = describe(spec);
  stamp["hash"] = hash_folder(work.path(), threads);
  write_file_atomic(work.path() / kStamp, stamp.dump(2) + "\n");

  if (exists) {
    fs::remove_all(target, error);
  }
  fs::rename(work.path(), target, error);
  // Another process may have been faster with the same set.
  ADB_CHECK(!error || is_complete(target, spec, threads),
            ErrorKind::kData,
            "cannot write '{}': {}",
            target.string(),
            error.message());
  return true;
}

}  // namespace adb
