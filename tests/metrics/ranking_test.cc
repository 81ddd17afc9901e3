#include "metrics/ranking.h"

#include <vector>

#include <gtest/gtest.h>

#include "metrics/score_key.h"

namespace adb {
namespace {

TEST(Ranking, PerfectScores) {
  const RankingFigures figures =
      rank_scores(std::vector<float>{1, 2, 3, 4}, std::vector<std::uint8_t>{0, 0, 1, 1});
  EXPECT_EQ(figures.auroc, 1.0);
  EXPECT_EQ(figures.ap, 1.0);
  EXPECT_EQ(figures.f1_max, 1.0);
  EXPECT_EQ(figures.f1_threshold_highest, 3.0F);
}

TEST(Ranking, InvertedScores) {
  const RankingFigures figures =
      rank_scores(std::vector<float>{4, 3, 2, 1}, std::vector<std::uint8_t>{0, 0, 1, 1});
  EXPECT_EQ(figures.auroc, 0.0);
  EXPECT_EQ(figures.ap, (1.0 / 3 + 2.0 / 4) / 2);
  EXPECT_EQ(figures.f1_max, 4.0 / 6);
}

TEST(Ranking, EqualScoresAreOneStep) {
  const RankingFigures figures =
      rank_scores(std::vector<float>{2, 2, 2, 2}, std::vector<std::uint8_t>{0, 0, 0, 1});
  EXPECT_EQ(figures.auroc, 0.5);
  EXPECT_EQ(figures.ap, 0.25);
  EXPECT_EQ(figures.f1_max, 0.4);
}

TEST(Ranking, BothZerosAreOneScore) {
  const RankingFigures figures =
      rank_scores(std::vector<float>{-0.0F, 0.0F}, std::vector<std::uint8_t>{1, 0});
  EXPECT_EQ(figures.auroc_numerator, 1U);
  EXPECT_EQ(figures.auroc_denominator, 2U);
}

TEST(Ranking, TiedF1ReportsBothThresholds) {
  // F1 is 2/3 after the first anomalous item (1 of 1 flagged, 2 anomalous) and after the last (2 of
  // 4).
  const RankingFigures figures =
      rank_scores(std::vector<float>{9, 8, 7, 6}, std::vector<std::uint8_t>{1, 0, 0, 1});
  EXPECT_EQ(figures.f1_numerator, 2U);
  EXPECT_EQ(figures.f1_denominator, 3U);
  EXPECT_EQ(figures.f1_threshold_highest, 9.0F);
  EXPECT_EQ(figures.f1_threshold_lowest, 6.0F);
}

// The fractions differ by about 1e-19: equal as doubles, and their cross products pass 64 bits.
TEST(Ranking, F1IsComparedExactlyWithBillionsOfItems) {
  constexpr std::uint64_t kAnomalous = 3000000000;
  constexpr std::uint64_t kNormal = 1200000001;
  RankingSums sums(kAnomalous, kNormal);
  sums.add_group(score_key(2), kAnomalous - 1, kNormal - 2);  // (P-1) / (2P + Ng - 3)
  sums.add_group(score_key(1), 1, 2);                         // P / (2P + Ng)
  const double first = 2.0 * (kAnomalous - 1) / (2.0 * kAnomalous + kNormal - 3);
  const double second = 2.0 * kAnomalous / (2.0 * kAnomalous + kNormal);
  const RankingFigures figures = sums.figures();
  EXPECT_NEAR(first, second, 1e-9);
  // (P-1)(2P+Ng) < P(2P+Ng-3) iff 3P < 2P + Ng, which is false here: the first is the larger one.
  EXPECT_EQ(figures.f1_threshold_highest, 2.0F);
  EXPECT_EQ(figures.f1_threshold_lowest, 2.0F);
}

TEST(Ranking, DistinctScoresCountBothZerosOnce) {
  const std::vector<float> a = {1, 2, -0.0F};
  const std::vector<float> b = {2, 0.0F, 3};
  const std::vector<std::span<const float>> maps = {a, b};
  EXPECT_EQ(count_distinct_scores(maps), 4U);
}

}  // namespace
}  // namespace adb
