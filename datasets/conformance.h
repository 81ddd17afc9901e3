// What every loader of a data set promises, as a check that a test of a new one calls.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "datasets/catalog.h"
#include "datasets/dataset.h"

namespace adb {

// Opens a data set several times and looks for broken promises: the same list each time; unique
// ids; files that exist; categories and samples in one order, none empty; training images normal,
// "good" exactly for normal images; a chosen category the same as that part of the whole; an
// unknown one refused; no training images needed where only tests count.
//   open: the loader under test, on a complete data set of two or more categories
//   returns: one line for each broken promise, empty when all are kept
//   throws: what `open` throws where it should not
std::vector<std::string> check_dataset_conformance(
    const std::function<Dataset(const OpenOptions&)>& open);

}  // namespace adb
