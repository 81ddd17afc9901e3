#include "runners/verify/limits.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/error.h"

namespace adb {
namespace {

constexpr auto kKind = ErrorKind::kData;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double bound(const Json& value, const std::string& where) {
  const double number = json_number(value, where, kKind);
  ADB_CHECK(std::isfinite(number) && number >= 0,
            kKind,
            "{}: expected a number of at least 0, got {}",
            where,
            number);
  return number;
}

// a / b for deviations: nothing is fine, something where nothing is allowed is not.
double over(double deviation, double allowed) {
  return deviation == 0 ? 0 : allowed > 0 ? deviation / allowed : kInfinity;
}

double norm(std::span<const double> x) {
  double sum = 0;
  for (const double value : x) {
    sum += value * value;
  }
  return std::sqrt(sum);
}

// One minus the cosine over one minus the limit.
double cosine_ratio(double limit, std::span<const double> got, std::span<const double> want) {
  double dot = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    dot += got[i] * want[i];
  }
  const double norms = norm(got) * norm(want);
  const bool equal = std::equal(got.begin(), got.end(), want.begin());
  const double away = equal ? 0 : norms > 0 ? std::max(1 - dot / norms, 0.0) : kInfinity;
  return over(away, 1 - limit);
}

}  // namespace

std::optional<LimitRule> parse_rule(const Json& rule, const std::string& where) {
  if (rule.is_null()) {
    return std::nullopt;
  }
  ADB_CHECK(rule.is_object() && !rule.empty(), kKind, "{}: expected null or conditions", where);
  LimitRule parsed;
  for (const auto& [key, value] : rule.items()) {
    const auto place = where + ": " + key;
    if (key == "atol") {
      parsed.atol = bound(value, place);
    } else if (key == "rtol") {
      parsed.rtol = bound(value, place);
    } else if (key == "of_max") {
      parsed.of_max = bound(value, place);
    } else if (key == "cosine") {
      parsed.cosine = bound(value, place);
      ADB_CHECK(
          *parsed.cosine <= 1, kKind, "{}: expected at most 1, got {}", place, *parsed.cosine);
    } else if (key == "but") {
      parsed.but_fraction = bound(json_at(value, "fraction", place, kKind), place);
      parsed.but_atol = bound(json_at(value, "atol", place, kKind), place);
    } else {
      fail(kKind, "{}: unknown condition '{}'", where, key);
    }
  }
  ADB_CHECK(!parsed.but_atol || parsed.atol || parsed.rtol,
            kKind,
            "{}: 'but' without atol or rtol",
            where);
  return parsed;
}

Comparison compare(const LimitRule& rule,
                   std::span<const double> got,
                   std::span<const double> want) {
  if (got.size() != want.size()) {
    return {kInfinity, 0};
  }
  Comparison result;
  double most = -1;  // what ranks the elements: the ratio where there is one, else the deviation
  double largest_deviation = 0, largest_wanted = 0;
  std::size_t broken = 0;
  const bool each = rule.atol || rule.rtol;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!std::isfinite(got[i]) || !std::isfinite(want[i])) {
      return {kInfinity, static_cast<std::int64_t>(i)};
    }
    const double deviation = std::abs(got[i] - want[i]);
    largest_deviation = std::max(largest_deviation, deviation);
    largest_wanted = std::max(largest_wanted, std::abs(want[i]));
    double rank = deviation;
    if (each) {
      const double ratio =
          over(deviation, rule.atol.value_or(0) + rule.rtol.value_or(0) * std::abs(want[i]));
      broken += ratio > 1 ? 1 : 0;
      if (!rule.but_atol) {
        result.ratio = std::max(result.ratio, ratio);
        rank = ratio;
      }
    }
    if (rank > most) {
      most = rank;
      result.worst = static_cast<std::int64_t>(i);
    }
  }
  if (got.empty()) {
    return result;
  }
  if (rule.but_atol) {
    const double fraction = static_cast<double>(broken) / static_cast<double>(got.size());
    result.ratio =
        std::max(over(fraction, *rule.but_fraction), over(largest_deviation, *rule.but_atol));
  }
  if (rule.of_max) {
    result.ratio = std::max(result.ratio, over(largest_deviation, *rule.of_max * largest_wanted));
  }
  if (rule.cosine) {
    result.ratio = std::max(result.ratio, cosine_ratio(*rule.cosine, got, want));
  }
  return result;
}

}  // namespace adb
