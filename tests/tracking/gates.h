// A baseline, a newer run, and what the gate says of them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/yaml.h"
#include "tests/tracking/runs.h"
#include "tracking/gate.h"

namespace adb::testing {

inline Environment commit(const std::string& name) {
  auto environment = sample_environment();
  environment.code_commit = name;
  return environment;
}

// A store whose baseline `main` holds what `fill` adds.
inline Store with_baseline(const std::function<void(Store&)>& fill) {
  auto store = Store::in_memory();
  fill(store);
  std::vector<RunId> ids;
  for (const auto& run : store.find_runs()) {
    ids.push_back(run.id);
  }
  store.set_baseline("main", ids);
  return store;
}

inline GateReport gate(const Store& store,
                       const GateRules& rules = {},
                       const RunFilter& filter = {}) {
  auto report = run_gate(store, "main", store, filter, rules);
  finish_report(rules, &report);
  return report;
}

inline GateRules rules(const std::string& text) {
  return parse_rules(parse_yaml(text, "gate.yaml"));
}

inline Judgement find(const GateReport& report,
                      const std::string& metric,
                      const std::string& category = "",
                      const std::string& method = "rd") {
  for (const auto& judgement : report.judgements) {
    if (judgement.metric == metric && judgement.category == category &&
        judgement.cell.method == method) {
      return judgement;
    }
  }
  ADD_FAILURE() << "no judgement on " << metric << " of '" << category << "'";
  return {};
}

inline RunRow on_gpu(const std::string& method, std::int64_t seed, std::size_t classes) {
  auto run = run_of(method, seed, classes);
  run.device = "cuda:0";
  return run;
}

}  // namespace adb::testing
