#include <memory>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "core/files.h"
#include "core/text.h"
#include "reports/figures/figures.h"

extern char** environ;

namespace adb {
namespace {

struct FigureFlags {
  std::filesystem::path store, out;
  std::string kind, methods, protocol, setting;
  std::vector<std::string> datasets;
  FigureOptions options;
};

// An SVG as PNG (at twice its size) or PDF, by librsvg's program.
void convert(const std::filesystem::path& svg, const std::filesystem::path& out) {
  const bool png = out.extension() == ".png";
  std::vector<std::string> words = {
      "rsvg-convert", "--format", png ? "png" : "pdf", "--output", out.string(), svg.string()};
  if (png) {
    words.insert(words.begin() + 1, {"--zoom", "2"});
  }
  std::vector<char*> arguments;
  for (auto& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int problem =
      ::posix_spawnp(&child, words[0].c_str(), nullptr, nullptr, arguments.data(), environ);
  ADB_CHECK(problem != ENOENT,
            ErrorKind::kUsage,
            "'{}' needs rsvg-convert (apt-get install librsvg2-bin); --out FILE.svg does not",
            out.string());
  ADB_CHECK(problem == 0, ErrorKind::kInternal, "cannot start rsvg-convert: error {}", problem);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  ADB_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0,
            ErrorKind::kData,
            "rsvg-convert could not write '{}'",
            out.string());
}

int figure(const FigureFlags& flags) {
  const FigureKind kind = figure_kind_from_text(flags.kind);
  const std::string type = flags.out.extension().string();
  if (!flags.out.empty() && type != ".svg" && type != ".png" && type != ".pdf") {
    fail(ErrorKind::kUsage,
         "--out '{}': a figure is written as .svg, .png or .pdf",
         flags.out.string());
  }
  const auto store = Store::open_for_read(flags.store);
  RunFilter filter;
  filter.methods = split(flags.methods, ',');
  filter.datasets = flags.datasets;
  if (!flags.protocol.empty()) {
    filter.protocols = {flags.protocol};
  }
  if (!flags.setting.empty()) {
    filter.settings = {flags.setting};
  }
  ReportOptions options;
  for (const auto& method : method_catalogue().methods) {
    options.methods.push_back(method.name);
  }
  const std::string svg = figure_svg(read_page(store, filter, options), kind, flags.options);
  if (flags.out.empty()) {
    fmt::print("{}", svg);
  } else if (type == ".svg") {
    write_file_atomic(flags.out, svg);
  } else {
    auto between = flags.out;
    between += fmt::format(".{}.svg", ::getpid());
    write_file_atomic(between, svg);
    const auto remove = [&] {
      std::error_code ignored;
      std::filesystem::remove(between, ignored);
    };
    try {
      convert(between, flags.out);
    } catch (...) {
      remove();
      throw;
    }
    remove();
  }
  return 0;
}

}  // namespace

Command figure_command() {
  return {
      "figure", "figures for papers as SVG, PNG or PDF", [](CLI::App& app) {
        auto flags = std::make_shared<FigureFlags>();
        add_store_flag(app, &flags->store);
        app.add_option("kind", flags->kind, "curves, images, resolution or ranking")->required();
        app.add_option("--methods", flags->methods, "names separated by commas (default: all)");
        app.add_option("--dataset", flags->datasets, "data set name");
        app.add_option("--protocol", flags->protocol, "only this protocol");
        app.add_option("--setting", flags->setting, "multi or single")
            ->check(CLI::IsMember({"multi", "single"}));
        app.add_option("--metric", flags->options.metric, "of resolution and ranking")
            ->capture_default_str();
        app.add_option("--sample",
                       flags->options.samples,
                       "CLASS/SAMPLE of images; may be repeated (default: the worst of each "
                       "class)");
        app.add_option(
            "--out", flags->out, "FILE.svg, FILE.png or FILE.pdf instead of SVG on stdout");
        return [flags] { return figure(*flags); };
      }};
}

}  // namespace adb
