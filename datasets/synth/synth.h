// The sample data set: inspection images drawn by formulas, with exact masks. The same pixels on
// every machine: see noise.h for what the formulas may use.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "images/image.h"

namespace adb {

// Raised when a pixel of any image changes.
inline constexpr int kSynthVersion = 1;

struct SynthSpec {
  int size = 256;           // side of the square images, 64 .. 2048
  int train = 24;           // normal training images of a category
  int test_good = 8;        // normal test images of a category
  int test_defective = 12;  // spread evenly over the category's kinds of defect
  std::int64_t seed = 0;
  std::vector<std::string> categories;  // empty: all

  // throws: Error(kUsage) naming the value that is out of range or the unknown category
  void validate() const;
};

struct SynthCategory {
  std::string name;
  bool is_texture = false;  // else an object
  std::string look;         // one line for people
  std::vector<std::string> defects;
};

std::vector<SynthCategory> synth_categories();

// One image of the set. Its pixels depend on the seed, the size and these fields only: a set with
// other counts or categories has the same images.
struct SynthItem {
  std::string category;
  Split split = Split::kTrain;
  std::string defect;  // "good" or one of the category's
  int index = 0;       // counts from 0 within category, split and defect

  std::string image_path() const;  // "gear/test/oil/002.png"
  std::string mask_path() const;   // "gear/ground_truth/oil/002_mask.png"
};

// All images of a set in the order of its files' names. throws: as validate
std::vector<SynthItem> synth_items(const SynthSpec& spec);

struct SynthImage {
  Image image;  // RGB
  Image mask;   // one channel, 255 on the defect, else 0; all 0 for a normal image
};

// Draws one image. Outside the mask its pixels are those of synth_twin, to the bit; inside they
// differ visibly but for single ones.
//   throws: Error(kUsage) for an unknown category or defect, or a size out of range
SynthImage synth_image(const SynthSpec& spec, const SynthItem& item);

// The same specimen under the same camera without its defect.
SynthImage synth_twin(const SynthSpec& spec, const SynthItem& item);

// Gives the bytes of a PNG file; images/codec.h has one.
using PngEncoder = std::function<std::string(const Image&)>;

// Makes `folder` hold exactly this set in the MVTec layout, and a stamp file that says so. Nothing
// is done when it does already (checked by the hash of all files). A new set is written beside it
// and renamed, so that no half-written set is ever seen. A folder made with another spec, or
// damaged, is replaced.
//   returns: whether images were drawn
//   throws: Error(kUsage) as validate; Error(kData) when `folder` holds something else, or cannot
//   be written
bool make_synth_dataset(const std::filesystem::path& folder,
                        const SynthSpec& spec,
                        const PngEncoder& encode_png,
                        int threads = 2);

}  // namespace adb
