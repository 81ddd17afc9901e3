// What `adbench eval` measures, as its flags say it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "metrics/bootstrap.h"
#include "metrics/evaluate.h"

namespace adb {

// How the score of an image comes from its map as the program wrote it, before any resizing.
struct ImageScore {
  enum class Kind { kMax, kPooled, kTop, kGiven };

  Kind kind = Kind::kMax;
  std::size_t count = 0;  // kPooled: side of the window; kTop: number of values averaged

  // "max", "pooled" (16 x 16), "pooled:N", "top:K" or "given". throws: Error(kUsage)
  static ImageScore parse(const std::string& text);
  std::string text() const;
};

// At which size maps meet masks.
struct EvalSize {
  int side = 256;  // 0: the masks' own size

  // "native", or pixels of a side. throws: Error(kUsage)
  static EvalSize parse(const std::string& text);
  std::string text() const;
};

struct EvalOptions {
  EvalSize size;
  ImageScore image_score;
  EvaluationOptions metrics;
  bool by_defect = false;
  std::optional<BootstrapOptions> bootstrap;
};

}  // namespace adb
