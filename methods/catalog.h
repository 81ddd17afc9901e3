// Which methods exist.
#pragma once

#include "methods/method.h"

namespace adb {

void add_builtin_methods(Registry<MethodEntry>& methods);

}  // namespace adb
