#include "formats/npz.h"
#include "tests/formats/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adb;
  testing::refuse_or_read([&] {
    auto file = NpzFile::parse({data, size}, "input", ErrorKind::kData);
    for (const auto& name : file.names()) {
      testing::refuse_or_read([&] { file.read(name); });
    }
  });
  return 0;
}
