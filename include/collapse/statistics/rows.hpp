#pragma once

#include <collapse/detail/load.hpp>
#include <collapse/detail/parallel.hpp>
#include <collapse/detail/view.hpp>
#include <collapse/error.hpp>
#include <collapse/options.hpp>

#include <Eigen/Core>

#include <cmath>
#include <limits>
#include <vector>

namespace collapse {

/// What one pass over the rows tells: which of them are usable, how long each is, and where the cloud lies.
struct Rows {
  Index samples = 0;  ///< usable rows
  Index dims = 0;
  Index skipped = 0;
  Index zero = 0;             ///< rows of length 0
  std::vector<Index> listed;  ///< the usable rows where some were skipped; empty when all are usable
  Eigen::VectorXd norm;       ///< ||z_i||, one per usable row
  /// u_i = z_i * prescale_i * inverse_norm_i. The prescale is a power of two, kept only where some row's squared norm
  /// leaves the range of double (empty otherwise); the inverse is 0 for a row of length 0.
  Eigen::VectorXd inverse_norm;
  Eigen::VectorXd prescale;
  Eigen::VectorXd centre;          ///< mean row, accurate to the rounding of a sum taken relative to the first row
  Eigen::VectorXd mean_direction;  ///< mean of the u_i
  Eigen::VectorXd largest;         ///< largest |z_id| per dimension

