// Tables of files: the manifest of maps that `eval` takes, and that of a data set.
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "cli/eval_maps.h"
#include "core/files.h"
#include "core/scratch.h"
#include "datasets/catalog.h"
#include "tests/formats/fuzz_target.h"

namespace {

// With a file "x" that rows can name.
struct Folder : adb::ScratchFolder {
  Folder() : ScratchFolder("adbench-fuzz") { adb::write_file_atomic(path() / "x", "x"); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adb;
  static const Folder folder;
  const bool json = size > 0 && (data[0] == '{' || data[0] == '[');
  const auto file = folder.path() / (json ? "manifest.json" : "manifest.csv");
  std::filesystem::remove(folder.path() / (json ? "manifest.csv" : "manifest.json"));
  {
    std::FILE* out = std::fopen(file.c_str(), "wb");
    if (out == nullptr || std::fwrite(data, 1, size, out) != size || std::fclose(out) != 0) {
      std::abort();
    }
  }
  testing::refuse_or_read([&] { read_eval_manifest(file, {}, false); });
  testing::refuse_or_read([&] { open_path(file, "input"); });
  return 0;
}
