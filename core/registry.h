// Named entries in one table, filled by ordinary function calls: no static initialisers.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace adb {

// Entry must have a member `std::string name`. Iteration is in the order of adding.
template <class Entry>
class Registry {
 public:
  explicit Registry(std::string what) : what_(std::move(what)) {}

  // throws: Error(kInternal) when the name is taken
  void add(Entry entry) {
    ADB_CHECK(find(entry.name) == nullptr,
              ErrorKind::kInternal,
              "{} '{}' is registered twice",
              what_,
              entry.name);
    entries_.push_back(std::move(entry));
  }

  const Entry* find(std::string_view name) const {
    for (const auto& entry : entries_) {
      if (entry.name == name) {
        return &entry;
      }
    }
    return nullptr;
  }

  // throws: Error(kUsage) naming the nearest and all known names
  const Entry& at(std::string_view name) const {
    const Entry* entry = find(name);
    if (entry == nullptr) {
      throw Error(ErrorKind::kUsage, unknown_name(what_, name, names()));
    }
    return *entry;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : entries_) {
      names.push_back(entry.name);
    }
    return names;
  }

  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

 private:
  std::string what_;
  std::vector<Entry> entries_;
};

}  // namespace adb
