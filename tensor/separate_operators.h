// A switch for observers of operators, which cannot see what a fused operator does.
#pragma once

namespace adb {

// While one lives, networks on its thread run each step as an operator of its own, where they would
// otherwise fuse several; an observer (of multiply-accumulates, say) can then tell them apart.
class SeparateOperators {
 public:
  SeparateOperators();
  ~SeparateOperators();
  SeparateOperators(const SeparateOperators&) = delete;
  SeparateOperators& operator=(const SeparateOperators&) = delete;

  static bool wanted();

 private:
  bool before_;
};

}  // namespace adb
