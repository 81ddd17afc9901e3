#include "cli/resolve.h"

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "core/files.h"
#include "runners/schedule/check.h"
#include "runners/schedule/slots.h"

namespace adb {
namespace fs = std::filesystem;

std::unique_ptr<Resolved> resolve(const Selection& selection, const fs::path& runs_folder) {
  const auto share = share_folder();
  std::unique_ptr<Resolved> resolved(
      new Resolved{method_catalogue(), read_weights_catalogue(share), {}});
  const PlanSources sources{share,
                            &resolved->catalogue.methods,
                            &resolved->weights,
                            sample_folder(runs_folder),
                            make_sample};
  resolved->plan = make_plan(selection, sources, /*strict=*/true);
  for (const auto& data : resolved->plan.data) {
    for (const auto& note : data.notes) {
      fmt::print(stderr, "{}: {}\n", data.name, note);
    }
  }
  check_relations(resolved->plan, worker_program());
  return resolved;
}

void keep_cells(Plan* plan, const std::vector<std::string>& keys) {
  if (keys.empty()) {
    return;
  }
  std::vector<Cell> kept;
  for (const auto& key : keys) {
    std::vector<const Cell*> matching;
    for (const auto& cell : plan->cells) {
      if (!key.empty() && cell.key.starts_with(key)) {
        matching.push_back(&cell);
      }
    }
    ADB_CHECK(!matching.empty(),
              ErrorKind::kUsage,
              "--cell: no cell of this selection has the key '{}'; `adbench plan --json` with the "
              "same flags lists them (data, weights or code may have changed since)",
              key);
    ADB_CHECK(matching.size() == 1,
              ErrorKind::kUsage,
              "--cell: '{}' begins the keys of {} cells",
              key,
              matching.size());
    if (std::none_of(kept.begin(), kept.end(), [&](const Cell& cell) {
          return cell.key == matching.front()->key;
        })) {
      kept.push_back(*matching.front());
    }
  }
  plan->cells = std::move(kept);
}

fs::path runs_folder(const fs::path& store, const fs::path& out) {
  const auto folder = fs::absolute(store).parent_path();
  std::error_code unwritable;
  fs::create_directories(folder, unwritable);
  ADB_CHECK(!unwritable,
            ErrorKind::kStore,
            "cannot create the store's folder '{}': {}",
            folder.string(),
            unwritable.message());
  if (out.empty()) {
    return folder / "adbench-runs";
  }
  const auto relative =
      fs::weakly_canonical(fs::absolute(out)).lexically_relative(fs::weakly_canonical(folder));
  ADB_CHECK(!relative.empty() && *relative.begin() != "..",
            ErrorKind::kUsage,
            "--out '{}' must lie in the store's folder '{}': the store names the files of its runs "
            "relative to itself",
            out.string(),
            folder.string());
  return out;
}

std::vector<std::string> chosen_devices(const std::string& text, const MethodCatalogue& catalogue) {
  if (text != "auto") {
    return parse_devices(text);
  }
  if (!catalogue.cuda) {
    return {"cpu"};  // no worker has to be asked
  }
  auto devices = cuda_devices(worker_program());
  return devices.empty() ? std::vector<std::string>{"cpu"} : devices;
}

int end_of_run(const RunSummary& summary, const StopRequests& stop) {
  for (const auto& failure : summary.failures) {
    fmt::print(stderr, "adbench: {}\n", failure);
  }
  if (summary.unclean) {
    return stop.signal() == SIGINT ? 130 : 143;
  }
  if (summary.unsaved > 0) {
    fmt::print(stderr,
               "adbench: interrupted; {} of the stopped jobs could not save and go on from their "
               "last checkpoint\n",
               summary.unsaved);
    return 4;
  }
  if (stop.count() > 0 && summary.interrupted + summary.not_started > 0) {
    fmt::print(stderr, "adbench: interrupted, everything saved; the same command goes on\n");
    return exit_code(ErrorKind::kInterrupted);
  }
  return summary.failed > 0 ? 4 : 0;
}

}  // namespace adb
