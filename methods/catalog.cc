#include "methods/catalog.h"

#include "methods/destseg/destseg.h"
#include "methods/draem/draem.h"
#include "methods/null/null.h"
#include "methods/rd/rd.h"
#include "methods/simplenet/simplenet.h"
#include "methods/uniad/uniad.h"
#include "methods/vitad/vitad.h"

namespace adb {

void add_builtin_methods(Registry<MethodEntry>& methods) {
  for (auto make : {destseg_method,
                    draem_method,
                    null_method,
                    rd_method,
                    simplenet_method,
                    uniad_method,
                    vitad_method}) {
    methods.add(make());
  }
}

}  // namespace adb
