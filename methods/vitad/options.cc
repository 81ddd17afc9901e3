#include "methods/vitad/options.h"

#include <algorithm>
#include <functional>

#include "core/error.h"

namespace adb::vitad {
namespace {

constexpr auto kKind = ErrorKind::kUsage;
constexpr double kMaxParameters = 2e9;  // ViT-H with its decoder has 1.1e9

std::string shown(const std::vector<std::int64_t>& list) {
  std::string text;
  for (const auto value : list) {
    text += (text.empty() ? "" : ", ") + std::to_string(value);
  }
  return text;
}

Backbone encoder_of(const VitadOptions& options) {
  if (options.backbone == "vit") {
    ADB_CHECK(
        options.patch > 0 && options.dim > 0 && options.heads > 0 && options.encoder_depth > 0,
        kKind,
        "vitad: backbone vit needs patch, dim, heads and encoder_depth");
    Backbone encoder;
    encoder.name = "vit";
    encoder.patch = options.patch;
    encoder.dim = options.dim;
    encoder.heads = encoder.decoder_heads = options.heads;
    encoder.depth = options.encoder_depth;
    return encoder;
  }
  const auto found =
      std::find_if(backbones().begin(), backbones().end(), [&](const Backbone& known) {
        return known.name == options.backbone;
      });
  ADB_CHECK(found != backbones().end(), kKind, "vitad: unknown backbone '{}'", options.backbone);
  Backbone encoder = *found;
  const auto fixed = [&](const char* name, std::int64_t wanted, std::int64_t own) {
    ADB_CHECK(wanted == 0 || wanted == own,
              kKind,
              "vitad: {} of backbone {} is {}, not {}",
              name,
              encoder.name,
              own,
              wanted);
  };
  fixed("patch", options.patch, encoder.patch);
  fixed("dim", options.dim, encoder.dim);
  fixed("heads", options.heads, encoder.heads);
  if (options.encoder_depth > 0) {
    ADB_CHECK(options.encoder_depth <= encoder.depth,
              kKind,
              "vitad: encoder_depth {} is more than the {} blocks of backbone {}",
              options.encoder_depth,
              encoder.depth,
              encoder.name);
    encoder.depth = options.encoder_depth;
  }
  return encoder;
}

std::vector<std::int64_t> quarters(std::int64_t depth, const char* what) {
  ADB_CHECK(depth % 4 == 0,
            kKind,
            "vitad: {} must be given: an encoder of {} blocks has no quarters",
            what,
            depth);
  return {depth / 4, depth / 2, depth / 4 * 3};
}

void check_list(const char* name,
                const std::vector<std::int64_t>& list,
                std::int64_t low,
                std::int64_t high) {
  const bool ascending =
      std::adjacent_find(list.begin(), list.end(), std::greater_equal<>()) == list.end();
  ADB_CHECK(ascending, kKind, "vitad: {} must ascend, got {}", name, shown(list));
  ADB_CHECK(!list.empty() && list.front() >= low && list.back() <= high,
            kKind,
            "vitad: {} must lie in {} .. {}, got {}",
            name,
            low,
            high,
            shown(list));
}

void check_fuser(const VitadOptions& options, const Architecture& built) {
  const auto& fuser = options.fuser;
  ADB_CHECK(fuser == "cat" || fuser == "add" || built.neck.size() == 1,
            kKind,
            "vitad: fuser {} takes one neck feature, got {}; cat and add take several",
            fuser,
            shown(built.neck));
  ADB_CHECK(fuser != "conv" || !options.keep_class_token,
            kKind,
            "vitad: fuser conv cannot take the class token: keep_class_token must be false");
  ADB_CHECK(fuser != "conv" || built.encoder.dim % 4 == 0,
            kKind,
            "vitad: fuser conv needs a dim that is a multiple of 4, got {}",
            built.encoder.dim);
}

void check_size(const VitadOptions& options, const Architecture& built) {
  const auto dim = static_cast<double>(built.encoder.dim);
  const auto blocks =
      static_cast<double>(built.encoder.depth + built.decoder_depth + options.fuser_blocks);
  const auto positions = static_cast<double>(built.grid) * static_cast<double>(built.grid) * dim;
  ADB_CHECK(12 * dim * dim * blocks + 2 * positions <= kMaxParameters,
            kKind,
            "vitad: dim {}, encoder_depth {} and decoder_depth {} make a network of more than {:g} "
            "parameters",
            built.encoder.dim,
            built.encoder.depth,
            built.decoder_depth,
            kMaxParameters);
}

}  // namespace

const std::vector<Backbone>& backbones() {
  // name, checkpoint, patch, dim, heads, depth, decoder heads, distilled, norm_pre, patch bias,
  // fixed position, eps
  static const std::vector<Backbone> known = {
      {"dino_s16", "vit_small_patch16_224.dino"},
      {"dino_s8", "vit_small_patch8_224.dino", 8},
      {"dino_b16", "vit_base_patch16_224.dino", 16, 768, 12, 12, 12},
      {"in1k_t", "vit_tiny_patch16_224.augreg_in21k_ft_in1k", 16, 192, 3, 12, 3},
      {"in1k_s", "vit_small_patch16_224.augreg_in1k"},
      {"in1k_b", "vit_base_patch16_224.augreg_in21k_ft_in1k", 16, 768, 12, 12, 12},
      {"in1k_l", "vit_large_patch16_224.augreg_in21k_ft_in1k", 16, 1024, 16, 24, 16},
      {"in1k_h", "vit_huge_patch14_224.orig_in21k", 14, 1280, 16, 32, 16},
      {"in22k_s", "vit_small_patch16_224.augreg_in21k"},
      {"deit_t", "deit_tiny_distilled_patch16_224", 16, 192, 3, 12, 3, true},
      {"deit_s", "deit_small_distilled_patch16_224", 16, 384, 6, 12, 6, true},
      {"mae_b", "mae_finetuned_vit_base", 16, 768, 12, 12, 12},
      {"moco_s", "moco_v3_vit_small_300ep", 16, 384, 12, 12, 6, false, false, true, true},
      {"clip_b",
       "vit_base_patch16_clip_224.openai_ft_in12k_in1k",
       16,
       768,
       12,
       12,
       12,
       false,
       true,
       false,
       false,
       1e-5},
  };
  return known;
}

Architecture resolve(const VitadOptions& options) {
  Architecture built;
  built.encoder = encoder_of(options);
  built.image_size = options.image_size;
  const auto patch = built.encoder.patch, dim = built.encoder.dim, heads = built.encoder.heads;
  const auto depth = built.encoder.depth;
  ADB_CHECK(options.image_size % patch == 0,
            kKind,
            "vitad: image_size must be a multiple of the patch side {}, got {}",
            patch,
            options.image_size);
  ADB_CHECK(dim % heads == 0, kKind, "vitad: dim {} is not a multiple of heads {}", dim, heads);
  built.grid = options.image_size / patch;
  built.teachers = options.teachers.empty() ? quarters(depth, "teachers") : options.teachers;
  built.neck = options.neck.empty() ? std::vector<std::int64_t>{depth} : options.neck;
  built.students = options.students.empty() ? quarters(depth, "students") : options.students;
  check_list("teachers", built.teachers, 0, depth);
  check_list("neck", built.neck, 0, depth);
  built.decoder_depth = options.decoder_depth == 0 ? built.students.back() : options.decoder_depth;
  check_list("students", built.students, 1, built.decoder_depth);
  ADB_CHECK(built.students.size() == built.teachers.size(),
            kKind,
            "vitad: students ({}) and teachers ({}) must be equally many",
            shown(built.students),
            shown(built.teachers));
  check_fuser(options, built);
  check_size(options, built);
  return built;
}

void VitadOptions::validate() const {
  resolve(*this);
}

}  // namespace adb::vitad
