#include <algorithm>
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
  if (!cell.lacks.empty()) {
    return cell.lacks;
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

Json plan_json(const Plan& plan,
               const Selection& selection,
               const std::vector<std::string>& states) {
  Json cells = Json::array();
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const auto& cell = plan.cells[i];
    Json changed = Json::object();
    for (const auto& option : cell.origins) {
      changed[option.path] = {
          {"value", option.value}, {"default", option.default_value}, {"origin", option.origin}};
    }
    Json rows = Json::array();
    for (const auto& row : plan.rows) {
      if (std::find(row.cells.begin(), row.cells.end(), i) != row.cells.end()) {
        const auto& suite = selection.suites[row.suite];
        rows.push_back({{"suite", suite.name},
                        {"cell", suite.rows[row.row].cell},
                        {"label", suite.rows[row.row].label}});
      }
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
                     {"rows", rows},
                     {"missing", cell.missing},
                     {"state", states[i]}});
  }
  return cells;
}

std::string data_of(const Cell& cell) {
  return cell.setting == "single" && !cell.classes.empty()
             ? cell.dataset + "/" + cell.classes.front()
             : cell.dataset;
}

void print_line(const Cell& cell, const std::string& state) {
  fmt::print("{:<10} {:<12} {:<7} {:>5} {:<9} {:>6}  {}\n",
             cell.method->name,
             data_of(cell),
             cell.setting,
             cell.seed,
             cell.protocol.name,
             cell.tests.back(),
             state);
}

void print_header() {
  fmt::print("{:<10} {:<12} {:<7} {:>5} {:<9} {:>6}  {}\n",
             "method",
             "data",
             "setting",
             "seed",
             "protocol",
             "epochs",
             "state");
}

void print_cells(const Plan& plan, const std::vector<std::string>& states) {
  print_header();
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    print_line(plan.cells[i], states[i]);
  }
}

// The rows of every suite. A cell that stood in an earlier row is trained once for both.
void print_rows(const Plan& plan,
                const Selection& selection,
                const std::vector<std::string>& states) {
  std::size_t width = 3;
  for (const auto& row : plan.rows) {
    width = std::max(width, num_columns(selection.suites[row.suite].rows[row.row].label));
  }
  std::vector<const PlanRow*> first(plan.cells.size());
  std::size_t suite = selection.suites.size();
  for (const auto& row : plan.rows) {
    const auto& label = selection.suites[row.suite].rows[row.row].label;
    if (row.suite != suite) {
      fmt::print("{}{}: {}\n{:<{}}  ",
                 suite == selection.suites.size() ? "" : "\n",
                 selection.suites[row.suite].name,
                 selection.suites[row.suite].title,
                 "row",
                 width);
      print_header();
      suite = row.suite;
    }
    for (const auto i : row.cells) {
      std::string state = states[i];
      if (first[i] == nullptr) {
        first[i] = &row;
      } else {
        const auto& other = selection.suites[first[i]->suite];
        state += fmt::format("; the training of {}{}",
                             first[i]->suite == row.suite ? "" : other.name + ", ",
                             other.rows[first[i]->row].label);
      }
      fmt::print("{}{}  ", label, std::string(width - num_columns(label), ' '));
      print_line(plan.cells[i], state);
    }
  }
  fmt::print("\n{} rows, {} trainings\n", plan.rows.size(), plan.cells.size());
}

int plan(const PlanFlags& flags) {
  const auto share = share_folder();
  const auto catalogue = method_catalogue();
  const auto weights = read_weights_catalogue(share);
  const auto runs_folder = std::filesystem::absolute(flags.store).parent_path() / "adbench-runs";
  const PlanSources sources{
      share, &catalogue.methods, &weights, sample_folder(runs_folder), nullptr};
  const auto selection = selection_from(flags.selection);
  const auto plan = make_plan(selection, sources, /*strict=*/false);
  std::optional<Store> store;
  if (std::filesystem::exists(flags.store)) {
    store = Store::open_for_read(flags.store);
  }
  std::vector<std::string> states;
  for (const auto& cell : plan.cells) {
    states.push_back(state_of(cell, store ? &*store : nullptr));
  }
  if (flags.json) {
    print_json("adbench.plan.1", plan_json(plan, selection, states));
  } else if (selection.suites.empty()) {
    print_cells(plan, states);
  } else {
    print_rows(plan, selection, states);
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
