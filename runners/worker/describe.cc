#include "runners/worker/describe.h"

#include "runners/worker/efficiency.h"

namespace adb {

Json describe_method(const MethodEntry& entry, const Json& options, std::int64_t size) {
  Json values = options;
  if (size > 0) {
    values["image_size"] = size;
  }
  const auto method = entry.make(values, Context{});
  const auto parameters = count_parameters(*method);
  const auto macs = count_macs(*method);
  Json fields = Json::array();
  for (const auto& field : entry.options) {
    fields.push_back(to_json(field));
  }
  return {
      {"name", entry.name},
      {"title", entry.title},
      {"summary", entry.summary},
      {"version", entry.version},
      {"options", fields},
      {"weights", {{"option", entry.weights.option}, {"checkpoints", entry.weights.checkpoints}}},
      {"needs_textures", method->input().needs_textures},
      {"size", method->input().image_size},
      {"parameters", {{"total", parameters.total}, {"trainable", parameters.trainable}}},
      {"macs", macs.macs},
      {"macs_with_norms", macs.with_norms}};
}

}  // namespace adb
