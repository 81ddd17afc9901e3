#include "datasets/visa/visa.h"

#include "core/error.h"
#include "core/files.h"
#include "datasets/csv.h"
#include "datasets/table.h"

namespace adb {

Dataset open_visa(const std::filesystem::path& root,
                  const std::string& name,
                  const OpenOptions& options) {
  const std::filesystem::path file = root / kVisaSplit;
  const CsvTable table = parse_csv(read_text(file, ErrorKind::kData), file.string());
  const auto column = [&](const std::string& title) {
    const auto it = table.columns.find(title);
    ADB_CHECK(it != table.columns.end(),
              ErrorKind::kData,
              "'{}' has no column '{}'",
              file.string(),
              title);
    return it->second;
  };
  const std::size_t object = column("object"), split = column("split"), label = column("label");
  const std::size_t image = column("image"), mask = column("mask");
  TableLoader loader(root, name, options);
  for (const CsvRow& row : table.rows) {
    loader.add({fmt::format("{}:{}", file.string(), row.line),
                row.fields[object],
                row.fields[split],
                row.fields[label],
                row.fields[image],
                row.fields[mask],
                ""});
  }
  Dataset dataset = loader.finish();
  ADB_CHECK(!dataset.categories.empty(), ErrorKind::kData, "'{}' lists no images", file.string());
  return dataset;
}

}  // namespace adb
