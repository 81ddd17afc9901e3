// Outputs of a method's frozen part, computed once per image and kept (design.md, "Frozen
// features").
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace adb {

// Not thread-safe. Everything kept is bitwise what was put.
class FeatureCache {
 public:
  // mode: auto (memory within the budget, else disk where there is room, else off) | off | memory |
  // disk
  //   file: where the disk cache lies; removed at the end
  FeatureCache(std::string mode,
               std::int64_t images,
               std::int64_t budget_bytes,
               std::filesystem::path file);
  ~FeatureCache();
  FeatureCache(const FeatureCache&) = delete;
  FeatureCache& operator=(const FeatureCache&) = delete;

  bool has(const std::vector<std::int64_t>& ids) const;
  void put(const std::vector<std::int64_t>& ids, const std::vector<at::Tensor>& features);
  std::vector<at::Tensor> get(const std::vector<std::int64_t>& ids) const;

  // "off", "memory" or "disk": what `auto` became at the first put.
  const std::string& mode() const { return mode_; }

 private:
  struct Part {
    std::vector<std::int64_t> shape;  // of one image
    at::ScalarType dtype;
    std::int64_t offset, bytes;
  };
  void open(const std::vector<at::Tensor>& features);
  void open_disk(std::int64_t bytes);

  std::string mode_;
  std::int64_t images_;
  std::int64_t budget_;
  std::filesystem::path file_;
  std::vector<Part> parts_;
  std::int64_t image_bytes_ = 0;
  std::vector<std::vector<char>> memory_;  // one block an image
  char* map_ = nullptr;
  std::vector<bool> known_;
};

}  // namespace adb
