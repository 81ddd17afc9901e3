#include "results/store.h"

#include <utility>

#include "core/files.h"
#include "results/schema.h"
#include "results/store_impl.h"

namespace adb {
namespace fs = std::filesystem;

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Store Store::open_for_read(const fs::path& file) {
  auto impl = std::make_unique<Impl>();
  impl->file = file;
  impl->database = open_database_for_read(file);
  const std::int64_t version = impl->guarded(
      [](SQLite::Database& open) { return open.execAndGet("PRAGMA user_version").getInt64(); });
  ADB_CHECK(version != 0, ErrorKind::kStore, "'{}' is empty, not a store", file.string());
  ADB_CHECK(version == newest_schema(),
            ErrorKind::kStore,
            "store '{}' has schema {}, older than this adbench's {}: run `adbench store migrate "
            "--store {}`",
            file.string(),
            version,
            newest_schema(),
            file.string());
  return Store(std::move(impl));
}

Store Store::open_for_write(const fs::path& file) {
  auto impl = std::make_unique<Impl>();
  impl->file = file;
  impl->writable = true;
  std::error_code error;
  ADB_CHECK(
      !fs::is_directory(file, error), ErrorKind::kStore, "store '{}' is a folder", file.string());
  if (file.has_parent_path()) {
    try {
      make_folder(file.parent_path());
    } catch (const Error& e) {
      fail(ErrorKind::kStore, "cannot write store '{}': {}", file.string(), e.what());
    }
  }
  impl->lock = std::make_unique<WriterLock>(file);
  impl->database = open_database_for_write(file);
  return Store(std::move(impl));
}

Store Store::in_memory() {
  auto impl = std::make_unique<Impl>();
  impl->file = ":memory:";
  impl->writable = true;
  impl->database = open_database_for_write(impl->file);
  return Store(std::move(impl));
}

void Store::close() {
  impl_->close();
}

const fs::path& Store::file() const {
  return impl_->file;
}

std::int64_t Store::schema_version() const {
  return impl_->guarded(
      [](SQLite::Database& open) { return open.execAndGet("PRAGMA user_version").getInt64(); });
}

}  // namespace adb
