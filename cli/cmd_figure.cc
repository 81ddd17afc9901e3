#include <memory>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/trained.h"
#include "core/files.h"
#include "core/scratch.h"
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
  TrainedFlags trained;  // of the kind frequency
  double cutoff = 0.25;
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

// The figure's SVG from what the store holds.
std::string stored_figure(const FigureFlags& flags, FigureKind kind) {
  ADB_CHECK(flags.trained.inputs.empty() && flags.trained.run.empty(),
            ErrorKind::kUsage,
            "images and --run are of the figure 'frequency', not of '{}'",
            flags.kind);
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
  return figure_svg(read_page(store, filter, options), kind, flags.options);
}

// The last three names of a path: what fits above a picture.
std::string short_path(const std::string& path) {
  auto names = split(path, '/');
  names.erase(names.begin(), names.end() - std::min<std::ptrdiff_t>(3, std::ssize(names)));
  return join(names, "/");
}

// The figure's SVG; nothing when the worker failed, with its exit code in *code.
std::optional<std::string> frequency_figure(const FigureFlags& flags, int* code) {
  ADB_CHECK(!flags.trained.run.empty() && !flags.trained.inputs.empty(),
            ErrorKind::kUsage,
            "the figure 'frequency' needs --run N and images: `adbench figure frequency part.png "
            "--run 7`");
  TrainedFlags trained = flags.trained;
  trained.store = flags.store;
  const ScratchFolder folder("adbench");
  Json job = trained_job(trained, folder.path());
  job["cutoff"] = flags.cutoff;
  std::vector<FrequencyImage> images;
  *code = ask_trained("frequency", job, [&](const std::string& line) {
    const Json answer = parse_json(line, "adbench-worker", ErrorKind::kInternal);
    const auto bytes = [](const Json& file) {
      return read_text(file.get<std::string>(), ErrorKind::kInternal);
    };
    const auto part = [&](const Json& bands) -> FrequencyImage::Part {
      return {bytes(bands.at("low")), bytes(bands.at("high")), bands.at("high_share")};
    };
    FrequencyImage image{.name = short_path(answer.at("image")),
                         .input = bytes(answer.at("input"))};
    for (const auto& pair : answer.at("pairs")) {
      image.pairs.push_back({pair.at("name"), part(pair.at("given")), part(pair.at("rebuilt"))});
    }
    images.push_back(std::move(image));
  });
  if (*code != 0) {
    return std::nullopt;
  }
  return frequency_svg(
      fmt::format("{}, run {}: low frequencies up to {} of the highest, and the rest",
                  job.at("method").get<std::string>(),
                  flags.trained.run,
                  flags.cutoff),
      images);
}

int figure(const FigureFlags& flags) {
  const FigureKind kind = figure_kind_from_text(flags.kind);
  const std::string type = flags.out.extension().string();
  if (!flags.out.empty() && type != ".svg" && type != ".png" && type != ".pdf") {
    fail(ErrorKind::kUsage,
         "--out '{}': a figure is written as .svg, .png or .pdf",
         flags.out.string());
  }
  int code = 0;
  const auto drawn = kind == FigureKind::kFrequency ? frequency_figure(flags, &code)
                                                    : std::optional(stored_figure(flags, kind));
  if (!drawn) {
    return code;
  }
  const std::string& svg = *drawn;
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
  return {"figure", "figures for papers as SVG, PNG or PDF", [](CLI::App& app) {
            auto flags = std::make_shared<FigureFlags>();
            add_store_flag(app, &flags->store);
            app.add_option("kind", flags->kind, "curves, images, resolution, ranking or frequency")
                ->required();
            app.add_option(
                "images", flags->trained.inputs, "of frequency: image files, or folders of them");
            add_trained_flags(app, &flags->trained);
            app.add_option("--cutoff",
                           flags->cutoff,
                           "of frequency: where high frequencies begin, as a share of the highest")
                ->check(CLI::Range(0.0, 1.0))
                ->capture_default_str();
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
