#include <gtest/gtest.h>

#include "results/store.h"

namespace adb {
namespace {

TEST(Speed, EverySampleComesBackInOrder) {
  auto store = Store::open_for_write(":memory:");
  SpeedRow row;
  row.method = "rd";
  row.method_version = 2;
  row.options = {{"image_size", 64}};
  row.image_size = 64;
  row.batch = 16;
  row.device = "cpu";
  row.threads = 2;
  row.peak_train_bytes = 900;
  row.peak_predict_bytes = 400;
  row.series = {{"predict_1", {0.3, 0.1, 0.2}}, {"step", {1.5}}};
  Environment environment;
  environment.host = "here";
  store.add_speed(row, environment);
  auto other = row;
  other.method = "uniad";
  other.series = {};
  store.add_speed(other, environment);

  const auto rows = store.speeds();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].method, "rd");
  EXPECT_EQ(rows[0].method_version, 2);
  EXPECT_EQ(rows[0].options, row.options);
  EXPECT_EQ(rows[0].batch, 16);
  EXPECT_EQ(rows[0].threads, 2);
  EXPECT_EQ(rows[0].peak_train_bytes, 900);
  EXPECT_EQ(rows[0].peak_predict_bytes, 400);
  EXPECT_EQ(rows[0].series, row.series);
  EXPECT_EQ(rows[1].method, "uniad");
  EXPECT_TRUE(rows[1].series.empty());
}

}  // namespace
}  // namespace adb
