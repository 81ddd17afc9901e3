#include "results/store.h"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/files.h"
#include "results/database.h"
#include "results/process.h"
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

std::string bytes_of(const fs::path& file) {
  return read_text(file, ErrorKind::kData);
}

// A closed store with one finished run.
fs::path make_store(const TempFolder& folder, const std::string& name = "s.sqlite") {
  const fs::path file = folder.path() / name;
  Store store = Store::open_for_write(file);
  const RunId run = store.begin_run(sample_run(), sample_environment());
  store.finish_run(run, {.reported_epoch = 3, .last_epoch = 3}, sample_events());
  store.close();
  return file;
}

void execute(const fs::path& file, const std::string& sql) {
  SQLite::Database database(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  database.exec(sql);
}

void expect_refused(const fs::path& file, const std::string& part) {
  const std::string before = bytes_of(file);
  expect_error(ErrorKind::kStore, part, [&] { Store::open_for_read(file).find_runs(); });
  expect_error(ErrorKind::kStore, part, [&] { Store::open_for_write(file); });
  expect_error(ErrorKind::kStore, file.string(), [&] { Store::open_for_write(file); });
  EXPECT_EQ(bytes_of(file), before) << "a refused file must not change";
  EXPECT_THAT(files_below(file.parent_path()), ::testing::ElementsAre(file.filename().string()));
}

TEST(Store, ReadsBackWhatWasWritten) {
  const TempFolder folder;
  const fs::path file = folder.path() / "new" / "s.sqlite";
  RunRow run = sample_run();
  run.textures = "aa";
  run.external = true;
  run.notes = "quote ' and \xc3\xa4";
  {
    Store store = Store::open_for_write(file);
    const RunId id = store.begin_run(run, sample_environment());
    store.append(id, sample_events(2, 0.01));
    EventBatch last = sample_events(3);
    last.efficiency.clear();  // stored with the batch before, and only once a run
    store.finish_run(id, {.reported_epoch = 3, .last_epoch = 3}, last);
    store.close();
  }
  EXPECT_THAT(files_below(file.parent_path()), ::testing::ElementsAre("s.sqlite"))
      << "a closed store is one file";

  const Store store = Store::open_for_read(file);
  const auto runs = store.find_runs();
  ASSERT_EQ(runs.size(), 1u);
  const RunRow& got = runs[0];
  EXPECT_EQ(got.key, run.key);
  EXPECT_EQ(got.attempt, 1);
  EXPECT_EQ(got.method, "rd");
  EXPECT_EQ(got.method_title, "RD");
  EXPECT_EQ(got.method_version, 2);
  EXPECT_EQ(got.setting, "multi");
  EXPECT_EQ(got.classes, run.classes);
  EXPECT_EQ(got.protocol_config, run.protocol_config);
  EXPECT_EQ(got.options, run.options);
  EXPECT_EQ(got.changed_options, run.changed_options);
  EXPECT_EQ(got.weights, run.weights);
  EXPECT_EQ(got.textures, "aa");
  EXPECT_EQ(got.status, RunStatus::kFinished);
  EXPECT_EQ(got.pid, ::getpid());
  EXPECT_EQ(got.started_at.size(), 20u);
  EXPECT_GE(got.finished_at, got.started_at);
  EXPECT_EQ(got.folder, run.folder);
  EXPECT_EQ(got.reported_epoch, 3);
  EXPECT_TRUE(got.external);
  EXPECT_EQ(got.notes, run.notes);
  EXPECT_EQ(store.environment(got.environment), sample_environment());

  const EventBatch two = sample_events(2, 0.01);
  const EventBatch three = sample_events(3);
  EXPECT_EQ(store.metrics(got.id, 3), three.metrics);
  EXPECT_EQ(store.metrics(got.id, 2), two.metrics);
  EXPECT_EQ(store.metrics(got.id).size(), two.metrics.size() + three.metrics.size());
  EXPECT_EQ(store.scores(got.id, 3), three.scores);
  EXPECT_EQ(store.counts(got.id), three.counts);
  EXPECT_EQ(store.efficiency(got.id), two.efficiency);
  EXPECT_EQ(store.curves(got.id).size(), 4u);
  EXPECT_EQ(store.curves(got.id)[0], two.curves[0]);
  EXPECT_EQ(store.artifacts(got.id)[1], three.artifacts[0]);
}

TEST(Store, KeepsEveryBitOfADouble) {
  Store store = Store::in_memory();
  const RunId run = store.begin_run(sample_run(), sample_environment());
  const std::vector<double> values = {
      0.1, std::nextafter(1.0, 0.0), 5e-324, 1.7976931348623157e308, 1.0 / 3};
  EventBatch events;
  for (std::size_t i = 0; i < values.size(); ++i) {
    events.curves.push_back(
        {.epoch = static_cast<std::int64_t>(i), .name = "loss", .value = values[i]});
  }
  store.append(run, events);
  EXPECT_EQ(store.curves(run), events.curves);
}

TEST(Store, EqualEnvironmentsAreStoredOnce) {
  Store store = Store::in_memory();
  const RunId a = store.begin_run(sample_run("a"), sample_environment());
  const RunId b = store.begin_run(sample_run("b"), sample_environment());
  Environment other = sample_environment();
  other.code_commit = "def456";
  const RunId c = store.begin_run(sample_run("c"), other);
  EXPECT_EQ(store.run(a).environment, store.run(b).environment);
  EXPECT_NE(store.run(a).environment, store.run(c).environment);
}

TEST(Store, AnAbsentStoreIsNotCreatedByReading) {
  const TempFolder folder;
  const fs::path file = folder.path() / "s.sqlite";
  expect_error(ErrorKind::kStore, "there is no store", [&] { Store::open_for_read(file); });
  EXPECT_EQ(exit_code(ErrorKind::kStore), 7);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Store, RefusesANewerSchema) {
  const TempFolder folder;
  const fs::path file = make_store(folder);
  execute(file, "PRAGMA user_version = 99");
  expect_refused(file, "schema 99");
}

TEST(Store, RefusesDamagedAndForeignFiles) {
  const TempFolder folder;
  {
    const TempFolder own;
    expect_refused(own.write("s.sqlite", std::string(8192, 'x')), "damaged or not a store");
  }
  {
    const TempFolder own;
    expect_refused(own.write("s.sqlite", "short"), "damaged or not a store");
  }
  {
    const TempFolder own;
    const std::string whole = bytes_of(make_store(folder));
    expect_refused(own.write("s.sqlite", whole.substr(0, whole.size() / 2)), "damaged");
  }
  {
    const TempFolder own;
    execute(own.path() / "s.sqlite", "CREATE TABLE other (x)");
    expect_refused(own.path() / "s.sqlite", "not an adbench store");
  }
}

TEST(Store, ADamagedPageIsAnErrorAndNotACrash) {
  const TempFolder folder;
  std::string bytes = bytes_of(make_store(folder));
  int errors = 0;
  for (std::size_t page = 1; page * 4096 < bytes.size(); ++page) {
    const TempFolder own;
    std::string broken = bytes;
    for (std::size_t i = page * 4096; i < (page + 1) * 4096; ++i) {
      broken[i] = static_cast<char>(i * 37 % 251);
    }
    const fs::path file = own.write("s.sqlite", broken);
    try {
      const Store store = Store::open_for_read(file);
      for (const auto& run : store.find_runs()) {
        store.events(run.id);
      }
    } catch (const Error& e) {
      ++errors;
      EXPECT_EQ(exit_code(e.kind()), 7) << e.what();
      EXPECT_THAT(e.what(), ::testing::HasSubstr(file.string()));
    }
  }
  EXPECT_GT(errors, 5);
}

TEST(Store, AnEmptyFileIsNoStoreButCanBecomeOne) {
  const TempFolder folder;
  const fs::path file = folder.write("s.sqlite", "");
  expect_error(ErrorKind::kStore, "is empty", [&] { Store::open_for_read(file); });
  Store::open_for_write(file).close();
  EXPECT_EQ(Store::open_for_read(file).schema_version(), newest_schema());
}

TEST(Store, APlaceThatCannotBeWrittenIsAClearError) {
  const TempFolder folder;
  const fs::path under_a_file = folder.write("file", "text") / "s.sqlite";
  expect_error(
      ErrorKind::kStore, "cannot write store", [&] { Store::open_for_write(under_a_file); });
  expect_error(ErrorKind::kStore, "is a folder", [&] { Store::open_for_write(folder.path()); });
  expect_error(
      ErrorKind::kStore, "not a regular file", [&] { Store::open_for_read(folder.path()); });
  expect_error(
      ErrorKind::kStore, "cannot write store", [&] { Store::open_for_write("/proc/s.sqlite"); });
}

TEST(Store, AReadOnlyFolderCanBeReadAndNotWritten) {
  if (::geteuid() == 0) {
    GTEST_SKIP() << "root may write everywhere";
  }
  const TempFolder folder;
  const fs::path file = make_store(folder, "a?b#c%d.sqlite");
  ASSERT_EQ(::chmod(folder.path().c_str(), 0555), 0);
  EXPECT_EQ(Store::open_for_read(file).find_runs().size(), 1u);
  expect_error(ErrorKind::kStore, "cannot write store", [&] { Store::open_for_write(file); });
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(file.c_str(), 0444), 0);
  expect_error(ErrorKind::kStore, "read-only", [&] { Store::open_for_write(file); });
}

