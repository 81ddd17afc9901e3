#include "runners/worker/trained.h"

#define AT_PER_OPERATOR_HEADERS
#include <ATen/ops/from_blob.h>

#include "images/codec.h"
#include "images/resize.h"
#include "runners/worker/loader.h"
#include "tensor/device.h"
#include "tensor/state.h"

namespace adb {

TrainedJob trained_job_from_json(const Json& json) {
  constexpr auto kKind = ErrorKind::kConfig;
  const char* const where = "job";
  const auto text = [&](const char* key) {
    return json_string(json_at(json, key, where, kKind), key, kKind);
  };
  TrainedJob job;
  job.method = text("method");
  job.options = json_at(json, "options", where, kKind);
  job.state = text("state");
  job.out = text("out");
  job.device = text("device");
  for (const auto& image : json_at(json, "images", where, kKind)) {
    ADB_CHECK(image.is_array() && image.size() == 2, kKind, "{}: an image is [id, file]", where);
    job.images.push_back(
        {json_string(image[0], "id", kKind), json_string(image[1], "file", kKind)});
  }
  return job;
}

std::unique_ptr<Method> load_trained(const TrainedJob& job, const MethodEntry& entry) {
  const auto device = parse_device(job.device);
  make_deterministic(device);
  auto method = entry.make(job.options, Context{at::kFloat, device, Streams(0)});
  restore_tensors(method->state(),
                  read_tensors(job.state, ErrorKind::kWeights),
                  job.state.string(),
                  ErrorKind::kWeights);
  return method;
}

Batch image_batch(const std::filesystem::path& file,
                  const InputSpec& input,
                  const at::Device& device) {
  const int side = static_cast<int>(input.image_size);
  const auto image = resize_image(read_image(file), side, side);
  std::vector<float> planes(image.pixels.size());
  normalise_planes(image, input.mean, input.std, planes);
  Batch batch;
  batch.images = at::from_blob(planes.data(), {1, 3, side, side}, at::kFloat).clone();
  batch.ids = {0};
  to_device(&batch, device);
  return batch;
}

}  // namespace adb
