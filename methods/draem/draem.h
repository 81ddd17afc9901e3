// DRÆM (Zavrtanik, Kristan and Skočaj, ICCV 2021): a defect is pasted into a normal image, one
// network restores the image, a second one compares both and marks the defect.
#pragma once

#include "methods/method.h"

namespace adb {

MethodEntry draem_method();

}  // namespace adb
