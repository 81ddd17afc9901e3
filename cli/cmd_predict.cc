#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/trained.h"

namespace adb {
namespace {

struct PredictFlags : TrainedFlags {
  std::filesystem::path out;
  std::optional<double> threshold;
};

int predict(const PredictFlags& flags) {
  Json job = trained_job(flags, flags.out);
  job["threshold"] = flags.threshold ? Json(*flags.threshold) : Json(nullptr);
  return ask_trained("predict", job, [](const std::string& line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
  });
}

}  // namespace

Command predict_command() {
  return {"predict",
          "a stored run's model on images: scores, maps, masks, overlays",
          [](CLI::App& app) {
            auto flags = std::make_shared<PredictFlags>();
            app.add_option("images", flags->inputs, "image files, or folders of them")->required();
            add_store_flag(app, &flags->store);
            add_trained_flags(app, flags.get());
            app.get_option("--run")->required();
            auto* out = app.add_option(
                "--out", flags->out, "folder for the pictures (default: scores only)");
            app.add_option("--threshold", flags->threshold, "of map values, for masks in --out")
                ->needs(out);
            return [flags] { return predict(*flags); };
          }};
}

}  // namespace adb
