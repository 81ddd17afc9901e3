// How close is close enough: the rules of a golden case's `limits`.
// Source: goldens/limits.py. Stricter where that divides 0 by 0: a zero vector never meets a
// cosine, and stored values that are not finite meet nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/json.h"

namespace adb {

// All conditions that are present must hold.
struct LimitRule {
  std::optional<double> atol, rtol;              // |d| <= atol + rtol |want|
  std::optional<double> but_fraction, but_atol;  // that may break for so many elements, by so much
  std::optional<double> of_max;                  // max |d| <= of_max * max |want|
  std::optional<double> cosine;                  // <got, want> / (|got| |want|) >= cosine
};

// nullopt for null: recorded, not compared. throws: Error(kData) for anything that is not a rule
std::optional<LimitRule> parse_rule(const Json& rule, const std::string& where);

struct Comparison {
  double ratio = 0;  // worst deviation over what the rule allows: at most 1 passes; infinite: never
  std::int64_t worst = 0;  // the element that deviates most; 0 when there is none
};

Comparison compare(const LimitRule& rule,
                   std::span<const double> got,
                   std::span<const double> want);

}  // namespace adb
