#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/neighbourhood.hpp>
#include <collapse/report/catalogue.hpp>
#include <collapse/synthetic.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace collapse;
using reference::Dense;

namespace {

bool explains(const Neighbourhood& result, const std::string& metric) {
  for (const Undefined& entry : result.undefined_numbers) CHECK(find_entry(entry.metric.full()) != nullptr);
  return std::any_of(result.undefined_numbers.begin(), result.undefined_numbers.end(),
                     [&](const Undefined& entry) { return entry.metric == metric && !entry.reason.empty(); });
}

/// Every number that is undefined has a reason, and no other.
void check_reasons(const Neighbourhood& result) {
  CHECK(std::isnan(result.intrinsic_dimension.two_nn) == explains(result, "intrinsic_dimension.two_nn"));
  CHECK(std::isnan(result.intrinsic_dimension.mle) == explains(result, "intrinsic_dimension.mle"));
  CHECK(std::isnan(result.hubness) == explains(result, "hubness"));
  CHECK(std::isnan(result.duplicate_rows) == explains(result, "duplicate_rows"));
  CHECK(std::isnan(result.near_duplicates) == explains(result, "near_duplicates"));
  CHECK(std::isnan(result.median_distance) == explains(result, "median_distance"));
  CHECK(result.distinct_modes.has_value() == !explains(result, "distinct_modes"));
}

}  // namespace

TEMPLATE_TEST_CASE("a neighbourhood holds what its metrics give alone", "[neighbourhood]", float, double, Eigen::half) {
  for (const Metric metric : {Metric::euclidean, Metric::cosine}) {
    const Dense<TestType> z = reference::gaussian<TestType>(200, 6, 3, 0.5);
    const Neighbourhood result = neighbourhood(z, {.metric = metric, .mle_k = 12, .hubness_k = 15});
    const NeighbourOptions same{.metric = metric};
    CHECK(result.samples == 200);
    CHECK(result.dims == 6);
    CHECK(result.metric == metric);
    CHECK(result.intrinsic_dimension.two_nn == two_nn(z, same).value);
    CHECK(result.intrinsic_dimension.two_nn_standard_error == two_nn(z, same).standard_error);
    CHECK(result.intrinsic_dimension.mle == mle_dimension(z, 12, same).value);
    CHECK(result.intrinsic_dimension.mle_standard_error == mle_dimension(z, 12, same).standard_error);
    CHECK(result.intrinsic_dimension.mle_k == 12);
    CHECK(result.intrinsic_dimension.rows == 200 - static_cast<Index>(std::round(200.0 * result.duplicate_rows)));
    CHECK(result.hubness == hubness(z, 15, same).skewness);
    CHECK(result.hubness_k == 15);
    CHECK(result.k_occurrence == hubness(z, 15, same).occurrence);
    const Duplicates copies = duplicates(z, {.metric = metric});
    CHECK(result.duplicate_rows == copies.duplicate_rows);
    CHECK(result.near_duplicates == copies.near_duplicates);
    CHECK(result.distinct_modes == copies.distinct_modes);
    CHECK(result.median_distance == copies.median_distance);
    check_reasons(result);
    CHECK(result.undefined_numbers.empty());
  }
  const Dense<TestType> z = reference::gaussian<TestType>(150, 6);
  CHECK(neighbourhood(z, {.two_nn_fit = TwoNnFit::linear}).intrinsic_dimension.two_nn ==
        two_nn(z, {}, TwoNnFit::linear).value);
}

TEST_CASE("a neighbourhood of few rows uses all of them and says so", "[neighbourhood]") {
  const Dense<double> z = reference::gaussian<double>(30, 4);
  for (const Index n : {1, 2, 3, 4, 11, 12, 21}) {
    CAPTURE(n);
    const Neighbourhood result = neighbourhood(z.topRows(n));
    CHECK(result.intrinsic_dimension.mle_k == std::min<Index>(20, n - 1));
    CHECK(result.hubness_k == std::min<Index>(10, n - 1));
    CHECK(std::isnan(result.intrinsic_dimension.two_nn) == (n < 3));
    CHECK(std::isnan(result.intrinsic_dimension.mle) == (n < 3));
    CHECK(std::isnan(result.hubness) == (n <= 11));
    CHECK(std::isnan(result.duplicate_rows) == (n < 2));
    CHECK(result.distinct_modes == n);
    check_reasons(result);
  }
}

