#include "runners/schedule/runner.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <optional>

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "core/files.h"
#include "metrics/keys.h"
#include "runners/schedule/attempts.h"
#include "runners/schedule/events.h"
#include "runners/schedule/launcher.h"
#include "runners/schedule/narrator.h"
#include "runners/schedule/record.h"
#include "runners/schedule/slots.h"
#include "runners/schedule/worker_process.h"
#include "runners/wire/wire.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

// A worker that said its last word, or closed its output, has this long to leave.
constexpr double kLeaveS = 5;
// How long a new worker waits for the last one of a killed adbench to be gone from the run's
// folder.
constexpr double kFolderPatienceS = 15;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A tenth of the memory stays free for the rest of the machine.
std::int64_t cache_bytes(std::int64_t processes) {
  const auto total = static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  return total / 10 * 4 / std::max<std::int64_t>(processes, 1);
}

// Half-written files of a worker that was killed; the caller holds the folder's lock.
void remove_temporary_files(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().filename().string().find(".tmp") != std::string::npos) {
      fs::remove_all(entry.path(), ignored);
    }
  }
}

struct Task {
  const Cell* cell = nullptr;
  std::int64_t tries = 0;
};

// Why this program ended a worker.
struct Verdict {
  RunStatus status = RunStatus::kFailed;
  std::string reason;
  bool transient = true;  // another try may go better
};

// One running job.
struct Slot {
  std::size_t index = 0;
  DeviceSlot place;

  Task task;
  RunId run{};
  std::optional<FolderLock> lock;  // before the process: it outlives it
  std::unique_ptr<WorkerProcess> process;
  double started = 0;
  double leaving_since = 0;  // 0: it has not said its last word
  bool output_closed = false;
  bool greeted = false;
  bool stop_sent = false;
  bool ended = false;              // finished, failed or interrupted was received and stored
  std::optional<Verdict> verdict;  // why it was killed
  StepClock clock;
  double remaining_s = -1;
};

class Runner {
 public:
  Runner(const Plan& plan, const RunOptions& options, Store& store, const StopRequests& stop)
      : plan_(plan),
        options_(options),
        store_(store),
        stop_(stop),
        attempts_(store, options.fresh),
        narrator_(options.json_events) {
    for (const auto& place :
         make_slots(options.devices, options.slots, options.threads, options.ranks)) {
      auto& slot = slots_.emplace_back();
      slot.index = slots_.size() - 1;
      slot.place = place;
    }
  }

  RunSummary run() {
    queue_cells();
    while (!queue_.empty() || busy()) {
      start_waiting();
      wait_for_output();
      for (auto& slot : slots_) {
        if (slot.process != nullptr) {
          check_limits(slot);
          collect(slot);
        }
      }
      pass_on_stop();
    }
    narrator_.summary(summary_);
    return summary_;
  }

 private:
  bool busy() const {
    return std::any_of(
        slots_.begin(), slots_.end(), [](const Slot& s) { return s.process != nullptr; });
  }

  // --- what to run, in which order

