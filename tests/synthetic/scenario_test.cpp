#include "support/catch.hpp"

#include <collapse/synthetic/scenario.hpp>

#include <cmath>
#include <cstddef>
#include <string>

using namespace collapse;
using synthetic::Family;

TEST_CASE("a scenario of strength 0 is healthy and of strength 1 is not but for the healthy families", "[scenario]") {
  for (const Family family : synthetic::families) {
    CAPTURE(std::string(to_string(family)));
    CHECK(synthetic::truth(family, 0.0).collapsed == false);
    CHECK(synthetic::truth(family, 0.0).verdict == Verdict::healthy);
    if (family == Family::cone) continue;
    CHECK(synthetic::truth(family, 1.0).collapsed == !synthetic::is_healthy(family));
    CHECK(synthetic::truth(family, 0.75).collapsed == !synthetic::is_healthy(family));
    if (!synthetic::is_healthy(family)) CHECK_FALSE(synthetic::truth(family, 0.5).collapsed.has_value());
  }
}

TEST_CASE("a cone is no collapse, and so narrow that it may be noise around a point nobody can tell", "[scenario]") {
  for (const double strength : {0.25, 0.75, 0.85}) {
    CHECK(synthetic::truth(Family::cone, strength).collapsed == false);
    CHECK(synthetic::truth(Family::cone, strength).verdict == Verdict::healthy);
  }
  CHECK_FALSE(synthetic::truth(Family::cone, 1.0).collapsed.has_value());
  CHECK_FALSE(synthetic::truth(Family::cone, 1.0).verdict.has_value());
}

TEST_CASE("rows of a scenario are those of its generator", "[scenario]") {
  const auto rows = [](Family family, double strength) {
    return synthetic::scenario<double>(family, strength, 20, 16, 3).embeddings;
  };
  for (const Family family : {Family::complete, Family::dimensional, Family::dead, Family::redundant, Family::cone,
                              Family::clusters, Family::norm_collapse, Family::norm_explosion}) {
    CAPTURE(std::string(to_string(family)));
    CHECK(rows(family, 0.0) == synthetic::isotropic<double>(20, 16, 3));
  }
  CHECK(rows(Family::power_law, 0.5) == synthetic::power_law<double>(20, 16, 0.5, 3));
  CHECK(rows(Family::mixture, 0.5) == synthetic::clusters<double>(20, 16, 16, 2.0, 3));
  // 16^(1 - 0.5) directions, and half of 15 dimensions rounded away from zero.
  CHECK(rows(Family::dimensional, 0.5) == synthetic::low_rank<double>(20, 16, 4, 3));
  CHECK(rows(Family::dimensional, 1.0) == synthetic::low_rank<double>(20, 16, 1, 3));
  CHECK(rows(Family::dead, 0.5) == synthetic::dead_dimensions<double>(20, 16, 8, 3));
  CHECK(rows(Family::redundant, 0.5) == synthetic::correlated<double>(20, 16, 0.5, 3));
  CHECK(rows(Family::cone, 1.0) == synthetic::cone<double>(20, 16, 0.95, 3));
  CHECK(rows(Family::clusters, 0.75) == synthetic::clusters<double>(20, 16, 8, 0.25, 3));
  CHECK(rows(Family::norm_explosion, 1.0).isApprox(1000.0 * rows(Family::norm_explosion, 0.0), 1e-14));
  CHECK(rows(Family::norm_collapse, 1.0).isApprox(0.001 * rows(Family::norm_collapse, 0.0), 1e-14));
  const auto plain = rows(Family::heavy_tails, 0.0);
  const auto heavy = rows(Family::heavy_tails, 1.0);
  for (Index i = 0; i < plain.rows(); ++i) {
    CHECK(std::abs(heavy.row(i).dot(plain.row(i)) / (heavy.row(i).norm() * plain.row(i).norm()) - 1.0) < 1e-14);
  }
}

TEST_CASE("a single class that collapses is the mixture with one class drawn together", "[scenario]") {
  const auto whole = synthetic::scenario<double>(Family::mixture, 0.0, 64, 8, 3);
  const auto labelled = synthetic::scenario<double>(Family::single_class, 0.5, 64, 8, 3);
  CHECK(whole.labels.empty());
  REQUIRE(labelled.labels.size() == 64);
  const double shrink = std::pow(1000.0, -0.5);
  for (Index i = 0; i < 64; ++i) {
    CAPTURE(i);
    CHECK(labelled.labels[static_cast<std::size_t>(i)] == i % 16);
    if (i % 16 != 0) {
      CHECK(labelled.embeddings.row(i) == whole.embeddings.row(i));
    } else {
      const auto apart = [i](const auto& z) { return (z.row(i) - z.row(0)).eval(); };
      CHECK(apart(labelled.embeddings).isApprox(shrink * apart(whole.embeddings), 1e-12));
    }
  }
}

TEST_CASE("a strength out of its range is refused", "[scenario]") {
  for (const double strength : {-0.1, 1.1, undefined}) {
    CHECK_THROWS_AS(synthetic::scenario<float>(Family::cone, strength, 4, 4), OptionError);
  }
  CHECK_THROWS_AS(synthetic::scenario<float>(Family::cone, 0.5, 4, 0), ShapeError);
}
