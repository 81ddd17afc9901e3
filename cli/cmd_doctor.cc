#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <memory>

#include <fmt/format.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "cli/command.h"
#include "core/files.h"
#include "core/version.h"
#include "datasets/catalog.h"
#include "results/process.h"
#include "results/store.h"
#include "runners/schedule/check.h"
#include "runners/schedule/record.h"
#include "runners/schedule/slots.h"
#include "runners/schedule/weights.h"

namespace adb {
namespace {

namespace fs = std::filesystem;

struct DoctorFlags {
  fs::path store, data_root, weights_folder;
  bool json = false;
};

struct Finding {
  enum State { kOk, kWarn, kFail };
  std::string subject;
  State state = kOk;
  std::string text;
  std::string cure;  // "" when all is well
};

const char* name_of(Finding::State state) {
  return state == Finding::kOk ? "ok" : state == Finding::kWarn ? "warn" : "fail";
}

std::string gib(double bytes) {
  return fmt::format("{:.1f} GiB", bytes / 0x1p30);
}

Finding check_build() {
  if (built_with_debug()) {
    return {
        "build", Finding::kWarn, "a debug build", "times mean nothing; build the preset release"};
  }
  return {
      "build", Finding::kOk, fmt::format("{}, {}, {}", version(), build_type(), compiler()), ""};
}

// Catalogue, worker and devices belong together: the worker says what it sees.
std::vector<Finding> check_worker() {
  std::vector<Finding> findings;
  MethodCatalogue catalogue;
  try {
    catalogue = method_catalogue();
    findings.push_back({"methods",
                        Finding::kOk,
                        fmt::format("{} in the catalogue", catalogue.methods.names().size()),
                        ""});
  } catch (const Error& e) {
    findings.push_back({"methods", Finding::kFail, e.what(), "build or install adbench again"});
    return findings;
  }
  try {
    const auto devices = cuda_devices(worker_program());
    findings.push_back({"worker", Finding::kOk, "LibTorch " + catalogue.libtorch, ""});
    if (!devices.empty()) {
      findings.push_back(
          {"devices", Finding::kOk, fmt::format("{}", fmt::join(devices, ", ")), ""});
    } else if (catalogue.cuda) {
      findings.push_back({"devices",
                          Finding::kWarn,
                          "LibTorch is built with CUDA, but sees no GPU",
                          "check the driver with nvidia-smi; without one the CPU is used"});
    } else {
      findings.push_back({"devices", Finding::kOk, "the CPU", ""});
    }
  } catch (const Error& e) {
    findings.push_back({"worker", Finding::kFail, e.what(), "build or install adbench again"});
  }
  return findings;
}

std::vector<Finding> check_machine() {
  const auto cores = usable_cores().size();
  const auto all = static_cast<std::size_t>(::sysconf(_SC_NPROCESSORS_ONLN));
  std::vector<Finding> findings = {{"cores",
                                    Finding::kOk,
                                    fmt::format("{} of {} may be used, {} threads a worker",
                                                cores,
                                                all,
                                                make_slots({"cpu"}, 1, 0).front().threads),
                                    ""}};
  struct sysinfo memory {};
  ::sysinfo(&memory);
  const double total = static_cast<double>(memory.totalram) * memory.mem_unit;
  const bool small = total < 0x1p32;
  findings.push_back({"memory",
                      small ? Finding::kWarn : Finding::kOk,
                      gib(total),
                      small ? "full-size networks need about 4 GiB" : ""});
  const auto now = std::chrono::system_clock::now();
  const bool early = now < std::chrono::sys_days(std::chrono::year(2025) / 1 / 1);
  findings.push_back({"clock",
                      early ? Finding::kFail : Finding::kOk,
                      utc_now(),
                      early ? "set it: stored times would be wrong" : ""});
  return findings;
}

// The store's folder, or the nearest one above it that exists.
fs::path existing_folder(const fs::path& store) {
  auto folder = fs::absolute(store).parent_path();
  std::error_code ignored;
  while (!fs::exists(folder, ignored) && folder.has_relative_path()) {
    folder = folder.parent_path();
  }
  return folder;
}

std::vector<Finding> check_store_place(const fs::path& store) {
  std::vector<Finding> findings;
  std::error_code error;
  if (!fs::exists(store, error)) {
    findings.push_back(
        {"store", Finding::kOk, fmt::format("'{}' is not there yet", store.string()), ""});
  } else {
    try {
      const auto opened = Store::open_for_read(store);
      findings.push_back({"store",
                          Finding::kOk,
                          fmt::format("'{}', schema {}, {} runs",
                                      store.string(),
                                      opened.schema_version(),
                                      opened.find_runs().size()),
                          ""});
    } catch (const Error& e) {
      findings.push_back(
          {"store", Finding::kFail, e.what(), "`adbench store check`, or another --store"});
    }
  }
  const auto folder = existing_folder(store);
  if (::access(folder.c_str(), W_OK) != 0) {
    findings.push_back({"folder",
                        Finding::kFail,
                        fmt::format("'{}' cannot be written", folder.string()),
                        "another --store, or the right to write"});
  } else if (on_network_file_system(folder)) {
    findings.push_back({"folder",
                        Finding::kWarn,
                        fmt::format("'{}' lies on a network file system", folder.string()),
                        "one adbench at a time may write there; array jobs write a store each"});
  } else {
    findings.push_back({"folder", Finding::kOk, folder.string(), ""});
  }
  const auto space = fs::space(folder, error);
  const double free = error ? 0 : static_cast<double>(space.available);
  const auto state = free < 0x1p27 ? Finding::kFail : free < 0x1p31 ? Finding::kWarn : Finding::kOk;
  findings.push_back({"disk",
                      state,
                      gib(free) + " free",
                      state == Finding::kOk ? "" : "checkpoints and feature caches need room"});
  return findings;
}

std::vector<Finding> check_data(const fs::path& root) {
  if (root.empty()) {
    return {{"data", Finding::kOk, "only the sample; ADBENCH_DATA or --data-root name others", ""}};
  }
  std::vector<Finding> findings;
  Registry<DatasetEntry> known("data set");
  add_builtin_datasets(known);
  for (const auto& entry : known) {
    std::error_code ignored;
    if (entry.name == "sample" || !fs::exists(root / entry.name, ignored)) {
      continue;
    }
    try {
      const auto data = open_dataset(entry.name, root);
      findings.push_back({"data",
                          Finding::kOk,
                          fmt::format("{}: {} categories, {} + {} images",
                                      entry.name,
                                      data.categories.size(),
                                      data.train.size(),
                                      data.test.size()),
                          ""});
    } catch (const Error& e) {
      findings.push_back({"data",
                          Finding::kFail,
                          e.what(),
                          fmt::format("`adbench data verify {}` lists everything", entry.name)});
    }
  }
  if (findings.empty()) {
    findings.push_back({"data",
                        Finding::kWarn,
                        fmt::format("no known data set in '{}'", root.string()),
                        "put mvtec_ad or visa there"});
  }
  return findings;
}

std::vector<Finding> check_weight_files(const fs::path& folder) {
  std::vector<Finding> findings;
  std::int64_t right = 0, absent = 0;
  for (const auto& info : read_weights_catalogue(share_folder())) {
    try {
      const auto check = check_weights(info, folder / info.file);
      right += check.state == WeightsState::kRight || check.state == WeightsState::kUnchecked;
      absent += check.state == WeightsState::kAbsent;
      if (check.state == WeightsState::kWrong) {
        findings.push_back({"weights",
                            Finding::kFail,
                            fmt::format("{}: {}", info.name, check.problem),
                            fmt::format("remove it, then `adbench weights fetch {}`", info.name)});
      }
    } catch (const Error& e) {
      findings.push_back({"weights", Finding::kFail, e.what(), "the right to read it"});
    }
  }
  findings.push_back({"weights",
                      right > 0 ? Finding::kOk : Finding::kWarn,
                      fmt::format("{} there, {} absent in '{}'", right, absent, folder.string()),
                      right > 0 ? "" : "protocol paper needs them: `adbench weights list`"});
  return findings;
}

int doctor(const DoctorFlags& flags) {
  std::vector<Finding> findings = {check_build()};
  const auto add = [&](const std::vector<Finding>& more) {
    findings.insert(findings.end(), more.begin(), more.end());
  };
  add(check_worker());
  add(check_machine());
  add(check_store_place(flags.store));
  add(check_data(flags.data_root));
  add(check_weight_files(flags.weights_folder));
  Json list = Json::array();
  bool failed = false;
  for (const auto& finding : findings) {
    failed = failed || finding.state == Finding::kFail;
    list.push_back({{"subject", finding.subject},
                    {"state", name_of(finding.state)},
                    {"text", finding.text},
                    {"cure", finding.cure}});
    if (!flags.json) {
      fmt::print("{:<5} {:<8} {}{}\n",
                 name_of(finding.state),
                 finding.subject,
                 finding.text,
                 finding.cure.empty() ? "" : "; " + finding.cure);
    }
  }
  if (flags.json) {
    print_json("adbench.doctor.1", list);
  }
  return failed ? exit_code(ErrorKind::kData) : 0;
}

}  // namespace

Command doctor_command() {
  return {
      "doctor",
      "what this machine, build, store, data and weights are fit for; exit 3 when something fails",
      [](CLI::App& app) {
        auto flags = std::make_shared<DoctorFlags>();
        add_store_flag(app, &flags->store);
        add_weights_flag(app, &flags->weights_folder);
        app.add_option("--data-root", flags->data_root, "folder of data sets")
            ->envname("ADBENCH_DATA");
        add_json_flag(app, &flags->json);
        return [flags] { return doctor(*flags); };
      }};
}

Command env_command() {
  return {"env", "the environment record that is stored with each run", [](CLI::App& app) {
            auto json = std::make_shared<bool>(false);
            add_json_flag(app, json.get());
            return [json] {
              const auto e = environment_of(method_catalogue().libtorch);
              const Json record = {{"host", e.host},
                                   {"cpu", e.cpu},
                                   {"gpu", e.gpu},
                                   {"compiler", e.compiler},
                                   {"libraries", e.libraries},
                                   {"code_commit", e.code_commit},
                                   {"build_type", e.build_type}};
              if (*json) {
                print_json("adbench.environment.1", record);
                return 0;
              }
              for (const auto& [name, value] : record.items()) {
                fmt::print("{:<12} {}\n",
                           name,
                           value.is_string() ? value.get<std::string>() : canonical_json(value));
              }
              return 0;
            };
          }};
}

}  // namespace adb
