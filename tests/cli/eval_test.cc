// `adbench eval` on maps written as other programs write them.
#include <bit>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "core/json.h"
#include "formats/npy.h"
#include "formats/safetensors.h"
#include "images/codec.h"
#include "results/store.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::ProgramResult;
using testing::TempFolder;
using Words = std::vector<std::string>;

ProgramResult eval(const TempFolder& temp, Words arguments) {
  arguments.insert(arguments.begin(), "eval");
  return testing::run_program(ADB_BIN "/adbench", arguments, temp.path());
}

// Test images of one category with their maps.
struct Case {
  int width = 0, height = 0;
  struct Item {
    bool anomalous = false;
    std::vector<float> map;
    std::vector<std::uint8_t> mask;  // 0 or 1
    float score = 0;
  };
  std::vector<Item> items;
};

Case golden_case(const std::string& name) {
  const auto file =
      SafetensorsFile::open(fs::path(ADB_TEST_GOLDENS) / (name + ".safetensors"), ErrorKind::kData);
  const auto scores = to_floats(file.at("scores"), "scores", ErrorKind::kData);
  const auto image_scores = to_floats(file.at("image_scores"), "scores", ErrorKind::kData);
  const auto& shape = file.at("scores").shape;
  const auto masks = file.at("masks").bytes;
  Case out{static_cast<int>(shape[2]), static_cast<int>(shape[1]), {}};
  const auto plane = static_cast<std::size_t>(shape[1] * shape[2]);
  for (std::size_t i = 0; i < static_cast<std::size_t>(shape[0]); ++i) {
    const auto from = static_cast<std::ptrdiff_t>(i * plane);
    const auto to = static_cast<std::ptrdiff_t>((i + 1) * plane);
    out.items.push_back({file.at("image_labels").bytes[i] == 1,
                         {scores.begin() + from, scores.begin() + to},
                         {masks.begin() + from, masks.begin() + to},
                         image_scores[i]});
  }
  return out;
}

Json golden_figures(const std::string& name, const char* mode) {
  return read_json(fs::path(ADB_TEST_GOLDENS) / (name + ".json"), ErrorKind::kData)
      .at("expected")
      .at(mode);
}

std::string stem(std::size_t i) {
  return fmt::format("{:03}", i);
}

std::string defect(const Case::Item& item) {
  return item.anomalous ? "broken" : "good";
}

void write_mask(const fs::path& file, const Case& c, const Case::Item& item) {
  Image mask(c.width, c.height, 1);
  for (std::size_t k = 0; k < mask.pixels.size(); ++k) {
    mask.pixels[k] = item.mask[k] != 0 ? 255 : 0;
  }
  fs::create_directories(file.parent_path());
  write_png(file, mask);
}

// FOLDER/part/{test,ground_truth}: no train folder, and images of any content.
void write_truth(const fs::path& folder, const Case& c, const std::string& category = "part") {
  for (std::size_t i = 0; i < c.items.size(); ++i) {
    const auto& item = c.items[i];
    const auto image = folder / category / "test" / defect(item) / (stem(i) + ".png");
    fs::create_directories(image.parent_path());
    write_png(image, Image(c.width, c.height, 3));
    if (item.anomalous) {
      write_mask(folder / category / "ground_truth" / "broken" / (stem(i) + "_mask.png"), c, item);
    }
  }
}

Array array_of(const std::vector<float>& values, std::vector<std::int64_t> shape) {
  Array array{DType::kF32, std::move(shape), std::vector<std::uint8_t>(values.size() * 4)};
  std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
  return array;
}

// A TIFF of 32-bit floats: header, one directory, one strip.
std::string float_tiff(int width, int height, const std::vector<float>& values) {
  std::string bytes = "II*";
  const auto number = [&bytes](std::uint32_t value, int size) {
    for (int i = 0; i < size; ++i) {
      bytes += static_cast<char>(value >> (8 * i));
    }
  };
  const std::map<std::uint32_t, std::uint32_t> tags = {
      {256, static_cast<std::uint32_t>(width)},
      {257, static_cast<std::uint32_t>(height)},
      {258, 32},  // bits
      {259, 1},   // not compressed
      {262, 1},   // 0 is black
      {273, 8 + 2 + 10 * 12 + 4},
      {277, 1},  // samples
      {278, static_cast<std::uint32_t>(height)},
      {279, static_cast<std::uint32_t>(values.size() * 4)},
      {339, 3},  // floating point
  };
  number(0, 1);
  number(8, 4);
  number(static_cast<std::uint32_t>(tags.size()), 2);
  for (const auto& [tag, value] : tags) {
    number(tag, 2);
    number(4, 2);  // a long
    number(1, 4);
    number(value, 4);
  }
  number(0, 4);
  for (const float value : values) {
    number(std::bit_cast<std::uint32_t>(value), 4);
  }
  return bytes;
}

