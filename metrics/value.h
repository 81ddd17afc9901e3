// A figure, or the reason why there is none.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace adb {

// `value` is empty exactly when `reason` is not; it is never NaN.
struct MetricValue {
  std::optional<double> value;
  std::string reason;

  static MetricValue of(double value) { return {value, {}}; }
  static MetricValue undefined(std::string reason) { return {std::nullopt, std::move(reason)}; }
};

}  // namespace adb
