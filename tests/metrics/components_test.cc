#include "metrics/components.h"

#include <map>

#include <gtest/gtest.h>

#include "core/seed.h"
#include "tests/metrics/brute_force.h"

namespace adb {
namespace {

struct Labels {
  std::size_t components;
  std::vector<std::uint32_t> pixel_areas;  // of every mask pixel, in order
};

Labels label(std::span<const std::uint8_t> mask, std::size_t width, Connectivity connectivity) {
  ComponentLabeller labeller;
  labeller.start(mask, width, connectivity);
  std::vector<std::uint32_t> numbers;
  for (std::size_t row = 0; row < mask.size() / width; ++row) {
    for (const MaskRun& run : labeller.next_row()) {
      numbers.insert(numbers.end(), run.end - run.begin, run.number);
    }
  }
  Labels labels;
  labels.components = labeller.finish();
  for (const std::uint32_t number : numbers) {
    labels.pixel_areas.push_back(labeller.areas()[number]);
  }
  return labels;
}

// '#' is a mask pixel.
std::vector<std::uint8_t> drawing(const std::vector<std::string>& rows) {
  std::vector<std::uint8_t> mask;
  for (const std::string& row : rows) {
    for (const char pixel : row) {
      mask.push_back(pixel == '#' ? 1 : 0);
    }
  }
  return mask;
}

TEST(Components, CornersJoinOnlyWithEightNeighbours) {
  const auto mask = drawing({"#....", ".#.#.", "..#.#"});
  EXPECT_EQ(label(mask, 5, Connectivity::kEight).components, 1U);
  EXPECT_EQ(label(mask, 5, Connectivity::kFour).components, 5U);
}

TEST(Components, DoNotWrapAroundRows) {
  const auto mask = drawing({"....#", "#....", "....#"});
  EXPECT_EQ(label(mask, 5, Connectivity::kEight).components, 3U);
  EXPECT_EQ(label(mask, 5, Connectivity::kFour).components, 3U);
}

TEST(Components, ArmsJoinLate) {
  const auto mask = drawing({"#.#.#.#", "#.#.#.#", "#.###.#", "#.....#", "#######", "......."});
  const Labels labels = label(mask, 7, Connectivity::kEight);
  EXPECT_EQ(labels.components, 2U);
  EXPECT_EQ(labels.pixel_areas.at(0), 15U);  // the outer frame
  EXPECT_EQ(labels.pixel_areas.at(1), 7U);   // the inner one
}

TEST(Components, SingleRowsAndColumnsWork) {
  EXPECT_EQ(label(drawing({"##.#"}), 4, Connectivity::kEight).components, 2U);
  EXPECT_EQ(label(drawing({"#", "#", ".", "#"}), 1, Connectivity::kEight).components, 2U);
}

TEST(Components, AgreeWithFloodFill) {
  Stream stream(1, "components");
  for (int round = 0; round < 300; ++round) {
    const auto width = static_cast<std::size_t>(1 + stream.below(40));
    const auto height = static_cast<std::size_t>(1 + stream.below(12));
    const double density = stream.uniform();
    std::vector<std::uint8_t> mask(width * height);
    for (std::uint8_t& pixel : mask) {
      pixel = stream.uniform() < density ? 1 : 0;
    }
    for (const bool diagonal : {true, false}) {
      int components = 0;
      const std::vector<int> numbers = testing::flood_fill(mask, width, diagonal, components);
      std::map<int, std::uint32_t> areas;
      for (const int number : numbers) {
        ++areas[number];
      }
      std::vector<std::uint32_t> expected;
      for (const int number : numbers) {
        if (number >= 0) {
          expected.push_back(areas[number]);
        }
      }
      const Labels labels =
          label(mask, width, diagonal ? Connectivity::kEight : Connectivity::kFour);
      ASSERT_EQ(labels.components, static_cast<std::size_t>(components)) << "round " << round;
      ASSERT_EQ(labels.pixel_areas, expected) << "round " << round;
    }
  }
}

}  // namespace
}  // namespace adb
