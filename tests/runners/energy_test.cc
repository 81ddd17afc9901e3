// The energy meter on a made-up powercap folder.
#include "runners/worker/energy.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using testing::TempFolder;

void write_zone(const TempFolder& folder,
                const std::string& zone,
                const std::string& name,
                const std::string& microjoules) {
  folder.write(zone + "/name", name + "\n");
  folder.write(zone + "/energy_uj", microjoules + "\n");
  folder.write(zone + "/max_energy_range_uj", "10000000\n");
}

TEST(EnergyMeter, AddsUpPackages) {
  const TempFolder folder;
  write_zone(folder, "intel-rapl:1", "package-1", "1000000");
  write_zone(folder, "intel-rapl:0", "package-0", "2000000");
  write_zone(folder, "intel-rapl:0:0", "core", "0");
  write_zone(folder, "intel-rapl:2", "psys", "0");
  EnergyMeter meter(at::kCPU, folder.path());
  EXPECT_EQ(meter.sources(), "package-0, package-1");
  EXPECT_EQ(meter.take(), 0);
  write_zone(folder, "intel-rapl:0", "package-0", "2500000");
  write_zone(folder, "intel-rapl:1", "package-1", "4000000");
  write_zone(folder, "intel-rapl:0:0", "core", "400000");
  EXPECT_NEAR(meter.take(), 3.5, 1e-9);
  EXPECT_EQ(meter.take(), 0);
}

TEST(EnergyMeter, ACounterGoesAround) {
  const TempFolder folder;
  write_zone(folder, "intel-rapl:0", "package-0", "9000000");
  EnergyMeter meter(at::kCPU, folder.path());
  write_zone(folder, "intel-rapl:0", "package-0", "2000000");
  EXPECT_NEAR(meter.take(), 3, 1e-9);
}

TEST(EnergyMeter, SaysThatNothingReports) {
  const TempFolder folder;
  folder.write("intel-rapl:0/name", "package-0\n");  // a counter that may not be read
  EXPECT_FALSE(EnergyMeter(at::kCPU, folder.path()).available());
  EnergyMeter nowhere(at::kCPU, folder.path() / "none");
  EXPECT_FALSE(nowhere.available());
  EXPECT_EQ(nowhere.take(), 0);
  EXPECT_EQ(nowhere.sources(), "");
}

}  // namespace
}  // namespace adb
