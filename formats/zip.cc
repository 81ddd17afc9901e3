#include "formats/zip.h"

#include <algorithm>
#include <utility>

#include <zip.h>

#include "formats/quote.h"

namespace adb {
namespace {

constexpr std::uint64_t kAlwaysAllowedBytes = 64 << 20;
constexpr std::uint64_t kMaxRatio = 100;

struct FileCloser {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

std::string text_and_release(zip_error_t& error) {
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

}  // namespace

void ZipFile::Closer::operator()(zip* archive) const {
  zip_discard(archive);
}

ZipFile ZipFile::open(const std::filesystem::path& file, ErrorKind kind) {
  auto mapping = std::make_shared<const MappedFile>(file, kind);
  const auto bytes = mapping->bytes();
  return ZipFile(std::move(mapping), bytes, file.string(), kind);
}

ZipFile ZipFile::parse(std::span<const std::uint8_t> bytes,
                       const std::string& source,
                       ErrorKind kind) {
  return ZipFile(nullptr, bytes, source, kind);
}

ZipFile::ZipFile(std::shared_ptr<const MappedFile> mapping,
                 std::span<const std::uint8_t> bytes,
                 std::string source,
                 ErrorKind kind)
    : mapping_(std::move(mapping)), bytes_(bytes), source_(std::move(source)), kind_(kind) {
  // To libzip, an empty file is an archive without entries that waits to be written.
  ADB_CHECK(!bytes_.empty(), kind_, "{}: not a zip archive: the file is empty", source_);
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* buffer = zip_source_buffer_create(bytes_.data(), bytes_.size(), 0, &error);
  if (buffer == nullptr) {
    fail(kind_, "{}: cannot read: {}", source_, text_and_release(error));
  }
  archive_.reset(zip_open_from_source(buffer, ZIP_RDONLY, &error));
  if (!archive_) {
    zip_source_free(buffer);
    fail(kind_, "{}: not a complete zip archive: {}", source_, text_and_release(error));
  }
  zip_error_fini(&error);

  const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    zip_stat_t stat;
    zip_stat_init(&stat);
    constexpr zip_uint64_t kNeeded =
        ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
    ADB_CHECK(zip_stat_index(archive_.get(), index, ZIP_FL_ENC_RAW, &stat) == 0 &&
                  (stat.valid & kNeeded) == kNeeded,
              kind_,
              "{}: entry {} of the archive's directory is unreadable",
              source_,
              i);
    Entry entry{stat.name, stat.size, stat.comp_size, stat.comp_method == ZIP_CM_STORE};
    if (entry.name.ends_with('/')) {
      continue;
    }
    // Two entries of one name: which one counts differs from reader to reader.
    ADB_CHECK(index_of_.emplace(entry.name, entries_.size()).second,
              kind_,
              "{}: entry {} stands twice in the archive",
              source_,
              quote(entry.name));
    entries_.push_back(std::move(entry));
    archive_index_.push_back(index);
  }
}

const ZipFile::Entry* ZipFile::find(std::string_view name) const {
  const auto found = index_of_.find(std::string(name));
  return found == index_of_.end() ? nullptr : &entries_[found->second];
}

std::vector<std::uint8_t> ZipFile::read(const Entry& entry) {
  const auto where = [&] { return fmt::format("{}: entry {}", source_, quote(entry.name)); };
  const auto found = index_of_.find(entry.name);
  ADB_ASSERT(found != index_of_.end());
  const bool sizes_fit = entry.stored ? entry.size == entry.packed_size : true;
  ADB_CHECK(entry.packed_size <= bytes_.size() && sizes_fit,
            kind_,
            "{}: its sizes ({} packed, {} unpacked) contradict the archive of {} bytes",
            where(),
            entry.packed_size,
            entry.size,
            bytes_.size());
  ADB_CHECK(entry.size <= kAlwaysAllowedBytes || entry.size / kMaxRatio <= entry.packed_size,
            kind_,
            "{}: would unpack {} bytes to {}, more than {} times as many; refused as a zip bomb",
            where(),
            entry.packed_size,
            entry.size,
            kMaxRatio);
  const std::unique_ptr<zip_file_t, FileCloser> file(
      zip_fopen_index(archive_.get(), archive_index_[found->second], 0));
  if (!file) {
    fail(kind_, "{}: cannot open: {}", where(), zip_strerror(archive_.get()));
  }
  std::vector<std::uint8_t> data(entry.size);
  std::size_t done = 0;
  for (;;) {
    // One byte beyond the end makes libzip compare the checksum, and finds a longer stream.
    std::uint8_t beyond = 0;
    const bool at_end = done == data.size();
    const zip_int64_t n = zip_fread(
        file.get(), at_end ? &beyond : data.data() + done, at_end ? 1 : data.size() - done);
    ADB_CHECK(n >= 0, kind_, "{}: cannot unpack: {}", where(), zip_file_strerror(file.get()));
    if (n == 0) {
      break;
    }
    ADB_CHECK(!at_end, kind_, "{}: longer than the {} bytes it declares", where(), entry.size);
    done += static_cast<std::size_t>(n);
  }
  ADB_CHECK(done == data.size(),
            kind_,
            "{}: ends after {} of the {} bytes it declares",
            where(),
            done,
            data.size());
  return data;
}

}  // namespace adb
