// Writes a page for the browser test: page_writer OUT [GROUPS]. With GROUPS, a store's worth of
// that many methods with five seeds each, to try the page at its limit.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/files.h"
#include "images/codec.h"
#include "tests/reports/sample_page.h"

namespace adb {
namespace {

// A picture of a stripe, so that a look at the page shows whether panels and colours are right.
std::string stripe(int number, int channels, bool jpeg) {
  Image image(64, 64, channels);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      const int distance = std::abs(x - 10 - number % 44);
      for (int c = 0; c < channels; ++c) {
        image.pixels[image.offset(x, y) + static_cast<std::size_t>(c)] = static_cast<std::uint8_t>(
            jpeg ? 90 + (x * y * (c + 1)) % 60
                 : std::max(0, 250 - (channels + distance) * (8 + y / 8)));
      }
    }
  }
  return jpeg ? encode_jpeg(image, 80) : encode_png(image);
}

PageInput large_page(int groups) {
  PageInput input;
  std::int64_t id = 0;
  for (int group = 0; group < groups; ++group) {
    for (std::int64_t seed = 0; seed < 5; ++seed) {
      ReportRun run = testing::sample_report_run(++id, "rd", seed, 0.5 + 0.3 * group / groups);
      run.run.key += std::to_string(group);
      run.run.method = "method" + std::to_string(group);
      run.run.method_title = "Method " + std::to_string(group);
      run.run.classes.clear();
      run.metrics.clear();
      run.counts.clear();
      for (const std::int64_t epoch : {80, 100}) {
        testing::append(run.metrics,
                        testing::sample_figures(epoch, "", 0.5 + 0.3 * group / groups));
      }
      for (int c = 0; c < 15; ++c) {
        const std::string name = "category" + std::to_string(c);
        run.run.classes.push_back(name);
        testing::append(run.metrics,
                        testing::sample_figures(80, name, 0.4 + 0.02 * c + 0.2 * group / groups));
        run.counts.push_back({.category = name, .name = "images", .value = 100});
      }
      run.run.options = {{"lr", 0.1}, {"batch", 16}, {"width", 256}, {"depth", 12}};
      PageRun more = testing::sample_page_run(run);
      more.curves.clear();
      for (std::int64_t epoch = 1; epoch <= 100; ++epoch) {
        for (const char* name : {"loss", "lr", "train_s", "test_s"}) {
          more.curves.push_back(
              {.epoch = epoch, .name = name, .value = 1.0 / static_cast<double>(epoch + seed)});
        }
      }
      if (seed > 0) {
        more.classes.clear();
      }
      input.more[id] = std::move(more);
      if (seed == 0) {
        testing::add_sample_pictures(run, 4, input);
      }
      input.runs.push_back(std::move(run));
    }
  }
  input.store = "large.sqlite";
  input.version = "0.1.0";
  return input;
}

int write(const std::filesystem::path& out, int groups) {
  PageInput input = groups > 0 ? large_page(groups) : testing::sample_page();
  if (groups == 0) {
    testing::add_sample_sizes(input);
  }
  int number = 0;
  const std::string photo = stripe(0, 3, true);
  const std::string truth = stripe(20, 1, false);
  for (auto& picture : input.pictures) {
    picture.picture.input = photo;
    picture.picture.truth = truth;
    picture.picture.heat = stripe(++number, 1, false);
  }
  write_file_atomic(out, html_page(std::move(input)));
  return 0;
}

}  // namespace
}  // namespace adb

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: page_writer OUT [GROUPS]\n");
    return 2;
  }
  return adb::write(argv[1], argc > 2 ? std::atoi(argv[2]) : 0);
}
