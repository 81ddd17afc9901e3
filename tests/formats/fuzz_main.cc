// Runs a fuzz target without libFuzzer: over every file of a corpus folder, and over mutations of
// each that are the same in every run. Under the sanitizers this is the fuzzing of CI.
//   formats.fuzz_NAME [CORPUS_FOLDER [MUTATIONS_PER_FILE]]
#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iterator>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include "core/files.h"
#include "core/seed.h"
#include "tests/formats/fuzz_target.h"

namespace {

constexpr rlim_t kMaxMemory = rlim_t{2} << 30;

// Which input runs, for the message of a crash.
char current_input[512];

extern "C" void report_and_die(int signal) {
  const auto ignored = ::write(STDERR_FILENO, current_input, std::strlen(current_input));
  static_cast<void>(ignored);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

std::size_t place_in(adb::Stream& random, std::size_t size) {
  return static_cast<std::size_t>(random.below(static_cast<std::int64_t>(size) + 1));
}

// One random change of those that readers of binary formats trip over.
void mutate(std::string& bytes, adb::Stream& random) {
  static constexpr std::uint64_t kValues[] = {0,
                                              1,
                                              2,
                                              0x7f,
                                              0x80,
                                              0xff,
                                              0x7fff,
                                              0x8000,
                                              0xffff,
                                              0x7fffffff,
                                              0x80000000,
                                              0xffffffff,
                                              0x100000000,
                                              0x7fffffffffffffff,
                                              0x8000000000000000,
                                              0xffffffffffffffff};
  const std::size_t at = place_in(random, bytes.size());
  const std::size_t length = std::min(place_in(random, 16), bytes.size() - at);
  switch (random.below(7)) {
    case 0:  // flip a bit
      if (at < bytes.size()) {
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
      }
      break;
    case 1:  // another byte
      if (at < bytes.size()) {
        bytes[at] = static_cast<char>(random.below(256));
      }
      break;
    case 2: {  // a number on the edge, little-endian, 1 to 8 bytes
      const std::uint64_t value = kValues[random.below(std::ssize(kValues))];
      const std::size_t width =
          std::min<std::size_t>(std::size_t{1} << random.below(4), bytes.size() - at);
      std::memcpy(bytes.data() + at, &value, width);
      break;
    }
    case 3:
      bytes.erase(at, length);
      break;
    case 4:  // repeat a piece elsewhere
      bytes.insert(place_in(random, bytes.size()), bytes.substr(at, length));
      break;
    case 5:  // the next digit: sizes in texts
      if (const auto digit = bytes.find_first_of("0123456789", at); digit != std::string::npos) {
        bytes[digit] = static_cast<char>('0' + random.below(10));
      }
      break;
    default:  // cut the end off, rarely: little of the file is left to test
      if (random.below(8) == 0) {
        bytes.resize(at);
      }
      break;
  }
}

void run(const std::string& bytes, const std::string& name, std::int64_t mutation) {
  std::snprintf(current_input,
                sizeof(current_input),
                "while reading %s, mutation %lld (0: as it is)\n",
                name.c_str(),
                static_cast<long long>(mutation));
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

extern "C" const char* __asan_default_options() {
  return "abort_on_error=1:handle_abort=0:max_allocation_size_mb=2048";
}

int main(int argc, char** argv) {
#if !defined(__SANITIZE_ADDRESS__)  // its shadow memory alone takes terabytes of addresses
  const rlimit limit{kMaxMemory, kMaxMemory};
  ::setrlimit(RLIMIT_AS, &limit);
#endif
  std::signal(SIGABRT, report_and_die);
  std::signal(SIGSEGV, report_and_die);
  const std::filesystem::path corpus = argc > 1 ? argv[1] : ADB_FUZZ_CORPUS;
  std::int64_t mutations = 500;
  if (argc > 2) {
    std::from_chars(argv[2], argv[2] + std::strlen(argv[2]), mutations);
  }
  std::int64_t inputs = 0;
  for (const auto& name : adb::files_below(corpus)) {
    const std::string original = adb::read_text(corpus / name, adb::ErrorKind::kData);
    run(original, name, 0);
    for (std::int64_t i = 1; i <= mutations; ++i) {
      adb::Stream random(0, name, 0, i);
      std::string bytes = original;
      for (std::int64_t changes = 1 + random.below(4); changes > 0; --changes) {
        mutate(bytes, random);
      }
      run(bytes, name, i);
    }
    inputs += mutations + 1;
  }
  std::printf("%lld inputs\n", static_cast<long long>(inputs));
  return inputs > 0 ? 0 : 1;  // an empty corpus tests nothing
}
