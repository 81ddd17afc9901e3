#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/suites.h"
#include "core/files.h"
#include "datasets/catalog.h"
#include "metrics/keys.h"

namespace adb {
namespace {

struct Row {
  std::string name, title, summary;
  std::int64_t version = 1;
};

std::vector<Row> rows_of(const std::string& what) {
  const auto share = share_folder();
  std::vector<Row> rows;
  if (what == "methods") {
    for (const auto& m : method_catalogue().methods) {
      rows.push_back({m.name, m.title, m.summary, m.version});
    }
  } else if (what == "datasets") {
    Registry<DatasetEntry> datasets("data set");
    add_builtin_datasets(datasets);
    for (const auto& d : datasets) {
      rows.push_back({d.name, d.title, d.summary, d.version});
    }
  } else if (what == "metrics") {
    for (const auto& m : kMetrics) {
      rows.push_back({std::string(m.key),
                      std::string(m.title),
                      m.needs_masks ? "needs masks" : "",
                      kMetricVersion});
    }
  } else if (what == "suites") {
    for (const auto& suite : open_suites(suite_names(share))) {
      rows.push_back(
          {suite.name,
           suite.title,
           fmt::format("{} on {}, {} rows", suite.protocol, suite.dataset, suite.rows.size()),
           1});
    }
  } else {
    for (const auto& name : protocol_names(share)) {
      const auto protocol = read_protocol(share, name);
      rows.push_back({name, protocol.title, protocol.epoch_rule, protocol.version});
    }
  }
  return rows;
}

int list(const std::string& what, bool json) {
  const auto rows = rows_of(what);
  if (json) {
    Json data = Json::array();
    for (const auto& row : rows) {
      data.push_back({{"name", row.name},
                      {"title", row.title},
                      {"summary", row.summary},
                      {"version", row.version}});
    }
    print_json("adbench.list.1", data);
    return 0;
  }
  std::size_t name = 0, title = 0;
  for (const auto& row : rows) {
    name = std::max(name, row.name.size());
    title = std::max(title, row.title.size());
  }
  for (const auto& row : rows) {
    fmt::print("{:<{}}  {:<{}}  {}\n", row.name, name, row.title, title, row.summary);
  }
  return 0;
}

}  // namespace

Command list_command() {
  return {"list", "methods, datasets, metrics, protocols, suites", [](CLI::App& app) {
            auto what = std::make_shared<std::string>();
            auto json = std::make_shared<bool>(false);
            app.add_option("what", *what, "methods, datasets, metrics, protocols or suites")
                ->required()
                ->check(CLI::IsMember({"methods", "datasets", "metrics", "protocols", "suites"}));
            add_json_flag(app, json.get());
            return [what, json] { return list(*what, *json); };
          }};
}

}  // namespace adb
