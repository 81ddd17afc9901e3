#include "runners/schedule/catalogue.h"

#include <algorithm>

#include "core/yaml.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

// The field list of a protocol file: type, range and default of every key are checked as options
// are.
struct ProtocolFields {
  std::string title, overlay;
  std::string epoch_rule = "last", setting = "multi";
  std::int64_t version = 1, max_tests = 10;
  bool needs_weights = false;

  template <class V>
  void visit(V& v) {
    v.text("title", title, "one line for tables");
    v.integer("version", version, {1, 1e6}, "raised by hand when the protocol changes");
    v.text("overlay", overlay, "name of the overlay files of the methods");
    v.integer("max_tests", max_tests, {1, 1000}, "tests over a training");
    v.choice("epoch_rule", epoch_rule, {"last", "best_pixel_auroc"}, "which test is reported");
    v.boolean("needs_weights", needs_weights, "refuse to start without pretrained weights");
    v.choice("setting", setting, {"multi", "single"}, "one model for all classes or one per class");
  }
};

}  // namespace

MethodCatalogue read_method_catalogue(const fs::path& share) {
  const auto file = share / "methods.json";
  return method_catalogue_from_json(read_json(file, ErrorKind::kConfig), file.string());
}

MethodCatalogue method_catalogue_from_json(const Json& json, const std::string& where) {
  constexpr auto kKind = ErrorKind::kConfig;
  MethodCatalogue catalogue;
  catalogue.libtorch = json_string(json_at(json, "libtorch", where, kKind), where, kKind);
  if (const auto cuda = json.find("cuda"); cuda != json.end()) {
    catalogue.cuda = json_bool(*cuda, where, kKind);
  }
  for (const auto& one : json_at(json, "methods", where, kKind)) {
    MethodInfo method;
    method.name = json_string(json_at(one, "name", where, kKind), where, kKind);
    method.title = json_string(json_at(one, "title", where, kKind), where, kKind);
    method.summary = json_string(json_at(one, "summary", where, kKind), where, kKind);
    method.version = json_int(json_at(one, "version", where, kKind), where, kKind);
    method.needs_textures = json_bool(json_at(one, "needs_textures", where, kKind), where, kKind);
    method.plugin = json_string(json_at(one, "plugin", where, kKind), where, kKind);
    for (const auto& field : json_at(one, "options", where, kKind)) {
      method.options.push_back(option_field_from_json(field, where));
    }
    const auto& weights = json_at(one, "weights", where, kKind);
    method.weights_option = json_string(json_at(weights, "option", where, kKind), where, kKind);
    for (const auto& [value, name] : json_at(weights, "checkpoints", where, kKind).items()) {
      method.weights[value] = json_string(name, where, kKind);
    }
    method.described = one;
    catalogue.methods.add(std::move(method));
  }
  return catalogue;
}

std::vector<std::string> protocol_names(const fs::path& share) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(share / "protocols", ignored)) {
    if (entry.path().extension() == ".yaml") {
      names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

Protocol read_protocol(const fs::path& share, const std::string& name) {
  const auto known = protocol_names(share);
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    throw Error(ErrorKind::kUsage, unknown_name("protocol", name, known));
  }
  const auto root = read_yaml(share / "protocols" / (name + ".yaml"));
  ProtocolFields fields;
  const auto list = list_options(fields);
  Json values = Json::object();
  for (const auto& [key, node] : root.entries) {
    values[key] = check_option(find_option(list, key, node.place),
                               node.quoted ? Json(node.scalar) : node.value(),
                               node.place);
  }
  OptionSetter setter(values);
  fields.visit(setter);
  return {name,
          fields.title,
          fields.version,
          fields.overlay,
          fields.max_tests,
          fields.epoch_rule,
          fields.needs_weights,
          fields.setting};
}

Registry<WeightsInfo> read_weights_catalogue(const fs::path& share) {
  Registry<WeightsInfo> weights("checkpoint");
  const auto root = read_yaml(share / "weights.yaml");
  for (const auto& [name, node] : root.entries) {
    node.require_keys({"file", "publisher", "url", "package", "size", "sha256", "keys", "note"},
                      "checkpoint '" + name + "'");
    WeightsInfo info;
    info.name = name;
    for (const auto& [key, member] : {std::pair("file", &WeightsInfo::file),
                                      std::pair("publisher", &WeightsInfo::publisher),
                                      std::pair("url", &WeightsInfo::url),
                                      std::pair("package", &WeightsInfo::package),
                                      std::pair("sha256", &WeightsInfo::sha256),
                                      std::pair("keys", &WeightsInfo::keys),
                                      std::pair("note", &WeightsInfo::note)}) {
      if (const auto* value = node.find(key)) {
        info.*member = value->text(key);
      }
    }
    if (const auto* size = node.find("size")) {
      info.size = json_int(size->value(), size->place, ErrorKind::kConfig);
    }
    ADB_CHECK(!info.file.empty(),
              ErrorKind::kConfig,
              "{}: checkpoint '{}' names no file",
              node.place,
              name);
    weights.add(std::move(info));
  }
  return weights;
}

}  // namespace adb
