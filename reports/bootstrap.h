// Bootstrap intervals of means.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace adb {

// Percentile intervals of a mean at 95 %: the 2.5 and 97.5 % quantiles of the means of 2,000
// samples drawn with replacement. The draws are fixed, so equal values give equal bits.
class Bootstrap {
 public:
  // Nothing below three values, whose resamples say too little.
  std::optional<std::pair<double, double>> interval(std::span<const double> values);

 private:
  std::map<std::size_t, std::vector<std::size_t>> draws_;  // by count: resample after resample
};

}  // namespace adb