using WriteMap = std::function<void(const fs::path& stem, const Case& c, const Case::Item& item)>;

void write_npy_map(const fs::path& name, const Case& c, const Case::Item& item) {
  write_npy(name.string() + ".npy", array_of(item.map, {c.height, c.width}).view());
}

void write_maps(const fs::path& folder,
                const Case& c,
                const WriteMap& write = write_npy_map,
                const std::string& category = "part") {
  for (std::size_t i = 0; i < c.items.size(); ++i) {
    const auto name = folder / category / "test" / defect(c.items[i]) / stem(i);
    fs::create_directories(name.parent_path());
    write(name, c, c.items[i]);
  }
}

void expect_figures(const Json& metrics, const Json& expected, double tolerance) {
  for (const char* level : {"image", "pixel"}) {
    for (const char* figure : {"auroc", "ap", "f1_max", "aupro"}) {
      const auto key = fmt::format("{}.{}", level, figure);
      if (metrics.contains(key)) {
        EXPECT_NEAR(metrics.at(key).at("value").get<double>(),
                    expected.at(level).at(figure).get<double>(),
                    tolerance)
            << key;
        EXPECT_TRUE(metrics.at(key).at("reason").is_null());
      }
    }
  }
  EXPECT_NEAR(metrics.at("mad").at("value").get<double>(), expected.at("mad"), tolerance);
}

Json data_of(const ProgramResult& result) {
  EXPECT_EQ(result.code, 0) << result.err;
  const auto answer = Json::parse(result.out, nullptr, false);
  EXPECT_TRUE(answer.is_object()) << result.out;
  return answer.is_object() ? answer.value("data", Json()) : Json();
}

class EvalFormat : public ::testing::TestWithParam<const char*> {};

TEST_P(EvalFormat, GivesTheFiguresOfTheGolden) {
  const std::string format = GetParam();
  const TempFolder temp;
  const auto c = golden_case("metrics_random");
  write_truth(temp.path() / "truth", c);
  write_maps(temp.path() / "maps", c, [&](const fs::path& name, const Case&, const auto& item) {
    const auto map = array_of(item.map, {1, c.height, c.width});
    if (format == "npy") {
      write_npy(name.string() + ".NPY", map.view());
    } else if (format == "safetensors") {
      write_safetensors(
          name.string() + ".safetensors", {{"anything", map.view()}}, {}, ErrorKind::kData);
    } else if (format == "tiff") {
      write_file_atomic(name.string() + ".tiff", float_tiff(c.width, c.height, item.map));
    } else {
      // Another array beside it: the one called "map" counts.
      write_npy(name.parent_path() / "map.npy", map.view());
      write_npy(name.parent_path() / "other.npy", array_of({1, 2}, {2}).view());
      const auto zipped = testing::run_program(
          "/usr/bin/env",
          {"python3", "-m", "zipfile", "-c", name.string() + ".npz", "map.npy", "other.npy"},
          name.parent_path());
      ASSERT_EQ(zipped.code, 0) << zipped.err;
      fs::remove(name.parent_path() / "map.npy");
      fs::remove(name.parent_path() / "other.npy");
    }
  });
  // A single category, and a map folder of that category.
  const auto data = data_of(eval(temp,
                                 {"--maps",
                                  "maps",
                                  "--ground-truth",
                                  "truth/part/",
                                  "--eval-size",
                                  "native",
                                  "--image-score",
                                  "pooled",
                                  "--json"}));
  ASSERT_TRUE(data.is_object());
  EXPECT_EQ(data.at("metric_mode"), "exact");
  EXPECT_EQ(data.at("eval_size"), "native");
  EXPECT_EQ(data.at("fpr_limit"), 0.3);
  ASSERT_EQ(data.at("categories").size(), 1U);
  EXPECT_EQ(data.at("categories")[0].at("category"), "part");
  EXPECT_EQ(data.at("categories")[0].at("images"), 6);
  expect_figures(
      data.at("categories")[0].at("metrics"), golden_figures("metrics_random", "exact"), 1e-12);
  expect_figures(data.at("mean"), golden_figures("metrics_random", "exact"), 1e-12);
}

