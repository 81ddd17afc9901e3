// Golden cases on disk: CASE.json says what was run and how close to be, CASE.safetensors holds
// what came out. Format: goldens/README.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/json.h"
#include "methods/golden.h"
#include "tensor/tensor.h"

namespace adb {

// The stored elements of a tensor: element k is element k * stride of the flattened whole.
struct StoredTensor {
  std::vector<std::int64_t> shape;  // of the whole
  std::int64_t stride = 1;
  std::vector<double> values;
};

// A case file, checked as far as this can be done without running it.
struct GoldenFile {
  std::string name;    // the file's stem
  std::string method;  // its field `method`, "" when absent
  Json json;
  std::filesystem::path tensors;

  // Whether `limits` name "float32" or "float64".
  bool has_precision(const std::string& precision) const;
};

// Whether a file is meant to be a golden case: an object that names a `case`, or one with a tensors
// file beside it.
bool is_golden(const std::filesystem::path& json_file, const Json& json);

// throws: Error(kData) naming the file
GoldenFile read_golden(const std::filesystem::path& json_file);

// The inputs' recipes evaluated and everything else as a golden function wants it.
//   dtype: kFloat or kDouble. throws: Error(kData)
GoldenCase prepare_case(const GoldenFile& file, at::ScalarType dtype, at::Device device = at::kCPU);

// throws: Error(kData) for tensors that are absent or do not fit the case's `tensors`
std::map<std::string, StoredTensor> read_stored(const GoldenFile& file);

// How much work the case is, for putting small ones first.
double estimated_work(const GoldenFile& file);

}  // namespace adb
