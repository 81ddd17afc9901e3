// Modules as named tensors.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace torch::nn {
class Module;
}

namespace adb {

// Parameters, then buffers, in the order of registration, with `prefix` (say "net_t.") before each
// name.
NamedTensors module_parameters(const torch::nn::Module& module, const std::string& prefix = "");
NamedTensors module_state(const torch::nn::Module& module, const std::string& prefix = "");

// Frozen for good: no gradients, evaluation mode. (A method never puts this module into a parent
// that it switches.)
void freeze(torch::nn::Module& module);

// Puts modules into evaluation mode for as long as it lives; each then gets its own mode back.
class EvaluationMode {
 public:
  explicit EvaluationMode(std::vector<std::shared_ptr<torch::nn::Module>> modules);
  ~EvaluationMode();
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  std::vector<std::shared_ptr<torch::nn::Module>> modules_;
  std::vector<bool> were_training_;
};

// How a checkpoint's names become a module's.
struct LoadRules {
  std::vector<std::string> drop_prefixes;  // entries that the card says are dropped
};

// Copies `weights` into `state` (whose names carry no prefix), converting the dtype.
//   throws: Error(kWeights) "FILE: missing: ...; unexpected: ...; of another shape: ..."
void load_weights(const NamedTensors& state,
                  const NamedTensors& weights,
                  const std::string& file,
                  const LoadRules& rules);

}  // namespace adb
