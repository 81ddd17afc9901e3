#include <algorithm>
#include <bit>

#include "formats/npy.h"
#include "tests/formats/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adb;
  testing::refuse_or_read([&] {
    const Array array = parse_npy({data, size}, "input", ErrorKind::kData);
    const auto copied = to_floats(array.view(), "input", ErrorKind::kData);
    const auto view = view_npy({data, size}, "input", ErrorKind::kData);
    // Compared as bits: a NaN is a value like others here.
    if (view && !std::ranges::equal(copied,
                                    to_floats(*view, "input", ErrorKind::kData),
                                    {},
                                    std::bit_cast<std::uint32_t, float>,
                                    std::bit_cast<std::uint32_t, float>)) {
      fail(ErrorKind::kInternal, "parse_npy and view_npy disagree");
    }
  });
  return 0;
}
