// The gate: a store's newest runs against a named baseline.
#pragma once

#include <string>

#include "results/store.h"
#include "tracking/rules.h"
#include "tracking/verdict.h"

namespace adb {

// Judges the baseline `name` of `baseline_store` against `current`; the same store may be given
// twice. An unknown baseline, or a filter that leaves none of its runs, is a report with a problem.
// Findings of other sources may be added before finish_report.
//   throws: Error(kStore)
GateReport run_gate(const Store& baseline_store,
                    const std::string& name,
                    const Store& current,
                    const RunFilter& filter,
                    const GateRules& rules);

// Names the rules that matched nothing, sorts the judgements and sets the exit code. A report
// without any judgement has a problem.
void finish_report(const GateRules& rules, GateReport* report);

}  // namespace adb
