#include "formats/npy.h"
#include "tests/formats/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adb;
  testing::refuse_or_read([&] {
    const Array array = parse_npy({data, size}, "input", ErrorKind::kData);
    to_floats(array.view(), "input", ErrorKind::kData);
  });
  return 0;
}
