// How store_*.cc talk to SQLite; internal to results/, the only header that sees it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include "core/text.h"
#include "results/database.h"
#include "results/store.h"

namespace adb {

inline constexpr std::string_view kRunColumns =
    "key, attempt, method, method_title, method_version, dataset, setting, classes, seed, "
    "protocol, "
    "protocol_version, protocol_config, epoch_rule, options, changed_options, weights, "
    "data_manifest, textures, "
    "status, reason, host, pid, process_start, started_at, finished_at, environment, folder, "
    "threads, device, "
    "epochs, reported_epoch, last_epoch, external, notes";

inline void bind(SQLite::Statement& statement, int index, std::int64_t value) {
  statement.bind(index, value);
}
inline void bind(SQLite::Statement& statement, int index, bool value) {
  statement.bind(index, value ? 1 : 0);
}
inline void bind(SQLite::Statement& statement, int index, double value) {
  statement.bind(index, value);
}
inline void bind(SQLite::Statement& statement, int index, const std::string& value) {
  statement.bind(index, value);
}
inline void bind(SQLite::Statement& statement, int index, RunId value) {
  statement.bind(index, to_int(value));
}
template <class T>
inline void bind(SQLite::Statement& statement, int index, const std::optional<T>& value) {
  if (value.has_value()) {
    bind(statement, index, *value);
  } else {
    statement.bind(index);
  }
}

template <class... Values>
void bind_all(SQLite::Statement& statement, const Values&... values) {
  int index = 0;
  (bind(statement, ++index, values), ...);
}

inline std::optional<std::string> null_if_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

// The columns of a result row, one after the other.
class Fields {
 public:
  explicit Fields(const SQLite::Statement& statement) : statement_(statement) {}
  std::int64_t integer() { return next().getInt64(); }
  bool boolean() { return integer() != 0; }
  double real() { return next().getDouble(); }
  std::string text() { return next().getString(); }  // NULL gives ""
  std::optional<std::int64_t> optional_integer() {
    const auto column = next();
    return column.isNull() ? std::nullopt : std::optional(column.getInt64());
  }
  std::optional<double> optional_real() {
    const auto column = next();
    return column.isNull() ? std::nullopt : std::optional(column.getDouble());
  }

 private:
  SQLite::Column next() { return statement_.getColumn(index_++); }
  const SQLite::Statement& statement_;
  int index_ = 0;
};

inline std::string placeholders(std::size_t n) {
  return join(std::vector<std::string>(n, "?"), ", ");
}

// returns: the id of the row, which may have been there. Inside a transaction.
std::int64_t insert_environment(SQLite::Database& database, const Environment& environment);

struct Store::Impl {
  std::filesystem::path file;
  bool writable = false;
  std::unique_ptr<WriterLock> lock;  // outlives the connection
  std::unique_ptr<SQLite::Database> database;

  ~Impl() {
    try {
      close();
    } catch (const std::exception&) {
      // A destructor has nobody to tell; what was committed is in the log and is found at the next
      // opening.
    }
  }

  void close() {
    if (database != nullptr) {
      try {
        if (writable && file != ":memory:") {
          database->exec("PRAGMA wal_checkpoint(TRUNCATE)");
        }
      } catch (const SQLite::Exception& e) {
        database.reset();
        lock.reset();
        throw store_error(file, e);
      }
    }
    database.reset();
    lock.reset();
  }

  // Runs `action` and translates what SQLite throws.
  template <class Action>
  auto guarded(Action action) const {
    ADB_CHECK(database != nullptr, ErrorKind::kInternal, "store '{}' was closed", file.string());
    try {
      return action(*database);
    } catch (const SQLite::Exception& e) {
      if (is_refusal(e)) {
        throw RefusedRow(ErrorKind::kStore, store_error(file, e).what());
      }
      throw store_error(file, e);
    }
  }

  // The same in one transaction, which is undone when anything throws.
  template <class Action>
  auto write(Action action) {
    ADB_CHECK(writable, ErrorKind::kInternal, "store '{}' is open for reading only", file.string());
    return guarded([&](SQLite::Database& open) {
      SQLite::Transaction transaction(open, SQLite::TransactionBehavior::IMMEDIATE);
      if constexpr (std::is_void_v<decltype(action(open))>) {
        action(open);
        transaction.commit();
      } else {
        auto result = action(open);
        transaction.commit();
        return result;
      }
    });
  }

  // All rows of a query that has the run and perhaps an epoch as parameters.
  template <class Row, class Read>
  std::vector<Row> rows(const std::string& sql,
                        std::initializer_list<std::int64_t> parameters,
                        Read read) const {
    return guarded([&](SQLite::Database& open) {
      SQLite::Statement query(open, sql);
      int index = 0;
      for (const std::int64_t parameter : parameters) {
        query.bind(++index, parameter);
      }
      std::vector<Row> found;
      while (query.executeStep()) {
        Fields fields(query);
        found.push_back(read(fields));
      }
      return found;
    });
  }
};

}  // namespace adb
