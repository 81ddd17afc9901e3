// Numpy's .npy format, versions 1 to 3: one array.
// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "core/error.h"
#include "formats/array.h"

namespace adb {

// One array, always row-major: a file in Fortran order is transposed. Nothing is evaluated or
// unpickled. Refused by name: pickled objects, big-endian, text, complex and structured elements.
//   throws: Error(kind) naming the file
Array read_npy(const std::filesystem::path& file, ErrorKind kind);

// The same from bytes in memory; `source` names them in messages.
Array parse_npy(std::span<const std::uint8_t> bytes, const std::string& source, ErrorKind kind);

// The array of bytes in memory as it lies there, without a copy; nothing if it is in Fortran order.
// Refused as in parse_npy.
std::optional<ArrayView> view_npy(std::span<const std::uint8_t> bytes,
                                  const std::string& source,
                                  ErrorKind kind);

// Writes version 1, row-major, so that a crash leaves the old file or the new one. Every element
// type but bfloat16, which the format lacks.
//   throws: Error(kInternal) for bfloat16 and where bytes and shape disagree; Error(kData) with the
//           system's reason if writing fails
void write_npy(const std::filesystem::path& file, const ArrayView& array);

}  // namespace adb
