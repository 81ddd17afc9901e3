#include "runners/verify/formula.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace adb::formula {
namespace {

using adb::testing::expect_error;

std::vector<double> values(const at::Tensor& tensor) {
  const auto flat = tensor.to(at::kDouble).contiguous();
  const auto* data = flat.const_data_ptr<double>();
  return {data, data + flat.numel()};
}

at::Tensor evaluated(const std::string& recipe, const NamedTensors& raw = {}) {
  return evaluate(parse_json(recipe, "recipe", ErrorKind::kData), raw, "recipe");
}

// [1, 2, 1, 2], the array that the recipes below change.
const std::string kImage = R"({"op": "image", "seed": 0, "name": "a", "shape": [1, 2, 1, 2]})";

// Every expected value in this file was printed by goldens/formula.py (numpy).

TEST(Formula, HasTheCheckValuesOfTheDefinition) {
  EXPECT_EQ(fnv1a64("0:input"), 0xd479c449426088fdU);
  EXPECT_EQ(values(image(0, "input", {4})),
            (std::vector<double>{
                0.7489497065544128, 0.5304003953933716, 0.04489773511886597, 0.2376691699028015}));
  EXPECT_EQ(values(fill(0, "a.weight", {2, 3})),
            (std::vector<double>{-0.7694391012191772,
                                 -0.8108460903167725,
                                 0.87659752368927,
                                 0.2721104621887207,
                                 -0.6761853694915771,
                                 0.028541088104248047}));
  EXPECT_EQ(values(fill(0, "n.weight", {3})),
            (std::vector<double>{1.0546897649765015, 1.0209132432937622, 1.0857146978378296}));
}

TEST(Formula, FillsByNameAndRank) {
  EXPECT_EQ(values(signal(3, "s", {3})),
            (std::vector<double>{0.15401411056518555, 0.7703027725219727, 0.8693828582763672}));
  EXPECT_EQ(
      values(fill(1, "pos_embed", {1, 2, 2})),
      (std::vector<double>{
          0.262228786945343, 0.07334238290786743, -0.40325331687927246, -0.44561582803726196}));
  EXPECT_EQ(values(fill(0, "token", {1, 2})),
            (std::vector<double>{-0.0839085578918457, 0.28717076778411865}));
  EXPECT_EQ(values(fill(0, "bn.running_mean", {2})),
            (std::vector<double>{0.03406035900115967, -0.029724430292844772}));
  EXPECT_EQ(values(fill(0, "bn.running_var", {2})),
            (std::vector<double>{1.0461950302124023, 1.4995795488357544}));
  EXPECT_EQ(values(fill(0, "fc.bias", {2})),
            (std::vector<double>{-0.05344212055206299, 0.04687603563070297}));
  const auto counter = fill(0, "bn.num_batches_tracked", {});
  EXPECT_EQ(counter.scalar_type(), at::kLong);
  EXPECT_EQ(values(counter), std::vector<double>{0});
}

TEST(Formula, EvaluatesEveryOperation) {
  const auto u = evaluated(R"([{"op": "uniform64", "seed": 0, "name": "u", "shape": [2]}])");
  EXPECT_EQ(u.scalar_type(), at::kDouble);
  EXPECT_EQ(values(u), (std::vector<double>{0.11762654781341553, 0.04660677909851074}));

  const std::string a = R"([{"op": "image", "seed": 0, "name": "a", "shape": [2]}])";
  const std::string b = R"([{"op": "image", "seed": 0, "name": "b", "shape": [2]}])";
  const auto bytes = evaluated(R"([{"op": "sum", "weights": [0.75, 0.25], "of": [)" + a + "," + b +
                               R"(]}, {"op": "floor_u8", "by": 256.0}])");
  EXPECT_EQ(bytes.scalar_type(), at::kByte);
  EXPECT_EQ(values(bytes), (std::vector<double>{116, 173}));
  EXPECT_EQ(values(evaluated(R"([{"op": "sum", "weights": [0.7, 0.3], "of": [)" + a + "," + b +
                             R"(]}, {"op": "scale", "by": 0.1}, {"op": "add", "value": -0.3}])")),
            (std::vector<double>{-0.25687676668167114, -0.2338772416114807}));

  const double p = 0.5657935738563538, q = 0.7705681920051575, r = 0.9167142510414124,
               s = 0.2755388021469116;
  EXPECT_EQ(values(evaluated("[" + kImage + R"(, {"op": "repeat", "factor": 2, "axes": [2, 3]}])")),
            (std::vector<double>{p, p, q, q, p, p, q, q, r, r, s, s, r, r, s, s}));
  EXPECT_EQ(values(evaluated("[" + kImage + R"(, {"op": "repeat", "factor": 2, "axes": [2]},
                                               {"op": "cells", "size": 2, "height": 3, "width": 3}])")),
            (std::vector<double>{p, p, q, p, p, q, p, p, q, r, r, s, r, r, s, r, r, s}));
  EXPECT_EQ(
      values(evaluated("[" + kImage +
                       R"(, {"op": "normalise", "mean": [0.485, 0.456], "std": [0.229, 0.224]}])")),
      (std::vector<double>{
          0.3528102934360504, 1.2470226287841797, 2.05676007270813, -0.8056303262710571}));
  EXPECT_EQ(values(evaluated("[" + kImage + R"(, {"op": "less", "than": 0.5}])")),
            (std::vector<double>{0, 0, 0, 1}));
  EXPECT_EQ(values(evaluated("[" + kImage + R"(, {"op": "greater", "than": 0.5}])")),
            (std::vector<double>{1, 1, 1, 0}));
}

TEST(Formula, BlendsRawInputs) {
  const NamedTensors raw = {{"i", image(0, "i", {1, 2, 1, 2})},
                            {"t", image(0, "t", {1, 2, 1, 2})},
                            {"m", image(0, "m", {1, 1, 1, 2}).gt(0.5).to(at::kFloat)}};
  const std::string blend =
      R"([{"op": "blend", "image": "i", "texture": "t", "mask": "m", "beta": 0.3}])";
  EXPECT_EQ(values(evaluated(blend, raw)),
            (std::vector<double>{
                0.7992881536483765, 0.9634227752685547, 0.7185574769973755, 0.6613459587097168}));
  expect_error(ErrorKind::kData, "no input 'i'", [&] { evaluated(blend); });
  const auto plain = without_normalise(parse_json(
      "[" + kImage + R"(, {"op": "normalise", "mean": [0], "std": [1]}])", "r", ErrorKind::kData));
  EXPECT_EQ(plain.size(), 1U);
}

TEST(Formula, RefusesHostileRecipes) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"([{"op": "image", "seed": 0, "name": "x", "shape": [4294967296, 4294967296]}])",
       "too large"},
      {R"([{"op": "image", "seed": 0, "name": "x", "shape": [200000000]}])", "too large"},
      {R"([{"op": "image", "seed": 0, "name": "x", "shape": [-1]}])", "too large"},
      {R"([{"op": "image", "seed": 0, "name": "x", "shape": "big"}])", "short list of integers"},
      {R"([{"op": "image", "seed": 0, "shape": [1]}])", "'name' is missing"},
      {R"([{"op": "scale", "by": 2}])", "nothing to work on"},
      {R"([{"op": "explode"}])", "nothing to work on"},
      {"[" + kImage + R"(, {"op": "explode"}])", "unknown operation 'explode'"},
      {"[" + kImage + R"(, {"op": "repeat", "factor": 0, "axes": [0]}])", "factor 0"},
      {"[" + kImage + R"(, {"op": "repeat", "factor": 65536, "axes": [0, 1, 2]}])", "too large"},
      {"[" + kImage + R"(, {"op": "repeat", "factor": 2, "axes": [4]}])", "axis 4"},
      {"[" + kImage + R"(, {"op": "cells", "size": 1, "height": 2, "width": 2}])",
       "leaves the array"},
      {"[" + kImage + R"(, {"op": "normalise", "mean": [0, 0, 0], "std": [1, 1, 1]}])",
       "for each channel"},
      {R"([{"op": "sum", "weights": [1], "of": []}])", "do not fit together"},
      {"[]", "empty"},
      {"{}", "expected a list"},
  };
  for (const auto& [recipe, part] : cases) {
    expect_error(ErrorKind::kData, part, [&, &text = recipe] { evaluated(text); });
  }
  std::string nested = kImage;
  for (int i = 0; i < 20; ++i) {
    nested = R"({"op": "sum", "weights": [1], "of": [[)" + nested + "]]}";
  }
  expect_error(ErrorKind::kData, "nested too deep", [&] { evaluated("[" + nested + "]"); });
}

}  // namespace
}  // namespace adb::formula
