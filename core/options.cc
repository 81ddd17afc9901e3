#include "core/options.h"

#include <cmath>
#include <map>

#include "core/text.h"

namespace adb {
namespace {

const std::map<OptionType, std::string>& type_names() {
  static const std::map<OptionType, std::string> names = {{OptionType::kInteger, "integer"},
                                                          {OptionType::kNumber, "number"},
                                                          {OptionType::kBool, "bool"},
                                                          {OptionType::kText, "text"},
                                                          {OptionType::kChoice, "choice"},
                                                          {OptionType::kIntegerList, "integers"}};
  return names;
}

std::string shown(const Json& value) {
  std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (text.size() > 80) {
    text = text.substr(0, 77) + "...";
  }
  return text;
}

Json integer_value(const OptionField& field, const Json& value, const std::string& place) {
  ADB_CHECK(value.is_number_integer() ||
                (value.is_number_float() && std::abs(value.get<double>()) < 0x1p53 &&
                 std::floor(value.get<double>()) == value.get<double>()),
            ErrorKind::kUsage,
            "{}: {}: expected an integer, got '{}'",
            place,
            field.path,
            shown(value));
  return value.is_number_float() ? Json(static_cast<std::int64_t>(value.get<double>())) : value;
}

void check_range(const OptionField& field, const Json& value, const std::string& place) {
  if (!field.range) {
    return;
  }
  const auto number = value.get<double>();
  ADB_CHECK(number >= field.range->low && number <= field.range->high,
            ErrorKind::kUsage,
            "{}: {}: must be in [{:g}, {:g}], got {}",
            place,
            field.path,
            field.range->low,
            field.range->high,
            shown(value));
}

}  // namespace

Json to_json(const OptionField& field) {
  Json json = {{"path", field.path},
               {"type", type_names().at(field.type)},
               {"default", field.default_value},
               {"range", nullptr},
               {"help", field.help}};
  if (field.range) {
    json["range"] = {field.range->low, field.range->high};
  } else if (!field.choices.empty()) {
    json["range"] = field.choices;
  }
  return json;
}

OptionField option_field_from_json(const Json& json, const std::string& where) {
  constexpr auto kKind = ErrorKind::kConfig;
  OptionField field;
  field.path = json_string(json_at(json, "path", where, kKind), where, kKind);
  field.help = json_string(json_at(json, "help", where, kKind), where, kKind);
  field.default_value = json_at(json, "default", where, kKind);
  const auto type = json_string(json_at(json, "type", where, kKind), where, kKind);
  bool known = false;
  for (const auto& [value, name] : type_names()) {
    if (name == type) {
      field.type = value;
      known = true;
    }
  }
  ADB_CHECK(known, kKind, "{}: option '{}' has unknown type '{}'", where, field.path, type);
  const auto& range = json_at(json, "range", where, kKind);
  if (field.type == OptionType::kChoice) {
    for (const auto& choice : range) {
      field.choices.push_back(json_string(choice, where, kKind));
    }
  } else if (range.is_array() && range.size() == 2) {
    field.range =
        OptionRange{json_number(range[0], where, kKind), json_number(range[1], where, kKind)};
  }
  return field;
}

Json check_option(const OptionField& field, const Json& value, const std::string& place) {
  switch (field.type) {
    case OptionType::kInteger: {
      const Json integer = integer_value(field, value, place);
      check_range(field, integer, place);
      return integer;
    }
    case OptionType::kNumber:
      ADB_CHECK(value.is_number() && std::isfinite(value.get<double>()),
                ErrorKind::kUsage,
                "{}: {}: expected a number, got '{}'",
                place,
                field.path,
                shown(value));
      check_range(field, value, place);
      return value.get<double>();
    case OptionType::kBool:
      ADB_CHECK(value.is_boolean(),
                ErrorKind::kUsage,
                "{}: {}: expected true or false, got '{}'",
                place,
                field.path,
                shown(value));
      return value;
    case OptionType::kText:
      ADB_CHECK(value.is_string() || value.is_number() || value.is_boolean(),
                ErrorKind::kUsage,
                "{}: {}: expected text, got '{}'",
                place,
                field.path,
                shown(value));
      return value.is_string() ? value : Json(value.dump());
    case OptionType::kChoice: {
      const auto text = shown(value);
      if (std::find(field.choices.begin(), field.choices.end(), text) == field.choices.end()) {
        throw Error(
            ErrorKind::kUsage,
            fmt::format(
                "{}: {}: {}", place, field.path, unknown_name("value", text, field.choices)));
      }
      return text;
    }
    case OptionType::kIntegerList: {
      Json list = value;
      if (value.is_string() || value.is_number()) {  // "--set rd.layers=1,2,3"
        list = Json::array();
        for (const auto& part : split(shown(value), ',')) {
          list.push_back(Json::parse(part, nullptr, false));
        }
      }
      ADB_CHECK(list.is_array(),
                ErrorKind::kUsage,
                "{}: {}: expected a list of integers, got '{}'",
                place,
                field.path,
                shown(value));
      for (auto& item : list) {
        item = integer_value(field, item, place);
        check_range(field, item, place);
      }
      return list;
    }
  }
  fail(ErrorKind::kInternal, "option type without a check");
}

const OptionField& find_option(const std::vector<OptionField>& fields,
                               const std::string& name,
                               const std::string& place) {
  std::vector<std::string> known;
  for (const auto& field : fields) {
    if (field.path == name) {
      return field;
    }
    known.push_back(field.path);
  }
  throw Error(ErrorKind::kUsage, fmt::format("{}: {}", place, unknown_name("option", name, known)));
}

void OptionLister::add(const char* name,
                       OptionType type,
                       Json value,
                       std::optional<OptionRange> range,
                       std::vector<std::string> choices,
                       const char* help) {
  for (const auto& field : fields_) {
    ADB_CHECK(field.path != name, ErrorKind::kInternal, "option '{}' is listed twice", name);
  }
  fields_.push_back({name, type, std::move(value), range, std::move(choices), help});
}

}  // namespace adb