TEST_CASE("a neighbourhood of equal rows has one mode and no dimension", "[neighbourhood]") {
  for (const Metric metric : {Metric::euclidean, Metric::cosine}) {
    const Neighbourhood result = neighbourhood(synthetic::constant<float>(100, 9), {.metric = metric});
    CHECK(result.distinct_modes == 1);
    CHECK(result.duplicate_rows == 1.0);
    CHECK(std::isnan(result.intrinsic_dimension.two_nn));
    CHECK(std::isnan(result.intrinsic_dimension.mle));
    CHECK(result.intrinsic_dimension.rows == 0);
    check_reasons(result);
  }
}

TEST_CASE("a neighbourhood of clusters of copies has as many modes", "[neighbourhood]") {
  const Neighbourhood result = neighbourhood(synthetic::clusters<float>(300, 9, 13, 0.0));
  CHECK(result.distinct_modes == 13);
  CHECK(result.near_duplicates == 1.0);
  check_reasons(result);
}

TEST_CASE("a neighbourhood counts zero rows and skipped rows", "[neighbourhood]") {
  Dense<double> z = reference::gaussian<double>(40, 4);
  z.row(3).setZero();
  z(5, 2) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(neighbourhood(z), NonFiniteError);
  const Neighbourhood result = neighbourhood(z, {.nonfinite = NonFinite::skip_rows});
  CHECK(result.samples == 39);
  CHECK(result.zero_rows == 1);
  CHECK(result.skipped_rows == 1);
  CHECK(neighbourhood(z, {.metric = Metric::cosine, .nonfinite = NonFinite::skip_rows}).samples == 38);
  const Neighbourhood none = neighbourhood(Dense<double>(Dense<double>::Zero(4, 3)), {.metric = Metric::cosine});
  CHECK(none.samples == 0);
  CHECK(none.zero_rows == 4);
  check_reasons(none);
}

TEST_CASE("a neighbourhood is the same whatever the number of threads", "[neighbourhood]") {
  const Dense<float> z = reference::gaussian<float>(700, 5, 4, 2.0);
  const Neighbourhood expected = neighbourhood(z);
  reference::for_thread_counts([&](int threads) {
    CAPTURE(threads);
    const Neighbourhood result = neighbourhood(z);
    CHECK(result.intrinsic_dimension.two_nn == expected.intrinsic_dimension.two_nn);
    CHECK(result.intrinsic_dimension.mle_standard_error == expected.intrinsic_dimension.mle_standard_error);
    CHECK(result.k_occurrence == expected.k_occurrence);
    CHECK(result.median_distance == expected.median_distance);
    CHECK(result.distinct_modes == expected.distinct_modes);
  });
}

TEST_CASE("a neighbourhood takes any expression and evaluates it once", "[neighbourhood]") {
  const Dense<double> z = reference::gaussian<double>(60, 4);
  const Neighbourhood expected = neighbourhood(Dense<double>(z * 2.0));
  CHECK(neighbourhood(z * 2.0).intrinsic_dimension.mle == expected.intrinsic_dimension.mle);
  CHECK(neighbourhood((z.transpose() * 2.0).transpose()).hubness == expected.hubness);
}

TEST_CASE("a neighbourhood names the option that is wrong", "[neighbourhood]") {
  const Dense<double> z = reference::gaussian<double>(60, 4);
  const auto message = [&](const NeighbourhoodOptions& options) {
    try {
      static_cast<void>(neighbourhood(z, options));
    } catch (const OptionError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  CHECK(message({.mle_k = 1}) == "NeighbourhoodOptions::mle_k is 1; at least 2 neighbours are needed");
  CHECK(message({.hubness_k = 0}) == "NeighbourhoodOptions::hubness_k is 0; at least 1 neighbour must be asked for");
  CHECK(message({.near = 1.5}).find("near is 1.5") == 0);
  CHECK(message({.pair_rows = 1}).find("pair_rows is 1") == 0);
  CHECK_THROWS_AS(neighbourhood(z.topRows(0)), ShapeError);
}
