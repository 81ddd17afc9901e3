#include "runners/worker/features.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define AT_PER_OPERATOR_HEADERS
#include <cerrno>
#include <cstring>

#include <ATen/ops/empty.h>

#include "core/error.h"

namespace adb {

FeatureCache::FeatureCache(std::string mode,
                           std::int64_t images,
                           std::int64_t budget_bytes,
                           std::filesystem::path file)
    : mode_(std::move(mode)), images_(images), budget_(budget_bytes), file_(std::move(file)) {}

FeatureCache::~FeatureCache() {
  if (map_ != nullptr) {
    ::munmap(map_, static_cast<std::size_t>(image_bytes_ * images_));
  }
}

bool FeatureCache::has(const std::vector<std::int64_t>& ids) const {
  if (known_.empty() || mode_ == "off") {
    return false;
  }
  for (const auto id : ids) {
    if (!known_[static_cast<std::size_t>(id)]) {
      return false;
    }
  }
  return true;
}

void FeatureCache::open(const std::vector<at::Tensor>& features) {
  for (const auto& feature : features) {
    const auto bytes = static_cast<std::int64_t>(feature.nbytes()) / feature.size(0);
    parts_.push_back({feature.sizes().slice(1).vec(), feature.scalar_type(), image_bytes_, bytes});
    image_bytes_ += bytes;
  }
  const std::int64_t total = image_bytes_ * images_;
  if (mode_ == "auto") {
    std::error_code error;
    const auto space = std::filesystem::space(file_.parent_path(), error);
    // A disk cache may take half of what is free, so that results still find room.
    const bool room = !error && static_cast<std::int64_t>(space.available / 2) >= total;
    mode_ = total <= budget_ ? "memory" : room ? "disk" : "off";
  }
  if (mode_ == "disk") {
    open_disk(total);
  } else if (mode_ == "memory") {
    memory_.resize(static_cast<std::size_t>(images_));
  }
  known_.resize(static_cast<std::size_t>(images_));
}

void FeatureCache::open_disk(std::int64_t bytes) {
  const int fd = ::open(file_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  int error = fd < 0 ? errno : ::posix_fallocate(fd, 0, bytes);
  void* map = MAP_FAILED;
  if (error == 0) {
    map =
        ::mmap(nullptr, static_cast<std::size_t>(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    error = map == MAP_FAILED ? errno : 0;
  }
  if (fd >= 0) {
    ::unlink(
        file_.c_str());  // the mapping keeps the file alive; nothing is left behind after a crash
    ::close(fd);
  }
  ADB_CHECK(error == 0,
            ErrorKind::kData,
            "cannot keep {} bytes of features in '{}': {} (--feature-cache off does without)",
            bytes,
            file_.string(),
            std::strerror(error));
  map_ = static_cast<char*>(map);
}

void FeatureCache::put(const std::vector<std::int64_t>& ids,
                       const std::vector<at::Tensor>& features) {
  if (mode_ == "off" || features.empty()) {
    return;
  }
  if (parts_.empty()) {
    open(features);
  }
  if (mode_ == "off") {
    return;
  }
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    const auto source = features[p].detach().cpu().contiguous();
    ADB_ASSERT(source.size(0) == static_cast<std::int64_t>(ids.size()) &&
               source.sizes().slice(1) == at::IntArrayRef(parts_[p].shape));
    const auto* bytes = static_cast<const char*>(source.const_data_ptr());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto id = static_cast<std::size_t>(ids[i]);
      if (known_[id]) {
        continue;
      }
      if (mode_ == "memory" && memory_[id].empty()) {
        memory_[id].resize(static_cast<std::size_t>(image_bytes_));
      }
      char* block = mode_ == "memory" ? memory_[id].data() : map_ + ids[i] * image_bytes_;
      std::memcpy(block + parts_[p].offset,
                  bytes + static_cast<std::int64_t>(i) * parts_[p].bytes,
                  static_cast<std::size_t>(parts_[p].bytes));
    }
  }
  for (const auto id : ids) {
    known_[static_cast<std::size_t>(id)] = true;
  }
}

std::vector<at::Tensor> FeatureCache::get(const std::vector<std::int64_t>& ids) const {
  ADB_ASSERT(has(ids));
  std::vector<at::Tensor> features;
  for (const auto& part : parts_) {
    auto shape = part.shape;
    shape.insert(shape.begin(), static_cast<std::int64_t>(ids.size()));
    auto feature = at::empty(shape, part.dtype);
    auto* bytes = static_cast<char*>(feature.mutable_data_ptr());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const char* block = mode_ == "memory" ? memory_[static_cast<std::size_t>(ids[i])].data()
                                            : map_ + ids[i] * image_bytes_;
      std::memcpy(bytes + static_cast<std::int64_t>(i) * part.bytes,
                  block + part.offset,
                  static_cast<std::size_t>(part.bytes));
    }
    features.push_back(std::move(feature));
  }
  return features;
}

}  // namespace adb
