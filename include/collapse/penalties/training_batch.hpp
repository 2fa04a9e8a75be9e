#pragma once

#include <collapse/error.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/options.hpp>
#include <collapse/statistics/rows/non_finite.hpp>
#include <collapse/statistics/rows/rows.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <algorithm>
#include <string_view>
#include <type_traits>

/// What all penalties on a batch begin and end with. Everything between is done in double.
namespace collapse::penalties {

template <class Derived>
void require_batch(const Eigen::DenseBase<Derived>& z, Index least, std::string_view penalty) {
  static_assert(EmbeddingScalar<typename Derived::Scalar>,
                "collapse: embeddings must be float, double, Eigen::half or Eigen::bfloat16; convert others with "
                "Z.template cast<float>()");
  if (z.rows() >= least && z.cols() >= 1) return;
  throw ShapeError(
      fmt::format("a batch of shape {} x {} was given to {}, which needs at least {} row{} and a dimension", z.rows(),
                  z.cols(), penalty, least, least == 1 ? "" : "s"),
      z.rows(), z.cols());
}

template <class DerivedA, class DerivedB>
void require_pairs(const Eigen::DenseBase<DerivedA>& a, const Eigen::DenseBase<DerivedB>& b, Index least,
                   std::string_view penalty) {
  require_batch(a, least, penalty);
  require_batch(b, least, penalty);
  if (a.rows() == b.rows() && a.cols() == b.cols()) return;
  throw ShapeError(fmt::format("views of shapes {} x {} and {} x {} were given to {}; they must agree", a.rows(),
                               a.cols(), b.rows(), b.cols(), penalty),
                   b.rows(), b.cols());
}

/// Eight columns at a time: as many streams, and whole cache lines, whichever order the other side is stored in.
template <class Body>
void for_column_strips(Index rows, Index cols, const Body& body) {
  constexpr Index strip = 8;
  linalg::parallel_for({(cols + strip - 1) / strip, strip, rows},
                       [&](Index s) { body(s * strip, std::min(strip, cols - s * strip)); });
}

/// @throws NonFiniteError
template <class Derived>
void load(const Eigen::DenseBase<Derived>& z, Eigen::MatrixXd& out) {
  const linalg::Evaluated<Derived> evaluated(z);
  const auto view = evaluated.view();
  out.resize(view.rows, view.cols);
  for_column_strips(view.rows, view.cols, [&](Index first, Index count) {
    for (Index i = 0; i < view.rows; ++i) {
      for (Index d = first; d < first + count; ++d) out(i, d) = view.at(i, d);
    }
  });
  if (out.allFinite()) return;
  Index row = 0;
  while (out.row(row).allFinite()) ++row;
  statistics::throw_non_finite(view, row);
}

/// Subtracts its mean from a column.
template <class Column>
void centre(Column&& column) {
  column.array() -= column.mean();
  // What the rounding of a large mean has left.
  column.array() -= column.mean();
}

/// The batch with its mean row removed.
template <class Derived>
void load_centred(const Eigen::DenseBase<Derived>& z, Eigen::MatrixXd& out) {
  load(z, out);
  for (Index d = 0; d < out.cols(); ++d) centre(out.col(d));
}

/// The directions of the rows of a batch, and the map from a gradient with respect to them to one with respect to the
/// rows. A row of length 0 has no direction; neither has one so short that its gradient would overflow. Both u and the
/// gradient are 0 there.
class UnitRows {
 public:
  template <class Derived>
  void load(const Eigen::DenseBase<Derived>& z) {
    const linalg::Evaluated<Derived> evaluated(z);
    const auto view = evaluated.view();
    statistics::scan_rows(view, NonFinite::reject, rows_);
    u.resize(view.rows, view.cols);
    for_column_strips(view.rows, view.cols, [&](Index first, Index count) {
      for (Index i = 0; i < view.rows; ++i) {
        const double scale = has_direction(i) ? rows_.scale(i) : 0.0;
        for (Index d = first; d < first + count; ++d) u(i, d) = view.at(i, d) * scale * rows_.inverse_norm(i);
      }
    });
    directed = (rows_.norm.array() > shortest).count();
  }

  [[nodiscard]] bool has_direction(Index i) const { return rows_.norm(i) > shortest; }

  /// Turns dL/du into dL/dz.
  void pull_back(Eigen::MatrixXd& gradient) {
    along_.setZero(u.rows());
    for (Index d = 0; d < u.cols(); ++d) along_.array() += u.col(d).array() * gradient.col(d).array();
    inverse_ = (rows_.norm.array() > shortest).select(rows_.norm.cwiseInverse(), 0.0);
    for (Index d = 0; d < u.cols(); ++d) {
      gradient.col(d).array() = (gradient.col(d).array() - along_.array() * u.col(d).array()) * inverse_.array();
    }
  }

  Eigen::MatrixXd u;   ///< N x D
  Index directed = 0;  ///< rows that have a direction

 private:
  static constexpr double shortest = 1e-290;

  Rows rows_;
  Eigen::VectorXd along_, inverse_;
};

/// Writes a gradient to what the caller gave: a matrix is sized, a view must have the shape already.
template <class Gradient>
void store(const Eigen::MatrixXd& values, Gradient& gradient) {
  using Plain = std::remove_cvref_t<Gradient>;
  using Scalar = typename Plain::Scalar;
  if (gradient.rows() != values.rows() || gradient.cols() != values.cols()) {
    if constexpr (std::is_base_of_v<Eigen::PlainObjectBase<Plain>, Plain>) {
      gradient.resize(values.rows(), values.cols());
    } else {
      throw ShapeError(fmt::format("a gradient of shape {} x {} was given for embeddings of shape {} x {}",
                                   gradient.rows(), gradient.cols(), values.rows(), values.cols()),
                       gradient.rows(), gradient.cols());
    }
  }
  for_column_strips(values.rows(), values.cols(), [&](Index first, Index count) {
    for (Index i = 0; i < values.rows(); ++i) {
      for (Index d = first; d < first + count; ++d) gradient(i, d) = static_cast<Scalar>(values(i, d));
    }
  });
}

}  // namespace collapse::penalties
