// What the figures share; internal to reports/figures.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "reports/figures/figures.h"
#include "reports/html/sections.h"

namespace adb {

std::string curves_figure(const PageView& view);
std::string images_figure(const PageView& view, const FigureOptions& options);
std::string resolution_figure(const PageView& view, const FigureOptions& options);
std::string ranking_figure(const PageView& view, const FigureOptions& options);

// A plot at a place of a larger drawing.
std::string placed(std::string svg, int x, int y, int width, int height);

std::string text_at(double x,
                    double y,
                    std::string_view classes,
                    std::string_view text,
                    std::string_view more = "");

// Bytes of a PNG or JPEG as a square; "" for "".
std::string picture_at(int x, int y, int side, const std::string& bytes);

// The one place whose groups are drawn. throws: Error(kUsage) when there is none or another one
Place only_place(const PageView& view);

// throws: Error(kUsage) when figures of the groups do not compare
void require_one_condition(const PageView& view, const std::vector<std::size_t>& groups);

// throws: Error(kUsage) of an unknown metric
std::size_t metric_column(const ReportTable& table, const std::string& key);

}  // namespace adb
