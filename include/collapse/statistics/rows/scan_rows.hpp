#pragma once

#include <collapse/compiled.hpp>
#include <collapse/error.hpp>
#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/rows/non_finite.hpp>
#include <collapse/statistics/rows/rows.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

namespace collapse {
namespace statistics {

/// ||row||^2 and the power of two by which the row was multiplied first, so that neither overflow nor underflow touches
/// it. A non-finite entry gives a NaN or an infinity.
struct ScaledSquare {
  double value = 0.0;
  double prescale = 1.0;
};

template <EmbeddingScalar Scalar>
[[nodiscard]] ScaledSquare scaled_square(const linalg::MatrixView<Scalar>& z, Index row, double plain) {
  if (plain > 1e-250 && plain < 1e290) return {plain, 1.0};
  double largest = 0.0;
  for (Index d = 0; d < z.cols; ++d) {
    const double value = std::abs(z.at(row, d));
    if (!std::isfinite(value)) return {std::numeric_limits<double>::infinity(), 1.0};
    largest = std::max(largest, value);
  }
  if (largest == 0.0) return {0.0, 1.0};
  const double prescale = std::ldexp(1.0, -std::clamp(std::ilogb(largest), -1000, 1000));
  double square = 0.0;
  for (Index d = 0; d < z.cols; ++d) square += (z.at(row, d) * prescale) * (z.at(row, d) * prescale);
  return {square, prescale};
}

/// Squared lengths of `count` rows from `first`, at most 16, added in one order whatever the strides.
template <EmbeddingScalar Scalar>
void squared_lengths(const linalg::MatrixView<Scalar>& z, Index first, Index count, double* squares) {
  constexpr Index chunk = 64;
  constexpr std::size_t lanes = 8;
  std::array<double, 16 * chunk> buffer;
  std::array<std::array<double, lanes>, 16> sums{};
  const auto add = [&](Index row, Index rows, Index d) {
    const Index width = std::min(chunk, z.cols - d);
    load(z, linalg::RowSelection{}, first + row, d, linalg::Panel::View(buffer.data(), rows, width, chunk));
    for (Index i = 0; i < rows; ++i) {
      double* const values = buffer.data() + i * chunk;
      std::fill(values + width, values + chunk, 0.0);
      std::array<double, lanes>& sum = sums[static_cast<std::size_t>(row + i)];
      for (Index k = 0; k < chunk; k += static_cast<Index>(lanes)) {
        for (std::size_t lane = 0; lane < lanes; ++lane) {
          const double value = values[k + static_cast<Index>(lane)];
          sum[lane] += value * value;
        }
      }
    }
  };
  // Memory is read forwards.
  const Index rows_at_once = z.col_stride == 1 ? 1 : count;
  for (Index row = 0; row < count; row += rows_at_once) {
    for (Index d = 0; d < z.cols; d += chunk) add(row, rows_at_once, d);
  }
  for (Index i = 0; i < count; ++i) {
    const std::array<double, lanes>& sum = sums[static_cast<std::size_t>(i)];
    squares[i] = ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
  }
}

template <EmbeddingScalar Scalar>
void scan_rows(const linalg::MatrixView<Scalar>& z, NonFinite policy, Rows& rows) {
  rows.dims = z.cols;
  rows.zero = rows.skipped = 0;
  rows.listed.clear();
  rows.norm.resize(z.rows);
  rows.inverse_norm.resize(z.rows);
  constexpr Index strip = 16;
  linalg::parallel_for({(z.rows + strip - 1) / strip, z.rows, z.cols}, [&](Index s) {
    squared_lengths(z, s * strip, std::min(strip, z.rows - s * strip), rows.norm.data() + s * strip);
  });

  bool prescaled = false;
  rows.prescale.resize(0);
  for (Index i = 0; i < z.rows; ++i) {
    const ScaledSquare square = scaled_square(z, i, rows.norm(i));
    if (!std::isfinite(square.value)) {
      if (policy == NonFinite::reject) throw_non_finite(z, i);
      if (rows.skipped++ == 0) {
        for (Index before = 0; before < i; ++before) rows.listed.push_back(before);
      }
      continue;
    }
    const Index kept = i - rows.skipped;
    if (rows.skipped > 0) rows.listed.push_back(i);
    if (square.prescale != 1.0 && !prescaled) {
      prescaled = true;
      rows.prescale = Eigen::VectorXd::Ones(z.rows);
    }
    const double root = std::sqrt(square.value);
    rows.norm(kept) = root / square.prescale;
    rows.inverse_norm(kept) = root > 0.0 ? 1.0 / root : 0.0;
    if (prescaled) rows.prescale(kept) = square.prescale;
    rows.zero += root > 0.0 ? 0 : 1;
  }
  rows.samples = z.rows - rows.skipped;
  if (rows.skipped > 0) {
    rows.norm.conservativeResize(rows.samples);
    rows.inverse_norm.conservativeResize(rows.samples);
    if (prescaled) rows.prescale.conservativeResize(rows.samples);
  }
}

template <EmbeddingScalar Scalar>
Rows scan_rows(const linalg::MatrixView<Scalar>& z, NonFinite policy) {
  require_shape(z.rows, z.cols);
  Rows rows;
  scan_rows(z, policy, rows);
  if (rows.samples == 0) {
    throw ShapeError(
        fmt::format("every one of the {} rows holds a non-finite value; nothing is left to measure", z.rows), z.rows,
        z.cols);
  }
  return rows;
}

}  // namespace statistics

#ifdef COLLAPSE_COMPILED
#define COLLAPSE_ROWS_INSTANCES(Keyword, Scalar)                                                    \
  Keyword template void statistics::scan_rows(const linalg::MatrixView<Scalar>&, NonFinite, Rows&); \
  Keyword template Rows statistics::scan_rows(const linalg::MatrixView<Scalar>&, NonFinite);
COLLAPSE_EXTERN_INSTANCES(COLLAPSE_ROWS_INSTANCES)
#endif

}  // namespace collapse
