// The seam between golden cases and methods: a method's golden.cc maps a case's `config` to its
// options, runs what the case asks for and returns named numbers and tensors; reading, filling and
// comparing is shared (runners/verify).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/json.h"
#include "tensor/tensor.h"

namespace adb {

// Thrown by a golden function whose case needs pretrained weights that are not there; the message
// says which command fetches them. The case is then skipped.
class WeightsAbsent : public Error {
 public:
  explicit WeightsAbsent(const std::string& message) : Error(ErrorKind::kWeights, message) {}
};

struct GoldenCase {
  std::string name;
  Json json;    // the whole case file
  Json config;  // its `config`
  std::int64_t seed = 0;
  at::ScalarType dtype =
      at::kFloat;  // network and arithmetic; inputs are made in float32, then widened
  at::Device device = at::kCPU;
  NamedTensors inputs;                   // evaluated recipes; float32 ones in dtype
  std::filesystem::path weights_folder;  // where pretrained weights lie; empty: not known

  // What the case's tensors are made with.
  at::TensorOptions tensor() const { return at::TensorOptions().dtype(dtype).device(device); }
  bool training() const { return json.contains("train") && json["train"].is_object(); }
  // Whether the case compares a tensor of this name.
  bool wants(const std::string& tensor) const;
  const at::Tensor& input(const std::string& name) const;  // throws: Error(kData)
  // Of this shape, in which -1 is any extent from 1. throws: Error(kData)
  const at::Tensor& input(const std::string& name, const std::vector<std::int64_t>& shape) const;
  // Fills the entries of `state` by the formula under their own names, as the case's `parameters`
  // say.
  //   throws: Error(kData) that lists names which only one side has and shapes that differ
  void fill(const NamedTensors& state) const;
  // Throws Error(kData) naming the first key of `config` that is not in `known`.
  void require_config(const std::vector<std::string>& known) const;
  // The entries of `config` that are called `keys`. Throws like require_config for keys in neither
  // list.
  Json options(const std::vector<std::string>& keys,
               const std::vector<std::string>& other_keys = {}) const;
};

struct GoldenResult {
  std::map<std::string, double>
      scalars;  // path below `expected`: "losses/0", "grad_norm/NAME"; "sizes/X" is compared
                // with the case's `sizes`, which have no limits: it must be equal
  NamedTensors tensors;  // whole tensors; the driver takes the stored elements
};

}  // namespace adb
