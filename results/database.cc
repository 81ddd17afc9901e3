#include "results/database.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/files.h"
#include "results/process.h"
#include "results/schema.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

constexpr int kBusyTimeoutMs = 10'000;

bool in_memory(const fs::path& file) {
  return file == ":memory:";
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

std::int64_t size_or_zero(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  return error ? 0 : static_cast<std::int64_t>(size);
}

std::int64_t pragma(SQLite::Database& database, const std::string& name) {
  return database.execAndGet("PRAGMA " + name).getInt64();
}

// A store may come from anywhere: its schema must not run functions or be rewritten through SQL.
void harden(SQLite::Database& database) {
  sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  database.exec("PRAGMA foreign_keys = ON");
}

// A file name as SQLite's URI, whose special characters are escaped.
std::string immutable_uri(const fs::path& file) {
  std::string uri = "file:";
  for (const char c : fs::absolute(file).string()) {
    if (c == '?' || c == '#' || c == '%') {
      uri += fmt::format("%{:02X}", static_cast<int>(c));
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

void refuse_foreign_or_newer(const fs::path& file, SQLite::Database& database) {
  const auto id = pragma(database, "application_id");
  const auto version = pragma(database, "user_version");
  const bool empty = database.execAndGet("SELECT count(*) FROM sqlite_schema").getInt64() == 0;
  ADB_CHECK(id == kApplicationId || (id == 0 && version == 0 && empty),
            ErrorKind::kStore,
            "'{}' is an SQLite file, but not an adbench store",
            file.string());
  ADB_CHECK(version >= 0 && version <= newest_schema(),
            ErrorKind::kStore,
            "store '{}' has schema {}, but this adbench knows schemas up to {}: use the adbench "
            "that wrote it, or a "
            "newer one",
            file.string(),
            version,
            newest_schema());
}

// The copy that is made before a migration, under a name that is not taken.
fs::path backup_name(const fs::path& file, std::int64_t version) {
  fs::path name = fmt::format("{}.schema-{}.backup", file.string(), version);
  for (int i = 2; fs::exists(name); ++i) {
    name = fmt::format("{}.schema-{}.backup-{}", file.string(), version, i);
  }
  return name;
}

}  // namespace

WriterLock::WriterLock(const fs::path& store) : file_(store.string() + ".lock") {
  // Whoever held the lock may have removed the file between open and flock: then the lock is on a
  // name that is gone.
  for (;;) {
    fd_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    ADB_CHECK(fd_ >= 0,
              ErrorKind::kStore,
              "cannot write store '{}': cannot create '{}': {}",
              store.string(),
              file_.string(),
              std::strerror(errno));
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      const int why = errno;
      std::array<char, 512> text{};
      const auto n = ::pread(fd_, text.data(), text.size() - 1, 0);
      ::close(fd_);
      ADB_CHECK(why == EWOULDBLOCK,
                ErrorKind::kStore,
                "cannot lock store '{}': {}",
                store.string(),
                std::strerror(why));
      fail(ErrorKind::kStore,
           "store '{}' is being written by {}; wait for it to end, or use another --store",
           store.string(),
           n > 0 ? text.data() : "another process");
    }
    struct stat held {};
    struct stat named {};
    if (::fstat(fd_, &held) == 0 && ::stat(file_.c_str(), &named) == 0 &&
        held.st_ino == named.st_ino && held.st_dev == named.st_dev) {
      break;
    }
    ::close(fd_);
  }
  const ProcessIdentity self = this_process();
  const std::string text = fmt::format("process {} on {}", self.pid, self.host);
  // The text only serves the message above: a full disk must not stop a writer that holds the lock.
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, text.data(), text.size(), 0) < 0) {
    return;
  }
}

WriterLock::~WriterLock() {
  ::unlink(file_.c_str());
  ::close(fd_);
}

Error store_error(const fs::path& file, const SQLite::Exception& cause) {
  const std::string name = file.string();
  const auto make = [](const std::string& message) { return Error(ErrorKind::kStore, message); };
  switch (cause.getErrorCode()) {
    case SQLITE_NOTADB:
      return make(fmt::format(
          "'{}' is damaged or not a store: it does not start like an SQLite file", name));
    case SQLITE_CORRUPT:
      return make(fmt::format("store '{}' is damaged: {}; restore a backup", name, cause.what()));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return make(fmt::format("store '{}' is in use by another process for too long", name));
    case SQLITE_READONLY:
      return make(
          fmt::format("cannot write store '{}': the file or its folder is read-only", name));
    case SQLITE_CANTOPEN:
      return make(
          fmt::format("cannot open store '{}': no permission for the file or its folder", name));
    case SQLITE_FULL:
      return make(fmt::format(
          "cannot write store '{}': the disk is full; nothing of this write was kept", name));
    case SQLITE_IOERR:
      return make(fmt::format("cannot read or write store '{}': {}", name, cause.what()));
    default:
      return make(fmt::format("store '{}': {}", name, cause.what()));
  }
}

