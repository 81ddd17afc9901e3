#include "runners/schedule/runner.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <fstream>
#include <memory>
#include <thread>

#include <poll.h>
#include <signal.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/files.h"
#include "core/version.h"
#include "metrics/keys.h"
#include "runners/schedule/events.h"
#include "runners/schedule/progress.h"
#include "runners/schedule/worker_process.h"
#include "runners/wire/wire.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

std::atomic<int> signals_seen = 0;
std::atomic<int> first_signal = 0;

void on_signal(int signal) {
  int none = 0;
  first_signal.compare_exchange_strong(none, signal);
  ++signals_seen;
}

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGUSR1};
struct sigaction old_actions[std::size(kSignals)];

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(": ") + 2);
    }
  }
  return "unknown";
}

// A tenth of the memory stays free for the rest of the machine.
std::int64_t cache_bytes(std::int64_t slots) {
  const auto total = static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  return total / 10 * 4 / std::max<std::int64_t>(slots, 1);
}

struct Task {
  const Cell* cell = nullptr;
  std::int64_t tries = 0;
};

// One running job.
struct Slot {
  std::size_t index = 0;
  std::string device;
  std::vector<int> cpus;
  std::int64_t threads = 1;

  Task task;
  RunId run{};
  std::unique_ptr<WorkerProcess> process;
  double started = 0;
  bool stop_sent = false;
  RunStatus killed_as = RunStatus::kRunning;  // why this program killed it
  std::string killed_reason;
  bool ended = false;  // finished, failed or interrupted was received
};

class Runner {
 public:
  Runner(const Plan& plan, const RunOptions& options, Store& store, const StopRequests& stop)
      : plan_(plan), options_(options), store_(store), stop_(stop), view_(options.json_events) {
    make_slots();
  }

  RunSummary run() {
    queue_cells();
    while (!queue_.empty() || busy()) {
      start_waiting();
      wait_for_output();
      check_limits();
      pass_on_stop();
      if (stop_.count() > 0 && !busy()) {
        break;
      }
    }
    return summary_;
  }

 private:
  void make_slots() {
    const auto cores = static_cast<std::int64_t>(std::max(1U, std::thread::hardware_concurrency()));
    if (options_.devices != std::vector<std::string>{"cpu"}) {
      for (const auto& device : options_.devices) {
        Slot slot;
        slot.index = slots_.size();
        slot.device = device;
        slot.threads =
            std::max<std::int64_t>(1, cores / static_cast<std::int64_t>(options_.devices.size()));
        slots_.push_back(std::move(slot));
      }
      return;
    }
    ADB_CHECK(options_.slots <= cores,
              ErrorKind::kUsage,
              "--slots: {} workers do not fit {} cores",
              options_.slots,
              cores);
    const auto each = cores / options_.slots;
    for (std::int64_t i = 0; i < options_.slots; ++i) {
      Slot slot;
      slot.index = slots_.size();
      slot.device = "cpu";
      slot.threads = each;
      for (std::int64_t c = 0; options_.slots > 1 && c < each; ++c) {
        slot.cpus.push_back(static_cast<int>(i * each + c));
      }
      slots_.push_back(std::move(slot));
    }
  }

  bool busy() const {
    return std::any_of(
        slots_.begin(), slots_.end(), [](const Slot& s) { return s.process != nullptr; });
  }

  // Seconds that the cell's method took on this data set before, or -1.
  double known_duration(const Cell& cell) const {
    RunFilter filter;
    filter.methods = {cell.method->name};
    filter.datasets = {cell.dataset};
    filter.statuses = {RunStatus::kFinished};
    const auto runs = store_.find_runs(filter);
    if (runs.empty()) {
      return -1;
    }
    for (const auto& figure : store_.efficiency(runs.back().id)) {
      if (figure.key == "train_s" && figure.value) {
        return *figure.value;
      }
    }
    return -1;
  }

