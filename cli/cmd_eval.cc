#include <algorithm>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/eval_output.h"
#include "cli/eval_store.h"
#include "core/text.h"
#include "datasets/catalog.h"
#include "datasets/listing.h"

namespace adb {
namespace {

struct EvalFlags {
  std::filesystem::path maps, store;
  std::string ground_truth, categories, eval_size = "256", metric_mode = "exact", image_score;
  std::string format = "terminal", method, dataset;
  std::vector<double> fpr_limits = {0.3};
  std::size_t resamples = 0;
  std::int64_t seed = 42;
  bool skip_undefined = false, extra = false, by_defect = false, json = false;
};

EvalSet open_set(const EvalFlags& flags) {
  const auto categories = split(flags.categories, ',');
  const bool hash = !flags.store.empty();
  std::error_code ignored;
  if (std::filesystem::is_regular_file(flags.maps, ignored)) {
    ADB_CHECK(flags.ground_truth.empty(),
              ErrorKind::kUsage,
              "--ground-truth goes with a folder of maps; the manifest '{}' names its masks itself",
              flags.maps.string());
    return read_eval_manifest(flags.maps, categories, hash);
  }
  ADB_CHECK(!flags.ground_truth.empty(),
            ErrorKind::kUsage,
            "--maps DIR needs --ground-truth DIR (or give a manifest: --maps FILE.csv)");
  OpenOptions options;
  options.categories = categories;
  options.need_train = false;
  // Always a path here, also without a '/'; one at its end would hide the folder's name.
  auto path = (std::filesystem::path(".") / flags.ground_truth).string();
  path.erase(path.find_last_not_of('/') + 1);
  return pair_maps(open_dataset(path.empty() ? "/" : path, {}, options), flags.maps, hash);
}

// Given scores are used where there is one for every image.
std::string default_image_score(const EvalSet& set) {
  for (const EvalItem& item : set.items) {
    if (!item.score) {
      return "max";
    }
  }
  return "given";
}

int eval(const EvalFlags& flags) {
  EvalAnswer answer;
  answer.skip_undefined = flags.skip_undefined;
  answer.options.size = EvalSize::parse(flags.eval_size);
  answer.options.metrics.mode = parse_metric_mode(flags.metric_mode);
  answer.options.metrics.fpr_limit = flags.fpr_limits.front();
  answer.options.metrics.extra = flags.extra;
  for (const double limit : flags.fpr_limits) {
    auto& more = answer.options.metrics.more_fpr_limits;
    if (limit != flags.fpr_limits.front() &&
        std::find(more.begin(), more.end(), limit) == more.end()) {
      more.push_back(limit);
    }
  }
  answer.options.by_defect = flags.by_defect;
  answer.options.metrics.threads =
      static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  check_options(answer.options.metrics);
  if (flags.resamples > 0) {
    answer.options.bootstrap.emplace();
    answer.options.bootstrap->resamples = flags.resamples;
    answer.options.bootstrap->seed = flags.seed;
    answer.options.bootstrap->threads = answer.options.metrics.threads;
    answer.options.bootstrap->fpr_limit = answer.options.metrics.fpr_limit;
  }
  if (!flags.image_score.empty()) {
    answer.options.image_score = ImageScore::parse(flags.image_score);
  }
  ADB_CHECK(flags.store.empty() == flags.method.empty(),
            ErrorKind::kUsage,
            "--store and --method-name go together: a stored run needs a name");
  check_utf8(flags.method, "--method-name");

  answer.set = open_set(flags);
  if (flags.image_score.empty()) {
    answer.options.image_score = ImageScore::parse(default_image_score(answer.set));
  }
  for (const auto& note : answer.set.notes) {
    fmt::print(stderr, "note: {}\n", note);
  }
  for (const auto& category : answer.set.categories) {
    answer.categories.push_back(evaluate_maps(answer.set, category, answer.options));
    for (const auto& note : answer.categories.back().notes) {
      fmt::print(stderr, "note: {}\n", note);
    }
  }
  if (!flags.store.empty()) {
    const auto& dataset = flags.dataset.empty() ? answer.set.name : flags.dataset;
    fmt::print(stderr, "{}\n", store_eval(answer, flags.store, flags.method, dataset));
  }
  if (flags.json || flags.format == "json") {
    print_json("adbench.eval.1", eval_json(answer));
  } else {
    fmt::print("{}", flags.format == "csv" ? eval_csv(answer) : eval_table(answer));
  }
  return 0;
}

}  // namespace

Command eval_command() {
  return {
      "eval", "figures of score maps that any program wrote", [](CLI::App& app) {
        auto flags = std::make_shared<EvalFlags>();
        app.add_option("--maps,--manifest",
                       flags->maps,
                       "folder with CATEGORY/test/DEFECT/STEM.{npy,npz,safetensors,tiff,png}, or "
                       "a table of files: FILE.csv or FILE.json")
            ->required();
        app.add_option("--ground-truth",
                       flags->ground_truth,
                       "data set folder, or one category: test/ and ground_truth/ suffice");
        app.add_option("--categories", flags->categories, "only these, separated by commas");
        app.add_option("--eval-size",
                       flags->eval_size,
                       "side to which masks and maps are brought, or native: the masks' own")
            ->capture_default_str();
        app.add_option("--metric-mode",
                       flags->metric_mode,
                       "exact, or ader: the approximations of published tables")
            ->capture_default_str();
        app.add_option("--fpr-limit",
                       flags->fpr_limits,
                       "of AU-PRO, in (0, 1]; more of them, separated by commas, add figures")
            ->delimiter(',')
            ->capture_default_str();
        app.add_flag("--extra",
                     flags->extra,
                     "also FPR at 95 % recall of images and pixels, IoU-max, AUPIMO");
        app.add_flag("--by-defect", flags->by_defect, "also the figures of each kind of defect");
        app.add_option("--bootstrap",
                       flags->resamples,
                       "also 95 % intervals from so many resamples of the images")
            ->check(CLI::Range(1, 10'000'000));
        app.add_option("--seed", flags->seed, "of --bootstrap")->capture_default_str();
        app.add_option("--image-score",
                       flags->image_score,
                       "max, pooled (16 x 16 means), pooled:N, top:K (mean of the K largest) or "
                       "given (default: given by the manifest, else max)");
        app.add_flag("--skip-undefined",
                     flags->skip_undefined,
                     "means over the categories in which a figure is defined");
        app.add_option("--format", flags->format, "terminal, csv or json")
            ->check(CLI::IsMember({"terminal", "csv", "json"}));
        add_json_flag(app, &flags->json);
        app.add_option("--store", flags->store, "also store the figures, under --method-name");
        app.add_option("--method-name", flags->method, "of the program that wrote the maps");
        app.add_option("--dataset-name",
                       flags->dataset,
                       "in the store (default: name of the folder or manifest)");
        return [flags] { return eval(*flags); };
      }};
}

}  // namespace adb