TEST(Store, OneWriterAtATime) {
  const TempFolder folder;
  const fs::path file = folder.path() / "s.sqlite";
  Store first = Store::open_for_write(file);
  expect_error(ErrorKind::kStore, fmt::format("process {} on", ::getpid()), [&] {
    Store::open_for_write(file);
  });
  first.close();
  folder.write("s.sqlite.lock", "process 1 on nowhere");  // left by a killed writer
  Store::open_for_write(file).close();
  EXPECT_THAT(files_below(folder.path()), ::testing::ElementsAre("s.sqlite"));
}

TEST(Store, AReaderSeesWhatAnOpenWriterCommits) {
  const TempFolder folder;
  const fs::path file = folder.path() / "s.sqlite";
  Store writer = Store::open_for_write(file);
  const Store reader = Store::open_for_read(file);
  EXPECT_TRUE(reader.find_runs().empty());
  const RunId run = writer.begin_run(sample_run(), sample_environment());
  EXPECT_EQ(reader.find_runs().size(), 1u);
  writer.append(run, sample_events());
  EXPECT_EQ(reader.events(run), writer.events(run));
  writer.close();
  EXPECT_EQ(reader.find_runs().size(), 1u);
}

TEST(Store, AReaderDoesNotWrite) {
  const TempFolder folder;
  Store reader = Store::open_for_read(make_store(folder));
  expect_error(ErrorKind::kInternal, "open for reading only", [&] { reader.remove_baseline("x"); });
}

