#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/metrics/activations.hpp>
#include <collapse/synthetic.hpp>

#include <cmath>
#include <limits>
#include <string>

using namespace collapse;
using reference::Dense;
using reference::Real;

namespace {

/// Rectified Gaussian activations.
template <class Scalar>
Dense<Scalar> rectified(Index rows, Index units, std::uint64_t seed = 1) {
  return reference::gaussian<Scalar>(rows, units, seed).cwiseMax(Scalar(0));
}

bool same(const Activations& a, const Activations& b) {
  return a.samples == b.samples && a.units == b.units && reference::same_bits(a.score, b.score) &&
         a.dormant_units == b.dormant_units && a.dead_units == b.dead_units && a.active_units == b.active_units &&
         a.saturated_units == b.saturated_units &&
         (a.saturation == b.saturation || (std::isnan(a.saturation) && std::isnan(b.saturation)));
}

}  // namespace

TEST_CASE("units are dormant dead and active as counted by hand", "[activations]") {
  Dense<double> h(4, 5);
  // mean |h|: 1, 0, 0.02, 2, 0.25, over the units 0.654.
  h << 1.0, 0.0, 0.02, -2.0, 0.25,  //
      -1.0, 0.0, 0.02, -2.0, 0.25,  //
      1.0, 0.0, -0.02, -2.0, 0.25,  //
      -1.0, 0.0, 0.02, -2.0, 0.25;
  const Activations found = activations(h);
  CHECK(found.samples == 4);
  CHECK(found.units == 5);
  CHECK(found.dead_units == 1);
  CHECK(found.dormant_units == 1);
  CHECK(found.dormant_fraction == 0.2);
  CHECK(found.active_units == 1);
  CHECK(std::abs(found.score(2) - 0.02 / 0.654) < 1e-15);
  // 0.02 / 0.654 is 0.0306.
  CHECK(activations(h, {.tau = 0.031}).dormant_units == 2);
  CHECK(activations(h, {.tau = 0.030}).dormant_units == 1);
  CHECK(activations(h, {.tau = 0.0}).dormant_units == 1);
  CHECK(dormant_fraction(h, 0.5) == 0.6);
  // ddof 1: 4 / 3 and 3e-4.
  CHECK(activations(h, {.active_variance = 1.33}).active_units == 1);
  CHECK(activations(h, {.active_variance = 1.34}).active_units == 0);
  CHECK(activations(h, {.active_variance = 2.9e-4}).active_units == 2);
  CHECK_FALSE(found.saturated_units.has_value());
  CHECK(std::isnan(found.saturation));
}

TEST_CASE("units saturate at or beyond a bound for a share of the inputs", "[activations]") {
  Dense<double> h(4, 3);
  h << 1.0, -1.0, 0.2,  //
      1.0, 0.99, 0.3,   //
      0.9, -0.5, 1.0,   //
      1.0, 1.0, 0.1;
  const ActivationOptions both{.bounds = {.low = -1.0, .high = 0.99}, .saturated_share = 0.75};
  CHECK(activations(h, both).saturated_units == 2);
  CHECK(activations(h, both).saturation == 7.0 / 12.0);
  CHECK(activations(h, {.bounds = {.high = 0.99}, .saturated_share = 0.75}).saturated_units == 1);
  CHECK(activations(h, {.bounds = {.low = -0.5}, .saturated_share = 0.5}).saturated_units == 1);
  CHECK(activations(h, {.bounds = {.high = 2.0}}).saturated_units == 0);
  CHECK(activations(h, {.bounds = {.high = 2.0}}).saturation == 0.0);
}

TEMPLATE_TEST_CASE("scores are those of long double loops", "[activations]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const auto& [n, d] : {std::pair<Index, Index>{1, 1}, {3, 17}, {300, 33}, {257, 5}}) {
    CAPTURE(n, d);
    const Dense<TestType> h = reference::gaussian<TestType>(n, d, 4, 0.3);
    const reference::Matrix wide = reference::widened(h);
    const reference::Vector mean = wide.cwiseAbs().colwise().mean().transpose();
    const Activations found = activations(h, {.with_srank = false});
    Real worst = 0.0L;
    for (Index k = 0; k < d; ++k) {
      worst = std::max(worst, std::abs(static_cast<Real>(found.score(k)) - mean(k) / mean.mean()));
    }
    CHECK(worst < 1e-14L);
    CHECK_FALSE(found.srank.has_value());
  }
}

TEST_CASE("healthy rectified units are neither dormant nor dead", "[activations]") {
  const Activations found = activations(rectified<float>(400, 50), {.bounds = {.high = 6.0}});
  CHECK(found.dormant_fraction == 0.0);
  CHECK(found.dead_units == 0);
  CHECK(found.active_units == 50);
  CHECK(found.saturated_units == 0);
  CHECK(found.score.minCoeff() > 0.7);
  CHECK(*found.srank > 45);
}

