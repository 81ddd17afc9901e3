// Tells how a run goes: lines for people on stderr, or events as JSON lines on stdout.
#pragma once

#include <cstdint>
#include <string>

#include "core/json.h"
#include "results/records.h"
#include "runners/schedule/plan.h"
#include "runners/schedule/progress.h"

namespace adb {

struct RunSummary;

class Narrator {
 public:
  explicit Narrator(bool json) : json_(json), view_(json) {}

  void skipped(const Cell& cell);
  void started(const Cell& cell, std::size_t number, std::size_t planned);
  void remark(const Cell& cell, const std::string& text);  // for people only
  void worker_event(const Cell& cell, const Json& event);  // as it came; for programs only
  void evaluation(const Cell& cell, const Json& event);
  // The state of the job in a slot. device: "" when there is one slot only
  void progress(std::size_t slot,
                const std::string& device,
                const Cell& cell,
                const Json& event,
                double elapsed_s,
                double remaining_s);
  void total(const std::string& text) { view_.total(text); }
  void slot_free(std::size_t slot) { view_.done(slot); }
  void ended(const Cell& cell, RunStatus status, const std::string& text);
  void summary(const RunSummary& summary);

 private:
  // A consumer that went away is no reason to stop.
  void emit(Json event, const Cell* cell) const;
  bool json_;
  ProgressView view_;
};

}  // namespace adb