TEST(Store, AFailedTransactionLeavesNothing) {
  Store store = Store::in_memory();
  const RunId run = store.begin_run(sample_run(), sample_environment());
  EventBatch events = sample_events();
  events.artifacts[0].path = "../outside";
  expect_error(ErrorKind::kStore, "without '..'", [&] { store.append(run, events); });
  EXPECT_EQ(store.events(run), EventBatch{});

  events = sample_events();
  events.scores[1].score = std::numeric_limits<double>::quiet_NaN();
  expect_error(ErrorKind::kNumeric, "test/hole/001", [&] {
    store.finish_run(run, {.reported_epoch = 3}, events);
  });
  EXPECT_EQ(store.events(run), EventBatch{});
  EXPECT_EQ(store.run(run).status, RunStatus::kRunning);

  expect_error(ErrorKind::kStore, "FOREIGN KEY", [&] { store.append(RunId{77}, sample_events()); });
}

TEST(Store, AnUndefinedMetricNeedsAReason) {
  Store store = Store::in_memory();
  const RunId run = store.begin_run(sample_run(), sample_environment());
  expect_error(ErrorKind::kStore, "'mad' of epoch 1 needs either", [&] {
    store.append(run, {.metrics = {{.epoch = 1, .key = "mad"}}});
  });
  expect_error(ErrorKind::kStore, "needs either", [&] {
    store.append(run, {.metrics = {{.epoch = 1, .key = "mad", .value = 0.5, .reason = "why"}}});
  });
  expect_error(ErrorKind::kNumeric, "is inf", [&] {
    store.append(
        run,
        {.metrics = {
             {.epoch = 1, .key = "mad", .value = std::numeric_limits<double>::infinity()}}});
  });
}

