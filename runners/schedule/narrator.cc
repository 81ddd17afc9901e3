#include "runners/schedule/narrator.h"

#include <cstdio>

#include "runners/schedule/record.h"
#include "runners/schedule/runner.h"

namespace adb {

void Narrator::emit(Json event, const Cell* cell) const {
  if (!json_) {
    return;
  }
  if (cell != nullptr) {
    event["cell"] = cell->key;
    event["method"] = cell->method->name;
    event["dataset"] = cell->dataset;
    event["seed"] = cell->seed;
  }
  const auto line = canonical_json(event) + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

void Narrator::skipped(const Cell& cell) {
  emit({{"event", "skipped"}}, &cell);
}

void Narrator::started(const Cell& cell, std::size_t number, std::size_t planned) {
  view_.line(fmt::format("[{}/{}] {}: started", number, planned, label_of(cell)));
}

void Narrator::remark(const Cell& cell, const std::string& text) {
  view_.line(fmt::format("  {}: {}", label_of(cell), text));
}

void Narrator::worker_event(const Cell& cell, const Json& event) {
  emit(event, &cell);
}

void Narrator::evaluation(const Cell& cell, const Json& event) {
  const auto figure = [&](const char* key) {
    const auto& value = event.at("mean").at(key).at("value");
    return value.is_null() ? std::string("n/a") : fmt::format("{:.1f}", 100 * value.get<double>());
  };
  remark(cell,
         fmt::format("epoch {}: image AUROC {}, pixel AUROC {}, AU-PRO {}, mAD {}",
                     event.at("epoch").dump(),
                     figure("image.auroc"),
                     figure("pixel.auroc"),
                     figure("pixel.aupro"),
                     figure("mad")));
}

void Narrator::progress(std::size_t slot,
                        const std::string& device,
                        const Cell& cell,
                        const Json& event,
                        double elapsed_s,
                        double remaining_s) {
  view_.update(slot,
               fmt::format("{}{}{}: epoch {}/{}, step {}/{}, loss {:.4f}, {:.1f} images/s, {} "
                           "elapsed{}",
                           device,
                           device.empty() ? "" : " ",
                           label_of(cell),
                           event.at("epoch").get<std::int64_t>(),
                           event.at("epochs").get<std::int64_t>(),
                           event.at("step").get<std::int64_t>(),
                           event.at("steps").get<std::int64_t>(),
                           event.at("loss").get<double>(),
                           event.at("images_per_s").get<double>(),
                           duration_text(elapsed_s),
                           remaining_s < 0 ? "" : ", " + duration_text(remaining_s) + " left"));
}

void Narrator::ended(const Cell& cell, RunStatus status, const std::string& text) {
  remark(cell, text);
  emit({{"event", "ended"},
        {"status", to_text(status)},
        {"reason", status == RunStatus::kFinished ? "" : text}},
       &cell);
}

void Narrator::summary(const RunSummary& summary) {
  emit({{"event", "summary"},
        {"finished", summary.finished},
        {"skipped", summary.skipped},
        {"failed", summary.failed},
        {"interrupted", summary.interrupted},
        {"not_started", summary.not_started}},
       nullptr);
}

}  // namespace adb
