// docs/store.md against a store: every table and column it names, every query it shows, run by the
// sqlite3 shell as a reader would.
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "core/text.h"
#include "results/store.h"
#include "tests/results/sample_rows.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using testing::TempFolder;
using Schema = std::map<std::string, std::set<std::string>>;  // columns by table or view

std::string page() {
  return read_text(ADB_SOURCE "/docs/store.md", ErrorKind::kData);
}

// What the page's queries ask for is all there: three methods, two seeds, a failure.
void fill(const std::filesystem::path& file) {
  auto store = Store::open_for_write(file);
  std::vector<RunId> finished;
  for (const char* method : {"rd", "uniad", "vitad"}) {
    for (std::int64_t seed = 0; seed < 2; ++seed) {
      auto run = testing::sample_run(method + std::to_string(seed), seed);
      run.method = method;
      run.protocol = "paper";
      run.options["image_size"] = 384;
      auto events = testing::sample_events(3, 0.01 * static_cast<double>(seed));
      for (const char* category : {"", "cookie"}) {
        for (const char* key : {"mad", "pixel.ap"}) {
          events.metrics.push_back({.epoch = 3, .category = category, .key = key, .value = 0.5});
        }
      }
      finished.push_back(store.begin_run(run, testing::sample_environment()));
      store.finish_run(finished.back(), {.reported_epoch = 3, .last_epoch = 3}, events);
    }
  }
  const auto failed = store.begin_run(testing::sample_run("failed"), testing::sample_environment());
  store.finish_run(failed, {.status = RunStatus::kFailed, .reason = "no memory"});
  store.set_baseline("main", finished);
  store.add_speed({.method = "rd", .device = "cpu", .series = {{"predict_1", {0.1, 0.2}}}},
                  testing::sample_environment());
  store.replace_published({{.table_id = "V",
                            .dataset = "sample",
                            .method = "rd",
                            .metric = "image.auroc",
                            .value = 94.6,
                            .printed = "94.6",
                            .unit = "percent",
                            .source = "a paper"}});
  store.close();
}

class StorePage : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    temp_ = new TempFolder;
    fill(temp_->path() / "adbench.sqlite");
  }
  static void TearDownTestSuite() {
    delete temp_;
    temp_ = nullptr;
  }
  static testing::ProgramResult ask(const std::string& sql) {
    return testing::run_program(
        ADB_SQLITE3, {"-readonly", "-bail", "adbench.sqlite", sql}, temp_->path());
  }
  static TempFolder* temp_;
};

TempFolder* StorePage::temp_ = nullptr;

// "### NAME" begins a table; the names in the first cell of its rows are its columns.
Schema documented() {
  Schema tables;
  std::istringstream lines(page());
  std::string table;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#")) {
      table = line.starts_with("### ") ? line.substr(4) : "";
    } else if (!table.empty() && line.starts_with("| `")) {
      const auto words = split(line.substr(0, line.find(" |", 1)), '`');
      for (std::size_t i = 1; i < words.size(); i += 2) {
        EXPECT_TRUE(tables[table].insert(words[i]).second) << table << "." << words[i] << " twice";
      }
    }
  }
  return tables;
}

TEST_F(StorePage, NamesEveryTableAndColumn) {
  const auto answer =
      ask("SELECT s.name, c.name FROM sqlite_schema AS s, pragma_table_info(s.name) AS c "
          "WHERE s.type IN ('table', 'view') AND s.name NOT LIKE 'sqlite_%'");
  ASSERT_EQ(answer.code, 0) << answer.err;
  Schema real;
  for (const auto& line : split(answer.out, '\n')) {
    if (const auto bar = line.find('|'); bar != std::string::npos) {
      real[line.substr(0, bar)].insert(line.substr(bar + 1));
    }
  }
  EXPECT_GT(real.size(), 10U);
  EXPECT_EQ(documented(), real);
}

TEST_F(StorePage, ShowsQueriesThatAnswer) {
  const auto text = page();
  const std::string begin = "```sql\n";
  std::size_t queries = 0;
  for (auto at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) {
    const auto from = at + begin.size();
    const auto sql = text.substr(from, text.find("```", from) - from);
    const auto answer = ask(sql);
    EXPECT_EQ(answer.code, 0) << sql << answer.err;
    EXPECT_NE(answer.out, "") << "nothing found by\n" << sql;
    ++queries;
  }
  EXPECT_GE(queries, 15U);
}

}  // namespace
}  // namespace adb
