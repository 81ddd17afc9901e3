// Timings apart from runs.
#include <utility>

#include "core/json.h"
#include "results/process.h"
#include "results/store_impl.h"

namespace adb {

void Store::add_speed(const SpeedRow& speed, const Environment& environment) {
  impl_->write([&](SQLite::Database& open) {
    const auto environment_id = insert_environment(open, environment);
    SQLite::Statement insert(
        open,
        "INSERT INTO speed (measured_at, environment, method, method_version, options, image_size, "
        "batch, device, threads, peak_train_bytes, peak_predict_bytes) VALUES (" +
            placeholders(11) + ")");
    bind_all(insert,
             utc_now(),
             environment_id,
             speed.method,
             speed.method_version,
             canonical_json(speed.options),
             speed.image_size,
             speed.batch,
             speed.device,
             speed.threads,
             speed.peak_train_bytes,
             speed.peak_predict_bytes);
    insert.exec();
    const std::int64_t id = open.getLastInsertRowid();
    SQLite::Statement sample(
        open, "INSERT INTO speed_sample (speed, series, number, seconds) VALUES (?, ?, ?, ?)");
    for (const auto& [name, seconds] : speed.series) {
      for (std::size_t i = 0; i < seconds.size(); ++i) {
        sample.reset();
        bind_all(sample, id, name, static_cast<std::int64_t>(i), seconds[i]);
        sample.exec();
      }
    }
  });
}

std::vector<SpeedRow> Store::speeds() const {
  std::vector<std::int64_t> ids;
  auto rows = impl_->rows<SpeedRow>(
      "SELECT id, method, method_version, options, image_size, batch, device, threads, "
      "peak_train_bytes, peak_predict_bytes FROM speed ORDER BY id",
      {},
      [&](Fields& fields) {
        ids.push_back(fields.integer());
        SpeedRow row;
        row.method = fields.text();
        row.method_version = fields.integer();
        row.options = parse_json(fields.text(), "speed.options", ErrorKind::kStore);
        row.image_size = fields.integer();
        row.batch = fields.integer();
        row.device = fields.text();
        row.threads = fields.integer();
        row.peak_train_bytes = fields.integer();
        row.peak_predict_bytes = fields.integer();
        return row;
      });
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (auto& [name, seconds] : impl_->rows<std::pair<std::string, double>>(
             "SELECT series, seconds FROM speed_sample WHERE speed = ? ORDER BY series, number",
             {ids[i]},
             [](Fields& fields) {
               auto name = fields.text();
               return std::pair(std::move(name), fields.real());
             })) {
      rows[i].series[name].push_back(seconds);
    }
  }
  return rows;
}

}  // namespace adb
