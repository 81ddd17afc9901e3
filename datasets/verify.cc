#include "datasets/verify.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "datasets/parallel.h"

namespace adb {
namespace {

// What looking at one sample's files gave.
struct Checked {
  std::vector<Finding> findings;
  SampleHashes files;
  std::string pixels;  // hash of the decoded image; empty where it cannot be decoded
  bool hashed = false;
};

// Runs `read` and gives its result; an error about the file becomes a finding.
template <class Read>
auto attempt(const Sample& sample, std::vector<Finding>& findings, const Read& read)
    -> std::optional<decltype(read())> {
  try {
    return read();
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kData) {
      throw;
    }
    findings.push_back({FindingKind::kUnreadable, sample.id, e.what()});
    return std::nullopt;
  }
}

std::string hash_pixels(const Image& image) {
  return Sha256()
      .add(fmt::format("{} {} {} ", image.width, image.height, image.channels))
      .add(image.pixels)
      .hex();
}

void check_mask(const Sample& sample,
                const std::optional<Image>& image,
                const PixelFunctions& pixels,
                int eval_size,
                std::vector<Finding>& findings) {
  const std::string file = sample.mask->string();
  const auto report = [&](FindingKind kind, std::string message) {
    findings.push_back({kind, sample.id, std::move(message)});
  };
  const std::optional<Image> mask =
      attempt(sample, findings, [&] { return pixels.read_mask(*sample.mask); });
  if (!mask) {
    return;
  }
  if (image && (mask->width != image->width || mask->height != image->height)) {
    report(FindingKind::kMaskSize,
           fmt::format("mask '{}' has {} x {} pixels, its image {} x {}",
                       file,
                       mask->width,
                       mask->height,
                       image->width,
                       image->height));
    return;
  }
  const auto other = std::find_if(
      mask->pixels.begin(), mask->pixels.end(), [](std::uint8_t v) { return v != 0 && v != 255; });
  if (other != mask->pixels.end()) {
    report(FindingKind::kMaskValues,
           fmt::format("mask '{}' has the value {}; expected 0 and 255 only", file, *other));
  }
  const bool marks =
      std::any_of(mask->pixels.begin(), mask->pixels.end(), [](std::uint8_t v) { return v > 0; });
  if (sample.anomalous && !marks) {
    report(FindingKind::kMaskEmpty,
           fmt::format("mask '{}' of an anomalous image marks no pixel", file));
  }
  if (!sample.anomalous && marks) {
    report(FindingKind::kMaskOnNormal,
           fmt::format("mask '{}' of a normal image marks pixels", file));
  }
  const std::vector<std::uint8_t> small = pixels.resize_mask(*mask, eval_size, eval_size);
  const bool marks_small = std::find(small.begin(), small.end(), 1) != small.end();
  if (marks_small != sample.anomalous) {
    report(FindingKind::kLabelFlip,
           fmt::format("mask '{}' resized to {} x {} marks {}, but the image is labelled {}",
                       file,
                       eval_size,
                       eval_size,
                       marks_small ? "pixels" : "no pixel",
                       sample.anomalous ? "anomalous" : "normal"));
  }
}

Checked check(const Sample& sample, const PixelFunctions& pixels, int eval_size) {
  Checked out;
  const std::optional<Image> image =
      attempt(sample, out.findings, [&] { return pixels.read_image(sample.image); });
  if (image) {
    out.pixels = hash_pixels(*image);
  }
  if (sample.mask) {
    check_mask(sample, image, pixels, eval_size, out.findings);
  }
  try {
    out.files = hash_files(sample);
    out.hashed = true;
  } catch (const Error&) {
    // The file vanished or cannot be opened: decoding has reported it already.
  }
  return out;
}

std::vector<CategoryCounts> count_samples(const Dataset& dataset) {
  std::vector<CategoryCounts> counts;
  for (const std::string& category : dataset.categories) {
    CategoryCounts& each = counts.emplace_back();
    each.category = category;
    for (const Sample& sample : dataset.train) {
      each.train += sample.category == category ? 1 : 0;
    }
    for (const Sample& sample : dataset.test) {
      if (sample.category != category) {
        continue;
      }
      each.masks += sample.mask ? 1 : 0;
      if (sample.anomalous) {
        ++each.test_anomalous;
        ++each.defects[sample.defect];
      } else {
        ++each.test_normal;
      }
    }
  }
  return counts;
}

}  // namespace

std::string_view finding_name(FindingKind kind) {
  switch (kind) {
    case FindingKind::kMissing:
      return "missing";
    case FindingKind::kUnreadable:
      return "unreadable";
    case FindingKind::kMaskSize:
      return "mask_size";
    case FindingKind::kMaskValues:
      return "mask_values";
    case FindingKind::kMaskEmpty:
      return "mask_empty";
    case FindingKind::kMaskOnNormal:
      return "mask_on_normal";
    case FindingKind::kDuplicate:
      return "duplicate";
    case FindingKind::kLabelFlip:
      return "label_flip";
  }
  return "unknown";
}

bool is_error(FindingKind kind) {
  return kind == FindingKind::kMissing || kind == FindingKind::kUnreadable ||
         kind == FindingKind::kMaskSize;
}

std::int64_t VerifyReport::count(FindingKind kind) const {
  return std::count_if(findings.begin(), findings.end(), [&](const Finding& finding) {
    return finding.kind == kind;
  });
}

bool VerifyReport::ok() const {
  return std::none_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return is_error(finding.kind);
  });
}

VerifyReport verify_dataset(const Dataset& dataset,
                            const PixelFunctions& pixels,
                            int eval_size,
                            int threads) {
  const std::size_t num_train = dataset.train.size();
  const auto sample_at = [&](std::size_t i) -> const Sample& {
    return i < num_train ? dataset.train[i] : dataset.test[i - num_train];
  };
  std::vector<Checked> checked(num_train + dataset.test.size());
  parallel_for(checked.size(), threads, [&](std::size_t i) {
    checked[i] = check(sample_at(i), pixels, eval_size);
  });

  VerifyReport report;
  report.categories = count_samples(dataset);
  for (const std::string& message : dataset.missing) {
    report.findings.push_back({FindingKind::kMissing, "", message});
  }
  std::unordered_map<std::string, const Sample*> trained;  // by pixels
  std::vector<SampleHashes> hashes;
  bool all_hashed = dataset.missing.empty();
  for (std::size_t i = 0; i < checked.size(); ++i) {
    Checked& each = checked[i];
    const Sample& sample = sample_at(i);
    std::move(each.findings.begin(), each.findings.end(), std::back_inserter(report.findings));
    all_hashed = all_hashed && each.hashed;
    hashes.push_back(std::move(each.files));
    if (each.pixels.empty()) {
      continue;
    }
    if (i < num_train) {
      trained.emplace(each.pixels, &sample);
    } else if (const auto it = trained.find(each.pixels); it != trained.end()) {
      report.findings.push_back(
          {FindingKind::kDuplicate,
           sample.id,
           fmt::format("test image '{}' has the same pixels as training image '{}'",
                       sample.image.string(),
                       it->second->image.string())});
    }
  }
  if (all_hashed) {
    report.manifest_hash = manifest_hash(dataset, hashes);
  }
  return report;
}

}  // namespace adb
