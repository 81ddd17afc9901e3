#include "images/api.h"

#include "images/resize.h"

extern "C" const adb::ImagesApi* adb_images_api() {
  static constexpr adb::ImagesApi kApi = {
      .abi = adb::kImagesAbi,
      .probe_image = adb::probe_image,
      .read_image = adb::read_image,
      .read_mask = adb::read_mask,
      .read_map = adb::read_map,
      .encode_png = adb::encode_png,
      .encode_png16 = adb::encode_png16,
      .encode_jpeg = adb::encode_jpeg,
      .write_png = adb::write_png,
      .resize_image = adb::resize_image,
      .resize_mask = adb::resize_mask,
      .resize_map = adb::resize_map,
      .to_grey = adb::to_grey,
  };
  return &kApi;
}