  [[nodiscard]] Index directed() const noexcept { return samples - zero; }  ///< rows that have a direction
  [[nodiscard]] detail::RowSelection selection() const noexcept {
    return {listed.empty() ? nullptr : &listed};
  }
};

namespace detail {

/// Squared length of a row and the power of two by which the row was multiplied first, so that neither overflow nor
/// underflow touches it. A non-finite entry gives a NaN or an infinity.
struct ScaledSquare {
  double value = 0.0;
  double prescale = 1.0;
};

[[nodiscard]] inline ScaledSquare scaled_square(const Eigen::Ref<const Eigen::RowVectorXd>& row) {
  const double plain = row.squaredNorm();
  if (plain > 1e-250 && plain < 1e290) return {plain, 1.0};
  const double largest = row.cwiseAbs().maxCoeff();
  if (!row.allFinite()) return {std::numeric_limits<double>::infinity(), 1.0};
  if (largest == 0.0) return {0.0, 1.0};
  const int exponent = std::clamp(std::ilogb(largest), -1000, 1000);
  const double prescale = std::ldexp(1.0, -exponent);
  return {(row * prescale).squaredNorm(), prescale};
}

inline void require_shape(Index rows, Index cols) {
  if (rows == 0 || cols == 0) {
    throw ShapeError(fmt::format("embeddings have {} {} (shape {} x {}); rows are samples and columns dimensions, and "
                                 "at least one of each is needed",
                                 rows == 0 ? rows : cols, rows == 0 ? "rows" : "columns", rows, cols),
                     rows, cols);
  }
}

template <EmbeddingScalar Scalar>
[[noreturn]] void throw_non_finite(const MatrixView<Scalar>& z, Index row) {
  for (Index col = 0; col < z.cols; ++col) {
    if (!std::isfinite(z.at(row, col))) throw NonFiniteError(row, col, z.at(row, col));
  }
  throw Error(fmt::format("row {} was taken for non-finite but is not; is the program compiled with -ffast-math?", row));
}

/// The pass itself. Throws ShapeError for an empty matrix or when no row is finite, NonFiniteError for the first
/// non-finite value in row order unless rows are to be skipped. O(N D) time, O(N + D) memory.
template <EmbeddingScalar Scalar>
[[nodiscard]] Rows scan_rows(const MatrixView<Scalar>& z, NonFinite policy) {
  require_shape(z.rows, z.cols);
  const Index dims = z.cols;
  constexpr Index block = 16;

  Rows rows;
  rows.dims = dims;

  // Sums are taken relative to a row of the data: of rows that are almost equal, only the differences are added.
  Eigen::RowVectorXd origin = Eigen::RowVectorXd::Zero(dims);
  Eigen::RowVectorXd origin_direction = Eigen::RowVectorXd::Zero(dims);
  {
    Eigen::RowVectorXd row(dims);
    bool have_origin = false;
    for (Index i = 0; i < z.rows; ++i) {
      for (Index d = 0; d < dims; ++d) row(d) = z.at(i, d);
      const ScaledSquare square = scaled_square(row);
      if (!std::isfinite(square.value)) continue;
      if (!have_origin) origin = row;
      have_origin = true;
      if (square.value == 0.0) continue;
      origin_direction = (row * square.prescale) * (1.0 / std::sqrt(square.value));
      break;
    }
  }

  struct Partial {
    Eigen::RowVectorXd sum, direction_sum, largest;
    Index zero = 0;
    std::vector<Index> non_finite;
    bool prescaled = false;
  };
  const Chunks chunks(z.rows);
  std::vector<Partial> partials(static_cast<std::size_t>(chunks.size()));
  Eigen::VectorXd squares(z.rows);
  Eigen::VectorXd prescale(z.rows);

  parallel_for(
      chunks.size(), [&] { return Panel(block, dims); },
      [&](Index chunk, Panel& panel) {
        Partial& partial = partials[static_cast<std::size_t>(chunk)];
        partial.sum = partial.direction_sum = partial.largest = Eigen::RowVectorXd::Zero(dims);
        for (Index first = chunks.begin(chunk); first < chunks.end(chunk); first += block) {
          const Index count = std::min(block, chunks.end(chunk) - first);
          load(z, RowSelection{}, first, 0, panel.view(count, dims));
          for (Index i = 0; i < count; ++i) {
            const Eigen::Map<const Eigen::RowVectorXd> row(panel.rows(i, 1, dims).data(), dims);
            const ScaledSquare square = scaled_square(row);
            squares(first + i) = square.value;
            prescale(first + i) = square.prescale;
            if (!std::isfinite(square.value)) {
              partial.non_finite.push_back(first + i);
              continue;
            }
            partial.sum += row - origin;
            if constexpr (std::same_as<Scalar, double>) partial.largest = partial.largest.cwiseMax(row.cwiseAbs());
            if (square.value == 0.0) {
              ++partial.zero;
              continue;
            }
            if (square.prescale == 1.0) {
              partial.direction_sum += row * (1.0 / std::sqrt(square.value)) - origin_direction;
            } else {
              partial.prescaled = true;
              partial.direction_sum += (row * square.prescale) * (1.0 / std::sqrt(square.value)) - origin_direction;
            }
          }
        }
      });

  Eigen::RowVectorXd sum = Eigen::RowVectorXd::Zero(dims);
  Eigen::RowVectorXd direction_sum = sum;
  Eigen::RowVectorXd largest = sum;
  std::vector<Index> non_finite;
  bool prescaled = false;
  for (const Partial& partial : partials) {
    sum += partial.sum;
    direction_sum += partial.direction_sum;
    largest = largest.cwiseMax(partial.largest);
    rows.zero += partial.zero;
    prescaled = prescaled || partial.prescaled;
    non_finite.insert(non_finite.end(), partial.non_finite.begin(), partial.non_finite.end());
  }
  if (!non_finite.empty() && policy == NonFinite::reject) throw_non_finite(z, non_finite.front());

  rows.skipped = static_cast<Index>(non_finite.size());
  rows.samples = z.rows - rows.skipped;
  if (rows.samples == 0) {
    throw ShapeError(fmt::format("every one of the {} rows holds a non-finite value; nothing is left to measure", z.rows),
                     z.rows, z.cols);
  }
  if (rows.skipped > 0) {
    rows.listed.reserve(static_cast<std::size_t>(rows.samples));
    auto bad = non_finite.begin();
    for (Index i = 0; i < z.rows; ++i) {
      if (bad != non_finite.end() && *bad == i) {
        ++bad;
        continue;
      }
      const Index kept = static_cast<Index>(rows.listed.size());
      squares(kept) = squares(i);
      prescale(kept) = prescale(i);
      rows.listed.push_back(i);
    }
    squares.conservativeResize(rows.samples);
    prescale.conservativeResize(rows.samples);
  }
  rows.norm = squares.cwiseSqrt();
  rows.inverse_norm = (rows.norm.array() > 0.0).select(rows.norm.array().inverse(), 0.0);
  if (prescaled) {
    rows.norm.array() /= prescale.array();
    rows.prescale = std::move(prescale);
  }
  rows.centre = (origin + sum / static_cast<double>(rows.samples)).transpose();
  rows.mean_direction = Eigen::VectorXd::Zero(dims);
  if (rows.directed() > 0) {
    rows.mean_direction = (origin_direction + direction_sum / static_cast<double>(rows.directed())).transpose();
  }
  rows.largest = largest.transpose();
  return rows;
}

}  // namespace detail
}  // namespace collapse
