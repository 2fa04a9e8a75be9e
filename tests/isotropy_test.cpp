#include <collapse/io/npy.hpp>
#include <collapse/isotropy.hpp>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/one_thread.hpp"
#include "support/reference_statistics.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

using namespace collapse;
using reference::Dense;
using Json = nlohmann::ordered_json;

namespace {

std::vector<double> numbers(const Isotropy& block) {
  return {block.uniformity,
          block.uniformity_standard_error,
          static_cast<double>(block.pairs),
          static_cast<double>(block.sampled_rows),
          block.exact ? 1.0 : 0.0,
          block.isoscore,
          block.vendi_score,
          block.vendi_score_2,
          block.vendi_score_inf,
          block.vendi_ratio,
          block.self_cluster,
          block.coherence,
          block.partition_isotropy,
          block.log_partition_isotropy};
}

bool near(double measured, double expected, double tolerance) {
  return std::abs(measured - expected) <= tolerance * std::abs(expected);
}

void check_file(const std::filesystem::path& path, const Json& reference) {
  CAPTURE(path.string());
  const io::NpyFile file(path);
  const Isotropy block = file.visit([](const auto& Z) { return isotropy(Z); });
  const Json& expected = reference.at("uniformity");
  CHECK(block.exact);
  CHECK(near(block.uniformity, expected.at("uniformity").get<double>(), 1e-9));
  CHECK(near(block.isoscore, expected.at("isoscore").get<double>(), 1e-9));
  CHECK(near(block.vendi_score, expected.at("vendi_score").get<double>(), 1e-9));
  // The reference divides by the number of rows; what the score can reach is the smaller side.
  const double rows = reference.at("samples").get<double>() - reference.at("norms").at("zero_rows").get<double>();
  const double smaller = std::min(rows, reference.at("dims").get<double>());
  CHECK(near(block.vendi_ratio * smaller / rows, expected.at("vendi_ratio").get<double>(), 1e-9));
  CHECK(block.vendi_ratio <= 1.0);
}

void check_folder(const std::filesystem::path& references, const std::filesystem::path& data) {
  std::ifstream in(references / "reference.json");
  REQUIRE(in.good());
  const Json reference = Json::parse(in);
  REQUIRE(reference.size() >= 2);
  for (const auto& [file, expected] : reference.items()) check_file(data / file, expected);
}

}  // namespace

TEST_CASE("the uniformity of the shipped data is that of independent code", "[isotropy]") {
  check_folder(COLLAPSE_TEST_DATA, COLLAPSE_EXAMPLE_DATA);
}

TEST_CASE("the uniformity of data beyond the shipped ones is that of independent code", "[isotropy]") {
  const char* const folder = std::getenv("COLLAPSE_REFERENCE_DIR");
  if (folder == nullptr || !std::filesystem::is_directory(folder)) {
    WARN("skipped: COLLAPSE_REFERENCE_DIR names no folder");
    return;
  }
  check_folder(folder, folder);
}

TEST_CASE("the block of isotropy holds what its functions return", "[isotropy]") {
  [[maybe_unused]] const test::OneThread one;
  const auto check = [](const auto& z, const Options& options) {
    const Isotropy block = isotropy(z, options);
    const Uniformity potential = uniformity(z, options);
    const std::vector<double> measured = numbers(block);
    const std::vector<double> expected{potential.value,
                                       potential.standard_error,
                                       static_cast<double>(potential.pairs),
                                       static_cast<double>(potential.sampled_rows),
                                       potential.exact ? 1.0 : 0.0,
                                       isoscore(z, options),
                                       vendi_score(z, options),
                                       vendi_score(z, options, 2.0),
                                       vendi_score(z, options, std::numeric_limits<double>::infinity()),
                                       vendi_score(z, options) / static_cast<double>(std::min(z.rows(), z.cols())),
                                       self_cluster(z, options),
                                       coherence(z, options),
                                       partition_isotropy(z, options),
                                       log_partition_isotropy(z, options)};
    for (std::size_t k = 0; k < expected.size(); ++k) {
      CAPTURE(k);
      CHECK(near(measured[k], expected[k], 1e-12));
    }
  };
  for (const Index n : {20, 90}) {
    for (const Options& options : {Options{}, Options{.pair_rows = 15, .seed = 3}}) {
      check(reference::gaussian<double>(n, 30, 3, 0.3), options);
      check(reference::gaussian<float>(n, 30, 4, 0.3), options);
      check(reference::gaussian<double>(n, 30, 3, 0.3) * 2.0, options);
    }
  }
}

