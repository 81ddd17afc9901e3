// Test images, the worst first.
#include <algorithm>
#include <map>
#include <unordered_map>

#include "core/text.h"
#include "reports/figures/picture.h"
#include "reports/html/sections.h"

namespace adb {
namespace {

// Pictures of the page, each once: the input of an image is the same for every run.
class PictureShelf {
 public:
  // returns: the id to refer to, "" for bytes that are no picture
  std::string add(const std::string& picture, const PictureSize& size) {
    if (const auto found = ids_.find(picture); found != ids_.end()) {
      return found->second;
    }
    const std::string address = data_address(picture);
    if (address.empty()) {
      return "";
    }
    const std::string id = fmt::format("p{}", ids_.size());
    definitions_ += fmt::format("<image id=\"{}\" width=\"{}\" height=\"{}\" href=\"{}\"/>",
                                id,
                                size.width,
                                size.height,
                                address);
    ids_.emplace(picture, id);
    return id;
  }

  // What adding the picture would add to the page.
  std::size_t cost(const std::string& picture) const {
    return ids_.contains(picture) ? 0 : picture.size() / 3 * 4 + 100;
  }

  const std::string& definitions() const { return definitions_; }

 private:
  std::unordered_map<std::string, std::string> ids_;
  std::string definitions_;
};

std::string panel(std::string_view kind,
                  std::string_view title,
                  const PictureSize& size,
                  const std::string& id) {
  return id.empty() ? ""
                    : fmt::format(
                          "<svg class=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" "
                          "aria-label=\"{}\"><use href=\"#{}\"/></svg>",
                          kind,
                          size.width,
                          size.height,
                          title,
                          id);
}

std::string judgement(const PagePicture& picture) {
  if (picture.rivals == 0) {
    return picture.picture.anomalous ? "anomalous" : "normal";
  }
  return fmt::format("{}, ranked {} {:.0f} % of {} {} images",
                     picture.picture.anomalous ? "anomalous" : "normal",
                     picture.picture.anomalous ? "below" : "above",
                     picture.wrong * 100,
                     picture.rivals,
                     picture.picture.anomalous ? "normal" : "anomalous");
}

std::string tile(const PagePicture& shown, const PictureSize& size, PictureShelf& shelf) {
  const Thumbnail& picture = shown.picture;
  return fmt::format(
      "<div class=\"tile\" data-sample=\"{0}\" data-score=\"{1:.6g}\" data-low=\"{2:.4g}\" "
      "data-high=\"{3:.4g}\"><div>{4}{5}{6}</div><p><span>{0}</span> "
      "<span>score {1:.4g}, {7}</span></p></div>",
      escape_markup(picture.sample),
      picture.score,
      picture.low,
      picture.high,
      panel("input", "input", size, shelf.add(picture.input, size)),
      panel("truth", "ground truth", size, shelf.add(picture.truth, size)),
      panel("heat", "heat map", size, shelf.add(colour_heat_map(picture.heat), size)),
      judgement(shown));
}

// The pictures that fit, by run and class.
using Chosen = std::map<std::int64_t, std::map<std::string, std::vector<const PagePicture*>>>;

Chosen choose(const std::vector<PagePicture>& pictures, std::size_t bytes) {
  Chosen chosen;
  PictureShelf shelf;
  std::size_t used = 3'000;  // the section's own text
  for (const auto& picture : pictures) {
    const auto size = png_size(picture.picture.heat);
    if (!size.has_value()) {
      continue;
    }
    const std::string heat = colour_heat_map(picture.picture.heat);
    // Its markup, about; that of its class with the histogram, and of its run.
    std::size_t cost = 900;
    cost += chosen[picture.run].empty() ? 1'000 : 0;
    cost += chosen[picture.run][picture.picture.category].empty() ? 3'000 : 0;
    for (const std::string* part : {&picture.picture.input, &picture.picture.truth, &heat}) {
      cost += shelf.cost(*part);
    }
    if (used + cost > bytes) {
      break;
    }
    used += cost;
    for (const std::string* part : {&picture.picture.input, &picture.picture.truth, &heat}) {
      shelf.add(*part, *size);
    }
    chosen[picture.run][picture.picture.category].push_back(&picture);
  }
  for (auto& [run, classes] : chosen) {
    std::erase_if(classes, [](const auto& entry) { return entry.second.empty(); });
  }
  std::erase_if(chosen, [](const auto& entry) { return entry.second.empty(); });
  return chosen;
}

// "4 of 50 images" where the page has fewer than were tested.
std::string count_text(const ReportRun& run, const std::string& category, std::size_t shown) {
  const auto tested =
      std::find_if(run.counts.begin(), run.counts.end(), [&](const CountRow& count) {
        return count.category == category && count.name == "images";
      });
  const bool fewer = tested != run.counts.end() && static_cast<std::int64_t>(shown) < tested->value;
  return fewer ? fmt::format("{} of {} images", shown, tested->value)
               : fmt::format("{} {}", shown, shown == 1 ? "image" : "images");
}

std::string class_block(const PageView& view,
                        const ReportRun& run,
                        const std::string& category,
                        std::vector<const PagePicture*> pictures,
                        PictureShelf& shelf) {
  std::stable_sort(pictures.begin(), pictures.end(), [](const auto* a, const auto* b) {
    return a->wrong > b->wrong;
  });
  std::string out =
      fmt::format("<details class=\"images\" data-category=\"{0}\"><summary>{0}: {1}</summary>",
                  escape_markup(category),
                  count_text(run, category, pictures.size()));
  for (const auto& curves : view.more(run).classes) {
    if (curves.category == category) {
      out += fmt::format(
          "<figure class=\"scores\" data-low=\"{:.9g}\" data-high=\"{:.9g}\">{}</figure>",
          curves.scores.low,
          curves.scores.high,
          histogram_plot({.low = curves.scores.low,
                          .high = curves.scores.high,
                          .normal = curves.scores.normal,
                          .anomalous = curves.scores.anomalous},
                         "image scores: normal grey, anomalous outlined"));
    }
  }
  out += "<div class=\"tiles\">";
  for (const PagePicture* picture : pictures) {
    out += tile(*picture, *png_size(picture->picture.heat), shelf);
  }
  return out + "</div></details>";
}

}  // namespace

std::string image_section(const PageView& view, std::size_t bytes) {
  const Chosen chosen = choose(view.input->pictures, bytes);
  if (chosen.empty()) {
    return "";
  }
  PictureShelf shelf;
  std::string blocks;
  for (const auto& place : places_of(view)) {
    for (const std::size_t group : place.groups) {
      const ReportGroup& shown = view.report.groups[group];
      for (const ReportRun* run : view.groups[group].runs) {
        const auto found = chosen.find(to_int(run->run.id));
        if (found == chosen.end()) {
          continue;
        }
        blocks += fmt::format("<article{} data-name=\"{}\"><h3>{}, seed {}, {}</h3>",
                              filter_attributes(shown),
                              escape_markup(shown.label),
                              group_name(view, group),
                              run->run.seed,
                              escape_markup(place_title(place)));
        for (const auto& category : run->run.classes) {
          if (const auto pictures = found->second.find(category); pictures != found->second.end()) {
            blocks += class_block(view, *run, category, pictures->second, shelf);
          }
        }
        blocks += "</article>";
      }
    }
  }
  return fmt::format(
      "<section id=\"images\"><h2>Test images</h2><p>The images on which a method was most wrong "
      "come first: an anomalous image is the more wrong the more normal images rank above it, a "
      "normal one the more anomalous images rank below it; equal scores count half. Input, ground "
      "truth, heat map; the heat "
      "maps of one class and run share a scale, from the 0.5th to the 99.5th percentile of its "
      "maps.</p><svg class=\"shelf\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>{}</defs>"
      "</svg>{}</section>",
      shelf.definitions(),
      blocks);
}

}  // namespace adb