TEST(Store, NeverOverwritesAFigure) {
  Store store = Store::in_memory();
  const RunId run = store.begin_run(sample_run(), sample_environment());
  store.append(run, sample_events());
  store.append(run, sample_events());  // the same again: nothing happens
  EXPECT_EQ(store.events(run), sample_events());
  EventBatch other;
  other.metrics = {{.epoch = 3, .category = "cookie", .key = "image.auroc", .value = 0.5}};
  expect_error(ErrorKind::kStore, "not overwritten", [&] { store.append(run, other); });
  other.metrics[0].setting.version = 2;  // a newer metric stands beside the older
  store.append(run, other);
  EXPECT_EQ(store.metrics(run).size(), sample_events().metrics.size() + 1);
}

TEST(Store, EndsARunOnce) {
  Store store = Store::in_memory();
  const RunId run = store.begin_run(sample_run(), sample_environment());
  expect_error(ErrorKind::kStore, "CHECK", [&] {
    store.finish_run(run, {.status = RunStatus::kTimeout});  // no reason
  });
  store.finish_run(run, {.status = RunStatus::kTimeout, .reason = "6 h"});
  EXPECT_EQ(store.run(run).status, RunStatus::kTimeout);
  EXPECT_EQ(store.run(run).reason, "6 h");
  expect_error(ErrorKind::kStore, "not running", [&] {
    store.finish_run(run, {.status = RunStatus::kFailed, .reason = "again"});
  });
  store.resume_run(run);
  EXPECT_EQ(store.run(run).status, RunStatus::kRunning);
  EXPECT_EQ(store.run(run).reason, "");
  store.finish_run(run, {.reported_epoch = 3, .last_epoch = 3});
  expect_error(ErrorKind::kStore, "cannot resume", [&] { store.resume_run(run); });
}

TEST(Store, AttemptsAreCountedAndTheNewestFinishedIsFound) {
  Store store = Store::in_memory();
  std::vector<RunId> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(store.begin_run(sample_run("k"), sample_environment()));
    EXPECT_EQ(store.run(ids.back()).attempt, i + 1);
  }
  EXPECT_FALSE(store.newest_finished("k").has_value());
  store.finish_run(ids[0], {.reported_epoch = 3});
  store.finish_run(ids[1], {.reported_epoch = 3});
  store.finish_run(ids[2], {.status = RunStatus::kFailed, .reason = "loss is nan"});
  EXPECT_EQ(store.newest_finished("k")->id, ids[1]);
  EXPECT_EQ(store.find_runs({.newest_per_key = true}).at(0).id, ids[2]);
}

