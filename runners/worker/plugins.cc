#include "runners/worker/plugins.h"

#include <cstdlib>
#include <cstring>

#include <dlfcn.h>

#include "core/hash.h"
#include "core/text.h"
#include "methods/plugin.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

void load(const fs::path& file, Registry<MethodEntry>& methods) {
  const auto name = file.string();
  // Never closed: its code stays in use. Local, so that two plugins may define the same names.
  void* library = ::dlopen(fs::absolute(file).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    fail(ErrorKind::kUsage, "plugin '{}' cannot be loaded: {}", name, ::dlerror());
  }
  const auto abi = reinterpret_cast<const char* (*)()>(::dlsym(library, "adbench_plugin_abi"));
  const auto entry =
      reinterpret_cast<int (*)(int, Registries*)>(::dlsym(library, "adbench_plugin"));
  ADB_CHECK(abi != nullptr && entry != nullptr,
            ErrorKind::kUsage,
            "'{}' is no adbench plugin: it does not define adbench_plugin and adbench_plugin_abi",
            name);
  ADB_CHECK(std::strcmp(abi(), ADB_PLUGIN_ABI) == 0,
            ErrorKind::kUsage,
            "plugin '{}' was built for {}, this program for {}",
            name,
            abi(),
            ADB_PLUGIN_ABI);
  const auto before = methods.names().size();
  Registries registries{methods};
  const int code = entry(kPluginAbi, &registries);
  ADB_CHECK(code == 0,
            ErrorKind::kUsage,
            "plugin '{}' refuses this program's interface {} with code {}",
            name,
            kPluginAbi,
            code);
  ADB_CHECK(methods.names().size() > before, ErrorKind::kUsage, "plugin '{}' adds no method", name);
}

}  // namespace

std::vector<fs::path> plugin_files() {
  const char* variable = std::getenv("ADBENCH_PLUGINS");
  std::vector<fs::path> files;
  for (const auto& file : split(variable == nullptr ? "" : variable, ':')) {
    if (!file.empty()) {
      files.emplace_back(file);
    }
  }
  return files;
}

std::map<std::string, std::string> load_plugins(const std::vector<fs::path>& files,
                                                Registry<MethodEntry>& methods) {
  std::map<std::string, std::string> sources;
  for (const auto& file : files) {
    const auto before = methods.names();
    try {
      load(file, methods);
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::kUsage) {
        throw;
      }
      throw Error(ErrorKind::kUsage, fmt::format("plugin '{}': {}", file.string(), e.what()));
    }
    const auto hash = sha256_file(file, ErrorKind::kUsage);
    const auto after = methods.names();
    for (std::size_t i = before.size(); i < after.size(); ++i) {
      sources[after[i]] = hash;
    }
  }
  return sources;
}

}  // namespace adb