INSTANTIATE_TEST_SUITE_P(Maps, EvalFormat, ::testing::Values("npy", "npz", "safetensors", "tiff"));

// 256 x 256 maps and masks are not touched by the default size.
TEST(Eval, DefaultSizeKeepsMapsOfThatSize) {
  const TempFolder temp;
  const auto c = golden_case("metrics_realistic");
  write_truth(temp.path() / "truth", c);
  write_maps(temp.path() / "maps", c);
  const Words words = {
      "--maps", "maps", "--ground-truth", "truth", "--json", "--image-score", "pooled"};
  const auto exact = eval(temp, words);
  EXPECT_THAT(exact.err, Not(HasSubstr("resized")));
  expect_figures(data_of(exact).at("mean"), golden_figures("metrics_realistic", "exact"), 1e-12);

  auto ader = words;
  ader.insert(ader.end(), {"--metric-mode", "ader"});
  const auto data = data_of(eval(temp, ader));
  EXPECT_EQ(data.at("metric_mode"), "ader");
  expect_figures(data.at("mean"), golden_figures("metrics_realistic", "ader"), 1e-9);

  auto limit = words;
  limit.insert(limit.end(), {"--fpr-limit", "0.05"});
  EXPECT_NEAR(
      data_of(eval(temp, limit)).at("mean").at("pixel.aupro").at("value").get<double>(),
      golden_figures("metrics_realistic", "exact").at("pixel").at("aupro_limit_0.05").get<double>(),
      1e-12);
}