TEST_CASE("srank is the number of directions that are equally strong", "[activations]") {
  const Dense<double> h = Dense<double>::Identity(40, 12) * 3.0;
  CHECK(activations(h).srank == 12);
  CHECK(activations(h, {.delta = 0.5}).srank == 6);
  CHECK(activations(synthetic::low_rank<float>(200, 30, 4)).srank == 4);
  CHECK(activations(synthetic::constant<double>(50, 8)).srank == 1);
}

TEST_CASE("a layer of zeros is dormant as a whole", "[activations]") {
  const Activations found = activations(Dense<float>(Dense<float>::Zero(6, 4)));
  CHECK(found.dormant_fraction == 1.0);
  CHECK(found.dead_units == 4);
  CHECK(found.active_units == 0);
  CHECK_FALSE(found.srank.has_value());
  CHECK(found.score.isZero(0));
}

TEST_CASE("a single input has no variance but all other counts", "[activations]") {
  Dense<double> h(1, 3);
  h << 0.0, 1.0, -3.0;
  const Activations found = activations(h);
  CHECK_FALSE(found.active_units.has_value());
  CHECK(found.dead_units == 1);
  CHECK(found.dormant_fraction == 1.0 / 3.0);
  CHECK(found.srank == 1);
}

TEST_CASE("dormant units do not change with scale or the order of inputs and units", "[activations]") {
  Dense<double> h = rectified<double>(120, 20);
  for (Index k = 0; k < 20; ++k) h.col(k) *= std::pow(10.0, -0.2 * static_cast<double>(k));
  const Activations expected = activations(h, {.with_srank = false});
  CHECK(expected.dormant_units > 2);
  CHECK(expected.dormant_units < 18);
  for (const double scale : {1e-300, 1e-150, 0x1p-20, 1e150, 1e300, 4e307}) {
    CAPTURE(scale);
    const Activations scaled = activations(Dense<double>(h * scale), {.with_srank = false});
    CHECK(scaled.dormant_units == expected.dormant_units);
    CHECK((scaled.score - expected.score).cwiseAbs().maxCoeff() < 1e-13);
    CHECK(scaled.dead_units == 0);
  }
  CHECK(activations(h.colwise().reverse(), {.with_srank = false}).dormant_units == expected.dormant_units);
  CHECK(activations(h.rowwise().reverse(), {.with_srank = false}).dormant_units == expected.dormant_units);
  // 5e-324 is not 0.
  CHECK(activations(Dense<double>(Dense<double>::Constant(3, 2, 5e-324)), {.with_srank = false}).dead_units == 0);
}

TEMPLATE_TEST_CASE("activations have the same bits in every layout", "[activations]", float, Eigen::half) {
  const Dense<TestType> h = reference::gaussian<TestType>(131, 37);
  const ActivationOptions options{.bounds = {.low = -1.0, .high = 1.0}, .saturated_share = 0.3};
  const Activations expected = activations(h, options);
  reference::in_every_layout(h, [&](const std::string& layout, const linalg::MatrixView<TestType>& view) {
    CAPTURE(layout);
    const Activations found = metrics::activations(view, options);
    CHECK(same(found, expected));
    CHECK(found.srank == expected.srank);
  });
  reference::for_thread_counts([&](int threads) {
    CAPTURE(threads);
    CHECK(same(activations(h, options), expected));
  });
}

TEST_CASE("activations refuse non-finite inputs or leave them out", "[activations]") {
  Dense<float> h = rectified<float>(9, 3);
  h(2, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(activations(h), NonFiniteError);
  const Activations found = activations(h, {.nonfinite = NonFinite::skip_rows});
  CHECK(found.samples == 8);
  CHECK(found.skipped_rows == 1);
  CHECK(found.score.allFinite());
  CHECK_THROWS_AS(activations(h.leftCols(0)), ShapeError);
}

TEST_CASE("activations name the option that is wrong", "[activations]") {
  const Dense<double> h = rectified<double>(9, 3);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const ActivationOptions& options : {ActivationOptions{.tau = -1.0},
                                           {.tau = nan},
                                           {.active_variance = -1.0},
                                           {.saturated_share = 0.0},
                                           {.saturated_share = 1.1},
                                           {.delta = 1.0},
                                           {.delta = -0.1},
                                           {.bounds = {.low = 1.0, .high = 1.0}},
                                           {.bounds = {.low = nan}}}) {
    CHECK_THROWS_AS(activations(h, options), OptionError);
  }
  try {
    static_cast<void>(activations(h, {.tau = -1.0}));
  } catch (const OptionError& error) {
    CHECK(std::string(error.what()) == "ActivationOptions::tau is -1; it must be at least 0");
  }
}
