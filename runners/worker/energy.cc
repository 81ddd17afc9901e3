#include "runners/worker/energy.h"

#include <algorithm>
#include <fstream>

#include <dlfcn.h>
#include <fmt/format.h>

#include "core/text.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

std::optional<double> read_number(const fs::path& file) {
  std::ifstream in(file);
  double value = 0;
  return in >> value ? std::optional(value) : std::nullopt;
}

}  // namespace

// NVML as far as it is used; the library is the driver's, so it is looked for at run time.
struct EnergyMeter::Gpu {
  static std::unique_ptr<Gpu> find(int index) {
    void* library = ::dlopen("libnvidia-ml.so.1", RTLD_NOW);
    if (library == nullptr) {
      return nullptr;
    }
    auto gpu = std::make_unique<Gpu>();
    gpu->index = index;
    gpu->library = library;
    int (*start)() = nullptr;
    int (*by_index)(unsigned, void**) = nullptr;
    const bool found = gpu->load(start, "nvmlInit_v2") && gpu->load(gpu->stop, "nvmlShutdown") &&
                       gpu->load(by_index, "nvmlDeviceGetHandleByIndex_v2") &&
                       gpu->load(gpu->energy, "nvmlDeviceGetTotalEnergyConsumption");
    if (!found || start() != 0) {
      gpu->stop = nullptr;
      return nullptr;
    }
    if (by_index(static_cast<unsigned>(index), &gpu->handle) != 0 || !gpu->read()) {
      return nullptr;
    }
    gpu->last = *gpu->read();
    return gpu;
  }

  ~Gpu() {
    if (stop != nullptr) {
      stop();
    }
    ::dlclose(library);
  }

  template <class Function>
  bool load(Function*& function, const char* name) {
    function = reinterpret_cast<Function*>(::dlsym(library, name));
    return function != nullptr;
  }

  // Joules since the driver was loaded.
  std::optional<double> read() const {
    unsigned long long millijoules = 0;
    return energy(handle, &millijoules) == 0
               ? std::optional(static_cast<double>(millijoules) * 1e-3)
               : std::nullopt;
  }

  int index = 0;
  void* library = nullptr;
  void* handle = nullptr;
  int (*stop)() = nullptr;
  int (*energy)(void*, unsigned long long*) = nullptr;
  double last = 0;
};

EnergyMeter::EnergyMeter(at::Device device, const fs::path& powercap) {
  std::error_code absent;
  for (fs::directory_iterator zone(powercap, absent), end; !absent && zone != end;
       zone.increment(absent)) {
    std::string name;
    std::ifstream(zone->path() / "name") >> name;
    const auto file = zone->path() / "energy_uj";
    const auto now = read_number(file), range = read_number(zone->path() / "max_energy_range_uj");
    // Parts of a package (core, dram of some) are in its count; `psys` would count it twice.
    if (name.starts_with("package") && now && range) {  // most systems let only root read it
      counters_.push_back({name, file, *range, *now});
    }
  }
  std::sort(counters_.begin(), counters_.end(), [](const Counter& a, const Counter& b) {
    return a.name < b.name;
  });
  if (device.is_cuda()) {
    gpu_ = Gpu::find(device.index());
  }
}

EnergyMeter::~EnergyMeter() = default;

double EnergyMeter::take() {
  double joules = 0;
  for (auto& counter : counters_) {
    const auto now = read_number(counter.file).value_or(counter.last);
    joules += 1e-6 * (now - counter.last + (now < counter.last ? counter.range : 0));
    counter.last = now;
  }
  if (gpu_) {
    const auto now = gpu_->read().value_or(gpu_->last);
    joules += now - gpu_->last;
    gpu_->last = now;
  }
  return joules;
}

std::string EnergyMeter::sources() const {
  std::vector<std::string> names;
  for (const auto& counter : counters_) {
    names.push_back(counter.name);
  }
  if (gpu_) {
    names.push_back(fmt::format("GPU {}", gpu_->index));
  }
  return join(names, ", ");
}

}  // namespace adb
