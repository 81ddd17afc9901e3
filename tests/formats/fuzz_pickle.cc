#include "formats/pickle.h"
#include "tests/formats/fuzz_target.h"

namespace {

// The promise of PickleTensor: no element lies outside the storage. AddressSanitizer would see it.
void touch_elements(const adb::PickleTensor& tensor) {
  constexpr std::int64_t kMaxBytes = 1 << 20;
  const std::int64_t width = adb::dtype_size(tensor.storage.dtype);
  if (tensor.storage.elements > kMaxBytes / width ||
      adb::byte_count(tensor.storage.dtype, tensor.sizes).value() > kMaxBytes) {
    return;
  }
  const std::vector<std::uint8_t> storage(
      static_cast<std::size_t>(tensor.storage.elements * width));
  adb::copy_strided(std::span(storage).subspan(static_cast<std::size_t>(tensor.offset * width)),
                    tensor.sizes,
                    tensor.strides,
                    width);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adb;
  testing::refuse_or_read([&] {
    const Pickle pickle = Pickle::parse({data, size}, "input", ErrorKind::kWeights);
    if (const auto* dict = pickle.root().get_if<PickleDict>()) {
      for (const auto& item : dict->items) {
        if (const auto* tensor = item.second->get_if<PickleTensor>()) {
          touch_elements(*tensor);
        }
      }
    }
  });
  return 0;
}
