#include "cli/run_flags.h"

namespace adb {
namespace {

// A number with one of the units.
double with_unit(const std::string& flag,
                 const std::string& text,
                 const std::vector<std::pair<std::string, double>>& units,
                 const std::string& expected) {
  std::size_t used = 0;
  double value = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  for (const auto& [unit, factor] : units) {
    if (used > 0 && value > 0 && value * factor < 1e18 && text.substr(used) == unit) {
      return value * factor;
    }
  }
  fail(ErrorKind::kUsage, "{}: expected {}, got '{}'", flag, expected, text);
}

void check_save_maps(const std::string& text) {
  const bool worst = text.starts_with("worst:") && text.size() > 6 &&
                     text.find_first_not_of("0123456789", 6) == std::string::npos;
  ADB_CHECK(text == "none" || text == "all" || worst,
            ErrorKind::kUsage,
            "--save-maps: expected none, worst:N or all, got '{}'",
            text);
}

}  // namespace

void check_run_flags(RunFlags* flags) {
  auto& options = flags->options;
  check_save_maps(options.save_maps);
  ADB_CHECK(options.fpr_limit > 0 && options.fpr_limit <= 1,
            ErrorKind::kUsage,
            "--fpr-limit: must be in (0, 1], got {}",
            options.fpr_limit);
  if (!flags->timeout.empty()) {
    options.timeout_s = with_unit("--timeout",
                                  flags->timeout,
                                  {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}},
                                  "a time such as 90s, 15m or 6h");
  }
  if (!flags->max_rss.empty()) {
    options.max_rss_bytes = static_cast<std::int64_t>(with_unit(
        "--max-rss", flags->max_rss, {{"M", 0x1p20}, {"G", 0x1p30}}, "a size such as 800M or 24G"));
  }
}

void add_run_flags(CLI::App& app, RunFlags* flags) {
  auto& o = flags->options;
  app.add_option("--devices",
                 flags->devices,
                 "auto (every GPU that LibTorch sees, else the CPU), cpu, or cuda:0,1,...")
      ->capture_default_str();
  app.add_option("--slots", o.slots, "CPU workers at a time, each with its own cores")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--ranks",
                 o.ranks,
                 "processes that train each job together, started by mpirun or, inside an "
                 "allocation, srun")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--timeout", flags->timeout, "limit of one job: 90s, 15m, 6h");
  app.add_option(
      "--max-rss", flags->max_rss, "memory limit of one job, all its ranks together: 800M, 24G");
  app.add_option("--retries", o.retries, "of a job that crashed, hung or ran out of memory")
      ->check(CLI::NonNegativeNumber);
  app.add_option(
         "--feature-cache", o.feature_cache, "outputs of frozen encoders: auto, off, memory, disk")
      ->check(CLI::IsMember({"auto", "off", "memory", "disk"}));
  app.add_option("--save-maps", o.save_maps, "none, worst:N (per category) or all");
  app.add_option(
         "--metric-mode", o.metric_mode, "exact, or ader: the approximations of published tables")
      ->check(CLI::IsMember({"exact", "ader"}));
  app.add_option("--fpr-limit", o.fpr_limit, "of AU-PRO, in (0, 1]")->capture_default_str();
  app.add_option("--checkpoint-every", o.checkpoint_every_s, "seconds between checkpoints")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

}  // namespace adb
