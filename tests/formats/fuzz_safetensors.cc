#include "formats/safetensors.h"
#include "tests/formats/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adb;
  testing::refuse_or_read([&] {
    const auto file = SafetensorsFile::parse({data, size}, "input", ErrorKind::kData);
    for (const auto& name : file.names()) {
      testing::refuse_or_read([&] { to_doubles(file.at(name), name, ErrorKind::kData); });
    }
  });
  return 0;
}
