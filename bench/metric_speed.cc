// How fast the figures of a category are, measured against a plain radix sort of the same scores in
// the same run.
//
//   metric_speed          a table: one category, and the sizes of MVTec AD's and VisA's test sets
//   metric_speed --json   one object for the category of 83 images
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"
#include "core/json.h"
#include "metrics/evaluate.h"
#include "metrics/score_key.h"

#include "bench/radix_sort.h"
#include "bench/synthetic_category.h"

namespace adb::bench {
namespace {

constexpr std::size_t kSide = 256;

struct Speed {
  std::size_t pixels = 0;
  double sort_s = 0;         // one thread, keys and both buffers ready
  double all_s = 0;          // seven figures and components from maps and masks, one thread
  double two_threads_s = 0;  // the same with two

  double ratio() const { return all_s / sort_s; }
  double speedup() const { return all_s / two_threads_s; }
  void add(const Speed& other) {
    pixels += other.pixels;
    sort_s += other.sort_s;
    all_s += other.all_s;
    two_threads_s += other.two_threads_s;
  }
};

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Smallest wall times of `rounds` rounds; each round measures all three, so that a machine that
// changes its speed, or is busy for a while, treats them alike.
Speed measure(const SyntheticCategory& category, int rounds) {
  std::vector<std::uint32_t> keys;
  std::transform(
      category.scores().begin(), category.scores().end(), std::back_inserter(keys), score_key);
  const CategoryInput input = category.input();
  std::vector<std::uint32_t> sorted(keys.size());
  std::vector<std::uint32_t> scratch(keys.size());
  EvaluationOptions one;
  EvaluationOptions two;
  two.threads = 2;
  CategoryResult result;
  CategoryResult result_two;
  Speed best;
  best.pixels = keys.size();
  for (int round = 0; round < rounds; ++round) {
    std::copy(keys.begin(), keys.end(), sorted.begin());
    const double sort_s = seconds([&] { radix_sort(sorted, scratch); });
    ADB_ASSERT(std::is_sorted(sorted.begin(), sorted.end()));
    const double all_s = seconds([&] { result = evaluate_category(input, one); });
    const double two_threads_s = seconds([&] { result_two = evaluate_category(input, two); });
    for (const MetricInfo& info : kMetrics) {
      ADB_ASSERT(result.value(info.metric).value.has_value());
      ADB_ASSERT(result.value(info.metric).value == result_two.value(info.metric).value);
    }
    const bool first = round == 0;
    best.sort_s = first ? sort_s : std::min(best.sort_s, sort_s);
    best.all_s = first ? all_s : std::min(best.all_s, all_s);
    best.two_threads_s = first ? two_threads_s : std::min(best.two_threads_s, two_threads_s);
  }
  return best;
}

Speed measure_data_set(std::span<const CategorySize> sizes) {
  Speed sum;
  std::int64_t seed = 100;
  for (const CategorySize& size : sizes) {
    sum.add(measure(SyntheticCategory(size.images, size.normal, kSide, seed++), 5));
  }
  return sum;
}

void print_row(std::string_view what, const Speed& speed) {
  fmt::print("{:<28} {:>8.1f} {:>9.4f} {:>9.4f} {:>7.2f} {:>12.4f} {:>9.2f}\n",
             what,
             static_cast<double>(speed.pixels) / 1e6,
             speed.sort_s,
             speed.all_s,
             speed.ratio(),
             speed.two_threads_s,
             speed.speedup());
}

int run(int argc, char** argv) {
  const bool json = argc == 2 && std::string_view(argv[1]) == "--json";
  ADB_CHECK(argc == 1 || json, ErrorKind::kUsage, "usage: metric_speed [--json]");
  const Speed category = measure(SyntheticCategory(83, 20, kSide, 1), 100);
  if (json) {
    fmt::print("{}\n",
               canonical_json({{"sort_s", category.sort_s},
                               {"all_s", category.all_s},
                               {"ratio", category.ratio()},
                               {"two_thread_speedup", category.speedup()},
                               {"pixels", category.pixels}}));
    return 0;
  }
  fmt::print("{:<28} {:>8} {:>9} {:>9} {:>7} {:>12} {:>9}\n",
             "test set at 256 x 256",
             "Mpixel",
             "sort s",
             "all s",
             "ratio",
             "2 threads s",
             "speed-up");
  print_row("1 category, 83 images", category);
  print_row("MVTec AD: 15, 1725 images", measure_data_set(mvtec_sizes()));
  print_row("VisA: 12, 2162 images", measure_data_set(visa_sizes()));
  fmt::print(
      "sort: radix sort of all scores on one thread; all: seven figures and the components.\n");
  return 0;
}

}  // namespace
}  // namespace adb::bench

int main(int argc, char** argv) {
  try {
    return adb::bench::run(argc, argv);
  } catch (const adb::Error& error) {
    fmt::print(stderr, "metric_speed: {}\n", error.what());
    return adb::exit_code(error.kind());
  } catch (const std::exception& error) {
    fmt::print(stderr, "metric_speed: {}\n", error.what());
    return adb::exit_code(adb::ErrorKind::kInternal);
  }
}
