// Opening, locking and migrating a store's file; internal to results/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"

namespace SQLite {
class Database;
class Exception;
}  // namespace SQLite

namespace adb {

// The right to write one store: an advisory lock on FILE.lock, released and removed with this
// object, and released by the system when the process dies.
class WriterLock {
 public:
  explicit WriterLock(
      const std::filesystem::path& store);  // throws: Error(kStore) naming the holder
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;
  ~WriterLock();

 private:
  std::filesystem::path file_;
  int fd_ = -1;
};

// What went wrong, in the user's terms.
Error store_error(const std::filesystem::path& file, const SQLite::Exception& cause);

// Whether a constraint of the schema refused a row, so that nothing is wrong with the file.
bool is_refusal(const SQLite::Exception& cause);

// Refuses a file that is absent, no result store, damaged at the start or of a newer schema.
//   returns: its schema number, 0 for an empty file
std::int64_t check_store_file(const std::filesystem::path& file);

// Any schema number. The connection cannot write and leaves no file beside the store.
std::unique_ptr<SQLite::Database> open_database_for_read(const std::filesystem::path& file);

// Creates or migrates as needed; the caller holds the WriterLock. ":memory:" is a database of its
// own.
std::unique_ptr<SQLite::Database> open_database_for_write(const std::filesystem::path& file);

// Applies the migrations up to number `to`, each in a transaction of its own.
void migrate_database(SQLite::Database& database, std::int64_t to);

// An online copy of an open database. throws: Error(kStore); `file` is then absent
void copy_database(SQLite::Database& database, const std::filesystem::path& file);

// Name and definition of every table, index and view, sorted.
std::vector<std::string> schema_of(SQLite::Database& database);

}  // namespace adb