  void queue_cells() {
    const auto& place = slots_.front().place;
    const auto expected = attempts_.expected_seconds(plan_.cells);
    std::vector<std::pair<double, Task>> tasks;
    for (const auto& cell : plan_.cells) {
      if (!options_.fresh && store_.newest_finished(cell.key)) {
        ++summary_.skipped;
        narrator_.skipped(cell);
        continue;
      }
      attempts_.refuse_other_threads(cell, place);
      tasks.emplace_back(expected.at(&cell), Task{&cell, 0});
    }
    // Longest first; cells never run keep their order behind.
    std::stable_sort(
        tasks.begin(), tasks.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    for (auto& [duration, task] : tasks) {
      queue_.push_back(task);
    }
    planned_ = queue_.size();
    expected_s_ = expected;
  }

  // --- starting

  void start_waiting() {
    if (stop_.count() > 0 || (options_.fail_fast && summary_.failed > 0)) {
      summary_.not_started += static_cast<std::int64_t>(queue_.size());
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

  void start(Slot& slot) {
    const Cell& cell = *slot.task.cell;
    std::string folder;
    // An attempt that stopped half way goes on; anything else starts anew.
    if (const auto run = attempts_.half_way(cell, slot.place)) {
      store_.resume_run(run->id);
      slot.run = run->id;
      folder = run->folder;
    } else {
      auto row = row_of(plan_, cell, slot.place, options_);
      folder = row.folder = attempts_.free_folder(cell, options_.folder);
      slot.run = store_.begin_run(row, environment_of(options_.libtorch));
    }
    ++started_;
    narrator_.started(cell, started_, planned_);
    slot.started = now();
    slot.leaving_since = 0;
    slot.output_closed = slot.greeted = slot.stop_sent = slot.ended = false;
    slot.verdict.reset();
    slot.clock = StepClock();
    slot.remaining_s = -1;
    try {
      const auto path = attempts_.store_folder() / folder;
      make_folder(path);
      slot.lock.emplace(path, kFolderPatienceS);
      remove_temporary_files(path);
      slot.process =
          std::make_unique<WorkerProcess>(worker_command(options_.worker, options_.ranks),
                                          path / "worker.log",
                                          slot.place.cpus,
                                          slot.lock->descriptor());
      const auto memory = cache_bytes(static_cast<std::int64_t>(slots_.size()) * options_.ranks);
      slot.process->send_line(
          canonical_json(wire::to_json(job_of(plan_, cell, slot.place, options_, path, memory))));
    } catch (const Error& e) {
      record_failure(slot, {RunStatus::kFailed, e.what(), false});
      release(slot);
    }
  }

  // --- running

  void wait_for_output() {
    std::vector<pollfd> fds;
    std::vector<Slot*> owners;
    int patience_ms = 200;
    for (auto& slot : slots_) {
      if (slot.process == nullptr) {
        continue;
      }
      if (slot.output_closed) {
        patience_ms = 10;  // it is about to be gone
      } else {
        fds.push_back({slot.process->output(), POLLIN, 0});
        owners.push_back(&slot);
      }
      if (slot.process->unsent_input() >= 0) {
        fds.push_back({slot.process->unsent_input(), POLLOUT, 0});
        owners.push_back(&slot);
      }
    }
    if (!busy()) {
      return;
    }
    ::poll(fds.data(), fds.size(), patience_ms);
    for (std::size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].revents == 0) {
        continue;
      }
      if (fds[i].events == POLLOUT) {
        owners[i]->process->send_unsent();
      } else {
        take_output(*owners[i]);
      }
    }
  }

  void take_output(Slot& slot) {
    try {
      for (const auto& line : slot.process->read_lines(&slot.output_closed)) {
        if (!slot.ended && !slot.verdict) {
          handle(slot, line);
        }
      }
    } catch (const RefusedRow& e) {
      kill(slot, {RunStatus::kFailed, e.what()});
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::kStore || e.kind() == ErrorKind::kUsage) {
        throw;  // no other job would fare better
      }
      kill(slot, {RunStatus::kFailed, e.what()});
    } catch (const Json::exception& e) {
      kill(
          slot,
          {RunStatus::kFailed, fmt::format("the worker sent an event that is none: {}", e.what())});
    }
    if (slot.output_closed && slot.leaving_since == 0) {
      slot.leaving_since = now();
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
    ADB_CHECK(slot.greeted || name == wire::kHello || name == wire::kFailed,
              ErrorKind::kInternal,
              "the worker sent '{}' before '{}'",
              name,
              wire::kHello);
    const auto sequence = event.at("seq").get<std::int64_t>();
    if (name == wire::kHello) {
      ADB_CHECK(event.at("wire") == wire::kVersion,
                ErrorKind::kUsage,
                "'{}' speaks wire version {}, this adbench {}: build both together",
                options_.worker.string(),
                event.at("wire").dump(),
                wire::kVersion);
      slot.greeted = true;
    } else if (name == wire::kStarted) {
      store_.drop_after(slot.run, event.at("resumed_epoch").get<std::int64_t>());
      if (event.at("resumed_epoch") != 0 || event.at("resumed_step") != 0) {
        narrator_.remark(cell,
                         fmt::format("goes on after epoch {}, step {}",
                                     event.at("resumed_epoch").dump(),
                                     event.at("resumed_step").dump()));
      }
    } else if (name == wire::kProgress) {
      show_progress(slot, event);
    } else if (name == wire::kNote) {
      narrator_.remark(cell, event.at("text").get<std::string>());
    }
    if (const auto rows = rows_of_event(event, metric_setting(cell)); !empty(rows)) {
      store_.append(slot.run, rows);
    }
    if (name == wire::kEvaluation) {
      narrator_.evaluation(cell, event);
    }
    narrator_.worker_event(cell, event);
    if (name == wire::kFinished || name == wire::kInterrupted || name == wire::kFailed) {
      end_as_told(slot, name, event);
    }
    slot.process->send_line(fmt::format("ack {}", sequence));
  }

  void end_as_told(Slot& slot, const std::string& name, const Json& event) {
    const Cell& cell = *slot.task.cell;
    if (name == wire::kFinished) {
      RunOutcome outcome;
      outcome.reported_epoch = event.at("reported_epoch").get<std::int64_t>();
      outcome.last_epoch = event.at("last_epoch").get<std::int64_t>();
      store_.finish_run(slot.run, outcome);
      ++summary_.finished;
      narrator_.ended(
          cell, RunStatus::kFinished, "finished in " + duration_text(now() - slot.started));
    } else if (name == wire::kInterrupted) {
      record_interruption(slot, event.at("message").get<std::string>());
    } else {
      const auto kind = event.at("kind").get<std::string>();
      const auto message = event.at("message").get<std::string>();
      const bool memory = kind == "out_of_memory";
      record_failure(slot,
                     {memory ? RunStatus::kOutOfMemory : RunStatus::kFailed,
                      message.empty() ? kind : message,
                      memory});
    }
    slot.ended = true;
    slot.leaving_since = now();
  }

  void show_progress(Slot& slot, const Json& event) {
    const auto epoch = event.at("epoch").get<std::int64_t>();
    const auto epochs = event.at("epochs").get<std::int64_t>();
    const auto step = event.at("step").get<std::int64_t>();
    const auto steps = event.at("steps").get<std::int64_t>();
    const double elapsed = now() - slot.started;
    slot.remaining_s = slot.clock.remaining_s((epoch - 1) * steps + step, epochs * steps, elapsed);
    narrator_.total(total_text());
    narrator_.progress(slot.index,
                       slots_.size() > 1 ? slot.place.device : "",
                       *slot.task.cell,
                       event,
                       elapsed,
                       slot.remaining_s);
  }

  // The whole: cells done, and the time left when every waiting cell was run before.
  std::string total_text() const {
    const auto done = summary_.finished + summary_.failed + summary_.interrupted;
    double waiting = 0, running = 0;
    bool known = true;
    for (const auto& task : queue_) {
      const double expected = expected_s_.at(task.cell);
      known = known && expected >= 0;
      waiting += expected;
    }
    for (const auto& slot : slots_) {
      known = known && (slot.process == nullptr || slot.remaining_s >= 0);
      running += slot.process == nullptr ? 0 : slot.remaining_s;
    }
    const double left = (waiting + running) / static_cast<double>(slots_.size());
    return planned_ <= 1 ? ""
                         : fmt::format("{} of {} done{}",
                                       done,
                                       planned_,
                                       known ? ", about " + duration_text(left) + " left" : "");
  }

  // --- ending

  void record_interruption(const Slot& slot, const std::string& reason) {
    const Cell& cell = *slot.task.cell;
    store_.finish_run(slot.run, {RunStatus::kInterrupted, reason, {}, {}});
    ++summary_.interrupted;
    narrator_.ended(cell, RunStatus::kInterrupted, reason);
  }

  void record_failure(const Slot& slot, const Verdict& verdict) {
    const Cell& cell = *slot.task.cell;
    store_.finish_run(slot.run, {verdict.status, verdict.reason, {}, {}});
    const bool again =
        verdict.transient && slot.task.tries < options_.retries && stop_.count() == 0;
    const auto text = fmt::format("{}: {}", to_text(verdict.status), verdict.reason);
    narrator_.ended(cell, verdict.status, text + (again ? "; trying again" : ""));
    if (again) {
      queue_.push_back({&cell, slot.task.tries + 1});
      ++planned_;
      return;
    }
    ++summary_.failed;
    summary_.unsaved += slot.stop_sent ? 1 : 0;
    summary_.failures.push_back(label_of(cell) + ": " + text);
  }

  void release(Slot& slot) {
    narrator_.slot_free(slot.index);
    slot.process.reset();
    slot.lock.reset();
  }

  // Closes the row of a worker that is gone, and ends one that does not leave.
  void collect(Slot& slot) {
    const auto end = slot.process->poll();
    if (!end) {
      if (slot.leaving_since > 0 && now() - slot.leaving_since > kLeaveS) {
        if (!slot.ended && !slot.verdict) {
          slot.verdict = {RunStatus::kFailed, "the worker closed its output without an outcome"};
        }
        slot.process->kill(SIGKILL);
      }
      return;
    }
    if (!slot.output_closed) {
      take_output(slot);  // what it said last
    }
    if (!slot.ended) {
      const Verdict verdict = slot.verdict ? *slot.verdict : verdict_of(*end, slot);
      if (verdict.status == RunStatus::kInterrupted) {
        record_interruption(slot, verdict.reason);
      } else {
        record_failure(slot, verdict);
      }
    }
    release(slot);
  }

  Verdict verdict_of(const ProcessEnd& end, const Slot& slot) const {
    const auto log = (fs::path(store_.run(slot.run).folder) / "worker.log").generic_string();
    if (end.signal != 0) {
      return {RunStatus::kKilled,
              fmt::format("the worker was killed by signal {} ({}){}; see {}",
                          end.signal,
                          ::strsignal(end.signal),
                          end.signal == SIGKILL ? ", perhaps by the system for want of memory" : "",
                          log)};
    }
    return {
        RunStatus::kFailed,
        fmt::format("the worker left with exit code {} without an outcome; see {}", end.code, log)};
  }

  void check_limits(Slot& slot) {
    if (slot.verdict || slot.ended) {
      return;
    }
    if (options_.timeout_s > 0 && now() - slot.started > options_.timeout_s) {
      kill(slot,
           {RunStatus::kTimeout,
            fmt::format("ran longer than {}", duration_text(options_.timeout_s))});
    } else if (options_.max_rss_bytes > 0 &&
               slot.process->memory_bytes() > options_.max_rss_bytes) {
      kill(slot,
           {RunStatus::kOutOfMemory,
            fmt::format("used more than {} MiB of memory", options_.max_rss_bytes >> 20)});
    }
  }

  static void kill(Slot& slot, Verdict verdict) {
    slot.verdict = std::move(verdict);
    slot.process->kill(SIGKILL);
  }

  void pass_on_stop() {
    if (stop_.count() == 0) {
      return;
    }
    for (auto& slot : slots_) {
      if (slot.process == nullptr || slot.ended || slot.verdict) {
        continue;
      }
      if (stop_.count() >= 2) {
        kill(slot,
             {RunStatus::kInterrupted, "stopped at once; goes on from the newest checkpoint"});
        summary_.unclean = true;
      } else if (!slot.stop_sent) {
        slot.stop_sent = true;
        slot.process->send_line("stop");
        narrator_.remark(*slot.task.cell, "stopping after this step (again to stop at once)");
      }
    }
  }

  const Plan& plan_;
  const RunOptions& options_;
  Store& store_;
  const StopRequests& stop_;
  const Attempts attempts_;
  Narrator narrator_;
  std::vector<Slot> slots_;
  std::deque<Task> queue_;
  std::map<const Cell*, double> expected_s_;  // training time, -1 when not known
  std::size_t planned_ = 0;
  std::size_t started_ = 0;
  RunSummary summary_;
};

}  // namespace

RunSummary run_cells(const Plan& plan,
                     const RunOptions& options,
                     Store& store,
                     const StopRequests& stop) {
  return Runner(plan, options, store, stop).run();
}

}  // namespace adb
