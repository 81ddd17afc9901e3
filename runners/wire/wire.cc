#include "runners/wire/wire.h"

namespace adb::wire {
namespace {

constexpr auto kKind = ErrorKind::kConfig;
const char* const kWhere = "job";

Json samples_to_json(const std::vector<JobSample>& samples) {
  Json list = Json::array();
  for (const auto& s : samples) {
    Json one = {{"id", s.id},
                {"category", s.category},
                {"defect", s.defect},
                {"image", s.image.string()},
                {"anomalous", s.anomalous}};
    if (s.mask) {
      one["mask"] = s.mask->string();
    }
    list.push_back(std::move(one));
  }
  return list;
}

std::string text(const Json& json, const char* key) {
  return json_string(json_at(json, key, kWhere, kKind), key, kKind);
}

std::int64_t integer(const Json& json, const char* key) {
  return json_int(json_at(json, key, kWhere, kKind), key, kKind);
}

std::vector<JobSample> samples_from_json(const Json& list) {
  std::vector<JobSample> samples;
  for (const auto& one : list) {
    JobSample s;
    s.id = text(one, "id");
    s.category = text(one, "category");
    s.defect = text(one, "defect");
    s.image = text(one, "image");
    s.anomalous = json_bool(json_at(one, "anomalous", kWhere, kKind), "anomalous", kKind);
    if (one.contains("mask")) {
      s.mask = text(one, "mask");
    }
    samples.push_back(std::move(s));
  }
  return samples;
}

}  // namespace

Json to_json(const Job& job) {
  return {{"wire", kVersion},
          {"key", job.key},
          {"folder", job.folder.string()},
          {"method", job.method},
          {"options", job.options},
          {"seed", job.seed},
          {"threads", job.threads},
          {"device", job.device},
          {"categories", job.categories},
          {"train", samples_to_json(job.train)},
          {"test", samples_to_json(job.test)},
          {"tests", job.tests},
          {"epoch_rule", job.epoch_rule},
          {"weights", job.weights.string()},
          {"textures", job.textures.string()},
          {"metric_mode", job.metric_mode},
          {"fpr_limit", job.fpr_limit},
          {"save_maps", job.save_maps},
          {"feature_cache", job.feature_cache},
          {"cache_bytes", job.cache_bytes},
          {"checkpoint_every_s", job.checkpoint_every_s}};
}

Job job_from_json(const Json& json) {
  Job job;
  const auto wire = integer(json, "wire");
  ADB_CHECK(
      wire == kVersion, kKind, "job of wire version {}, this worker speaks {}", wire, kVersion);
  job.key = text(json, "key");
  job.folder = text(json, "folder");
  job.method = text(json, "method");
  job.options = json_at(json, "options", kWhere, kKind);
  job.seed = integer(json, "seed");
  job.threads = integer(json, "threads");
  job.device = text(json, "device");
  for (const auto& category : json_at(json, "categories", kWhere, kKind)) {
    job.categories.push_back(json_string(category, "categories", kKind));
  }
  job.train = samples_from_json(json_at(json, "train", kWhere, kKind));
  job.test = samples_from_json(json_at(json, "test", kWhere, kKind));
  for (const auto& epoch : json_at(json, "tests", kWhere, kKind)) {
    job.tests.push_back(json_int(epoch, "tests", kKind));
  }
  job.epoch_rule = text(json, "epoch_rule");
  job.weights = text(json, "weights");
  job.textures = text(json, "textures");
  job.metric_mode = text(json, "metric_mode");
  job.fpr_limit = json_number(json_at(json, "fpr_limit", kWhere, kKind), "fpr_limit", kKind);
  job.save_maps = text(json, "save_maps");
  job.feature_cache = text(json, "feature_cache");
  job.cache_bytes = integer(json, "cache_bytes");
  job.checkpoint_every_s =
      json_number(json_at(json, "checkpoint_every_s", kWhere, kKind), "checkpoint_every_s", kKind);
  return job;
}

}  // namespace adb::wire
