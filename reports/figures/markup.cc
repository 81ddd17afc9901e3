#include <array>
#include <cmath>

#include <fmt/format.h>

#include "reports/figures/plot.h"

namespace adb {
namespace {

// Number of bytes of the valid UTF-8 sequence at the start of `text`, 0 when there is none.
// Source: RFC 3629, section 4.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return follows(1) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string escape_markup(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length > 1) {
      out += text.substr(i, length);
      i += length;
      continue;
    }
    const char c = text[i++];
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += length == 0 || static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
  }
  return out;
}

std::string short_number(double value) {
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-4 || size >= 1e6)) {
    return fmt::format("{:.1e}", value);
  }
  return size >= 1000 ? fmt::format("{:.0f}", value) : fmt::format("{:.4g}", value);
}

std::string open_svg(int width, int height, std::string_view title, std::string_view kind) {
  return fmt::format("<svg class=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">",
                     kind,
                     width,
                     height,
                     escape_markup(title));
}

std::string standalone_svg(const std::string& svg) {
  // The palette of Okabe and Ito (https://jfly.uni-koeln.de/color/), yellow darkened for lines.
  static constexpr std::array<const char*, kPlotColours> kColours = {
      "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b08900", "#4db3e6", "#222222", "#8a5a2b"};
  std::string style =
      "<style>text{font:10px 'DejaVu Sans',Helvetica,Arial,sans-serif;fill:#222}"
      ".t{font-weight:bold}.k{fill:#444}.e{text-anchor:end}.m{text-anchor:middle}"
      "path{fill:none}.g{stroke:#ddd;stroke-width:.6}.a{stroke:#444;stroke-width:.8}"
      ".r{stroke:#777;stroke-dasharray:2 2}.l{stroke-width:1.4;stroke-linejoin:round}"
      ".d1{stroke-dasharray:5 3}.d2{stroke-dasharray:1.5 2.5}.o{fill:#fff;stroke-width:1.4}"
      ".f{stroke:#0072b2;stroke-width:1;stroke-dasharray:4 3}.s{stroke:#888}"
      ".p{fill:#fff;stroke:#444}.q{fill:#0072b2;stroke:#0072b2}.n{fill:#bbb}"
      ".x{stroke:#d55e00;stroke-width:1.3}.w{stroke:#222;stroke-width:3}";
  for (std::size_t i = 0; i < kColours.size(); ++i) {
    style += fmt::format(".c{}{{stroke:{}}}", i, kColours[i]);
  }
  style += "</style><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>";
  const auto head = svg.find('>');
  std::string out = svg;
  out.insert(head + 1, style);
  // Its natural size in points is that of the view box.
  const auto box = svg.find("viewBox=\"0 0 ");
  if (box != std::string::npos) {
    const auto begin = box + 13;
    const auto space = svg.find(' ', begin);
    const auto end = svg.find('"', begin);
    out.insert(box,
               fmt::format("width=\"{}\" height=\"{}\" ",
                           svg.substr(begin, space - begin),
                           svg.substr(space + 1, end - space - 1)));
  }
  out.insert(4, " xmlns=\"http://www.w3.org/2000/svg\"");
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + out + "\n";
}

}  // namespace adb
