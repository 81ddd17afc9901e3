#include "cli/eval_store.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include "cli/metric_rows.h"
#include "core/hash.h"
#include "core/version.h"
#include "results/store.h"

namespace adb {
namespace {

std::string sha_of_maps(const EvalSet& set) {
  Sha256 hash;
  for (const EvalItem& item : set.items) {
    hash.add(item.id).add(std::string_view("\0", 1)).add(sha256_file(item.map, ErrorKind::kData));
    if (item.score) {
      hash.add(Json(*item.score).dump());
    }
    hash.add(std::string_view("\0", 1));
  }
  return hash.hex();
}

RunRow run_row(const EvalAnswer& answer, const std::string& method, const std::string& dataset) {
  RunRow row;
  row.method = method;
  row.method_title = method;
  row.dataset = dataset;
  row.classes = answer.set.categories;
  row.protocol = "external";
  row.protocol_version = 1;
  row.options = {{"image_score", answer.options.image_score.text()},
                 {"maps_sha256", sha_of_maps(answer.set)}};
  row.data_manifest = answer.set.manifest_hash;
  row.external = true;
  row.notes = "maps of another program, scored by `adbench eval`";
  row.key = sha256(canonical_json({{"external", true},
                                   {"method", method},
                                   {"dataset", dataset},
                                   {"data_manifest", row.data_manifest},
                                   {"classes", row.classes},
                                   {"options", row.options}}));
  return row;
}

Environment this_machine() {
  Environment machine;
  utsname system{};
  ::uname(&system);
  machine.host = system.nodename;
  machine.compiler = compiler();
  machine.code_commit = code_commit();
  machine.build_type = build_type();
  return machine;
}

EventBatch rows_of(const EvalAnswer& answer) {
  const auto setting = metric_setting(answer.options.metrics, answer.options.size.text());
  EventBatch rows;
  rows.metrics = metric_rows(0, answer.set.categories, answer.results(), setting);
  for (const auto& category : answer.categories) {
    for (const auto& [name, value] : counts_of(category)) {
      rows.counts.push_back({category.category, name, setting.eval_size, value});
    }
    for (std::size_t i = 0; i < category.items.size(); ++i) {
      const EvalItem& item = *category.items[i];
      const auto score = static_cast<double>(category.scores[i]);
      rows.scores.push_back({0, item.category, item.id, item.anomalous, score, std::nullopt});
    }
  }
  return rows;
}

}  // namespace

std::string store_eval(const EvalAnswer& answer,
                       const std::filesystem::path& file,
                       const std::string& method,
                       const std::string& dataset) {
  const RunRow row = run_row(answer, method, dataset);
  const EventBatch rows = rows_of(answer);
  auto store = Store::open_for_write(file);
  const auto known = store.newest_finished(row.key);
  const RunId id = known ? known->id : store.begin_run(row, this_machine());
  if (known) {
    store.append(id, rows);
  } else {
    store.finish_run(id, {RunStatus::kFinished, {}, 0, 0}, rows);
  }
  store.close();
  return fmt::format("stored as run {} of '{}' on '{}' in {}{}",
                     to_int(id),
                     shown(method),
                     shown(dataset),
                     std::filesystem::absolute(file).string(),
                     known ? " (these maps were there already)" : "");
}

}  // namespace adb
