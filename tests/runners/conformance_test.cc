// Every method of the catalogue keeps the promises of the seam, and the kit that says so can fail.
#include "runners/worker/conformance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/yaml.h"
#include "methods/catalog.h"
#include "tests/runners/fake_method.h"

namespace adb {
namespace {

std::string lines(const std::vector<std::string>& problems) {
  return fmt::format("{}", fmt::join(problems, "\n"));
}

TEST(Conformance, TheSeamCarriesEverythingAMethodMayNeed) {
  const auto fake = testing::fake_method();
  EXPECT_EQ(lines(check_conformance(fake, Json::object())), "");
}

struct Broken {
  const char* how;
  const char* promise;
};

class ConformanceFinds : public ::testing::TestWithParam<Broken> {};

TEST_P(ConformanceFinds, ABrokenPromise) {
  const auto problems = check_conformance(testing::fake_method(GetParam().how), Json::object());
  EXPECT_THAT(lines(problems), ::testing::HasSubstr(GetParam().promise));
}

INSTANTIATE_TEST_SUITE_P(
    Kit,
    ConformanceFinds,
    ::testing::Values(Broken{"predict_trains", "predict changes 'gain'"},
                      Broken{"batch_dependent", "map depends on its batch"},
                      Broken{"features_random", "depend on its batch"},
                      Broken{"pairs_train", "feature_pairs changes 'gain'"},
                      Broken{"pairs_differ", "'pooled' is no pair of maps"},
                      Broken{"unsaved", "changes when the state is saved and loaded"},
                      Broken{"frozen_moves", "training changes 'mix', which is frozen"},
                      Broken{"own_seed", "of one seed differ"}),
    [](const auto& test) { return std::string(test.param.how); });

class EveryMethod : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryMethod, KeepsThePromises) {
  Registry<MethodEntry> methods("method");
  add_builtin_methods(methods);
  const auto file =
      std::filesystem::path(ADB_SOURCE) / "configs/methods" / GetParam() / "smoke.yaml";
  auto options = read_yaml(file).value();
  options["weights"] = "random";
  EXPECT_EQ(lines(check_conformance(methods.at(GetParam()), options)), "");
}

std::vector<std::string> method_names() {
  Registry<MethodEntry> methods("method");
  add_builtin_methods(methods);
  return methods.names();
}

INSTANTIATE_TEST_SUITE_P(Catalogue,
                         EveryMethod,
                         ::testing::ValuesIn(method_names()),
                         [](const auto& test) { return test.param; });

// Forgetting a line in the catalogue fails loudly.
TEST(Catalogue, HoldsTheMethods) {
  EXPECT_THAT(method_names(),
              ::testing::UnorderedElementsAre(
                  "destseg", "draem", "null", "rd", "simplenet", "uniad", "vitad"));
}

}  // namespace
}  // namespace adb
