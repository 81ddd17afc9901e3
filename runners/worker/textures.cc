#include "runners/worker/textures.h"

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/image_names.h"
#include "core/seed.h"
#include "images/codec.h"
#include "images/resize.h"
#include "synthesis/procedural.h"

namespace adb {
namespace {

constexpr std::int64_t kNumProcedural = std::int64_t{1} << 20;

class FolderTextures final : public TexturePool {
 public:
  FolderTextures(const std::filesystem::path& folder, std::int64_t budget_bytes)
      : budget_(budget_bytes) {
    for (const auto& file : files_below(folder)) {
      if (is_image_name(file)) {
        files_.push_back(folder / file);
      }
    }
    ADB_CHECK(!files_.empty(),
              ErrorKind::kData,
              "'{}': no texture image (.png, .jpg, .jpeg, .bmp, .tif, .tiff) in it or below",
              folder.string());
    kept_.resize(files_.size());
  }

  std::int64_t size() const override { return static_cast<std::int64_t>(files_.size()); }

  Image texture(std::int64_t index, int side) const override {
    ADB_ASSERT(index >= 0 && index < size());
    const auto i = static_cast<std::size_t>(index);
    {
      const std::lock_guard lock(mutex_);
      if (kept_[i].width == side) {
        return kept_[i];
      }
    }
    auto image = resize_image(read_image(files_[i]), side, side);
    const std::lock_guard lock(mutex_);
    const auto bytes = static_cast<std::int64_t>(image.pixels.size());
    if (kept_[i].width == 0 && bytes <= budget_) {
      budget_ -= bytes;
      kept_[i] = image;
    }
    return image;
  }

 private:
  std::vector<std::filesystem::path> files_;
  mutable std::mutex mutex_;
  mutable std::int64_t budget_;
  mutable std::vector<Image> kept_;  // of width 0: not kept
};

class ProceduralTextures final : public TexturePool {
 public:
  explicit ProceduralTextures(std::int64_t seed) : streams_(seed) {}

  std::int64_t size() const override { return kNumProcedural; }

  Image texture(std::int64_t index, int side) const override {
    auto random = streams_.named("texture", 0, index);
    return procedural_texture(side, random);
  }

 private:
  Streams streams_;
};

}  // namespace

std::unique_ptr<TexturePool> folder_textures(const std::filesystem::path& folder,
                                             std::int64_t budget_bytes) {
  return std::make_unique<FolderTextures>(folder, budget_bytes);
}

std::unique_ptr<TexturePool> procedural_textures(std::int64_t seed) {
  return std::make_unique<ProceduralTextures>(seed);
}

std::unique_ptr<TexturePool> open_textures(const std::filesystem::path& folder,
                                           std::int64_t seed,
                                           std::int64_t budget_bytes) {
  return folder.empty() ? procedural_textures(seed) : folder_textures(folder, budget_bytes);
}

}  // namespace adb
