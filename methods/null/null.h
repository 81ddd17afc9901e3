// A method that learns nothing: the same constant map for every image. It measures the harness and
// is the floor that every method must beat.
#pragma once

#include "methods/method.h"

namespace adb {

MethodEntry null_method();

}  // namespace adb
