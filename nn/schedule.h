// Learning rates over training (card training-protocol, section 3).
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "methods/method.h"

namespace adb {

// lr * 0.1 once from iteration int(0.8 * epochs) * steps_per_epoch on; never in a run of one epoch.
inline double step_schedule(double lr, const StepPlan& plan) {
  const std::int64_t drop = plan.epochs * 8 / 10 * plan.steps_per_epoch;
  return drop > 0 && plan.step >= drop ? lr * 0.1 : lr;
}

// lr/100 + (lr - lr/100)/2 * (1 + cos(pi t / T)), T = all steps.
inline double cosine_schedule(double lr, const StepPlan& plan) {
  const double lowest = lr / 100;
  const double t = static_cast<double>(plan.step) / static_cast<double>(plan.total_steps());
  return lowest + (lr - lowest) / 2 * (1 + std::cos(std::numbers::pi * t));
}

}  // namespace adb
