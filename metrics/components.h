// Connected components of a mask, found on runs of mask pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace adb {

enum class Connectivity { kFour = 4, kEight = 8 };

// A maximal stretch of mask pixels in one row, as pixel indices of the row-major image.
struct MaskRun {
  std::size_t begin;
  std::size_t end;
  std::uint32_t number;  // provisional component number
};

// Labels one mask at a time; reuse it to keep its memory. Not for several threads at once.
//
// start(), then next_row() once per row, then finish(). A run carries a provisional number; after
// finish() areas()[number] is the area of its component. No run outlives the next row, so the
// memory is 8 bytes per provisional number (at most one per run) and two rows of runs.
class ComponentLabeller {
 public:
  // mask: [H, W] row-major, 0 or 1, fewer than 2^32 pixels; kept by reference until finish().
  void start(std::span<const std::uint8_t> mask, std::size_t width, Connectivity connectivity);

  // The runs of the next row, left to right; valid until the next call.
  std::span<const MaskRun> next_row();

  // returns: the number of components
  std::size_t finish();

  // After finish(), per provisional number: area in pixels of its component. The caller may
  // overwrite it.
  std::span<std::uint32_t> areas() { return areas_; }

 private:
  void find_runs(std::size_t row_end);
  void join_above();
  std::uint32_t root(std::uint32_t number);

  std::span<const std::uint8_t> mask_;
  std::size_t width_ = 0;
  std::size_t reach_ = 1;      // columns by which a run reaches past its ends into the row above
  std::size_t row_begin_ = 0;  // pixel index of the next row
  std::vector<MaskRun> above_;
  std::vector<MaskRun> row_;
  std::vector<std::uint32_t> parents_;  // parents_[i] <= i; equal for a root
  std::vector<std::uint32_t> areas_;
};

}  // namespace adb
