#include "core/scratch.h"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <stdlib.h>

namespace adb {

ScratchFolder::ScratchFolder(const std::string& prefix,
                             const std::filesystem::path& parent,
                             ErrorKind kind) {
  std::string name = (parent / (prefix + "-XXXXXX")).string();
  ADB_CHECK(::mkdtemp(name.data()) != nullptr,
            kind,
            "cannot create a folder in '{}': {}",
            parent.string(),
            std::strerror(errno));
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;  // a leftover is no reason to lose an answer
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace adb
