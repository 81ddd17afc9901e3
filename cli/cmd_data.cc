#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "core/text.h"
#include "datasets/catalog.h"
#include "datasets/synth/synth.h"
#include "datasets/verify.h"
#include "images/loader.h"

namespace adb {
namespace {

struct DataFlags {
  std::filesystem::path folder, data_root;
  std::string name, categories;
  SynthSpec spec;
  bool json = false;
};

int synth(DataFlags& flags) {
  flags.spec.categories = split(flags.categories, ',');
  const bool drawn = make_synth_dataset(flags.folder, flags.spec, images_api().encode_png);
  fmt::print("{}: {} images of {} x {} pixels{}\n",
             flags.folder.string(),
             synth_items(flags.spec).size(),
             flags.spec.size,
             flags.spec.size,
             drawn ? "" : " (was there already)");
  return 0;
}

int verify(const DataFlags& flags) {
  OpenOptions options;
  options.categories = split(flags.categories, ',');
  options.keep_going = true;
  const auto dataset =
      open_dataset(flags.name, flags.data_root, options).restrict(options.categories);
  const auto& api = images_api();
  const auto report = verify_dataset(dataset, {api.read_image, api.read_mask, api.resize_mask});
  if (flags.json) {
    Json categories = Json::array(), findings = Json::array();
    for (const auto& c : report.categories) {
      categories.push_back({{"category", c.category},
                            {"train", c.train},
                            {"test_normal", c.test_normal},
                            {"test_anomalous", c.test_anomalous},
                            {"masks", c.masks},
                            {"defects", c.defects}});
    }
    for (const auto& f : report.findings) {
      findings.push_back({{"kind", finding_name(f.kind)},
                          {"error", is_error(f.kind)},
                          {"sample", f.sample},
                          {"message", f.message}});
    }
    print_json("adbench.data-verify.1",
               {{"dataset", dataset.name},
                {"categories", categories},
                {"findings", findings},
                {"notes", dataset.notes},
                {"manifest_hash", report.manifest_hash}});
    return report.ok() ? 0 : exit_code(ErrorKind::kData);
  }
  fmt::print("{:<20} {:>6} {:>12} {:>15} {:>6}\n",
             "category",
             "train",
             "test normal",
             "test anomalous",
             "masks");
  for (const auto& c : report.categories) {
    fmt::print("{:<20} {:>6} {:>12} {:>15} {:>6}\n",
               c.category,
               c.train,
               c.test_normal,
               c.test_anomalous,
               c.masks);
  }
  for (const auto& note : dataset.notes) {
    fmt::print("note: {}\n", note);
  }
  for (const auto& f : report.findings) {
    fmt::print(
        "{}: {}: {}\n", is_error(f.kind) ? "error" : "warning", finding_name(f.kind), f.message);
  }
  fmt::print(
      "{} images change their label when masks are resized to 256 (metric mode ader)\nmanifest: "
      "{}\n",
      report.count(FindingKind::kLabelFlip),
      report.manifest_hash.empty() ? "none: files are missing or unreadable"
                                   : report.manifest_hash);
  return report.ok() ? 0 : exit_code(ErrorKind::kData);
}

}  // namespace

Command data_command() {
  return {
      "data", "synth: draw the sample data set; verify: check a data set", [](CLI::App& app) {
        auto flags = std::make_shared<DataFlags>();
        auto action = std::make_shared<std::function<int()>>();
        app.require_subcommand(1);
        auto* synths =
            app.add_subcommand("synth", "inspection images drawn by formulas, with exact masks");
        synths->add_option("folder", flags->folder, "folder to write, in the MVTec layout")
            ->required();
        synths->add_option("--size", flags->spec.size, "side of the images")->capture_default_str();
        synths->add_option("--train", flags->spec.train, "normal training images of a category")
            ->capture_default_str();
        synths->add_option("--test-good", flags->spec.test_good, "normal test images of a category")
            ->capture_default_str();
        synths
            ->add_option("--test-defective",
                         flags->spec.test_defective,
                         "defective test images of a category")
            ->capture_default_str();
        synths->add_option("--seed", flags->spec.seed, "of all draws")->capture_default_str();
        synths->add_option("--categories", flags->categories, "only these, separated by commas");
        synths->callback([=] { *action = [=] { return synth(*flags); }; });

        auto* verifies = app.add_subcommand(
            "verify", "counts, unreadable files, masks, duplicates, manifest hash");
        verifies->add_option("name", flags->name, "data set name or folder")->required();
        verifies
            ->add_option("--data-root", flags->data_root, "folder in which a name is looked for")
            ->envname("ADBENCH_DATA");
        verifies->add_option("--categories", flags->categories, "only these, separated by commas");
        add_json_flag(*verifies, &flags->json);
        verifies->callback([=] { *action = [=] { return verify(*flags); }; });
        return [action] { return (*action)(); };
      }};
}

}  // namespace adb
