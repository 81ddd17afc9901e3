// Plugins: methods in shared objects of other projects.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "methods/method.h"

namespace adb {

// The files that the variable ADBENCH_PLUGINS names, separated by ':'.
std::vector<std::filesystem::path> plugin_files();

// Loads the plugins and adds their methods.
//   returns: the SHA-256 of the file that each added method came from, by method
//   throws: Error(kUsage) naming the file: it cannot be loaded, is no plugin, was built for another
//   LibTorch or compiler, refuses, adds no method or one whose name is taken
std::map<std::string, std::string> load_plugins(const std::vector<std::filesystem::path>& files,
                                                Registry<MethodEntry>& methods);

}  // namespace adb
