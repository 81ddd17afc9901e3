#include <algorithm>
#include <map>
#include <utility>

#include "core/version.h"
#include "reports/html/page.h"

namespace adb {
namespace {

const ArtifactRow* artifact(const std::vector<ArtifactRow>& rows,
                            std::string_view kind,
                            std::int64_t epoch) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const ArtifactRow& row) {
    return row.kind == kind && row.epoch == epoch;
  });
  return found == rows.end() ? nullptr : &*found;
}

// The images of one class of one run, the worst first.
struct Candidates {
  std::int64_t run = 0;
  const ThumbnailFile* file = nullptr;
  std::vector<std::size_t> images{};  // in the file
  std::vector<double> wrong{};        // for each of them
  std::size_t normal = 0;
  std::size_t anomalous = 0;
};

std::vector<Candidates> candidates_of(std::int64_t run, const ThumbnailFile& file) {
  std::map<std::string, std::vector<std::size_t>> by_class;
  for (std::size_t i = 0; i < file.images().size(); ++i) {
    by_class[file.images()[i].category].push_back(i);
  }
  std::vector<Candidates> all;
  for (const auto& [category, images] : by_class) {
    Candidates out{.run = run, .file = &file};
    std::vector<Thumbnail> facts;
    for (const std::size_t image : images) {
      facts.push_back(file.images()[image]);
      (facts.back().anomalous ? out.anomalous : out.normal) += 1;
    }
    const std::vector<double> wrong = wrong_shares(facts);
    std::vector<std::size_t> order(images.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = i;
    }
    // Of equally wrong ones anomalous images first: their maps have something to show.
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::pair(wrong[a], facts[a].anomalous) > std::pair(wrong[b], facts[b].anomalous);
    });
    for (const std::size_t i : order) {
      out.images.push_back(images[i]);
      out.wrong.push_back(wrong[i]);
    }
    all.push_back(std::move(out));
  }
  return all;
}

// The worst image of every class of every run, then the second worst, and so on.
std::vector<PagePicture> pictures_of(const std::vector<Candidates>& all,
                                     std::map<std::int64_t, PageRun>& more) {
  std::vector<PagePicture> pictures;
  std::size_t bytes = 0;
  bool any = true;
  for (std::size_t place = 0; any && bytes < kMaxPictureBytes; ++place) {
    any = false;
    for (const auto& candidates : all) {
      if (place >= candidates.images.size() || bytes >= kMaxPictureBytes) {
        continue;
      }
      any = true;
      try {
        Thumbnail picture = candidates.file->read(candidates.images[place]);
        bytes += picture.input.size() + picture.truth.size() + picture.heat.size();
        const std::size_t rivals = picture.anomalous ? candidates.normal : candidates.anomalous;
        pictures.push_back({.run = candidates.run,
                            .wrong = candidates.wrong[place],
                            .rivals = static_cast<std::int64_t>(rivals),
                            .picture = std::move(picture)});
      } catch (const Error& e) {
        more[candidates.run].problems.emplace_back(e.what());
      }
    }
  }
  return pictures;
}

}  // namespace

PageInput read_page(const Store& store, const RunFilter& filter, const ReportOptions& options) {
  PageInput input;
  input.runs = read_report_runs(store, filter);
  input.options = options;
  input.store = store.file().filename().string();
  input.version = version();
  std::map<std::int64_t, ThumbnailFile> files;  // by run; the candidates point to them
  std::vector<Candidates> candidates;
  for (const auto& found : input.runs) {
    const RunRow& run = found.run;
    PageRun& more = input.more[to_int(run.id)];
    more.curves = store.curves(run.id);
    more.means = store.mean_metrics(run.id);
    more.artifacts = store.artifacts(run.id);
    if (run.status != RunStatus::kFinished || !run.reported_epoch.has_value()) {
      continue;
    }
    // One file that cannot be read costs what it holds, not the page.
    const auto with_file = [&](const char* kind, const auto& use) {
      const auto* row = artifact(more.artifacts, kind, *run.reported_epoch);
      try {
        if (row != nullptr) {
          const auto place = (std::filesystem::path(run.folder) / row->path).lexically_normal();
          ADB_CHECK(place.is_relative() && *place.begin() != "..",
                    ErrorKind::kData,
                    "'{}' lies outside the store's folder",
                    place.string());
          use(store.file().parent_path() / place);
        }
      } catch (const Error& e) {
        more.problems.emplace_back(e.what());
      }
    };
    with_file(kCurvesKind, [&](const auto& path) { more.classes = read_curves(path).categories; });
    with_file(kThumbnailsKind, [&](const auto& path) {
      const auto file = files.emplace(to_int(run.id), ThumbnailFile::open(path)).first;
      for (auto& list : candidates_of(to_int(run.id), file->second)) {
        candidates.push_back(std::move(list));
      }
    });
  }
  input.pictures = pictures_of(candidates, input.more);
  return input;
}

}  // namespace adb
