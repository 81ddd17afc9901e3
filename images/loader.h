// libadb_images.so at need: OpenCV would cost every start of `adbench` 0.12 s.
#pragma once

#include "images/api.h"

namespace adb {

// Loads ../lib/libadb_images.so of the running program at the first call; the table stays valid
// until the program ends. Thread-safe. throws: Error(kInternal) naming the file when it is absent
// or of another build
const ImagesApi& images_api();

}  // namespace adb