TEST(Eval, ReadsManifestsWithGivenScores) {
  const TempFolder temp;
  const auto c = golden_case("metrics_random");
  std::string csv = "sample,category,label,map,mask,score\n";
  Json json = Json::array();
  for (std::size_t i = 0; i < c.items.size(); ++i) {
    const auto& item = c.items[i];
    const auto name = temp.path() / "any" / stem(i);
    fs::create_directories(name.parent_path());
    write_npy_map(name, c, item);
    Json row = {{"map", "any/" + stem(i) + ".npy"},
                {"label", item.anomalous},
                {"score", static_cast<double>(item.score)},
                {"mask", nullptr}};
    if (item.anomalous) {
      write_mask(temp.path() / "masks" / (stem(i) + ".png"), c, item);
      row["mask"] = "masks/" + stem(i) + ".png";
    }
    csv += fmt::format("image {},part,{},any/{}.npy,{},{}\n",
                       i,
                       item.anomalous ? 1 : 0,
                       stem(i),
                       item.anomalous ? "masks/" + stem(i) + ".png" : "",
                       item.score);
    json.push_back(row);
  }
  temp.write("part.csv", csv);
  temp.write("part.json", json.dump());
  for (const char* file : {"part.csv", "part.json"}) {
    const auto data = data_of(eval(temp, {"--manifest", file, "--eval-size", "native", "--json"}));
    EXPECT_EQ(data.at("image_score"), "given");
    EXPECT_EQ(data.at("categories")[0].at("category"), "part");
    expect_figures(data.at("mean"), golden_figures("metrics_random", "exact"), 1e-12);
  }
  temp.write("nan.csv", "map,label,score\nany/000.npy,1,0.5\nany/002.npy,0,nan\n");
  const auto refused = eval(temp, {"--manifest", "nan.csv"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("the given score of 'any/002.npy' is NaN"));
  temp.write("typo.csv", "map,lable\nany/000.npy,1\n");
  EXPECT_THAT(eval(temp, {"--maps", "typo.csv"}).err,
              HasSubstr("unknown column 'lable'; known: category, defect, label"));
}

// A category of 8 x 8 pixels: the first image's left half is anomalous and scored 1.
Case small_case(int images = 4) {
  Case c{8, 8, {}};
  for (int i = 0; i < images; ++i) {
    Case::Item item{i % 2 == 0, std::vector<float>(64, 0), std::vector<std::uint8_t>(64, 0), 0};
    for (std::size_t k = 0; k < 64 && item.anomalous; ++k) {
      item.mask[k] = k % 8 < 4 ? 1 : 0;
      item.map[k] = k % 8 < 4 ? 1 : 0;
    }
    c.items.push_back(item);
  }
  return c;
}

TEST(Eval, MapsOfAnotherSizeAreResizedAndItIsSaid) {
  const TempFolder temp;
  const auto c = small_case();
  write_truth(temp.path() / "truth", c);
  write_maps(temp.path() / "maps", c);
  const auto result = eval(temp, {"--maps", "maps", "--ground-truth", "truth", "--json"});
  EXPECT_THAT(result.err, HasSubstr("4 of 4 maps resized to 256 x 256, the first from 8 x 8"));
  EXPECT_EQ(data_of(result).at("mean").at("pixel.auroc").at("value"), 1.0);

  // `native` does not resize: the file is named.
  write_npy(temp.path() / "maps/part/test/good/001.npy", array_of({0, 1, 2, 3}, {2, 2}).view());
  const auto native =
      eval(temp, {"--maps", "maps", "--ground-truth", "truth", "--eval-size", "native"});
  EXPECT_EQ(native.code, 3);
  EXPECT_THAT(native.err, HasSubstr("test/good/001.npy' has 2 x 2 pixels"));
}

TEST(Eval, SmallRegionsThatVanishAreCounted) {
  const TempFolder temp;
  Case c{64, 64, {}};
  for (const bool anomalous : {true, false}) {
    c.items.push_back(
        {anomalous, std::vector<float>(4096, 0), std::vector<std::uint8_t>(4096, 0), 0});
  }
  c.items[0].mask[70] = 1;  // one pixel of 4 x 4 is lost
  for (std::size_t k = 0; k < 1024; ++k) {
    c.items[0].mask[2048 + k] = 1;
  }
  write_truth(temp.path() / "truth", c);
  write_maps(temp.path() / "maps", c);
  const auto data = data_of(
      eval(temp, {"--maps", "maps", "--ground-truth", "truth", "--eval-size", "16", "--json"}));
  EXPECT_EQ(data.at("categories")[0].at("counts").at("components"), 1);
  EXPECT_EQ(data.at("categories")[0].at("counts").at("components_vanished"), 1);
}

TEST(Eval, IntegerPngMapsAreTakenAsTheyAre) {
  const TempFolder temp;
  const auto c = small_case();
  write_truth(temp.path() / "truth", c);
  write_maps(temp.path() / "maps", c, [](const fs::path& name, const Case& all, const auto& item) {
    std::vector<std::uint16_t> values;
    for (const float v : item.map) {
      values.push_back(static_cast<std::uint16_t>(v * 40000 + 7));
    }
    write_file_atomic(name.string() + ".png", encode_png16(all.width, all.height, values));
  });
  const auto data = data_of(
      eval(temp, {"--maps", "maps", "--ground-truth", "truth", "--eval-size", "native", "--json"}));
  EXPECT_EQ(data.at("mean").at("mad").at("value"), 1.0);
}

TEST(Eval, NamesWhatDoesNotFit) {
  const TempFolder temp;
  const auto c = small_case();
  write_truth(temp.path() / "truth", c);
  write_maps(temp.path() / "maps", c);
  const auto map = temp.path() / "maps/part/test/good/001.npy";
  const auto message = [&] {
    const auto result = eval(temp, {"--maps", "maps", "--ground-truth", "truth"});
    EXPECT_EQ(result.code, 3) << result.err;
    EXPECT_EQ(result.out, "");
    return result.err;
  };
  auto values = c.items[1].map;
  values[19] = std::numeric_limits<float>::quiet_NaN();
  values[63] = std::numeric_limits<float>::infinity();
  write_npy(map, array_of(values, {8, 8}).view());
  EXPECT_THAT(message(),
              HasSubstr("001.npy' has NaN at row 2, column 3; 1 NaN and 1 infinite values"));

  write_npy(map, array_of(c.items[1].map, {4, 4, 4}).view());
  EXPECT_THAT(message(), HasSubstr("has the shape [4, 4, 4]: expected one map"));

  temp.write("maps/part/test/good/001.npy", "\x93NUMPY\x01");
  EXPECT_THAT(message(), HasSubstr("001.npy"));

  fs::remove(map);
  EXPECT_THAT(message(),
              HasSubstr("1 of 4 images have no map; the first is 'part/test/good/001.png'"));

  write_npy_map(map.parent_path() / "001", c, c.items[1]);
  temp.write("maps/part/test/good/001.tiff", "x");
  EXPECT_THAT(message(), HasSubstr("has two maps"));
  fs::remove(map.parent_path() / "001.tiff");

  temp.write("maps/part/test/good/extra.npy", "x");
  const auto extra = eval(temp, {"--maps", "maps", "--ground-truth", "truth"});
  EXPECT_EQ(extra.code, 0);
  EXPECT_THAT(extra.err, HasSubstr("1 maps belong to no image, the first is 'extra.npy'"));

  const auto mask = temp.path() / "truth/part/ground_truth/broken/000_mask.png";
  write_png(mask, Image(8, 8, 1));
  EXPECT_THAT(eval(temp, {"--maps", "maps", "--ground-truth", "truth"}).err,
              HasSubstr("000_mask.png' is empty"));
  fs::remove(mask);
  EXPECT_THAT(message(), HasSubstr("the mask of"));
}

TEST(Eval, UndefinedFiguresSayWhy) {
  const TempFolder temp;
  auto normal = small_case();
  for (auto& item : normal.items) {
    item.anomalous = false;
  }
  write_truth(temp.path() / "truth", normal, "alpha");
  write_maps(temp.path() / "maps", normal, write_npy_map, "alpha");
  write_truth(temp.path() / "truth", small_case(), "beta");
  write_maps(temp.path() / "maps", small_case(), write_npy_map, "beta");
  const Words words = {"--maps", "maps", "--ground-truth", "truth"};
  const auto with = [&](Words more) {
    more.insert(more.begin(), words.begin(), words.end());
    return eval(temp, more);
  };
  const auto strict = data_of(with({"--json"}));
  const auto& alpha = strict.at("categories")[0].at("metrics").at("image.auroc");
  EXPECT_TRUE(alpha.at("value").is_null());
  EXPECT_EQ(alpha.at("reason"), "no anomalous image");
  EXPECT_TRUE(strict.at("mean").at("mad").at("value").is_null());
  EXPECT_NE(strict.at("mean").at("mad").at("reason"), "");

  const auto skipped = data_of(with({"--json", "--skip-undefined"}));
  EXPECT_EQ(skipped.at("mean").at("image.auroc").at("value"), 1.0);
  EXPECT_EQ(skipped.at("mean").at("image.auroc").at("defined"), 1);

  EXPECT_THAT(with({}).out, HasSubstr("n/a (1)"));
  EXPECT_THAT(with({"--skip-undefined"}).out, HasSubstr("100.0 (1 of 2)"));
  EXPECT_THAT(with({"--format", "csv"}).out, HasSubstr("beta,4,100.000000,"));
  EXPECT_THAT(with({"--categories", "beta"}).out, Not(HasSubstr("alpha")));
}

TEST(Eval, WrongUsageIsExitCode2) {
  const TempFolder temp;
  write_truth(temp.path() / "truth", small_case());
  write_maps(temp.path() / "maps", small_case());
  for (const Words& more : {Words{"--fpr-limit", "0"},
                            Words{"--fpr-limit", "nan"},
                            Words{"--metric-mode", "ader", "--fpr-limit", "0.05"},
                            Words{"--fpr-limit", "0.3,2"},
                            Words{"--metric-mode", "ader", "--extra"},
                            Words{"--bootstrap", "0"},
                            Words{"--metric-mode", "fast"},
                            Words{"--eval-size", "0"},
                            Words{"--image-score", "top:0"},
                            Words{"--image-score", "mean"},
                            Words{"--categories", "unknown"},
                            Words{"--store", "s.sqlite"}}) {
    Words words = {"--maps", "maps", "--ground-truth", "truth"};
    words.insert(words.end(), more.begin(), more.end());
    EXPECT_EQ(eval(temp, words).code, 2) << more[0] << " " << more[1];
  }
  EXPECT_EQ(eval(temp, {"--maps", "maps"}).code, 2);
  EXPECT_EQ(eval(temp, {"--maps", "absent", "--ground-truth", "truth"}).code, 3);
  EXPECT_EQ(eval(temp, {"--maps", "maps", "--ground-truth", "absent"}).code, 3);
  EXPECT_FALSE(fs::exists(temp.path() / "s.sqlite"));
  EXPECT_FALSE(fs::exists(temp.path() / "adbench.sqlite")) << "only --store writes one";
}

TEST(Eval, StoresARunOfAnExternalMethod) {
  const TempFolder temp;
  write_truth(temp.path() / "truth", small_case());
  write_maps(temp.path() / "maps", small_case());
  Words words = {"--maps",
                 "maps",
                 "--ground-truth",
                 "truth",
                 "--store",
                 "s.sqlite",
                 "--method-name",
                 "their_method",
                 "--dataset-name",
                 "mvtec_ad"};
  ASSERT_EQ(eval(temp, words).code, 0);
  ASSERT_EQ(eval(temp, words).code, 0) << "the same again changes nothing";
  words.insert(words.end(), {"--eval-size", "native", "--fpr-limit", "1"});
  ASSERT_EQ(eval(temp, words).code, 0);
  {
    const auto store = Store::open_for_read(temp.path() / "s.sqlite");
    const auto runs = store.find_runs();
    ASSERT_EQ(runs.size(), 1U);
    EXPECT_TRUE(runs[0].external);
    EXPECT_EQ(runs[0].method, "their_method");
    EXPECT_EQ(runs[0].dataset, "mvtec_ad");
    EXPECT_EQ(runs[0].status, RunStatus::kFinished);
    EXPECT_EQ(store.metrics(runs[0].id).size(), 2U * 2U * 8U) << "2 settings, mean and category";
    EXPECT_EQ(store.scores(runs[0].id).size(), 4U);
  }
  // Other maps are another run.
  write_npy(temp.path() / "maps/part/test/good/001.npy",
            array_of(std::vector<float>(64, 0.5F), {8, 8}).view());
  ASSERT_EQ(eval(temp, words).code, 0);
  EXPECT_EQ(Store::open_for_read(temp.path() / "s.sqlite").find_runs().size(), 2U);
}

TEST(Eval, MapsThatCannotBeMappedAreReadAsWell) {
  const TempFolder temp;
  const auto c = golden_case("metrics_random");
  write_truth(temp.path() / "truth", c);
  // Every third map lies unaligned in its file, every third in Fortran order.
  write_maps(temp.path() / "maps",
             c,
             [n = 0](const fs::path& name, const Case& all, const auto& item) mutable {
               const int kind = n++ % 3;
               std::vector<float> values = item.map;
               if (kind == 1) {
                 for (int y = 0; y < all.height; ++y) {
                   for (int x = 0; x < all.width; ++x) {
                     values[static_cast<std::size_t>(x * all.height + y)] =
                         item.map[static_cast<std::size_t>(y * all.width + x)];
                   }
                 }
               }
               std::string header =
                   fmt::format("{{'descr': '<f4', 'fortran_order': {}, 'shape': ({}, {})}}",
                               kind == 1 ? "True" : "False",
                               all.height,
                               all.width);
               header.resize(kind == 2 ? 119 : 118, ' ');
               std::string bytes = "\x93NUMPY";
               bytes += {'\1', '\0', static_cast<char>(header.size()), '\0'};
               bytes += header;
               bytes.append(std::bit_cast<const char*>(values.data()),
                            values.size() * sizeof(float));
               write_file_atomic(name.string() + ".npy", bytes);
             });
  const auto data = data_of(
      eval(temp, {"--maps", "maps", "--ground-truth", "truth", "--eval-size", "native", "--json"}));
  EXPECT_NEAR(data.at("mean").at("pixel.aupro").at("value").get<double>(),
              golden_figures("metrics_random", "exact").at("pixel").at("aupro").get<double>(),
              1e-12);
}

TEST(Eval, FurtherFiguresOnRequest) {
  const TempFolder temp;
  const auto c = golden_case("metrics_random");
  write_truth(temp.path() / "truth", c);
  write_maps(temp.path() / "maps", c);
  const Words words = {"--maps",
                       "maps",
                       "--ground-truth",
                       "truth",
                       "--eval-size",
                       "native",
                       "--fpr-limit",
                       "0.3,0.05",
                       "--fpr-limit",
                       "1",
                       "--extra",
                       "--by-defect",
                       "--bootstrap",
                       "300"};
  auto json_words = words;
  json_words.push_back("--json");
  const auto data = data_of(eval(temp, json_words));
  EXPECT_EQ(data.at("fpr_limit"), 0.3);
  const auto& category = data.at("categories")[0];
  const auto golden = golden_figures("metrics_random", "exact").at("pixel");
  for (const char* limit : {"0.05", "1"}) {
    const auto& value = category.at("extra").at(fmt::format("pixel.aupro@{}", limit)).at("value");
    const auto expected = golden.at(limit[0] == '1' ? "aupro_limit_1.0" : "aupro_limit_0.05");
    EXPECT_NEAR(value.get<double>(), expected.get<double>(), 1e-12);
  }
  const double f1 = golden.at("f1_max").get<double>();
  EXPECT_NEAR(
      data.at("mean_extra").at("pixel.iou_max").at("value").get<double>(), f1 / (2 - f1), 1e-12);
  for (const char* key : {"image.fpr95", "pixel.fpr95", "pixel.aupimo"}) {
    EXPECT_TRUE(category.at("extra").at(key).at("value").is_number()) << key;
  }
  ASSERT_EQ(category.at("defects").size(), 1U);
  EXPECT_EQ(category.at("defects")[0].at("defect"), "broken");
  EXPECT_EQ(category.at("defects")[0].at("metrics"), category.at("metrics"))
      << "with one kind of defect its figures are the category's";
  const auto& interval = category.at("intervals").at("pixel.auroc");
  const auto auroc = category.at("metrics").at("pixel.auroc").at("value").get<double>();
  EXPECT_LT(interval.at("lower").get<double>(), auroc);
  EXPECT_GT(interval.at("upper").get<double>(), auroc);
  EXPECT_EQ(data_of(eval(temp, json_words)), data) << "the same seed gives the same intervals";

  const auto table = eval(temp, words).out;
  EXPECT_THAT(table, HasSubstr("pixel.aupro@0.05"));
  EXPECT_THAT(table, HasSubstr("part/broken"));
  EXPECT_THAT(table, HasSubstr("95 % intervals of 300 resamples"));
  auto csv_words = words;
  csv_words.insert(csv_words.end(), {"--format", "csv"});
  EXPECT_THAT(eval(temp, csv_words).out, HasSubstr(",mad,image.fpr95,"));

  // Without asking, the answer is what it was.
  const auto plain = data_of(
      eval(temp, {"--maps", "maps", "--ground-truth", "truth", "--eval-size", "native", "--json"}));
  EXPECT_FALSE(plain.contains("mean_extra"));
  EXPECT_FALSE(plain.at("categories")[0].contains("defects"));
  EXPECT_EQ(plain.at("mean"), data.at("mean"));
}

TEST(Eval, DefectsAreMeasuredApart) {
  const TempFolder temp;
  const auto c = small_case(6);  // 0, 2, 4 anomalous
  std::string csv = "map,label,mask,defect\n";
  for (std::size_t i = 0; i < c.items.size(); ++i) {
    auto item = c.items[i];
    const bool missed = i == 4;
    if (missed) {
      item.map.assign(item.map.size(), 0);
    }
    fs::create_directories(temp.path() / "m");
    write_npy_map(temp.path() / "m" / stem(i), c, item);
    if (item.anomalous) {
      write_mask(temp.path() / "masks" / (stem(i) + ".png"), c, item);
    }
    csv += fmt::format("m/{}.npy,{},{},{}\n",
                       stem(i),
                       item.anomalous ? 1 : 0,
                       item.anomalous ? "masks/" + stem(i) + ".png" : "",
                       missed ? "scratch" : "dent");
  }
  temp.write("part.csv", csv);
  const auto data = data_of(
      eval(temp, {"--manifest", "part.csv", "--eval-size", "native", "--by-defect", "--json"}));
  const auto& defects = data.at("categories")[0].at("defects");
  ASSERT_EQ(defects.size(), 2U);
  EXPECT_EQ(defects[0].at("defect"), "dent");
  EXPECT_EQ(defects[0].at("images"), 2);
  EXPECT_EQ(defects[0].at("metrics").at("image.auroc").at("value"), 1.0);
  EXPECT_EQ(defects[1].at("metrics").at("image.auroc").at("value"), 0.5);
  EXPECT_EQ(defects[1].at("metrics").at("pixel.auroc").at("value"), 0.5);
}

}  // namespace
}  // namespace adb
