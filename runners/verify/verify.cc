#include "runners/verify/verify.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include <fnmatch.h>

#include "core/error.h"
#include "core/text.h"
#include "formats/array.h"
#include "runners/verify/limits.h"
#include "tensor/device.h"

namespace adb {
namespace {

constexpr auto kKind = ErrorKind::kData;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool matches(const std::string& glob, const std::string& name) {
  return ::fnmatch(glob.c_str(), name.c_str(), 0) == 0;
}

// The number at "losses/2" below `tree`; nullptr when there is none.
const Json* number_at(const Json& tree, const std::string& path) {
  const Json* node = &tree;
  for (const auto& part : split(path, '/')) {
    if (node->is_object()) {
      const auto found = node->find(part);
      if (found == node->end()) {
        return nullptr;
      }
      node = &*found;
    } else if (node->is_array()) {
      const bool digits = !part.empty() && part.size() < 9 &&
                          part.find_first_not_of("0123456789") == std::string::npos;
      const auto index = digits ? std::stoul(part) : node->size();
      if (index >= node->size()) {
        return nullptr;
      }
      node = &(*node)[index];
    } else {
      return nullptr;
    }
  }
  return node->is_number() ? node : nullptr;
}

std::string index_text(std::int64_t flat, const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> index(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    index[axis] = flat % shape[axis];
    flat /= shape[axis];
  }
  return shape_text(index);
}

// Elements 0, stride, 2 stride, ... of the flattened tensor.
std::vector<double> sampled(const at::Tensor& tensor, std::int64_t stride) {
  const auto flat = tensor.detach().cpu().contiguous().view({-1});
  const auto part =
      (stride == 1 ? flat : flat.slice(0, 0, flat.numel(), stride)).to(at::kDouble).contiguous();
  const auto* data = part.const_data_ptr<double>();
  return {data, data + part.numel()};
}

VerifyRow missing(const std::string& path, const std::string& note) {
  VerifyRow row;
  row.path = path;
  row.ratio = kInfinity;
  row.note = note;
  return row;
}

VerifyRow compare_tensor(const std::string& path,
                         const LimitRule& rule,
                         const StoredTensor& stored,
                         const at::Tensor* computed) {
  if (computed == nullptr || !computed->defined()) {
    return missing(path, "was not computed");
  }
  if (computed->sizes() != at::IntArrayRef(stored.shape)) {
    return missing(
        path,
        fmt::format(
            "shape {} instead of {}", shape_text(computed->sizes()), shape_text(stored.shape)));
  }
  const auto got = sampled(*computed, stored.stride);
  const auto result = compare(rule, got, stored.values);
  VerifyRow row{path, "", 0, 0, result.ratio, ""};
  if (!got.empty()) {
    const auto worst = static_cast<std::size_t>(result.worst);
    row.element = index_text(result.worst * stored.stride, stored.shape);
    row.got = got[worst];
    row.want = stored.values[worst];
  }
  return row;
}

VerifyRow compare_number(const std::string& path, const LimitRule& rule, double got, double want) {
  return {path, "", got, want, compare(rule, {&got, 1}, {&want, 1}).ratio, ""};
}

std::vector<VerifyRow> compare_all(const GoldenFile& file,
                                   const std::map<std::string, StoredTensor>& stored,
                                   const GoldenResult& result,
                                   const std::string& precision) {
  std::vector<VerifyRow> rows;
  const auto expected =
      file.json.value(precision == "float64" ? "expected_float64" : "expected", Json::object());
  for (const auto& [path, json_rule] : file.json["limits"][precision].items()) {
    const auto where = fmt::format("{}: limits: {}: {}", file.name, precision, path);
    const auto rule = parse_rule(json_rule, where);
    if (!rule) {
      continue;
    }
    if (path.starts_with("tensors/")) {
      const auto name = path.substr(8);
      const auto found = stored.find(name);
      ADB_CHECK(found != stored.end(), kKind, "{}: the case has no such tensor", where);
      rows.push_back(compare_tensor(path, *rule, found->second, find_tensor(result.tensors, name)));
      continue;
    }
    ADB_CHECK(
        path.starts_with("expected/"), kKind, "{}: names neither a number nor a tensor", where);
    const auto name = path.substr(9);
    const auto* want = number_at(expected, name);
    ADB_CHECK(want != nullptr, kKind, "{}: the case expects no such number", where);
    const auto got = result.scalars.find(name);
    rows.push_back(got == result.scalars.end()
                       ? missing(path, "was not computed")
                       : compare_number(path, *rule, got->second, want->get<double>()));
  }
  ADB_CHECK(!rows.empty(), kKind, "{}: limits: {}: nothing is compared", file.name, precision);
  LimitRule equal;
  equal.atol = 0;
  const auto sizes = file.json.value("sizes", Json::object());
  for (const auto& [name, value] : result.scalars) {
    if (const auto* size = name.starts_with("sizes/") ? number_at(sizes, name.substr(6)) : nullptr;
        size != nullptr) {
      rows.push_back(compare_number(name, equal, value, size->get<double>()));
    }
  }
  return rows;
}

void check_limits(const GoldenFile& file) {
  const auto where = file.name + ": limits";
  const auto& limits = json_at(file.json, "limits", file.name, kKind);
  ADB_CHECK(
      limits.is_object() && !limits.empty(), kKind, "{}: expected float32, float64 or both", where);
  for (const auto& [precision, rules] : limits.items()) {
    ADB_CHECK((precision == "float32" || precision == "float64") && rules.is_object(),
              kKind,
              "{}: '{}' is not a precision with rules",
              where,
              precision);
  }
}

const GoldenFunction& function_for(const GoldenFile& file,
                                   const std::vector<GoldenFunction>& functions) {
  std::vector<std::string> known;
  for (const auto& function : functions) {
    if (function.method == file.method && matches(function.cases, file.name)) {
      return function;
    }
    if (!function.method.empty() &&
        std::find(known.begin(), known.end(), function.method) == known.end()) {
      known.push_back(function.method);
    }
  }
  throw Error(kKind, fmt::format("{}: {}", file.name, unknown_name("method", file.method, known)));
}

// Runs `action` with its time, and says how it ended when it throws.
template <class Action>
VerifyCase timed(const GoldenFile& file, const std::string& precision, Action action) {
  VerifyCase result;
  result.name = file.name;
  result.precision = precision;
  const auto start = std::chrono::steady_clock::now();
  try {
    result.rows = action();
    const bool passed = std::all_of(
        result.rows.begin(), result.rows.end(), [](const auto& row) { return row.passed(); });
    result.outcome = passed ? VerifyOutcome::kPassed : VerifyOutcome::kDeviated;
  } catch (const WeightsAbsent& e) {
    result.outcome = VerifyOutcome::kSkipped;
    result.message = e.what();
  } catch (const Error& e) {
    const bool ours = e.kind() == ErrorKind::kInternal || e.kind() == ErrorKind::kNumeric;
    result.outcome = ours ? VerifyOutcome::kDeviated : VerifyOutcome::kUnreadable;
    result.message = e.what();
  } catch (
      const std::exception& e) {  // LibTorch's own errors carry a stack trace below the first line
    result.outcome = VerifyOutcome::kDeviated;
    result.message = std::string(e.what()).substr(0, std::string(e.what()).find('\n'));
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

struct Found {
  std::filesystem::path file;
  double work = 0;
};

// The golden cases of a folder whose names match, small ones first. Files that cannot be parsed are
// kept: they are reported in their turn.
std::vector<Found> find_cases(const VerifyOptions& options) {
  std::error_code error;
  std::filesystem::directory_iterator entries(options.folder, error);
  ADB_CHECK(!error, kKind, "'{}': {}", options.folder.string(), error.message());
  std::vector<Found> found;
  std::size_t golden = 0;
  for (const auto& entry : entries) {
    const auto& path = entry.path();
    if (path.extension() != ".json" || !entry.is_regular_file(error)) {
      continue;
    }
    double work = 0;
    try {
      const auto json = read_json(path, kKind);
      if (!is_golden(path, json)) {
        continue;
      }
      work = estimated_work(GoldenFile{path.stem().string(), "", json, {}});
    } catch (const std::exception&) {
      work = 0;
    }
    ++golden;
    if (matches(options.cases, path.stem().string())) {
      found.push_back({path, work});
    }
  }
  ADB_CHECK(golden > 0, kKind, "'{}': holds no golden case", options.folder.string());
  ADB_CHECK(!found.empty(),
            ErrorKind::kUsage,
            "no case in '{}' matches '{}'",
            options.folder.string(),
            options.cases);
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
    return std::pair(a.work, a.file.string()) < std::pair(b.work, b.file.string());
  });
  return found;
}

std::vector<VerifyCase> run_case(const GoldenFile& file,
                                 const VerifyOptions& options,
                                 at::Device device,
                                 const std::vector<GoldenFunction>& functions,
                                 const std::function<void(const VerifyCase&)>& report) {
  std::vector<VerifyCase> results;
  const auto add = [&](VerifyCase result) {
    report(result);
    results.push_back(std::move(result));
  };
  const GoldenFunction* function = nullptr;
  auto early = timed(file, "", [&] {
    function = &function_for(file, functions);
    if (function->run) {
      check_limits(file);
    }
    return std::vector<VerifyRow>();
  });
  if (early.outcome != VerifyOutcome::kPassed) {
    add(std::move(early));
    return results;
  }
  if (!function->absent.empty()) {
    early.outcome = VerifyOutcome::kSkipped;
    early.message = function->absent;
    add(std::move(early));
    return results;
  }
  if (function->check) {
    add(timed(file, "", [&] { return function->check(file); }));
    return results;
  }
  for (const auto& [precision, bits, dtype] :
       {std::tuple("float64", 64, at::kDouble), std::tuple("float32", 32, at::kFloat)}) {
    if (!file.has_precision(precision) || (options.precision != 0 && options.precision != bits)) {
      continue;
    }
    add(timed(file, precision, [&, &precision = precision, &dtype = dtype] {
      const auto stored = read_stored(file);
      auto prepared = prepare_case(file, dtype, device);
      prepared.weights_folder = options.weights_folder;
      return compare_all(file, stored, function->run(prepared), precision);
    }));
  }
  return results;
}

const char* outcome_text(VerifyOutcome outcome) {
  switch (outcome) {
    case VerifyOutcome::kPassed:
      return "pass";
    case VerifyOutcome::kDeviated:
      return "FAIL";
    case VerifyOutcome::kSkipped:
      return "skipped";
    case VerifyOutcome::kUnreadable:
      return "unreadable";
  }
  return "";
}

}  // namespace

std::vector<GoldenFunction> golden_functions(const Registry<MethodEntry>& methods) {
  std::vector<GoldenFunction> functions;
  for (const auto& entry : methods) {
    if (entry.golden) {
      functions.push_back({entry.golden_name, "*", entry.golden, {}, ""});
    }
  }
  return functions;
}

VerifyCounts run_verify(const VerifyOptions& options,
                        const std::vector<GoldenFunction>& functions,
                        const std::function<void(const VerifyCase&)>& report) {
  const auto device = parse_device(options.device);
  make_deterministic(device);
  VerifyCounts counts;
  for (const auto& found : find_cases(options)) {
    GoldenFile file;
    file.name = found.file.stem().string();
    auto read = timed(file, "", [&] {
      file = read_golden(found.file);
      return std::vector<VerifyRow>();
    });
    std::vector<VerifyCase> results;
    if (read.outcome == VerifyOutcome::kPassed) {
      results = run_case(file, options, device, functions, report);
    } else {
      read.outcome = VerifyOutcome::kUnreadable;
      report(read);
      results.push_back(std::move(read));
    }
    const auto any = [&](VerifyOutcome outcome) {
      return std::any_of(
          results.begin(), results.end(), [&](const auto& r) { return r.outcome == outcome; });
    };
    if (any(VerifyOutcome::kDeviated)) {
      ++counts.deviated;
    } else if (any(VerifyOutcome::kUnreadable)) {
      ++counts.unreadable;
    } else if (any(VerifyOutcome::kSkipped)) {
      ++counts.skipped;
    } else if (!results.empty()) {
      ++counts.passed;
    }
  }
  ADB_CHECK(counts.passed + counts.deviated + counts.skipped + counts.unreadable > 0,
            ErrorKind::kUsage,
            "no case has limits for float{}",
            options.precision);
  return counts;
}

int verify_exit_code(const VerifyCounts& counts, bool strict) {
  constexpr int kDeviation = 5;
  if (counts.deviated > 0) {
    return kDeviation;
  }
  if (counts.unreadable > 0 || (strict && counts.skipped > 0)) {
    return exit_code(kKind);
  }
  return 0;
}

void print_case(std::FILE* out, const VerifyCase& result, bool rows) {
  std::string line = fmt::format("{:<10} {}", outcome_text(result.outcome), result.name);
  if (!result.precision.empty()) {
    line += ' ' + result.precision;
  }
  if (!result.rows.empty()) {
    const auto worst =
        std::max_element(result.rows.begin(), result.rows.end(), [](const auto& a, const auto& b) {
          return a.ratio < b.ratio;
        });
    line += fmt::format("  {} compared, worst {:.3g} of its limit at {}",
                        result.rows.size(),
                        worst->ratio,
                        worst->path);
  }
  if (!result.message.empty()) {
    // Messages name the case, so that they can stand alone; here its name has been said.
    const auto prefix = result.name + ": ";
    line += "  " + (result.message.starts_with(prefix) ? result.message.substr(prefix.size())
                                                       : result.message);
  }
  fmt::print(out, "{}  ({:.1f} s)\n", line, result.seconds);
  for (const auto& row : result.rows) {
    if (!rows) {
      break;
    }
    fmt::print(out, "  {} {}{}", row.passed() ? "pass" : "FAIL", row.path, row.element);
    if (row.note.empty()) {
      fmt::print(out,
                 "  got {:.17g}, expected {:.17g}, {:.3g} of the limit\n",
                 row.got,
                 row.want,
                 row.ratio);
    } else {
      fmt::print(out, "  {}\n", row.note);
    }
  }
  std::fflush(out);
}

std::string counts_line(const VerifyCounts& counts) {
  return fmt::format("{} passed, {} deviated, {} skipped, {} unreadable",
                     counts.passed,
                     counts.deviated,
                     counts.skipped,
                     counts.unreadable);
}

Json to_json(const VerifyCase& result) {
  const auto number = [](double value) {
    return std::isfinite(value) ? Json(value) : Json(nullptr);
  };
  Json rows = Json::array();
  for (const auto& row : result.rows) {
    rows.push_back({{"path", row.path},
                    {"element", row.element},
                    {"got", number(row.got)},
                    {"expected", number(row.want)},
                    {"ratio", number(row.ratio)},
                    {"passed", row.passed()},
                    {"note", row.note}});
  }
  return {{"case", result.name},
          {"precision", result.precision},
          {"outcome",
           result.outcome == VerifyOutcome::kDeviated ? "fail" : outcome_text(result.outcome)},
          {"message", result.message},
          {"seconds", result.seconds},
          {"rows", std::move(rows)}};
}

Json to_json(const VerifyCounts& counts) {
  return {{"passed", counts.passed},
          {"deviated", counts.deviated},
          {"skipped", counts.skipped},
          {"unreadable", counts.unreadable}};
}

}  // namespace adb
