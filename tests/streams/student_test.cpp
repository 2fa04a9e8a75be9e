#include "support/catch.hpp"

#include <collapse/streams/student.hpp>

#include <array>
#include <cmath>

using collapse::streams::student_bound;
using collapse::streams::student_probability;

TEST_CASE("bounds of Student's t are those of the tables", "[student]") {
  struct Row {
    long freedom;
    double half, most, nearly_all;  // |t| is below with probability 0.5, 0.95, 0.999
  };
  // Abramowitz & Stegun, table 26.10.
  for (const Row& row : {Row{1, 1.000, 12.706, 636.619}, Row{2, 0.816, 4.303, 31.598}, Row{3, 0.765, 3.182, 12.924},
                         Row{4, 0.741, 2.776, 8.610}, Row{9, 0.703, 2.262, 4.781}, Row{20, 0.687, 2.086, 3.850},
                         Row{120, 0.677, 1.980, 3.373}}) {
    CAPTURE(row.freedom);
    CHECK(std::abs(student_bound(0.5, row.freedom) - row.half) < 6e-4);
    CHECK(std::abs(student_bound(0.95, row.freedom) - row.most) < 6e-4);
    CHECK(std::abs(student_bound(0.999, row.freedom) / row.nearly_all - 1.0) < 2e-4);
  }
}

TEST_CASE("closed forms of Student's t at one and two degrees of freedom and at very many", "[student]") {
  for (const double p : {1e-6, 0.1, 0.5, 0.9, 0.999999}) {
    CAPTURE(p);
    CHECK(std::abs(student_bound(p, 1) / std::tan(std::acos(-1.0) * p / 2.0) - 1.0) < 1e-9);
    CHECK(std::abs(student_bound(p, 2) / (p * std::sqrt(2.0 / (1.0 - p * p))) - 1.0) < 1e-9);
    CHECK(std::abs(std::erf(student_bound(p, 4'000'001) / std::sqrt(2.0)) - p) < 1e-6);
  }
}

TEST_CASE("bound and probability of Student's t undo each other", "[student]") {
  for (const long freedom : {1L, 2L, 5L, 10L, 31L, 200L}) {
    double before = 0.0;
    for (const double p : {0.01, 0.3, 0.8, 0.95, 0.99}) {
      CAPTURE(freedom, p);
      const double bound = student_bound(p, freedom);
      CHECK(bound > before);
      CHECK(std::abs(student_probability(bound, freedom) - p) < 1e-14);
      before = bound;
    }
  }
}
