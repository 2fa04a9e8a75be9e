#pragma once

#include <collapse/linalg/load.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/gram.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>

namespace collapse::statistics {

/// The rows as they are, in units of a power of two near the longest of them, so that no product of two overflows.
template <EmbeddingScalar Scalar>
class RowsInUnits {
 public:
  RowsInUnits(const linalg::MatrixView<Scalar>& z, const Rows& rows) : z_(z), rows_(rows) {
    const double longest = rows.norm.maxCoeff();
    // The length of a row may be infinite where its values are not.
    if (longest > 0.0) exponent_ = std::clamp(std::ilogb(longest), -1000, 1000);
    scale_ = std::ldexp(1.0, -exponent_);
  }

  [[nodiscard]] int exponent() const { return exponent_; }
  [[nodiscard]] Index samples() const { return rows_.samples; }
  [[nodiscard]] Index dims() const { return rows_.dims; }

  /// Root mean square over all entries.
  [[nodiscard]] double rms() const {
    double squares = 0.0;
    for (Index i = 0; i < samples(); ++i) {
      const double length = rows_.norm(i) * scale_;
      squares += length * length;
    }
    return std::sqrt(squares / (static_cast<double>(samples()) * static_cast<double>(dims())));
  }

  /// Rows [first, first + out.rows()).
  void load(Index first, linalg::Panel::View out) const {
    linalg::load(z_, rows_.selection(), first, 0, out);
    out.scale(scale_);
  }

  /// Dimensions [first, first + out.rows()), samples along the row.
  void load_transposed(Index first, linalg::Panel::View out) const {
    linalg::load_transposed(z_, rows_.selection(), 0, first, out);
    out.scale(scale_);
  }

 private:
  const linalg::MatrixView<Scalar>& z_;
  const Rows& rows_;
  int exponent_ = 0;
  double scale_ = 1.0;
};

}  // namespace collapse::statistics
