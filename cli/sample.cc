#include "cli/command.h"
#include "datasets/synth/synth.h"
#include "images/loader.h"

namespace adb {

std::filesystem::path sample_folder(const std::filesystem::path& runs_folder) {
  return runs_folder / fmt::format("sample-v{}", kSynthVersion);
}

void make_sample(const std::filesystem::path& folder) {
  make_synth_dataset(folder, SynthSpec{}, images_api().encode_png);
}

}  // namespace adb
