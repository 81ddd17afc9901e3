#include <algorithm>
#include <map>
#include <set>

#include "reports/figures/parts.h"
#include "reports/figures/picture.h"

namespace adb {
namespace {

using SamplePictures = std::map<std::size_t, const PagePicture*>;  // by group

}  // namespace

std::string images_figure(const PageView& view, const FigureOptions& options) {
  const Place place = only_place(view);
  // The first seed that left thumbnails stands for its method.
  std::map<std::int64_t, std::size_t> group_of_run;
  std::vector<std::size_t> groups;
  std::set<std::int64_t> with_pictures;
  for (const auto& picture : view.input->pictures) {
    with_pictures.insert(picture.run);
  }
  for (const std::size_t group : place.groups) {
    for (const ReportRun* run : view.groups[group].runs) {
      const bool of_group = !groups.empty() && groups.back() == group;
      const bool first_seed =
          !of_group || run->run.seed == view.groups[group].replicates.front().seed;
      if (with_pictures.contains(to_int(run->run.id)) && first_seed) {
        group_of_run[to_int(run->run.id)] = group;
        if (!of_group) {
          groups.push_back(group);
        }
      }
    }
  }
  std::map<std::pair<std::string, std::string>, SamplePictures> samples;
  for (const auto& picture : view.input->pictures) {
    if (const auto found = group_of_run.find(picture.run); found != group_of_run.end()) {
      samples[{picture.picture.category, picture.picture.sample}][found->second] = &picture;
    }
  }
  ADB_CHECK(!samples.empty(),
            ErrorKind::kUsage,
            "no run left thumbnails of its test images: nothing to draw");
  std::vector<std::pair<std::string, std::string>> chosen;
  if (options.samples.empty()) {
    std::map<std::string, std::pair<double, std::string>> worst;  // by class
    for (const auto& [name, pictures] : samples) {
      double wrong = 0;
      for (const auto& [group, picture] : pictures) {
        wrong += picture->wrong;
      }
      if (pictures.size() < groups.size() || !pictures.begin()->second->picture.anomalous) {
        continue;
      }
      const auto found = worst.find(name.first);
      if (found == worst.end() || found->second.first < wrong) {
        worst[name.first] = {wrong, name.second};
      }
    }
    for (const auto& [category, sample] : worst) {
      chosen.emplace_back(category, sample.second);
    }
    chosen.resize(std::min(chosen.size(), options.columns));
    ADB_CHECK(!chosen.empty(),
              ErrorKind::kUsage,
              "no anomalous image has a thumbnail of every method; name images with --sample");
  } else {
    for (const auto& name : options.samples) {
      const auto slash = name.find('/');
      chosen.emplace_back(name.substr(0, slash),
                          slash == std::string::npos ? "" : name.substr(slash + 1));
      ADB_CHECK(samples.contains(chosen.back()),
                ErrorKind::kUsage,
                "no thumbnail of '{}'; a sample is CLASS/SAMPLE as on the page",
                name);
    }
  }

  constexpr int kSide = 64, kGap = 3, kLabel = 110, kHead = 16;
  const int rows = 2 + static_cast<int>(groups.size());
  const int width = kLabel + static_cast<int>(chosen.size()) * (kSide + kGap);
  std::string out =
      open_svg(width, kHead + rows * (kSide + kGap), place_title(place) + ": test images", "plot");
  const auto label = [&](int row, const std::string& name) {
    out += text_at(kLabel - 6, kHead + row * (kSide + kGap) + kSide / 2 + 3, "e", name);
  };
  const auto picture = [&](int row, int column, const std::string& bytes) {
    out += picture_at(kLabel + column * (kSide + kGap), kHead + row * (kSide + kGap), kSide, bytes);
  };
  label(0, "input");
  label(1, "ground truth");
  for (std::size_t i = 0; i < groups.size(); ++i) {
    label(2 + static_cast<int>(i), view.report.groups[groups[i]].label);
  }
  for (std::size_t c = 0; c < chosen.size(); ++c) {
    const int column = static_cast<int>(c);
    const SamplePictures& pictures = samples.at(chosen[c]);
    out += text_at(kLabel + column * (kSide + kGap) + kSide / 2.0,
                   11,
                   "m",
                   chosen[c].first,
                   " font-size=\"8\"");
    picture(0, column, pictures.begin()->second->picture.input);
    picture(1, column, pictures.begin()->second->picture.truth);
    for (std::size_t i = 0; i < groups.size(); ++i) {
      if (const auto found = pictures.find(groups[i]); found != pictures.end()) {
        picture(2 + static_cast<int>(i), column, colour_heat_map(found->second->picture.heat));
      }
    }
  }
  return out + "</svg>";
}

}  // namespace adb