TEST(Store, FindsRunsByEveryProperty) {
  Store store = Store::in_memory();
  RunRow run = sample_run("a", 0);
  store.begin_run(run, sample_environment());
  run.key = "b";
  run.seed = 1;
  run.method = "uniad";
  run.dataset = "visa";
  run.setting = "single";
  run.protocol = "paper";
  const RunId b = store.begin_run(run, sample_environment());
  store.finish_run(b, {.reported_epoch = 1});
  const std::vector<RunFilter> filters = {{.keys = {"b", "c"}},
                                          {.methods = {"uniad"}},
                                          {.datasets = {"visa"}},
                                          {.settings = {"single"}},
                                          {.protocols = {"paper"}},
                                          {.seeds = {1, 2}},
                                          {.statuses = {RunStatus::kFinished}}};
  for (std::size_t i = 0; i < filters.size(); ++i) {
    const auto found = store.find_runs(filters[i]);
    ASSERT_EQ(found.size(), 1u) << i;
    EXPECT_EQ(found[0].id, b) << i;
  }
  EXPECT_TRUE(store.find_runs({.methods = {"rd"}, .seeds = {1}}).empty());
  EXPECT_TRUE(store.find_runs({.methods = {"' OR 1=1 --"}}).empty());
  expect_error(ErrorKind::kStore, "no run 9", [&] { store.run(RunId{9}); });
}

TEST(Store, DropsWhatIsPastACheckpoint) {
  Store store = Store::in_memory();
  const RunId run = store.begin_run(sample_run(), sample_environment());
  const RunId other = store.begin_run(sample_run("k2"), sample_environment());
  store.append(other, sample_events(3));
  store.append(run, sample_events(2));
  store.append(run, sample_events(3));
  store.drop_after(run, 2);
  EventBatch expected = sample_events(2);
  expected.efficiency.clear();
  EXPECT_EQ(store.events(run), expected);
  EXPECT_EQ(store.events(other), sample_events(3));
}

TEST(Store, RunsOfDeadProcessesBecomeInterrupted) {
  const TempFolder folder;
  const fs::path file = folder.path() / "s.sqlite";
  Store::open_for_write(file).close();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // Leaves without a word, like a killed program.
    Store store = Store::open_for_write(file);
    store.begin_run(sample_run("dead"), sample_environment());
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));

  Store store = Store::open_for_write(file);
  const RunId alive = store.begin_run(sample_run("alive"), sample_environment());
  store.close();
  execute(file,
          "INSERT INTO run SELECT 50, 'far', attempt, method, method_title, method_version, "
          "dataset, setting, "
          "classes, seed, protocol, protocol_version, protocol_config, epoch_rule, options, "
          "changed_options, "
          "weights, data_manifest, textures, status, reason, 'another-host', pid, process_start, "
          "started_at, "
          "finished_at, environment, folder, threads, device, epochs, reported_epoch, last_epoch, "
          "external, notes "
          "FROM run WHERE key = 'dead'");
  store = Store::open_for_write(file);
  const RunId dead = store.find_runs({.keys = {"dead"}}).at(0).id;
  EXPECT_THAT(store.mark_stale_runs_interrupted(), ::testing::ElementsAre(dead));
  EXPECT_EQ(store.run(dead).status, RunStatus::kInterrupted);
  EXPECT_THAT(store.run(dead).reason, ::testing::HasSubstr(fmt::format("process {}", child)));
  EXPECT_EQ(store.run(alive).status, RunStatus::kRunning);
  EXPECT_EQ(store.run(RunId{50}).status, RunStatus::kRunning) << "nothing is known of another host";
}

// One bad row must not look like a broken store.
TEST(Store, ARowRefusedForItsContentIsToldApart) {
  Store store = Store::in_memory();
  const RunId run = store.begin_run(sample_run(), sample_environment());
  store.append(run, {.curves = {{1, "loss", 0.5}}});
  EXPECT_THROW(store.append(run, {.curves = {{1, "loss", 0.25}}}), RefusedRow);
  EXPECT_THROW(store.append(run, {.artifacts = {{.kind = "weights", .path = "../x"}}}), RefusedRow);
  EXPECT_THROW(store.append(run, {.counts = {{.category = "a", .name = "n", .value = -1}}}),
               RefusedRow);
  store.append(run, {.curves = {{2, "loss", 0.25}}});
  EXPECT_EQ(store.curves(run).size(), 2u);
}

