// One option value that someone gave, and where.
#pragma once

#include <string>

#include "core/json.h"

namespace adb {

// "a.b=c" of the command line or a line of a YAML file.
struct Setting {
  std::string path;  // "OPTION" for every method that has it, or "METHOD.OPTION"
  Json value;
  std::string place;  // "--set", "exp.yaml:4:5"
};

}  // namespace adb