  void queue_cells() {
    std::vector<std::pair<double, Task>> tasks;
    for (const auto& cell : plan_.cells) {
      if (!options_.fresh && store_.newest_finished(cell.key)) {
        ++summary_.skipped;
        continue;
      }
      tasks.emplace_back(known_duration(cell), Task{&cell, 0});
    }
    // Longest first; cells never run keep their order behind.
    std::stable_sort(
        tasks.begin(), tasks.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    for (auto& [duration, task] : tasks) {
      queue_.push_back(task);
    }
    planned_ = queue_.size();
  }

  std::string label(const Cell& cell) const {
    return fmt::format("{}{} on {}{}{}",
                       cell.method->name,
                       cell.row.empty() ? "" : " (" + cell.row + ")",
                       cell.dataset,
                       cell.setting == "single" ? "/" + cell.classes.front() : "",
                       cell.seed == 42 ? "" : fmt::format(", seed {}", cell.seed));
  }

  // --- starting

  void start_waiting() {
    if (stop_.count() > 0 || (options_.fail_fast && summary_.failed > 0)) {
      queue_.clear();
      return;
    }
    for (auto& slot : slots_) {
      if (slot.process == nullptr && !queue_.empty()) {
        slot.task = queue_.front();
        queue_.pop_front();
        start(slot);
      }
    }
  }

  // An attempt that stopped half way goes on; anything else starts anew.
  std::optional<RunRow> resumable(const Cell& cell) const {
    RunFilter filter;
    filter.keys = {cell.key};
    filter.newest_per_key = true;
    const auto runs = store_.find_runs(filter);
    if (options_.fresh || runs.empty()) {
      return std::nullopt;
    }
    const auto status = runs.back().status;
    const bool half_way = status == RunStatus::kInterrupted || status == RunStatus::kKilled ||
                          status == RunStatus::kTimeout || status == RunStatus::kOutOfMemory;
    return half_way ? std::optional(runs.back()) : std::nullopt;
  }

  RunRow new_row(const Cell& cell, const Slot& slot) const {
    RunRow row;
    row.key = cell.key;
    row.method = cell.method->name;
    row.method_title = cell.method->title;
    row.method_version = cell.method->version;
    row.dataset = cell.dataset;
    row.setting = cell.setting;
    row.classes = cell.classes;
    row.seed = cell.seed;
    row.protocol = cell.protocol.name;
    row.protocol_version = cell.protocol.version;
    row.protocol_config = {{"title", cell.protocol.title},
                           {"overlay", cell.protocol.overlay},
                           {"tests", cell.tests},
                           {"changed_from_default", cell.changed}};
    row.epoch_rule = cell.protocol.epoch_rule;
    row.options = cell.options;
    row.changed_options = cell.origins;
    row.weights = cell.weights;
    row.data_manifest = cell.data_manifest;
    row.textures = cell.textures;
    row.threads = slot.threads;
    row.device = slot.device;
    row.epochs = cell.tests.back();
    row.folder = fmt::format(
        "{}-{}-{}", cell.method->name, cell.key.substr(0, 12), store_.find_runs().size() + 1);
    return row;
  }

  Environment environment() const {
    Environment e;
    utsname system{};
    ::uname(&system);
    e.host = system.nodename;
    e.cpu = cpu_model();
    e.compiler = compiler();
    e.libraries = {{"libtorch", options_.libtorch}};
    e.code_commit = code_commit();
    e.build_type = build_type();
    return e;
  }

  wire::Job job_of(const Cell& cell, const Slot& slot, const fs::path& folder) const {
    wire::Job job;
    job.key = cell.key;
    job.folder = folder;
    job.method = cell.method->name;
    job.options = cell.changed;
    job.options.erase("weights");
    job.seed = cell.seed;
    job.threads = slot.threads;
    job.device = slot.device;
    job.categories = cell.classes;
    job.tests = cell.tests;
    job.epoch_rule = cell.protocol.epoch_rule;
    job.weights = cell.weights_file;
    job.textures = cell.textures_folder;
    job.metric_mode = options_.metric_mode;
    job.fpr_limit = options_.fpr_limit;
    job.save_maps = options_.save_maps;
    job.feature_cache = options_.feature_cache;
    job.cache_bytes = cache_bytes(static_cast<std::int64_t>(slots_.size()));
    job.checkpoint_every_s = options_.checkpoint_every_s;
    const auto data = plan_.data[cell.data].restrict(cell.classes);
    const auto convert = [](const std::vector<Sample>& samples) {
      std::vector<wire::JobSample> list;
      for (const auto& s : samples) {
        list.push_back({s.id, s.category, s.defect, fs::absolute(s.image), s.mask, s.anomalous});
        if (list.back().mask) {
          list.back().mask = fs::absolute(*list.back().mask);
        }
      }
      return list;
    };
    job.train = convert(data.train);
    job.test = convert(data.test);
    return job;
  }

  void start(Slot& slot) {
    const Cell& cell = *slot.task.cell;
    std::string folder;
    if (const auto half_way = resumable(cell)) {
      store_.resume_run(half_way->id);
      slot.run = half_way->id;
      folder = half_way->folder;
    } else {
      auto row = new_row(cell, slot);
      folder = row.folder;
      row.folder = fs::relative(options_.folder / folder, store_folder()).generic_string();
      slot.run = store_.begin_run(row, environment());
    }
    const auto path =
        folder.find('/') == std::string::npos ? options_.folder / folder : store_folder() / folder;
    make_folder(path);
    ++summary_started_;
    view_.line(fmt::format("[{}/{}] {}: started", summary_started_, planned_, label(cell)));
    slot.started = now();
    slot.stop_sent = slot.ended = false;
    slot.killed_as = RunStatus::kRunning;
    slot.process = std::make_unique<WorkerProcess>(
        std::vector<std::string>{options_.worker.string(), "run"}, path / "worker.log", slot.cpus);
    slot.process->send_line(canonical_json(wire::to_json(job_of(cell, slot, path))));
  }

  fs::path store_folder() const {
    const auto parent = fs::absolute(store_.file()).parent_path();
    return store_.file() == ":memory:" ? fs::current_path() : parent;
  }

  // --- running

  void wait_for_output() {
    std::vector<pollfd> fds;
    std::vector<Slot*> busy_slots;
    for (auto& slot : slots_) {
      if (slot.process != nullptr) {
        fds.push_back({slot.process->output(), POLLIN, 0});
        busy_slots.push_back(&slot);
      }
    }
    if (fds.empty()) {
      return;
    }
    ::poll(fds.data(), fds.size(), 200);
    for (std::size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].revents == 0) {
        continue;
      }
      bool closed = false;
      for (const auto& line : busy_slots[i]->process->read_lines(&closed)) {
        handle(*busy_slots[i], line);
      }
      if (closed) {
        finish_process(*busy_slots[i]);
      }
    }
  }

  MetricSetting metric_setting(const Cell& cell) const {
    MetricSetting setting;
    setting.mode = options_.metric_mode;
    setting.version = kMetricVersion;
    setting.fpr_limit = options_.fpr_limit;
    setting.eval_size = std::to_string(cell.options.at("image_size").get<std::int64_t>());
    return setting;
  }

  void handle(Slot& slot, const std::string& line) {
    const auto event = parse_json(line, "worker event", ErrorKind::kInternal);
    const auto name = json_string(json_at(event, "event", "worker event", ErrorKind::kInternal),
                                  "event",
                                  ErrorKind::kInternal);
    const Cell& cell = *slot.task.cell;
    if (name == wire::kHello) {
      ADB_CHECK(event.at("wire") == wire::kVersion,
                ErrorKind::kUsage,
                "'{}' speaks wire version {}, this adbench {}: build both together",
                options_.worker.string(),
                event.at("wire").dump(),
                wire::kVersion);
    } else if (name == wire::kStarted) {
      store_.drop_after(slot.run, event.at("resumed_epoch").get<std::int64_t>());
      if (event.at("resumed_epoch") != 0 || event.at("resumed_step") != 0) {
        view_.line(fmt::format("  {}: goes on after epoch {}, step {}",
                               label(cell),
                               event.at("resumed_epoch").dump(),
                               event.at("resumed_step").dump()));
      }
    } else if (name == wire::kProgress) {
      show_progress(slot, event);
    } else if (name == wire::kNote) {
      view_.line(fmt::format("  {}: {}", label(cell), event.at("text").get<std::string>()));
    } else if (name == wire::kFinished) {
      RunOutcome outcome;
      outcome.reported_epoch = event.at("reported_epoch").get<std::int64_t>();
      outcome.last_epoch = event.at("last_epoch").get<std::int64_t>();
      store_.finish_run(slot.run, outcome);
      slot.ended = true;
      ++summary_.finished;
      view_.line(
          fmt::format("  {}: finished in {}", label(cell), duration_text(now() - slot.started)));
    } else if (name == wire::kInterrupted) {
      store_.finish_run(slot.run,
                        {RunStatus::kInterrupted, event.at("message").get<std::string>(), {}, {}});
      slot.ended = true;
      ++summary_.interrupted;
      view_.line(fmt::format("  {}: {}", label(cell), event.at("message").get<std::string>()));
    } else if (name == wire::kFailed) {
      const auto kind = event.at("kind").get<std::string>();
      slot.ended = true;
      record_failure(slot,
                     kind == "out_of_memory" ? RunStatus::kOutOfMemory : RunStatus::kFailed,
                     event.at("message").get<std::string>());
    }
    if (const auto rows = rows_of_event(event, metric_setting(cell)); !empty(rows)) {
      store_.append(slot.run, rows);
    }
    if (name == wire::kEvaluation) {
      show_evaluation(slot, event);
    }
    slot.process->send_line(fmt::format("ack {}", event.at("seq").get<std::int64_t>()));
    if (options_.json_events) {
      Json out = event;
      out["cell"] = cell.key;
      out["method"] = cell.method->name;
      out["dataset"] = cell.dataset;
      fmt::print("{}\n", canonical_json(out));
      std::fflush(stdout);
    }
  }

  void show_progress(Slot& slot, const Json& event) {
    const auto epoch = event.at("epoch").get<std::int64_t>();
    const auto epochs = event.at("epochs").get<std::int64_t>();
    const auto step = event.at("step").get<std::int64_t>();
    const auto steps = event.at("steps").get<std::int64_t>();
    const double elapsed = now() - slot.started;
    const double share =
        (static_cast<double>(epoch - 1) + static_cast<double>(step) / static_cast<double>(steps)) /
        static_cast<double>(epochs);
    view_.update(slot.index,
                 fmt::format("{}: epoch {}/{}, step {}/{}, loss {:.4f}, {:.1f} images/s",
                             label(*slot.task.cell),
                             epoch,
                             epochs,
                             step,
                             steps,
                             event.at("loss").get<double>(),
                             event.at("images_per_s").get<double>()),
                 elapsed,
                 share > 0 ? elapsed / share - elapsed : -1);
  }

  void show_evaluation(const Slot& slot, const Json& event) {
    const auto figure = [&](const char* key) {
      const auto& value = event.at("mean").at(key).at("value");
      return value.is_null() ? std::string("n/a")
                             : fmt::format("{:.1f}", 100 * value.get<double>());
    };
    view_.line(fmt::format("  {}: epoch {}: image AUROC {}, pixel AUROC {}, AU-PRO {}, mAD {}",
                           label(*slot.task.cell),
                           event.at("epoch").dump(),
                           figure("image.auroc"),
                           figure("pixel.auroc"),
                           figure("pixel.aupro"),
                           figure("mad")));
  }

  void record_failure(Slot& slot, RunStatus status, const std::string& reason) {
    store_.finish_run(slot.run, {status, reason, {}, {}});
    const bool again = status != RunStatus::kFailed && slot.task.tries < options_.retries;
    const auto text = fmt::format("{}: {}: {}", label(*slot.task.cell), to_text(status), reason);
    view_.line("  " + text + (again ? "; trying again" : ""));
    if (again) {
      queue_.push_back({slot.task.cell, slot.task.tries + 1});
    } else {
      ++summary_.failed;
      summary_.failures.push_back(text);
    }
  }

  void finish_process(Slot& slot) {
    const auto end = slot.process->wait();
    if (!slot.ended) {
      if (slot.killed_as != RunStatus::kRunning) {
        if (slot.killed_as == RunStatus::kInterrupted) {
          store_.finish_run(slot.run, {RunStatus::kInterrupted, slot.killed_reason, {}, {}});
          ++summary_.interrupted;
        } else {
          record_failure(slot, slot.killed_as, slot.killed_reason);
        }
      } else if (end.signal != 0) {
        record_failure(
            slot,
            RunStatus::kKilled,
            fmt::format("the worker was killed by signal {} ({}); see worker.log in its folder",
                        end.signal,
                        ::strsignal(end.signal)));
      } else {
        record_failure(
            slot,
            RunStatus::kFailed,
            fmt::format("the worker left with exit code {}; see worker.log in its folder",
                        end.code));
      }
    }
    view_.done(slot.index);
    slot.process.reset();
  }

  void check_limits() {
    for (auto& slot : slots_) {
      if (slot.process == nullptr || slot.killed_as != RunStatus::kRunning) {
        continue;
      }
      if (options_.timeout_s > 0 && now() - slot.started > options_.timeout_s) {
        kill(slot,
             RunStatus::kTimeout,
             fmt::format("ran longer than {}", duration_text(options_.timeout_s)));
      } else if (options_.max_rss_bytes > 0 &&
                 slot.process->memory_bytes() > options_.max_rss_bytes) {
        kill(slot,
             RunStatus::kOutOfMemory,
             fmt::format("used more than {} MiB of memory", options_.max_rss_bytes >> 20));
      }
    }
  }

  static void kill(Slot& slot, RunStatus status, const std::string& reason) {
    slot.killed_as = status;
    slot.killed_reason = reason;
    slot.process->kill(SIGKILL);
  }

  void pass_on_stop() {
    if (stop_.count() == 0) {
      return;
    }
    for (auto& slot : slots_) {
      if (slot.process == nullptr) {
        continue;
      }
      if (stop_.count() >= 2 && slot.killed_as == RunStatus::kRunning) {
        kill(slot, RunStatus::kInterrupted, "stopped at once; goes on from the newest checkpoint");
        summary_.unclean = true;
      } else if (!slot.stop_sent) {
        slot.stop_sent = true;
        slot.process->send_line("stop");
        view_.line(fmt::format("  {}: stopping after this step (again to stop at once)",
                               label(*slot.task.cell)));
      }
    }
  }

  const Plan& plan_;
  const RunOptions& options_;
  Store& store_;
  const StopRequests& stop_;
  ProgressView view_;
  std::vector<Slot> slots_;
  std::deque<Task> queue_;
  std::size_t planned_ = 0;
  std::size_t summary_started_ = 0;
  RunSummary summary_;
};

}  // namespace

StopRequests::StopRequests() {
  signals_seen = 0;
  first_signal = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < std::size(kSignals); ++i) {
    ::sigaction(kSignals[i], &action, &old_actions[i]);
  }
}

StopRequests::~StopRequests() {
  for (std::size_t i = 0; i < std::size(kSignals); ++i) {
    ::sigaction(kSignals[i], &old_actions[i], nullptr);
  }
}

int StopRequests::count() const {
  return signals_seen;
}
int StopRequests::signal() const {
  return first_signal;
}

RunSummary run_cells(const Plan& plan,
                     const RunOptions& options,
                     Store& store,
                     const StopRequests& stop) {
  return Runner(plan, options, store, stop).run();
}

}  // namespace adb