TEST(Store, AResumedRunRemembersHowItHadEnded) {
  Store store = Store::in_memory();
  const RunId run = store.begin_run(sample_run(), sample_environment());
  for (const char* reason : {"first", "second"}) {
    store.finish_run(run, {.status = RunStatus::kKilled, .reason = reason});
    store.resume_run(run);
  }
  const std::string notes = store.run(run).notes;
  EXPECT_NE(notes.find("killed at "), std::string::npos) << notes;
  EXPECT_LT(notes.find(": first; killed at "), notes.find(": second")) << notes;
}

TEST(Store, RunsOfAnotherHostEndOnlyWhenNoOtherCanUseTheStore) {
  const TempFolder folder;
  const fs::path file = folder.path() / "s.sqlite";
  {
    Store store = Store::open_for_write(file);
    store.begin_run(sample_run(), sample_environment());
  }
  execute(file, "UPDATE run SET host = 'another'");
  Store store = Store::open_for_write(file);
  EXPECT_TRUE(store.mark_stale_runs_interrupted().empty());
  EXPECT_EQ(store.mark_stale_runs_interrupted(true).size(), 1u);
  EXPECT_EQ(store.find_runs().at(0).status, RunStatus::kInterrupted);
}

TEST(Store, AKilledWriterLosesNothingThatWasAcknowledged) {
  const TempFolder folder;
  const fs::path file = folder.path() / "s.sqlite";
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(ends[0]);
    Store store = Store::open_for_write(file);
    const RunId run = store.begin_run(sample_run(), sample_environment());
    for (std::int64_t epoch = 1;; ++epoch) {
      store.append(run, {.curves = {{.epoch = epoch, .name = "loss", .value = 1}}});
      if (::write(ends[1], "x", 1) != 1) {
        ::_exit(1);
      }
    }
  }
  ::close(ends[1]);
  char acknowledged = 0;
  std::size_t count = 0;
  while (count < 40 && ::read(ends[0], &acknowledged, 1) == 1) {
    ++count;
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  while (::read(ends[0], &acknowledged, 1) == 1) {
    ++count;
  }
  ::close(ends[0]);
  ASSERT_GE(count, 40u);
  {
    const Store store = Store::open_for_read(file);  // before any writer repairs anything
    EXPECT_GE(store.curves(store.find_runs().at(0).id).size(), count);
  }
  Store store = Store::open_for_write(file);
  EXPECT_EQ(store.mark_stale_runs_interrupted().size(), 1u);
  store.close();
  EXPECT_THAT(files_below(folder.path()), ::testing::ElementsAre("s.sqlite"));
}

TEST(Store, AFullDiskIsAnErrorThatLosesNothing) {
  const TempFolder folder;
  const fs::path file = folder.path() / "s.sqlite";
  Store store = Store::open_for_write(file);
  const RunId run = store.begin_run(sample_run(), sample_environment());
  // A limit on the size of files stands for a full disk: writing past it fails.
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = ::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small = {.rlim_cur = 512 * 1024, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::int64_t stored = 0;
  std::string error;
  while (error.empty() && stored < 1000) {
    EventBatch batch;
    for (std::int64_t i = 0; i < 500; ++i) {
      batch.curves.push_back({.epoch = stored * 500 + i, .name = "loss", .value = 1});
    }
    try {
      store.append(run, batch);
      ++stored;
    } catch (const Error& e) {
      EXPECT_EQ(exit_code(e.kind()), 7);
      error = e.what();
    }
  }
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, old_handler);
  EXPECT_THAT(error, ::testing::HasSubstr(file.string()));
  EXPECT_GT(stored, 0);
  EXPECT_EQ(static_cast<std::int64_t>(store.curves(run).size()), stored * 500);
  store.append(run, sample_events(1'000'000));  // goes on when there is room again
  store.close();
  EXPECT_EQ(static_cast<std::int64_t>(Store::open_for_read(file).curves(run).size()),
            stored * 500 + 2);
}

