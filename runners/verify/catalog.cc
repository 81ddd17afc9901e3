#include "runners/verify/catalog.h"

#include "runners/verify/backbones.h"
#include "runners/verify/data_golden.h"
#include "runners/verify/metric_golden.h"
#include "runners/verify/synthesis_golden.h"

namespace adb {

std::vector<GoldenFunction> all_golden_functions(const Registry<MethodEntry>& methods) {
  auto functions = golden_functions(methods);
  functions.push_back(backbone_golden_function());
  functions.push_back(data_golden_function());
  functions.push_back(metric_golden_function());
  functions.push_back({"anomaly synthesis", "*", run_synthesis_golden, {}, ""});
  return functions;
}

}  // namespace adb
