#include "runners/schedule/plan.h"

#include <algorithm>
#include <map>

#include "core/files.h"
#include "core/hash.h"
#include "core/text.h"
#include "datasets/catalog.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

// Textures count as the files' paths and contents, so that another folder of the same files is the
// same.
std::string textures_hash(const fs::path& folder) {
  Sha256 hash;
  for (const auto& file : files_below(folder)) {
    hash.add(file).add(sha256_file(folder / file, ErrorKind::kData));
  }
  return hash.hex();
}

// SHA-256 of files, each read once.
class FileHashes {
 public:
  const std::string& of(const fs::path& file) {
    auto& hash = hashes_[file];
    if (hash.empty()) {
      hash = sha256_file(file, ErrorKind::kWeights);
    }
    return hash;
  }

 private:
  std::map<fs::path, std::string> hashes_;
};

// Finds the file that the draft's weights are read from.
void find_weights(const Registry<WeightsInfo>& catalogue,
                  const fs::path& folder,
                  FileHashes& hashes,
                  Cell* cell) {
  if (cell->method->weights_option.empty() || cell->weights.resolved == "random") {
    return;
  }
  const auto value = cell->options.at("weights").get<std::string>();
  fs::path file = value;
  if (!cell->weights.name.empty()) {
    const auto& info = catalogue.at(cell->weights.name);
    file = folder / info.file;
    if (folder.empty() || !fs::exists(file)) {
      if (!cell->protocol.needs_weights && value == "auto") {
        cell->weights.resolved = "random";
        return;
      }
      cell->lacks = "weights missing: " + info.name;
      cell->missing = fmt::format(
          "{}: weights '{}' are not there: put '{}' into {}, run `adbench weights fetch {}`, or "
          "accept random features with --set weights=random",
          cell->method->name,
          info.name,
          info.file,
          folder.empty() ? "a folder and name it with --weights-dir or ADBENCH_WEIGHTS"
                         : "'" + folder.string() + "'",
          info.name);
      return;
    }
  } else if (!fs::exists(file)) {
    cell->lacks = "weights missing";
    cell->missing = fmt::format("weights file '{}' does not exist", value);
    if (const auto near = nearest(value, catalogue.names()); !near.empty()) {
      cell->missing += fmt::format("; did you mean the checkpoint '{}'?", near);
    }
    return;
  }
  cell->weights_file = fs::absolute(file);
  cell->weights.source = file.filename().string();
  cell->weights.resolved = hashes.of(file);
}

std::string cell_key(const Cell& cell) {
  // Weights count as what they resolved to, not as the option that named them.
  Json changed = cell.changed;
  changed.erase("weights");
  Json identity = {{"method", cell.method->name},
                   {"method_version", cell.method->version},
                   {"options", changed},
                   {"protocol",
                    {{"name", cell.protocol.name},
                     {"version", cell.protocol.version},
                     {"tests", cell.tests},
                     {"epoch_rule", cell.protocol.epoch_rule}}},
                   {"data", cell.data_manifest},
                   {"setting", cell.setting},
                   {"classes", cell.classes},
                   {"seed", cell.seed},
                   {"weights", cell.weights.resolved},
                   {"textures", cell.textures}};
  if (!cell.method->plugin.empty()) {
    identity["plugin"] = cell.method->plugin;  // its version is not raised under our eyes
  }
  return sha256(canonical_json(identity));
}

struct OpenedData {
  std::size_t index = 0;  // in Plan::data
  Dataset dataset;
  std::string missing, lacks;
  std::map<std::vector<std::string>, std::string>
      manifests;  // by class set: every cell is known by its own data

  const std::string& manifest(const std::vector<std::string>& classes) {
    auto& hash = manifests[classes];
    if (hash.empty()) {
      hash = manifest_hash(dataset.restrict(classes));
    }
    return hash;
  }
};

OpenedData open_data(const std::string& name,
                     const Selection& selection,
                     const PlanSources& sources,
                     bool strict) {
  OpenedData opened;
  try {
    if (name == kSampleName) {
      if (sources.make_sample) {
        sources.make_sample(sources.sample_folder);
      }
      opened.dataset = open_path(sources.sample_folder, kSampleName, {selection.categories});
    } else {
      opened.dataset = open_dataset(name, selection.data_root, {selection.categories});
    }
    opened.dataset = opened.dataset.restrict(selection.categories);
  } catch (const Error& e) {
    if (strict || e.kind() != ErrorKind::kData) {
      throw;
    }
    opened.dataset.name = dataset_name(name);
    opened.missing = e.what();
    opened.lacks = "data missing";
  }
  return opened;
}

