#include <collapse/io/npy.hpp>
#include <collapse/json.hpp>
#include <collapse/measure.hpp>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

using collapse::Options;
using collapse::Report;
using collapse::SpectrumMethod;
using Json = nlohmann::ordered_json;

namespace {

constexpr double tolerance = 1e-9;

// The reference code knows more than the library does; a key leaves this list when the report has it.
constexpr std::array<std::string_view, 3> not_measured_yet{"uniformity.uniformity", "uniformity.vendi_score",
                                                           "uniformity.vendi_ratio"};

Json read_json(const std::filesystem::path& path) {
  std::ifstream in(path);
  REQUIRE(in.good());
  return Json::parse(in);
}

Report measured(const std::filesystem::path& path, const Options& options) {
  const collapse::io::NpyFile file(path);
  return file.visit([&options](const auto& Z) { return collapse::measure(Z, options); });
}

/// Counts, indices and flags exactly, all other numbers to the tolerance; an exact 0 has no digits to be wrong in.
void check_value(const Json& expected, const Json& got) {
  if (expected.is_array()) {
    REQUIRE(got.is_array());
    REQUIRE(got.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) check_value(expected[i], got[i]);
    return;
  }
  REQUIRE(got.is_number());
  if (expected.is_number_float()) {
    const double wanted = expected.get<double>();
    CAPTURE(wanted, got.get<double>());
    CHECK(std::abs(got.get<double>() - wanted) <= tolerance * std::abs(wanted));
  } else {
    REQUIRE(expected.is_number_integer());
    REQUIRE(got.is_number_integer());
    CHECK(got == expected);
  }
}

/// Checks the number that the reference calls `group`.`name`.
/// @return false when neither the report nor this test knows it
bool check_number(const std::string& group, const std::string& name, const Json& expected, const Json& report) {
  const std::string key = group.empty() ? name : group + "." + name;
  if (std::find(not_measured_yet.begin(), not_measured_yet.end(), key) != not_measured_yet.end()) {
    CHECK_FALSE(report.contains(group));
    return true;
  }
  // IsoScore is the participation ratio on a scale from 0 to 1.
  if (key == "uniformity.isoscore") {
    const double ratio = report.at("spectrum").at("participation_ratio").get<double>();
    check_value(expected, (ratio - 1.0) / (report.at("dims").get<double>() - 1.0));
    return true;
  }
  if (!group.empty() && !report.contains(group)) return false;
  const Json& numbers = group.empty() ? report : report.at(group);
  if (group == "spectrum" || group == "spectrum_uncentered") {
    const Json& values = numbers.at("singular_values");
    if (name == "singular_values_first5") {
      REQUIRE(values.size() >= 5);
      check_value(expected, Json(values.begin(), values.begin() + 5));
      return true;
    }
    if (name == "singular_values_sum") {
      double sum = 0.0;
      for (const Json& value : values) {
        // What lies below the floor counts as zero in every number.
        if (value.get<double>() > numbers.at("noise_floor").get<double>()) sum += value.get<double>();
      }
      check_value(expected, sum);
      return true;
    }
  }
  if (!numbers.contains(name)) return false;
  check_value(expected, numbers.at(name));
  return true;
}

void check_report(const Json& reference, const Json& report) {
  std::size_t checked = 0;
  const auto check = [&](const std::string& group, const std::string& name, const Json& expected) {
    CAPTURE(group, name);
    CHECK(check_number(group, name, expected, report));
    ++checked;
  };
  for (const auto& [group, value] : reference.items()) {
    if (!value.is_object()) {
      check("", group, value);
      continue;
    }
    for (const auto& [name, expected] : value.items()) check(group, name, expected);
  }
  // A reference that lost its numbers agrees with everything.
  CHECK(checked >= 60);
}

/// Every file that the reference.json of one folder names, which lie in another.
void check_folder(const std::filesystem::path& references, const std::filesystem::path& data, const Options& options) {
  const Json reference = read_json(references / "reference.json");
  REQUIRE(reference.size() >= 2);
  for (const auto& [file, numbers] : reference.items()) {
    CAPTURE(file);
    check_report(numbers, Json(measured(data / file, options)));
  }
}

/// Where more references lie; empty when there are none on this machine.
std::filesystem::path reference_folder() {
  const char* const folder = std::getenv("COLLAPSE_REFERENCE_DIR");
  if (folder == nullptr || !std::filesystem::is_directory(folder)) return {};
  return folder;
}

}  // namespace

TEST_CASE("the numbers of the shipped data are those of independent code", "[reference]") {
  check_folder(COLLAPSE_TEST_DATA, COLLAPSE_EXAMPLE_DATA, {});
}

TEST_CASE("the numbers of the shipped data are those of independent code, by singular value decomposition too",
          "[reference]") {
  check_folder(COLLAPSE_TEST_DATA, COLLAPSE_EXAMPLE_DATA, {.method = SpectrumMethod::svd});
}

TEST_CASE("every shipped file of embeddings has its reference", "[reference]") {
  const Json reference = read_json(std::filesystem::path(COLLAPSE_TEST_DATA) / "reference.json");
  for (const auto& entry : std::filesystem::directory_iterator(COLLAPSE_EXAMPLE_DATA)) {
    if (entry.path().extension() != ".npy") continue;
    CAPTURE(entry.path().string());
    CHECK(reference.contains(entry.path().filename().string()));
  }
}

TEST_CASE("the numbers of data beyond the shipped ones are those of independent code", "[reference]") {
  const std::filesystem::path folder = reference_folder();
  if (folder.empty()) {
    WARN("skipped: COLLAPSE_REFERENCE_DIR names no folder");
    return;
  }
  check_folder(folder, folder, {});
}

TEST_CASE(
    "the numbers of data beyond the shipped ones are those of independent code, by singular value decomposition "
    "too",
    "[reference]") {
  const std::filesystem::path folder = reference_folder();
  if (folder.empty()) {
    WARN("skipped: COLLAPSE_REFERENCE_DIR names no folder");
    return;
  }
  check_folder(folder, folder, {.method = SpectrumMethod::svd});
}

TEST_CASE("every real set gets the verdict that its numbers justify", "[reference]") {
  const std::filesystem::path folder = reference_folder();
  if (folder.empty()) {
    WARN("skipped: COLLAPSE_REFERENCE_DIR names no folder");
    return;
  }
  const auto check = [&folder](const char* file, collapse::Verdict verdict, const char* finding) {
    CAPTURE(file);
    if (!std::filesystem::exists(folder / file)) return;
    const collapse::Diagnosis diagnosis = measured(folder / file, {}).diagnosis;
    CHECK(diagnosis.verdict == verdict);
    const auto& all = diagnosis.findings;
    CHECK(std::any_of(all.begin(), all.end(), [&](const auto& f) { return finding == to_string(f.kind); }) ==
          (*finding != 0));
  };
  // Pixels are never negative: mean cosine 0.69 around a common image, with 40 of 64 directions in use.
  check("digits_pixels.npy", collapse::Verdict::healthy, "anisotropy");
  // Three pixels at the border never light up.
  check("digits_pixels.npy", collapse::Verdict::healthy, "dead_dimensions");
  // Averages of word vectors keep what all words share: mean cosine 0.79.
  check("glove_chars.npy", collapse::Verdict::healthy, "anisotropy");
  // Trained so briefly that the random start is left: 99.2 of 100 directions, mean cosine 0.000.
  check("fasttext_polarity.npy", collapse::Verdict::healthy, "");
  // Independent normal deviates are what healthy means.
  check("randn_1000x1024.npy", collapse::Verdict::healthy, "");
}
