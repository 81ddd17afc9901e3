// The folder layout of MVTec AD, also that of own data: CATEGORY/train/good, CATEGORY/test/DEFECT,
// CATEGORY/ground_truth/DEFECT.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/catalog.h"
#include "datasets/dataset.h"

namespace adb {

// Whether a folder is a category: it has test/ and, where training images are needed, train/.
bool is_category_folder(const std::filesystem::path& folder, bool need_train);

// Opens a folder of categories, or one category. Defect folders may have any names; 'good' is
// normal. Without ground_truth/DEFECT the images of that defect have no masks (a note says so).
// Where the folder exists, every image of the defect must have its mask: STEM_mask.EXT, else
// STEM.EXT; where no mask is named after an image and there are equally many of both, mask k of the
// sorted list belongs to image k.
//   throws: Error(kData) naming the empty folder, the missing mask, or two images with one stem
Dataset open_mvtec(const std::filesystem::path& root,
                   const std::string& name,
                   const OpenOptions& options);

}  // namespace adb
