#include "metrics/components.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace adb {
namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);

// First index in [begin, end) whose byte is `wanted` (0 or 1, in a mask of 0 and 1), or end; 8
// bytes at a time.
std::size_t find_byte(const std::uint8_t* mask,
                      std::size_t begin,
                      std::size_t end,
                      std::uint8_t wanted) {
  const std::uint64_t all_others = wanted == 0 ? 0x0101010101010101U : 0U;
  while (end - begin >= kWord) {
    std::uint64_t word;
    std::memcpy(&word, mask + begin, kWord);
    word ^= all_others;
    if (word != 0) {
      const int zeros = std::endian::native == std::endian::little ? std::countr_zero(word)
                                                                   : std::countl_zero(word);
      return begin + static_cast<std::size_t>(zeros) / 8;
    }
    begin += kWord;
  }
  while (begin < end && mask[begin] != wanted) {
    ++begin;
  }
  return begin;
}

}  // namespace

void ComponentLabeller::start(std::span<const std::uint8_t> mask,
                              std::size_t width,
                              Connectivity connectivity) {
  mask_ = mask;
  width_ = width;
  reach_ = connectivity == Connectivity::kEight ? 1 : 0;
  row_begin_ = 0;
  above_.clear();
  row_.clear();
  parents_.clear();
  areas_.clear();
}

std::span<const MaskRun> ComponentLabeller::next_row() {
  std::swap(above_, row_);
  row_.clear();
  find_runs(row_begin_ + width_);
  join_above();
  row_begin_ += width_;
  return row_;
}

void ComponentLabeller::find_runs(std::size_t row_end) {
  for (std::size_t at = row_begin_; at < row_end;) {
    const std::size_t begin = find_byte(mask_.data(), at, row_end, 1);
    if (begin == row_end) {
      return;
    }
    at = find_byte(mask_.data(), begin, row_end, 0);
    row_.push_back({begin, at, 0});
  }
}

// Gives every run of the row the number of a run it touches in the row above, or a new one.
void ComponentLabeller::join_above() {
  auto above = above_.begin();
  for (MaskRun& run : row_) {
    // Shifted down one row, [begin, end) of a run above touches this one if the two, widened by the
    // reach, overlap. Rows are compared as offsets, so nothing wraps around the image's sides.
    const std::size_t begin = run.begin;
    const std::size_t end = run.end + reach_;
    while (above != above_.end() && above->end + width_ + reach_ <= begin) {
      ++above;
    }
    bool numbered = false;
    for (auto touching = above; touching != above_.end() && touching->begin + width_ < end;
         ++touching) {
      const std::uint32_t other = root(touching->number);
      if (!numbered) {
        run.number = other;
        numbered = true;
      } else {
        const std::uint32_t own = root(run.number);
        parents_[std::max(own, other)] = std::min(own, other);
      }
    }
    const auto length = static_cast<std::uint32_t>(run.end - run.begin);
    if (numbered) {
      areas_[run.number] += length;
    } else {
      run.number = static_cast<std::uint32_t>(parents_.size());
      parents_.push_back(run.number);
      areas_.push_back(length);
    }
  }
}

std::uint32_t ComponentLabeller::root(std::uint32_t number) {
  while (parents_[number] != number) {
    parents_[number] = parents_[parents_[number]];
    number = parents_[number];
  }
  return number;
}

std::size_t ComponentLabeller::finish() {
  std::size_t components = 0;
  for (std::size_t i = 0; i < parents_.size(); ++i) {
    parents_[i] = parents_[parents_[i]];  // a lower number, so already a root
    if (parents_[i] == i) {
      ++components;
    } else {
      areas_[parents_[i]] += areas_[i];
    }
  }
  for (std::size_t i = 0; i < areas_.size(); ++i) {
    areas_[i] = areas_[parents_[i]];
  }
  mask_ = {};
  return components;
}

}  // namespace adb
