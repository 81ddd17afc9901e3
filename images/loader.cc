#include "images/loader.h"

#include <string>

#include <dlfcn.h>

#include "core/error.h"
#include "core/files.h"

namespace adb {
namespace {

const ImagesApi* load() {
  const std::string file = (program_folder().parent_path() / "lib" / "libadb_images.so").string();
  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = ::dlerror();
    fail(ErrorKind::kInternal,
         "cannot load the image library: {}",
         reason != nullptr ? reason : file);
  }
  using Entry = const ImagesApi* (*)();
  const auto entry = reinterpret_cast<Entry>(::dlsym(library, "adb_images_api"));
  ADB_CHECK(entry != nullptr, ErrorKind::kInternal, "'{}' has no adb_images_api", file);
  const ImagesApi* api = entry();
  ADB_CHECK(api->abi == kImagesAbi,
            ErrorKind::kInternal,
            "'{}' is of another build: interface {}, expected {}",
            file,
            api->abi,
            kImagesAbi);
  return api;
}

}  // namespace

const ImagesApi& images_api() {
  static const ImagesApi* const api = load();
  return *api;
}

}  // namespace adb
