#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "core/files.h"
#include "core/text.h"
#include "results/store.h"

namespace adb {
namespace {

struct PlanFlags {
  SelectionFlags selection;
  std::filesystem::path store;
  bool json = false;
};

// finished | to resume | to run | what is missing
std::string state_of(const Cell& cell, const Store* store) {
  if (!cell.missing.empty()) {
    return cell.missing;
  }
  if (store == nullptr) {
    return "to run";
  }
  if (store->newest_finished(cell.key)) {
    return "finished";
  }
  RunFilter filter;
  filter.keys = {cell.key};
  const auto runs = store->find_runs(filter);
  return runs.empty() ? "to run"
                      : "to run again (" + std::string(to_text(runs.back().status)) + ")";
}

int plan(const PlanFlags& flags) {
  const auto share = share_folder();
  const auto catalogue = method_catalogue();
  const auto weights = read_weights_catalogue(share);
  const auto runs_folder = std::filesystem::absolute(flags.store).parent_path() / "adbench-runs";
  const PlanSources sources{
      share, &catalogue.methods, &weights, sample_folder(runs_folder), nullptr};
  const auto plan = make_plan(selection_from(flags.selection), sources, /*strict=*/false);
  std::optional<Store> store;
  if (std::filesystem::exists(flags.store)) {
    store = Store::open_for_read(flags.store);
  }
  Json cells = Json::array();
  for (const auto& cell : plan.cells) {
    Json changed = Json::object();
    for (const auto& option : cell.origins) {
      changed[option.path] = {
          {"value", option.value}, {"default", option.default_value}, {"origin", option.origin}};
    }
    cells.push_back({{"method", cell.method->name},
                     {"dataset", cell.dataset},
                     {"setting", cell.setting},
                     {"classes", cell.classes},
                     {"seed", cell.seed},
                     {"protocol", cell.protocol.name},
                     {"epochs", cell.tests.back()},
                     {"tests", cell.tests},
                     {"options", cell.options},
                     {"changed", changed},
                     {"weights", cell.weights.resolved},
                     {"key", cell.key},
                     {"state", state_of(cell, store ? &*store : nullptr)}});
  }
  if (flags.json) {
    print_json("adbench.plan.1", cells);
    return 0;
  }
  fmt::print("{:<10} {:<12} {:<7} {:>5} {:<9} {:>6}  {}\n",
             "method",
             "data",
             "setting",
             "seed",
             "protocol",
             "epochs",
             "state");
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const auto& cell = plan.cells[i];
    const auto data = cell.setting == "single" && !cell.classes.empty()
                          ? cell.dataset + "/" + cell.classes.front()
                          : cell.dataset;
    fmt::print("{:<10} {:<12} {:<7} {:>5} {:<9} {:>6}  {}\n",
               cell.method->name,
               data,
               cell.setting,
               cell.seed,
               cell.protocol.name,
               cell.tests.back(),
               cells[i]["state"].get<std::string>());
  }
  return 0;
}

}  // namespace

Command plan_command() {
  return {"plan", "what `run` with the same flags would do", [](CLI::App& app) {
            auto flags = std::make_shared<PlanFlags>();
            add_selection_flags(app, &flags->selection);
            add_store_flag(app, &flags->store);
            add_json_flag(app, &flags->json);
            return [flags] { return plan(*flags); };
          }};
}

}  // namespace adb
