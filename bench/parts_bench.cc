// What runs beside the networks: resize, noise, loading of images and weights, writing of results.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <numbers>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <unistd.h>

#include "core/seed.h"
#include "datasets/catalog.h"
#include "datasets/synth/synth.h"
#include "formats/checkpoint.h"
#include "formats/safetensors.h"
#include "images/codec.h"
#include "images/resize.h"
#include "results/diff.h"
#include "synthesis/perlin.h"

#include "bench/check.h"
#include "bench/synthetic_store.h"

namespace adb::bench {
namespace {

namespace fs = std::filesystem;

// Removed when the program ends.
const fs::path& scratch() {
  static const struct Folder {
    fs::path path = fs::temp_directory_path() / fmt::format("adbench-parts-{}", ::getpid());
    Folder() { fs::create_directories(path); }
    ~Folder() {
      std::error_code ignored;
      fs::remove_all(path, ignored);
    }
  } folder;
  return folder.path;
}

// --- resize

Image random_image(int width, int height) {
  Image image(width, height, 3);
  Stream random(0, "parts_bench.image");
  for (auto& value : image.pixels) {
    value = static_cast<std::uint8_t>(random.below(256));
  }
  return image;
}

// One channel of one pixel, both axes at once in double.
double slow_resize(const Image& image, int side, int x, int y, std::size_t channel) {
  const auto weight = [](int source, int target, int at, int i) {
    const double scale = std::max(1.0, static_cast<double>(source) / target);
    const double centre = (at + 0.5) * source / target;
    return std::max(0.0, 1 - std::abs((i + 0.5 - centre) / scale));
  };
  double sum = 0, weights = 0;
  for (int j = 0; j < image.height; ++j) {
    const double row = weight(image.height, side, y, j);
    for (int i = 0; row > 0 && i < image.width; ++i) {
      const double both = row * weight(image.width, side, x, i);
      sum += both * image.pixels[image.offset(i, j) + channel];
      weights += both;
    }
  }
  return sum / weights;
}

void resize(benchmark::State& state) {
  constexpr int kSide = 256;
  const auto source = static_cast<int>(state.range(0));
  const Image image = random_image(source, source);
  const Image resized = resize_image(image, kSide, kSide);
  for (int i = 0; i < kSide; i += 5) {  // each of the two passes rounds
    const double exact = slow_resize(image, kSide, i, kSide - 1 - i, 1);
    const double found = resized.pixels[resized.offset(i, kSide - 1 - i) + 1];
    require(std::abs(found - exact) < 1.1, "a resized pixel");
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(resize_image(image, kSide, kSide));
  }
}
BENCHMARK(resize)->Arg(900)->Arg(1024)->Unit(benchmark::kMillisecond);

// --- Perlin noise

void perlin(benchmark::State& state) {
  constexpr int kSide = 256;
  const auto cells = static_cast<int>(state.range(0));
  Stream random(0, "parts_bench.perlin");
  const auto grid = GradientGrid::random(cells, cells, random);
  const auto noise = perlin_noise(grid, kSide, kSide);
  const auto gradient = [&](int i, int j) {
    return grid.gradients[static_cast<std::size_t>(i * (cells + 1) + j)];
  };
  const auto fade = [](double t) { return t * t * t * (t * (t * 6 - 15) + 10); };
  for (int at = 0; at < kSide; at += 7) {  // along the diagonal
    const double place = static_cast<double>(at) * cells / kSide;
    const int cell = at * cells / kSide;
    const double t = place - cell;
    const auto corner = [&](int di, int dj) {
      const auto g = gradient(cell + di, cell + dj);
      return (t - di) * g[0] + (t - dj) * g[1];
    };
    const double above = std::lerp(corner(0, 0), corner(0, 1), fade(t));
    const double below = std::lerp(corner(1, 0), corner(1, 1), fade(t));
    const double exact = std::numbers::sqrt2 * std::lerp(above, below, fade(t));
    require(std::abs(noise.values[static_cast<std::size_t>(at * (kSide + 1))] - exact) < 1e-12,
            "a value of the noise");
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(perlin_noise(grid, kSide, kSide));
  }
}
BENCHMARK(perlin)->Arg(4)->Arg(32)->Unit(benchmark::kMicrosecond);

// --- images from files, one thread

void load_images(benchmark::State& state) {
  SynthSpec spec;
  spec.size = 512;
  spec.train = 8;
  spec.test_good = 1;
  spec.test_defective = 4;
  spec.categories = {"board"};
  const auto folder = scratch() / "images";
  make_synth_dataset(folder, spec, encode_png);
  const auto dataset = open_path(folder, "sample");
  require(dataset.train.size() == 8 && dataset.test.size() == 5, "number of images");
  for (int i = 0; i < spec.train; ++i) {
    const auto drawn = synth_image(spec, {"board", Split::kTrain, "good", i}).image;
    require(read_image(dataset.train[static_cast<std::size_t>(i)].image) == drawn,
            "pixels of an image");
  }
  for (auto _ : state) {
    for (const auto& sample : dataset.train) {
      benchmark::DoNotOptimize(resize_image(read_image(sample.image), 256, 256));
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(dataset.train.size()));
}
BENCHMARK(load_images)->Unit(benchmark::kMillisecond);

void open_data_set(benchmark::State& state) {
  SynthSpec spec;
  spec.size = 64;
  const auto folder = scratch() / "small_images";
  make_synth_dataset(folder, spec, encode_png);
  const auto expected = synth_items(spec).size();
  for (auto _ : state) {
    const auto dataset = open_path(folder, "sample");
    require(dataset.train.size() + dataset.test.size() == expected, "number of images");
  }
}
BENCHMARK(open_data_set)->Unit(benchmark::kMillisecond);

// --- weights

void read_weights(benchmark::State& state) {
  constexpr std::int64_t kTensors = 100, kElements = 100'000;  // 40 MB
  std::vector<float> values(kElements);
  Stream random(0, "parts_bench.weights");
  std::generate(values.begin(), values.end(), [&] { return static_cast<float>(random.normal()); });
  const ArrayView array{
      DType::kF32,
      {100, kElements / 100},
      {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(float)}};
  NamedArrays tensors;
  for (std::int64_t i = 0; i < kTensors; ++i) {
    tensors.emplace_back(fmt::format("layer.{}.weight", i), array);
  }
  const auto file = scratch() / "weights.safetensors";
  write_safetensors(file, tensors, {}, ErrorKind::kWeights);
  const auto read = [&](bool compare) {
    const auto checkpoint = Checkpoint::open(file, "", ErrorKind::kWeights);
    require(checkpoint.names().size() == kTensors, "number of tensors");
    for (const auto& name : checkpoint.names()) {
      const auto floats = to_floats(checkpoint.at(name), name, ErrorKind::kWeights);
      require(!compare || floats == values, "values of a tensor");
      benchmark::DoNotOptimize(floats.data());
    }
  };
  read(true);
  for (auto _ : state) {
    read(false);
  }
  state.SetBytesProcessed(state.iterations() * kTensors * kElements *
                          static_cast<std::int64_t>(sizeof(float)));
}
BENCHMARK(read_weights)->Unit(benchmark::kMillisecond);

// --- results: a run of 15 classes and 100 epochs in two transactions, on the disk

void write_run(benchmark::State& state) {
  const StoreSize one_run{.runs = 1};
  const auto file = scratch() / "runs.sqlite";
  std::int64_t written = 0;
  {
    auto store = Store::open_for_write(file);
    for (auto _ : state) {
      fill_store(store, one_run);
      ++written;
    }
    require(store.find_runs().size() >= static_cast<std::size_t>(written), "number of runs");
    store.close();
  }
  auto expected = Store::in_memory();
  fill_store(expected, one_run);
  const auto difference = diff_stores(expected, Store::open_for_read(file));
  require(!difference, difference.value_or(""));
}
BENCHMARK(write_run)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace adb::bench

int main(int argc, char** argv) {
  return adb::bench::run_benchmarks(argc, argv);
}
