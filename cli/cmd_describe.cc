#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "core/files.h"
#include "runners/schedule/worker_process.h"

namespace adb {
namespace {

struct DescribeFlags {
  std::string kind, name;
  std::int64_t size = 0;
  std::vector<std::string> sets;
  bool json = false;
};

// Sizes at other options need the network itself: a worker builds it.
Json described_by_worker(const MethodInfo& method, const DescribeFlags& flags) {
  Json options = Json::object();
  for (const auto& text : flags.sets) {
    const auto setting = parse_setting(text);
    const auto& field = find_option(method.options, setting.path, setting.place);
    options[field.path] = check_option(field, setting.value, setting.place);
  }
  const auto answer = ask_worker({worker_program().string(),
                                  "describe",
                                  "--method",
                                  method.name,
                                  "--size",
                                  std::to_string(flags.size),
                                  "--options",
                                  canonical_json(options)},
                                 "");
  ADB_CHECK(answer.end.signal == 0 && answer.end.code == 0,
            answer.end.code == 2 ? ErrorKind::kUsage : ErrorKind::kInternal,
            "{}",
            answer.err);
  return parse_json(answer.out, "adbench-worker describe", ErrorKind::kInternal)
      .at("methods")
      .at(0);
}

int describe(const DescribeFlags& flags) {
  const auto catalogue = method_catalogue();
  const auto& method = catalogue.methods.at(flags.name);
  const auto json =
      flags.size == 0 && flags.sets.empty() ? method.described : described_by_worker(method, flags);
  if (flags.json) {
    print_json("adbench.method.1", json);
    return 0;
  }
  fmt::print("{}: {}\n{}\n\n", method.name, method.title, method.summary);
  fmt::print(
      "at {} x {} pixels\n  parameters            {:>14}\n  trainable             {:>14}\n"
      "  multiply-accumulates  {:>14}  (convolutions, linear layers, attention products)\n"
      "  with norms            {:>14}  (and 2 per BatchNorm, 5 per LayerNorm, 4 per upsampled "
      "element)\n\noptions\n",
      json.at("size").dump(),
      json.at("size").dump(),
      json.at("parameters").at("total").dump(),
      json.at("parameters").at("trainable").dump(),
      json.at("macs").dump(),
      json.at("macs_with_norms").dump());
  for (const auto& option : json.at("options")) {
    std::string range = option.at("range").is_null() ? "" : " " + option.at("range").dump();
    fmt::print("  {} = {}{}\n      {}\n",
               option.at("path").get<std::string>(),
               option.at("default").dump(),
               range,
               option.at("help").get<std::string>());
  }
  return 0;
}

}  // namespace

Command describe_command() {
  return {
      "describe", "a method's options, parameters and multiply-accumulates", [](CLI::App& app) {
        auto flags = std::make_shared<DescribeFlags>();
        app.add_option("kind", flags->kind, "method")->required()->check(CLI::IsMember({"method"}));
        app.add_option("name", flags->name, "see `adbench list methods`")->required();
        app.add_option("--size", flags->size, "side of the input in pixels")
            ->check(CLI::PositiveNumber);
        app.add_option("-S,--set", flags->sets, "OPTION=VALUE; may be repeated")->take_all();
        add_json_flag(app, &flags->json);
        return [flags] { return describe(*flags); };
      }};
}

}  // namespace adb