// One cell for every class set and seed of a draft.
class CellMaker {
 public:
  CellMaker(const Selection& selection, OpenedData& opened, Plan& plan)
      : selection_(selection), opened_(opened), plan_(plan) {}

  // returns: indices of the cells
  std::vector<std::size_t> add(const Cell& draft) {
    std::vector<std::vector<std::string>> class_sets;
    if (draft.setting == "single" && !opened_.dataset.categories.empty()) {
      for (const auto& category : opened_.dataset.categories) {
        class_sets.push_back({category});
      }
    } else {
      class_sets.push_back(opened_.dataset.categories);
    }
    std::vector<std::size_t> added;
    for (const auto& classes : class_sets) {
      for (const auto seed : selection_.seeds) {
        added.push_back(add(draft, classes, seed));
      }
    }
    return added;
  }

 private:
  // A cell that is there already is not added again: rows of several tables may share it.
  std::size_t add(const Cell& draft, const std::vector<std::string>& classes, std::int64_t seed) {
    Cell cell = draft;
    cell.dataset = opened_.dataset.name;
    cell.classes = classes;
    cell.seed = seed;
    cell.data = opened_.index;
    if (!opened_.missing.empty()) {
      cell.missing = cell.missing.empty() ? opened_.missing : cell.missing;
      cell.lacks = cell.lacks.empty() ? opened_.lacks : opened_.lacks + ", " + cell.lacks;
    }
    if (cell.missing.empty()) {
      cell.data_manifest = opened_.manifest(classes);
      cell.key = cell_key(cell);
    }
    for (std::size_t i = 0; i < plan_.cells.size(); ++i) {
      if (same_cell(plan_.cells[i], cell)) {
        return i;
      }
    }
    plan_.cells.push_back(std::move(cell));
    return plan_.cells.size() - 1;
  }

  static bool same_cell(const Cell& a, const Cell& b) {
    if (!a.key.empty() || !b.key.empty()) {
      return a.key == b.key;
    }
    return a.method == b.method && a.options == b.options && a.protocol.name == b.protocol.name &&
           a.data == b.data && a.setting == b.setting && a.classes == b.classes && a.seed == b.seed;
  }

  const Selection& selection_;
  OpenedData& opened_;
  Plan& plan_;
};

// Everything that is missing, each thing once.
void refuse_missing(const std::vector<CellDraft>& drafts) {
  std::vector<std::string> missing;
  for (const auto& draft : drafts) {
    if (!draft.cell.missing.empty() &&
        std::find(missing.begin(), missing.end(), draft.cell.missing) == missing.end()) {
      missing.push_back(draft.cell.missing);
    }
  }
  if (!missing.empty()) {
    throw Error(ErrorKind::kWeights, join(missing, "\n"));
  }
}

}  // namespace

Plan make_plan(const Selection& selection, const PlanSources& sources, bool strict) {
  // Options and weights first: they are cheap to check, and data may take long to read.
  auto drafts = draft_cells(selection, sources);
  FileHashes hashes;
  const std::string textures =
      selection.textures.empty() ? "procedural" : textures_hash(selection.textures);
  for (auto& [cell, suite, row] : drafts) {
    find_weights(*sources.weights, selection.weights_folder, hashes, &cell);
    if (cell.method->needs_textures) {
      cell.textures = textures;
      cell.textures_folder =
          selection.textures.empty() ? fs::path() : fs::absolute(selection.textures);
    }
  }
  if (strict) {
    refuse_missing(drafts);
  }
  Plan plan;
  std::map<std::string, OpenedData> opened;
  for (const auto& draft : drafts) {
    const auto& name = draft.cell.dataset;
    if (opened.count(name) == 0) {
      auto& data = opened[name] = open_data(name, selection, sources, strict);
      data.index = plan.data.size();
      plan.data.push_back(data.dataset);
    }
    auto cells = CellMaker(selection, opened.at(name), plan).add(draft.cell);
    if (!selection.suites.empty()) {
      plan.rows.push_back({draft.suite, draft.row, std::move(cells)});
    }
  }
  return plan;
}

}  // namespace adb
