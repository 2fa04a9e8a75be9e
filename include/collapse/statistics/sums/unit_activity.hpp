#pragma once

#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/lengths.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace collapse {

/// What one pass over activations tells about each unit, a column.
struct UnitActivity {
  Index samples = 0;
  Eigen::VectorXd mean_abs;                          ///< mean |h|, in units of 2^exponent
  int exponent = 0;                                  ///< 0 unless the sums would leave the range of double
  Eigen::Matrix<Index, Eigen::Dynamic, 1> non_zero;  ///< inputs for which the unit is not 0
  Eigen::Matrix<Index, Eigen::Dynamic, 1> at_bound;  ///< inputs for which it is at or beyond a bound
};

/// Where activations saturate; a side without a bound never does.
struct SaturationBounds {
  std::optional<double> low = std::nullopt;
  std::optional<double> high = std::nullopt;
};

namespace statistics {

template <EmbeddingScalar Scalar>
[[nodiscard]] UnitActivity unit_activity(const linalg::MatrixView<Scalar>& h, const Rows& rows,
                                         const SaturationBounds& bounds) {
  const Index units = rows.dims;
  const double low = bounds.low.value_or(-std::numeric_limits<double>::infinity());
  const double high = bounds.high.value_or(std::numeric_limits<double>::infinity());
  UnitActivity result;
  result.samples = rows.samples;
  result.exponent = range_exponent(rows.norm.maxCoeff());
  const int exponent = result.exponent;
  result.mean_abs = Eigen::VectorXd::Zero(units);
  result.non_zero.setZero(units);
  result.at_bound.setZero(units);
  // A few columns at a time, each summed by one thread in the order of the rows.
  constexpr Index width = 16;
  constexpr Index strip = 256;
  linalg::parallel_for(
      {(units + width - 1) / width, rows.samples, units}, [&] { return linalg::Panel(strip, width); },
      [&](Index c, linalg::Panel& panel) {
        const Index first = c * width;
        const Index count = std::min(width, units - first);
        for (Index row = 0; row < rows.samples; row += strip) {
          linalg::Panel::View block = panel.view(std::min(strip, rows.samples - row), count);
          load(h, rows.selection(), row, first, block);
          for (Index j = 0; j < count; ++j) {
            double sum = 0.0;
            for (Index i = 0; i < block.rows(); ++i) {
              const double value = block.row(i)[j];
              const double size = std::abs(value);
              sum += exponent == 0 ? size : std::ldexp(size, -exponent);
              result.non_zero(first + j) += value != 0.0 ? 1 : 0;
              result.at_bound(first + j) += value <= low || value >= high ? 1 : 0;
            }
            result.mean_abs(first + j) += sum;
          }
        }
      });
  result.mean_abs /= static_cast<double>(rows.samples);
  return result;
}

}  // namespace statistics
}  // namespace collapse
