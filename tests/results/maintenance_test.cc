#include "results/maintenance.h"

#include <filesystem>
#include <functional>
#include <string>

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "core/hash.h"
#include "results/database.h"
#include "results/diff.h"
#include "results/schema.h"
#include "tests/results/sample_rows.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

namespace fs = std::filesystem;
using adb::testing::expect_error;
using adb::testing::sample_environment;
using adb::testing::sample_events;
using adb::testing::sample_run;
using adb::testing::TempFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A closed store with one finished run, whose artifact is there.
fs::path make_store(const TempFolder& folder,
                    const std::string& name = "s.sqlite",
                    double shift = 0) {
  const fs::path file = folder.path() / name;
  folder.write("adbench-runs/k1-1/weights-3.safetensors", "data");
  EventBatch events = sample_events(3, shift);
  events.artifacts[0].sha256 = sha256("data");
  Store store = Store::open_for_write(file);
  const RunId run = store.begin_run(sample_run(), sample_environment());
  store.finish_run(run, {.reported_epoch = 3, .last_epoch = 3}, events);
  store.close();
  return file;
}

void execute(const fs::path& file, const std::string& sql) {
  SQLite::Database(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec(sql);
}

TEST(Check, AWholeStoreHasNoProblem) {
  const TempFolder folder;
  EXPECT_THAT(check_store(make_store(folder)), IsEmpty());
}

TEST(Check, FindsChangedArtifacts) {
  const TempFolder folder;
  const fs::path file = make_store(folder);
  const fs::path artifact = folder.path() / "adbench-runs/k1-1/weights-3.safetensors";
  folder.write("adbench-runs/k1-1/weights-3.safetensors", "dat!");
  EXPECT_THAT(check_store(file), ElementsAre(HasSubstr("content has changed")));
  folder.write("adbench-runs/k1-1/weights-3.safetensors", "longer");
  EXPECT_THAT(check_store(file), ElementsAre(HasSubstr("6 bytes instead of 4")));
  fs::remove(artifact);
  EXPECT_THAT(check_store(file), ElementsAre(HasSubstr("is missing")));
  execute(file, "UPDATE artifact SET path = '../../../etc/passwd'");
  EXPECT_THAT(check_store(file), ElementsAre(HasSubstr("leaves the run's folder")));
}

TEST(Check, FindsBrokenReferencesAndSchemas) {
  const TempFolder folder;
  const fs::path file = make_store(folder);
  execute(
      file,
      "INSERT INTO curve VALUES (7, 1, 'loss', 0.5)");  // without foreign keys: run 7 is not there
  EXPECT_THAT(check_store(file), ElementsAre(HasSubstr("reference: a row of table 'curve'")));
  execute(file, "DELETE FROM curve WHERE run = 7; DROP VIEW curves; CREATE TABLE extra (x)");
  EXPECT_THAT(check_store(file),
              ElementsAre("schema: missing or changed: view curves",
                          "schema: not of this schema: table extra"));
}

TEST(Check, FindsDamageOnEveryPage) {
  const TempFolder folder;
  const fs::path file = make_store(folder);
  const std::string whole = read_text(file, ErrorKind::kData);
  int found = 0;
  for (std::size_t page = 1; page < whole.size() / 4096; ++page) {
    std::string bytes = whole;
    bytes.replace(page * 4096, 4096, 4096, '\x55');
    folder.write("s.sqlite", bytes);
    try {
      EXPECT_FALSE(check_store(file).empty()) << "page " << page;
      ++found;
    } catch (const Error& e) {  // a page of the schema: the store cannot even be opened
      EXPECT_EQ(exit_code(e.kind()), 7);
    }
  }
  EXPECT_GT(found, 10);
}

TEST(Backup, CopiesAnOpenStore) {
  const TempFolder folder;
  const fs::path file = folder.path() / "s.sqlite";
  Store store = Store::open_for_write(file);
  const RunId run = store.begin_run(sample_run(), sample_environment());
  store.append(run, sample_events());
  const fs::path copy = folder.path() / "copy.sqlite";
  backup_store(file, copy);
  EXPECT_EQ(Store::open_for_read(copy).events(run), sample_events());
  expect_error(ErrorKind::kStore, "exists already", [&] { backup_store(file, copy); });
  expect_error(
      ErrorKind::kStore, "cannot copy", [&] { backup_store(file, folder.path() / "no" / "x"); });
}

TEST(Export, WritesEveryTableTwice) {
  const TempFolder folder;
  const fs::path file = make_store(folder);
  const fs::path out = folder.path() / "out";
  export_store(file, out);
  std::vector<std::string> expected;
  for (const char* table : {"artifact",
                            "baseline",
                            "category_count",
                            "curve",
                            "efficiency",
                            "environment",
                            "image_score",
                            "metric",
                            "published",
                            "run",
                            "speed",
                            "speed_sample"}) {
    expected.push_back(std::string(table) + ".csv");
    expected.push_back(std::string(table) + ".json");
  }
  EXPECT_EQ(files_below(out), expected);
  EXPECT_EQ(read_text(out / "curve.csv", ErrorKind::kData),
            "run,epoch,name,value\n1,3,loss,0.10000000000000001\n1,3,train_s,12.5\n");
  const Json metrics = read_json(out / "metric.json", ErrorKind::kData);
  EXPECT_EQ(metrics.size(), 6u);
  EXPECT_EQ(metrics[0]["value"], 0.9);
  EXPECT_TRUE(metrics[1]["value"].is_null());
  EXPECT_EQ(metrics[1]["reason"], "no anomalous pixel");
  EXPECT_THAT(read_text(out / "run.csv", ErrorKind::kData),
              HasSubstr("\"[\"\"cookie\"\",\"\"asphalt\"\"]\""));
  EXPECT_EQ(read_json(out / "baseline.json", ErrorKind::kData), Json::array());
}

TEST(Export, ATableOfAnotherMakerIsNotWritten) {
  const TempFolder folder;
  const fs::path file = make_store(folder);
  execute(file, "CREATE TABLE \"../outside\" (x)");
  export_store(file, folder.path() / "a" / "b");
  EXPECT_FALSE(fs::exists(folder.path() / "a" / "outside.csv"));
}

TEST(Import, BringsBackWhatWasExported) {
  const TempFolder folder;
  const fs::path file = make_store(folder);
  const fs::path out = folder.path() / "out";
  const fs::path back = folder.path() / "back.sqlite";
  export_store(file, out);
  EXPECT_EQ(import_store(out, back), 1);
  EXPECT_EQ(check_store(back), check_store(file));
  export_store(back, folder.path() / "again");
  for (const auto& name : files_below(out)) {
    EXPECT_EQ(read_text(folder.path() / "again" / name, ErrorKind::kData),
              read_text(out / name, ErrorKind::kData))
        << name;
  }
  expect_error(ErrorKind::kStore, "exists already", [&] { import_store(out, back); });
}

TEST(Import, NamesFileAndRowAndLeavesNothing) {
  const TempFolder folder;
  const fs::path out = folder.path() / "out";
  const fs::path back = folder.path() / "back.sqlite";
  export_store(make_store(folder), out);
  const auto curves = read_text(out / "curve.json", ErrorKind::kData);
  const auto refused = [&](const std::string& text, const char* part) {
    folder.write("out/curve.json", text);
    expect_error(ErrorKind::kData, part, [&] { import_store(out, back); });
    EXPECT_FALSE(fs::exists(back));
  };
  refused("[{\"run\": 1}]", "curve.json', row 1: 1 columns instead of 4");
  refused("[{\"run\": 1, \"epoch\": 1, \"name\": \"loss\", \"worth\": 1}]", "row 1: ");
  refused("[{\"run\": 1, \"epoch\": \"x\", \"name\": \"loss\", \"value\": 1}]", "row 1: ");
  refused("[", "curve.json");
  folder.write("out/curve.json", curves);
  fs::remove(out / "run.json");
  expect_error(ErrorKind::kData, "run.json", [&] { import_store(out, back); });
}

TEST(Merge, AddsOnceAndOnlyOnce) {
  const TempFolder folder;
  const Store from = Store::open_for_read(make_store(folder));
  Store into = Store::in_memory();
  EXPECT_EQ(merge_stores(into, from).added, 1);
  const auto again = merge_stores(into, from);
  EXPECT_EQ(again.added, 0);
  EXPECT_EQ(again.already_there, 1);
  EXPECT_THAT(again.contradictions, IsEmpty());
  EXPECT_EQ(diff_stores(into, from), std::nullopt);
  EXPECT_EQ(into.find_runs().at(0).started_at, from.find_runs().at(0).started_at);
}

TEST(Merge, NamesContradictions) {
  const TempFolder folder;
  const fs::path file = make_store(folder);
  Store into = Store::in_memory();
  merge_stores(into, Store::open_for_read(file));
  execute(file, "UPDATE metric SET value = 0.5 WHERE category = 'cookie' AND key = 'image.auroc'");
  auto report = merge_stores(into, Store::open_for_read(file));
  EXPECT_EQ(report.added, 0);
  EXPECT_THAT(report.contradictions, ElementsAre(HasSubstr("not added")));
  execute(file, "UPDATE run SET host = 'elsewhere'");
  report = merge_stores(into, Store::open_for_read(file));
  EXPECT_EQ(report.added, 0);
  EXPECT_THAT(report.contradictions, ElementsAre(HasSubstr("other metrics than attempt 1")));
  EXPECT_EQ(into.find_runs().size(), 1u);
}

// Files below the target's folder are named where they are, others are copied into it.
TEST(Merge, FilesOfARunAreFoundFromTheStoreThatTookIt) {
  const TempFolder folder;
  for (const char* place : {"inside", "../outside"}) {
    const fs::path store = folder.path() / "all" / place / "s.sqlite";
    Store from = Store::open_for_write(store);
    RunRow run = sample_run(place);
    run.folder = "runs/one";
    fs::create_directories(store.parent_path() / run.folder);
    std::ofstream(store.parent_path() / run.folder / "file") << place;
    from.finish_run(from.begin_run(run, sample_environment()), {.reported_epoch = 1});
    Store into = Store::open_for_write(folder.path() / "all" / "s.sqlite");
    EXPECT_EQ(merge_stores(into, from).added, 1);
    EXPECT_EQ(merge_stores(into, from).already_there, 1);
    const auto merged = into.find_runs().back();
    EXPECT_EQ(read_text(folder.path() / "all" / merged.folder / "file", ErrorKind::kData), place);
  }
}

TEST(Merge, LeavesUnfinishedRunsBehind) {
  Store from = Store::in_memory();
  from.begin_run(sample_run(), sample_environment());
  from.finish_run(from.begin_run(sample_run(), sample_environment()),
                  {.status = RunStatus::kInterrupted, .reason = "x"});
  Store into = Store::in_memory();
  EXPECT_EQ(merge_stores(into, from).unfinished, 2);
  EXPECT_TRUE(into.find_runs().empty());
}

TEST(Migrate, SaysWhatTheStoreWas) {
  const TempFolder folder;
  const fs::path file = folder.path() / "s.sqlite";
  {
    SQLite::Database old(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    migrate_database(old, 1);
  }
  EXPECT_EQ(migrate_store(file), 1);
  EXPECT_EQ(migrate_store(file), newest_schema());
  expect_error(
      ErrorKind::kStore, "there is no store", [&] { migrate_store(folder.path() / "none"); });
}

TEST(CleanUp, RemovesWhatALaterAttemptReplaced) {
  Store store = Store::in_memory();
  const RunId failed = store.begin_run(sample_run("a"), sample_environment());
  store.finish_run(failed, {.status = RunStatus::kFailed, .reason = "x"});
  const RunId finished = store.begin_run(sample_run("a"), sample_environment());
  store.finish_run(finished, {.reported_epoch = 1});
  const RunId alone = store.begin_run(sample_run("b"), sample_environment());
  store.finish_run(alone, {.status = RunStatus::kFailed, .reason = "x"});
  const auto removed = remove_superseded(store);
  ASSERT_EQ(removed.size(), 1u);
  EXPECT_EQ(removed[0].id, failed);
  EXPECT_EQ(store.find_runs().size(), 2u);
}

}  // namespace
}  // namespace adb