TEST_CASE("an isotropic sample and a collapsed one lie at opposite ends of the block", "[isotropy]") {
  const Isotropy healthy = isotropy(reference::gaussian<float>(2000, 16, 5, 0.0, 0.25));
  CHECK(std::abs(healthy.uniformity - (-4.0 + 8.0 / 16.0 - 64.0 / 4096.0)) < 0.01);
  CHECK(healthy.isoscore > 0.98);
  CHECK(healthy.vendi_ratio > 0.99);
  CHECK(healthy.vendi_score_inf > 12.0);
  CHECK(std::abs(healthy.self_cluster) < 0.001);
  CHECK(healthy.coherence > 1.0);
  CHECK(healthy.coherence < 4.0);
  CHECK(healthy.partition_isotropy > 0.95);
  const Isotropy collapsed = isotropy(reference::around_a_point<float>(2000, 16, 1e-9, 5));
  CHECK(collapsed.uniformity <= 0.0);
  CHECK(collapsed.uniformity > -1e-12);
  CHECK(std::isnan(collapsed.isoscore));
  CHECK(near(collapsed.vendi_score, 1.0, 1e-12));
  CHECK(near(collapsed.vendi_ratio, 1.0 / 16.0, 1e-12));
  CHECK(near(collapsed.self_cluster, 1.0, 1e-12));
  CHECK(near(collapsed.coherence, 1.0, 1e-4));
  CHECK(near(collapsed.log_partition_isotropy, -2.0, 1e-5));
}

TEST_CASE("a block of isotropy that nothing is known of is undefined throughout", "[isotropy]") {
  for (const Index d : {1, 4}) {
    for (const Index n : {1, 3, 9}) {
      CAPTURE(n, d);
      const Isotropy zero = isotropy(Dense<double>::Zero(n, d));
      CHECK(std::isnan(zero.uniformity));
      CHECK(std::isnan(zero.isoscore));
      CHECK(std::isnan(zero.vendi_score));
      CHECK(std::isnan(zero.vendi_ratio));
      CHECK(std::isnan(zero.self_cluster));
      CHECK(std::isnan(zero.coherence));
      CHECK(zero.partition_isotropy == 1.0);
      CHECK(zero.pairs == 0);
    }
  }
  const Isotropy one = isotropy(reference::gaussian<double>(1, 4));
  CHECK(std::isnan(one.uniformity));
  CHECK(std::isnan(one.isoscore));
  CHECK(one.vendi_score == 1.0);
  CHECK(one.vendi_ratio == 1.0);
  CHECK(std::isnan(one.self_cluster));
  CHECK(one.coherence == 1.0);
  CHECK_THROWS_AS(isotropy(Dense<double>(0, 4)), ShapeError);
  CHECK_THROWS_AS(isotropy(Dense<double>::Ones(4, 4), {.pair_rows = 1}), OptionError);
}

TEST_CASE("skipped rows leave the uniformity of the others", "[isotropy]") {
  [[maybe_unused]] const test::OneThread one;
  for (const Index n : {12, 40}) {
    const Dense<double> rest = reference::gaussian<double>(n, 20, 6, 0.3);
    Dense<double> z(n + 1, 20);
    z << rest.topRows(5), Eigen::RowVectorXd::Constant(20, std::numeric_limits<double>::infinity()),
        rest.bottomRows(n - 5);
    CHECK_THROWS_AS(isotropy(z), NonFiniteError);
    const std::vector<double> measured = numbers(isotropy(z, {.nonfinite = NonFinite::skip_rows}));
    const std::vector<double> expected = numbers(isotropy(rest));
    for (std::size_t k = 0; k < expected.size(); ++k) CHECK(near(measured[k], expected[k], 1e-12));
  }
}

TEST_CASE("the block of isotropy has the same bits for any number of threads and evaluates its input once",
          "[isotropy]") {
  for (const Index n : {25, 120}) {
    const Dense<float> z = reference::gaussian<float>(n, 30, 7, 0.2);
    int evaluated = 0;
    const auto counted = z.unaryExpr([&evaluated](float value) {
      ++evaluated;
      return value;
    });
    std::vector<std::vector<double>> results;
    reference::for_thread_counts([&](int) { results.push_back(numbers(isotropy(z))); });
    results.push_back(numbers(isotropy(counted)));
    CHECK(evaluated == z.size());
    for (const std::vector<double>& result : results) CHECK(result == results.front());
  }
}
