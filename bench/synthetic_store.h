// A store as a year of benchmarking leaves it, for measuring what reads stores.
#pragma once

#include <cstdint>

#include "results/store.h"

namespace adb::bench {

struct StoreSize {
  std::int64_t runs = 1000;
  std::int64_t seeds = 5;  // runs of one cell that differ in nothing else
  std::int64_t classes = 15;
  std::int64_t epochs = 100;
  std::int64_t tests = 10;
  std::int64_t images = 20;  // scored images of a class
};

// Adds finished runs under protocol `paper`: curves of every epoch, the eight figures of every
// class and test, image scores of the last one, counts and efficiency. Equal sizes give equal rows.
void fill_store(Store& store, const StoreSize& size);

}  // namespace adb::bench
