// Stores as folders of text files, and back.
#include <cmath>
#include <string>
#include <vector>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include "core/csv.h"
#include "core/files.h"
#include "core/json.h"
#include "results/database.h"
#include "results/maintenance.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kMaxTableBytes = std::int64_t{8} << 30;

std::vector<std::string> tables_of(SQLite::Database& database) {
  SQLite::Statement query(
      database,
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
      "ORDER BY name");
  std::vector<std::string> tables;
  while (query.executeStep()) {
    tables.push_back(query.getColumn(0).getString());
  }
  return tables;
}

void export_table(SQLite::Database& database, const std::string& table, const fs::path& folder) {
  SQLite::Statement query(database, fmt::format("SELECT * FROM {} ORDER BY 1, 2, 3", table));
  std::string csv;
  std::string json = "[";
  for (int i = 0; i < query.getColumnCount(); ++i) {
    csv += i == 0 ? "" : ",";
    csv += csv_field(query.getColumnName(i));
  }
  csv += '\n';
  bool first = true;
  while (query.executeStep()) {
    json += first ? "\n{" : ",\n{";
    first = false;
    for (int i = 0; i < query.getColumnCount(); ++i) {
      const auto column = query.getColumn(i);
      std::string plain;
      std::string value = "null";
      if (column.isInteger()) {
        value = plain = std::to_string(column.getInt64());
      } else if (column.isFloat()) {
        plain = fmt::format("{:.17g}", column.getDouble());
        value = std::isfinite(column.getDouble()) ? plain : canonical_json(plain);
      } else if (!column.isNull()) {
        plain = column.getString();
        value = canonical_json(plain);
      }
      csv += i == 0 ? "" : ",";
      csv += csv_field(plain);
      json += i == 0 ? "" : ", ";
      json += canonical_json(query.getColumnName(i));
      json += ": ";
      json += value;
    }
    csv += '\n';
    json += '}';
  }
  json += "\n]\n";
  write_file_atomic(folder / (table + ".csv"), csv);
  write_file_atomic(folder / (table + ".json"), json);
}

void bind(SQLite::Statement& insert, int place, const Json& value) {
  if (value.is_null()) {
    insert.bind(place);
  } else if (value.is_number_integer()) {
    insert.bind(place, value.get<std::int64_t>());
  } else if (value.is_number()) {
    insert.bind(place, value.get<double>());
  } else {
    insert.bind(place, value.get<std::string>());
  }
}

// returns: the number of rows
std::int64_t import_table(SQLite::Database& database,
                          const std::string& table,
                          const fs::path& file) {
  const Json rows = read_json(file, ErrorKind::kData, kMaxTableBytes);
  std::vector<std::string> columns;
  SQLite::Statement info(database, fmt::format("PRAGMA table_info({})", table));
  while (info.executeStep()) {
    columns.push_back(info.getColumn(1).getString());
  }
  const std::vector<std::string> places(columns.size(), "?");
  SQLite::Statement insert(
      database, fmt::format("INSERT INTO {} VALUES ({})", table, fmt::join(places, ", ")));
  std::int64_t number = 0;
  for (const auto& row : rows) {
    ++number;
    try {
      ADB_CHECK(row.size() == columns.size(),
                ErrorKind::kData,
                "{} columns instead of {}",
                row.size(),
                columns.size());
      insert.reset();
      for (std::size_t i = 0; i < columns.size(); ++i) {
        bind(insert, static_cast<int>(i) + 1, row.at(columns[i]));
      }
      insert.exec();
    } catch (const std::exception& e) {  // of the row's JSON, or a constraint of the schema
      fail(ErrorKind::kData, "'{}', row {}: {}", file.string(), number, e.what());
    }
  }
  return number;
}

}  // namespace

void export_store(const fs::path& file, const fs::path& folder) {
  const auto database = open_database_for_read(file);
  make_folder(folder);
  try {
    // The names come from the known schema: those of the file become names of files.
    SQLite::Database known(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    migrate_database(known, database->execAndGet("PRAGMA user_version").getInt64());
    database->exec("BEGIN");  // one read transaction, so that all tables are of the same moment
    for (const auto& table : tables_of(known)) {
      export_table(*database, table, folder);
    }
  } catch (const SQLite::Exception& e) {
    throw store_error(file, e);
  }
}

std::int64_t import_store(const fs::path& folder, const fs::path& file) {
  ADB_CHECK(!fs::exists(file), ErrorKind::kStore, "'{}' exists already", file.string());
  std::int64_t runs = 0;
  try {
    const WriterLock lock(file);
    const auto database = open_database_for_write(file);
    SQLite::Transaction transaction(*database);
    database->exec("PRAGMA defer_foreign_keys = ON");
    for (const auto& table : tables_of(*database)) {
      const auto rows = import_table(*database, table, folder / (table + ".json"));
      runs = table == "run" ? rows : runs;
    }
    transaction.commit();
  } catch (const SQLite::Exception& e) {
    fs::remove(file);
    throw store_error(file, e);
  } catch (...) {
    fs::remove(file);
    throw;
  }
  return runs;
}

}  // namespace adb
