// Energy counters of the machine: RAPL of the processors (Linux powercap) and NVML of a GPU. They
// count the whole package or card, whatever runs on it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <c10/core/Device.h>

namespace adb {

class EnergyMeter {
 public:
  // device: the GPU whose counter is read besides those of the processors (by NVML's numbering)
  explicit EnergyMeter(at::Device device,
                       const std::filesystem::path& powercap = "/sys/class/powercap");
  ~EnergyMeter();
  EnergyMeter(const EnergyMeter&) = delete;
  EnergyMeter& operator=(const EnergyMeter&) = delete;

  // Joules since the last call, or since the construction; 0 without counters. RAPL counters go
  // around every few minutes under load: call at least that often.
  double take();

  bool available() const { return !counters_.empty() || gpu_ != nullptr; }
  // "package-0, GPU 1"; empty where nothing reports.
  std::string sources() const;

 private:
  struct Gpu;
  struct Counter {
    std::string name;
    std::filesystem::path file;  // microjoules
    double range = 0;            // where it goes around
    double last = 0;
  };
  std::vector<Counter> counters_;
  std::unique_ptr<Gpu> gpu_;
};

}  // namespace adb
