// Options of methods: one struct with defaults and one `visit` that lists its fields. The list
// drives parsing with ranges and places, `adbench describe`, and the record stored with a run.
//
//   struct RdOptions {
//     double lr = 5e-3;
//     template <class V> void visit(V& v) { v.number("lr", lr, {1e-8, 10}, "learning rate"); }
//   };
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/json.h"

namespace adb {

enum class OptionType { kInteger, kNumber, kBool, kText, kChoice, kIntegerList };

struct OptionRange {
  double low = 0;
  double high = 0;
};

// One option as data: what the light program knows of it, without the struct.
struct OptionField {
  std::string path;  // the name, "learning_rate"
  OptionType type = OptionType::kText;
  Json default_value;
  std::optional<OptionRange> range;  // numbers, and every element of a list
  std::vector<std::string> choices;
  std::string help;
};

Json to_json(const OptionField& field);
OptionField option_field_from_json(const Json& json, const std::string& where);

// The value as the field's type (an integer is a number, too). `place` is "exp.yaml:4:5", "--set",
// ...
//   throws: Error(kUsage) "PLACE: PATH: expected ..., got ..."
Json check_option(const OptionField& field, const Json& value, const std::string& place);

// The field called `name`. throws: Error(kUsage) "PLACE: unknown option ...; known: ..."
const OptionField& find_option(const std::vector<OptionField>& fields,
                               const std::string& name,
                               const std::string& place);

// Collects the fields of a struct, with the struct's current values as defaults.
class OptionLister {
 public:
  void integer(const char* name, std::int64_t& value, OptionRange range, const char* help) {
    add(name, OptionType::kInteger, value, range, {}, help);
  }
  void number(const char* name, double& value, OptionRange range, const char* help) {
    add(name, OptionType::kNumber, value, range, {}, help);
  }
  void boolean(const char* name, bool& value, const char* help) {
    add(name, OptionType::kBool, value, {}, {}, help);
  }
  void text(const char* name, std::string& value, const char* help) {
    add(name, OptionType::kText, value, {}, {}, help);
  }
  void choice(const char* name,
              std::string& value,
              std::vector<std::string> choices,
              const char* help) {
    add(name, OptionType::kChoice, value, {}, std::move(choices), help);
  }
  void integers(const char* name,
                std::vector<std::int64_t>& value,
                OptionRange range,
                const char* help) {
    add(name, OptionType::kIntegerList, value, range, {}, help);
  }
  const std::vector<OptionField>& fields() const { return fields_; }

 private:
  void add(const char* name,
           OptionType type,
           Json value,
           std::optional<OptionRange> range,
           std::vector<std::string> choices,
           const char* help);
  std::vector<OptionField> fields_;
};

// Sets the fields of a struct from checked values.
class OptionSetter {
 public:
  explicit OptionSetter(const Json& values) : values_(values) {}
  void integer(const char* name, std::int64_t& value, OptionRange, const char*) {
    set(name, value);
  }
  void number(const char* name, double& value, OptionRange, const char*) { set(name, value); }
  void boolean(const char* name, bool& value, const char*) { set(name, value); }
  void text(const char* name, std::string& value, const char*) { set(name, value); }
  void choice(const char* name, std::string& value, const std::vector<std::string>&, const char*) {
    set(name, value);
  }
  void integers(const char* name, std::vector<std::int64_t>& value, OptionRange, const char*) {
    set(name, value);
  }

 private:
  template <class T>
  void set(const char* name, T& value) {
    if (const auto found = values_.find(name); found != values_.end()) {
      value = found->get<T>();
    }
  }
  const Json& values_;
};

template <class Options>
std::vector<OptionField> list_options(Options options = {}) {
  OptionLister lister;
  options.visit(lister);
  return lister.fields();
}

// Defaults changed by `values` (an object). Options may have `void validate() const` for relations
// between fields.
//   throws: Error(kUsage) for unknown names, wrong types, values out of range
template <class Options>
Options read_options(const Json& values, const std::string& place, Options options = {}) {
  const auto fields = list_options(options);
  Json checked = Json::object();
  for (const auto& [name, value] : values.items()) {
    checked[name] = check_option(find_option(fields, name, place), value, place);
  }
  OptionSetter setter(checked);
  options.visit(setter);
  if constexpr (requires { options.validate(); }) {
    options.validate();
  }
  return options;
}

// All fields with their values.
template <class Options>
Json options_to_json(const Options& options) {
  Json json = Json::object();
  for (const auto& field : list_options(options)) {
    json[field.path] = field.default_value;
  }
  return json;
}

}  // namespace adb