bool is_refusal(const SQLite::Exception& cause) {
  return cause.getErrorCode() == SQLITE_CONSTRAINT;
}

std::unique_ptr<SQLite::Database> open_database_for_read(const fs::path& file) {
  std::error_code error;
  const auto status = fs::status(file, error);
  ADB_CHECK(fs::exists(status), ErrorKind::kStore, "there is no store '{}'", file.string());
  ADB_CHECK(fs::is_regular_file(status),
            ErrorKind::kStore,
            "store '{}' is not a regular file",
            file.string());
  ADB_CHECK(::access(file.c_str(), R_OK) == 0,
            ErrorKind::kStore,
            "cannot read store '{}': {}",
            file.string(),
            std::strerror(errno));
  const fs::path log = file.string() + "-wal";
  try {
    std::unique_ptr<SQLite::Database> database;
    if (::access(folder_of(file).c_str(), W_OK) == 0) {
      // A connection that may write removes its helper files when it closes; query_only keeps it
      // from writing rows.
      database =
          std::make_unique<SQLite::Database>(file.string(), SQLite::OPEN_READWRITE, kBusyTimeoutMs);
    } else {
      // Without the right to create helper files, only a store that was closed can be read.
      ADB_CHECK(size_or_zero(log) == 0,
                ErrorKind::kStore,
                "store '{}' was not closed and its folder is read-only: copy it with '{}' to "
                "another place",
                file.string(),
                log.filename().string());
      database = std::make_unique<SQLite::Database>(
          immutable_uri(file), SQLite::OPEN_READONLY | SQLite::OPEN_URI, kBusyTimeoutMs);
    }
    harden(*database);
    database->exec("PRAGMA query_only = ON");
    refuse_foreign_or_newer(file, *database);
    return database;
  } catch (const SQLite::Exception& e) {
    throw store_error(file, e);
  }
}

std::int64_t check_store_file(const fs::path& file) {
  const auto database = open_database_for_read(file);
  try {
    return pragma(*database, "user_version");
  } catch (const SQLite::Exception& e) {
    throw store_error(file, e);
  }
}

void migrate_database(SQLite::Database& database, std::int64_t to) {
  for (std::int64_t version = pragma(database, "user_version"); version < to; ++version) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    database.exec(std::string(migrations()[static_cast<std::size_t>(version)]));
    database.exec(fmt::format("PRAGMA application_id = {}", kApplicationId));
    database.exec(fmt::format("PRAGMA user_version = {}", version + 1));
    transaction.commit();
  }
}

std::unique_ptr<SQLite::Database> open_database_for_write(const fs::path& file) {
  // A file that must be refused is only ever opened for reading.
  std::error_code error;
  const std::int64_t version =
      !in_memory(file) && fs::exists(file, error) ? check_store_file(file) : 0;
  try {
    auto database = std::make_unique<SQLite::Database>(
        file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyTimeoutMs);
    ADB_CHECK(sqlite3_db_readonly(database->getHandle(), "main") == 0,
              ErrorKind::kStore,
              "cannot write store '{}': the file is read-only",
              file.string());
    harden(*database);
    if (version > 0 && version < newest_schema()) {
      copy_database(*database, backup_name(file, version));
    }
    if (!in_memory(file)) {
      const std::string journal = on_network_file_system(folder_of(file)) ? "DELETE" : "WAL";
      const std::string got = database->execAndGet("PRAGMA journal_mode = " + journal).getString();
      ADB_CHECK(got == (journal == "WAL" ? "wal" : "delete"),
                ErrorKind::kStore,
                "store '{}': journal mode {} was refused, got '{}'",
                file.string(),
                journal,
                got);
    }
    database->exec("PRAGMA synchronous = FULL");
    migrate_database(*database, newest_schema());
    if (version == 0 && !in_memory(file)) {
      flush_to_disk(folder_of(file));
    }
    return database;
  } catch (const SQLite::Exception& e) {
    throw store_error(file, e);
  }
}

void copy_database(SQLite::Database& database, const fs::path& file) {
  ADB_CHECK(!fs::exists(file), ErrorKind::kStore, "'{}' exists already", file.string());
  const fs::path temporary = fmt::format("{}.tmp-{}", file.string(), ::getpid());
  std::error_code ignored;
  fs::remove(temporary, ignored);
  try {
    {
      SQLite::Database copy(
          temporary.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyTimeoutMs);
      SQLite::Backup backup(copy, database);
      backup.executeStep(-1);
    }
    flush_to_disk(temporary);
    fs::rename(temporary, file);
    flush_to_disk(folder_of(file));
  } catch (const std::exception& e) {
    fs::remove(temporary, ignored);
    fail(ErrorKind::kStore, "cannot copy the store to '{}': {}", file.string(), e.what());
  }
}

std::vector<std::string> schema_of(SQLite::Database& database) {
  std::vector<std::string> objects;
  SQLite::Statement query(
      database,
      "SELECT type || ' ' || name || ': ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1");
  while (query.executeStep()) {
    objects.push_back(query.getColumn(0).getString());
  }
  return objects;
}

}  // namespace adb
