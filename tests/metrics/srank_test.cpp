#include <collapse/metrics/srank.hpp>

#include "support/catch.hpp"
#include "support/reference_statistics.hpp"
#include "support/spectrum_of.hpp"

#include <limits>
#include <optional>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::Real;
using reference::spectrum_of;

TEST_CASE("srank counts the values that hold all but delta of their sum", "[srank]") {
  const SingularValues spectrum = spectrum_of({8.0, 4.0, 2.0, 1.0, 1.0});  // of 16: 8, 12, 14, 15, 16
  CHECK(srank(spectrum, 0.51) == std::optional<Index>(1));
  CHECK(srank(spectrum, 0.5) == std::optional<Index>(1));
  CHECK(srank(spectrum, 0.49) == std::optional<Index>(2));
  CHECK(srank(spectrum, 0.25) == std::optional<Index>(2));
  CHECK(srank(spectrum, 0.125) == std::optional<Index>(3));
  CHECK(srank(spectrum, 0.0625) == std::optional<Index>(4));
  CHECK(srank(spectrum, 0.06) == std::optional<Index>(5));
  CHECK(srank(spectrum) == std::optional<Index>(5));
  CHECK(srank(spectrum, 0.0) == std::optional<Index>(5));
  // Of the values, not of their squares: these hold 64 / 86 and 80 / 86 of their sum.
  CHECK(rank_for_share(spectrum, 0.75) == std::optional<Index>(2));
  CHECK(rank_for_share(spectrum, 0.74) == std::optional<Index>(1));
}

TEST_CASE("srank of k equal values is k less those that delta spares", "[srank]") {
  for (const double scale : {1e-300, 1.0, 1e300}) {
    CHECK(srank(spectrum_of(std::vector<double>(200, scale))) == std::optional<Index>(198));
    CHECK(srank(spectrum_of(std::vector<double>(50, scale))) == std::optional<Index>(50));
    CHECK(srank(spectrum_of(std::vector<double>(64, scale)), 0.25) == std::optional<Index>(48));
  }
}

TEST_CASE("values below the noise floor are no part of srank", "[srank]") {
  std::vector<double> values(1000, 1e-4);
  values[0] = 1.0;
  CHECK(srank(spectrum_of(values)) == std::optional<Index>(891));  // 0.99 of 1.0999 is 1.088901
  CHECK(srank(spectrum_of(values, 2e-4)) == std::optional<Index>(1));
  CHECK(srank(spectrum_of(values, 2.0)) == std::nullopt);
}

TEST_CASE("srank of embeddings is that of the rows as they are", "[srank]") {
  for (const Index d : {8, 60}) {
    const Dense<double> z = reference::gaussian<double>(30, d, 3, 1.0);
    const reference::Vector singular = reference::singular_values(reference::widened(z));
    for (const double delta : {0.01, 0.1, 0.3}) {
      CAPTURE(d, delta);
      // From the other end: values that may go while what is left still holds enough.
      Real tail = 0.0L;
      Index expected = singular.size();
      while (tail + singular(expected - 1) <= static_cast<Real>(delta) * singular.sum()) tail += singular(--expected);
      CHECK(srank(z, {}, delta) == std::optional<Index>(expected));
      CHECK(srank(z * 1e-200, {}, delta) == std::optional<Index>(expected));
    }
  }
  CHECK(srank(Dense<double>::Ones(9, 4)) == std::optional<Index>(1));
  CHECK(srank(Dense<double>::Zero(9, 4)) == std::nullopt);
}

TEST_CASE("srank refuses a delta that leaves nothing or more than all", "[srank]") {
  for (const double delta : {-1e-9, 1.0, 2.0, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_AS(srank(spectrum_of({1.0}), delta), OptionError);
    CHECK_THROWS_AS(srank(Dense<double>::Ones(2, 2), {}, delta), OptionError);
  }
  Dense<double> bad = reference::gaussian<double>(9, 3, 13);
  bad(0, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(srank(bad), NonFiniteError);
  CHECK(srank(bad, {.nonfinite = NonFinite::skip_rows}) == std::optional<Index>(3));
}