TEST(Store, MigratesAnOlderSchemaAfterABackup) {
  const TempFolder folder;
  const fs::path file = folder.path() / "s.sqlite";
  {
    SQLite::Database old(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    migrate_database(old, 1);
    old.exec(
        "INSERT INTO environment VALUES (1, 'h', 'host', 'cpu', '', 'g++', '{}', 'c', 'Release')");
    old.exec(
        "INSERT INTO run VALUES (1, 'k', 1, 'rd', 'RD', 1, 'sample', 'multi', '[\"cookie\"]', 0, "
        "'smoke', 1, '{}', "
        "'last', '{}', '[]', '{\"name\":\"\",\"source\":\"\",\"resolved\":\"\"}', 'm', '', "
        "'finished', '', 'host', "
        "1, '', '2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z', 1, '', 1, 'cpu', 1, 1, 1, 0, '')");
    old.exec(
        "INSERT INTO metric VALUES (1, 1, '', 'image.auroc', 0.75, NULL, 1, 'exact', 0.3, '256')");
  }
  const std::string before = bytes_of(file);
  expect_error(ErrorKind::kStore, "store migrate", [&] { Store::open_for_read(file); });
  EXPECT_EQ(bytes_of(file), before);

  Store::open_for_write(file).close();
  {
    const Store store = Store::open_for_read(file);
    EXPECT_EQ(store.schema_version(), newest_schema());
    EXPECT_EQ(store.metrics(RunId{1}).at(0).value, 0.75);
    EXPECT_TRUE(store.baselines().empty());
  }

  const fs::path backup = file.string() + ".schema-1.backup";
  EXPECT_EQ(check_store_file(backup), 1);
  execute(backup, "SELECT 1");
  EXPECT_THAT(files_below(folder.path()),
              ::testing::ElementsAre("s.sqlite", "s.sqlite.schema-1.backup"));

  // A migrated store has the schema of a new one.
  const auto migrated = open_database_for_read(file);
  SQLite::Database fresh(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  migrate_database(fresh, newest_schema());
  EXPECT_EQ(schema_of(*migrated), schema_of(fresh));
}

TEST(Store, AFailedMigrationLeavesTheOlderStore) {
  const TempFolder folder;
  const fs::path file = folder.path() / "s.sqlite";
  {
    SQLite::Database old(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    migrate_database(old, 1);
    old.exec("CREATE TABLE leaderboard (x)");  // in the way of the second migration's view
  }
  expect_error(ErrorKind::kStore, "leaderboard", [&] { Store::open_for_write(file); });
  SQLite::Database old(file.string());
  EXPECT_EQ(old.execAndGet("PRAGMA user_version").getInt(), 1);
  EXPECT_FALSE(old.tableExists("published"));
}

TEST(Store, KeepsBaselines) {
  Store store = Store::in_memory();
  const RunId a = store.begin_run(sample_run("a"), sample_environment());
  const RunId b = store.begin_run(sample_run("b"), sample_environment());
  store.append(b, sample_events());
  expect_error(ErrorKind::kStore, "not finished", [&] { store.set_baseline("main", {a}); });
  store.finish_run(a, {.reported_epoch = 1});
  store.finish_run(b, {.reported_epoch = 1});
  store.set_baseline("main", {b, a});
  EXPECT_THAT(store.baseline("main")->runs, ::testing::ElementsAre(a, b));
  store.set_baseline("main", {a});
  EXPECT_THAT(store.baseline("main")->runs, ::testing::ElementsAre(a));
  EXPECT_EQ(store.baselines().size(), 1u);
  expect_error(ErrorKind::kStore, "belongs to a baseline", [&] { store.remove_runs({b, a}); });
  EXPECT_EQ(store.find_runs().size(), 2u) << "all or nothing";
  store.remove_runs({b});
  EXPECT_EQ(store.events(b), EventBatch{});
  EXPECT_TRUE(store.remove_baseline("main"));
  EXPECT_FALSE(store.remove_baseline("main"));
}

TEST(Store, ReplacesPublishedFigures) {
  Store store = Store::in_memory();
  const std::vector<PublishedRow> rows = {{.table_id = "V",
                                           .dataset = "mvtec_ad",
                                           .method = "rd",
                                           .category = "carpet",
                                           .metric = "image.auroc",
                                           .value = 98.5,
                                           .printed = "98.5",
                                           .unit = "percent",
                                           .source = "a paper"}};
  store.replace_published(rows);
  store.replace_published(rows);
  EXPECT_EQ(store.published(), rows);
}

TEST(Store, AWrongJsonColumnIsAnErrorThatNamesItsPlace) {
  const TempFolder folder;
  const fs::path file = make_store(folder);
  execute(file, "UPDATE run SET changed_options = '[{\"path\": 3}]'");
  expect_error(ErrorKind::kStore, "run 1", [&] { Store::open_for_read(file).find_runs(); });
  execute(file, "UPDATE run SET changed_options = '[]', weights = '7'");
  expect_error(ErrorKind::kStore, "run 1", [&] { Store::open_for_read(file).find_runs(); });
}

TEST(Store, TheLeaderboardViewGoesByKeyAndReportedEpoch) {
  const TempFolder folder;
  const fs::path file = folder.path() / "s.sqlite";
  Store store = Store::open_for_write(file);
  const RunId run = store.begin_run(sample_run(), sample_environment());
  store.append(run,
               {.metrics = {{.epoch = 1, .key = "mad", .value = 0.99},
                            {.epoch = 2, .key = "pixel.ap", .value = 0.2},
                            {.epoch = 2, .key = "mad", .value = 0.8},
                            {.epoch = 2, .key = "image.auroc", .value = 0.1},
                            {.epoch = 2, .category = "cookie", .key = "mad", .value = 0.97},
                            {.epoch = 2, .key = "pixel.aupro", .reason = "no component"}}});
  store.finish_run(run, {.reported_epoch = 2, .last_epoch = 3});
  store.close();
  SQLite::Database database(file.string());
  SQLite::Statement query(database,
                          "SELECT image_auroc, pixel_ap, mad, pixel_aupro FROM leaderboard");
  ASSERT_TRUE(query.executeStep());
  EXPECT_EQ(query.getColumn(0).getDouble(), 0.1);
  EXPECT_EQ(query.getColumn(1).getDouble(), 0.2);
  EXPECT_EQ(query.getColumn(2).getDouble(), 0.8);
  EXPECT_TRUE(query.getColumn(3).isNull());
  EXPECT_FALSE(query.executeStep());
}

TEST(Store, TheQueriesOfItsPageRun) {
  const std::string page = bytes_of(fs::path(ADB_SOURCE) / "docs" / "store.md");
  SQLite::Database database(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  migrate_database(database, newest_schema());
  const std::string opening = "```sql\n";
  int queries = 0;
  for (auto at = page.find(opening); at != std::string::npos; at = page.find(opening, at + 1)) {
    const auto begin = at + opening.size();
    const std::string sql = page.substr(begin, page.find("```", begin) - begin);
    EXPECT_NO_THROW(SQLite::Statement(database, sql).executeStep()) << sql;
    ++queries;
  }
  EXPECT_GE(queries, 9);
}

TEST(Process, KnowsWhoIsGone) {
  const ProcessIdentity self = this_process();
  EXPECT_FALSE(is_gone(self));
  EXPECT_NE(self.start, "");
  EXPECT_TRUE(is_gone({.host = self.host, .pid = self.pid, .start = "boot:1"}))
      << "a pid used again";
  EXPECT_FALSE(is_gone({.host = "another", .pid = 1, .start = "boot:1"}));
  EXPECT_FALSE(is_gone({.host = self.host, .pid = 1, .start = ""})) << "unknown is not gone";
}

}  // namespace
}  // namespace adb
