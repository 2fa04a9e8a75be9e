#pragma once

#include <collapse/error.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/view.hpp>
#include <collapse/synthetic/deviates.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

/// Embeddings whose collapse is known, for trying the library out, for testing an alarm, for teaching:
///
///     const Eigen::MatrixXf Z = collapse::synthetic::low_rank<float>(1000, 64, 3, seed);
///
/// Every generator gives N x D embeddings, rows are samples, drawn anew for each seed. Row i depends on the seed and i
/// alone, not on N; all numbers have the same bits on every platform with IEEE arithmetic, whatever the compiler, its
/// flags (-ffast-math excepted) and the number of threads. They are formed in double and rounded to the scalar once.
/// All throw ShapeError unless N >= 0 and D >= 1, OptionError for a parameter out of its range. Unless a function says
/// otherwise it takes O(N D) time and memory.
namespace collapse::synthetic {

/// Float, double, Eigen::half or Eigen::bfloat16.
template <EmbeddingScalar Scalar>
using Embeddings = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;

namespace detail {

using Eigen::Index;

/// Numbers drawn from one seed for different purposes come from different streams, and are independent.
enum class Stream : std::uint64_t { rows, basis, offset, rotation };

[[nodiscard]] inline std::uint64_t key(std::uint64_t seed, Stream stream, Index item) {
  using collapse::linalg::hash;
  return hash(hash(seed, static_cast<std::uint64_t>(stream)), static_cast<std::uint64_t>(item));
}

/// `count` independent N(0, 1) numbers: those that belong to `item` of a stream.
inline void draw(std::uint64_t seed, Stream stream, Index item, Eigen::VectorXd& out) {
  const std::uint64_t of_item = key(seed, stream, item);
  for (Index k = 0; k < out.size(); ++k) {
    out(k) = collapse::synthetic::normal_deviate(of_item, static_cast<std::uint64_t>(k));
  }
}

/// A direction drawn uniformly, of length 1 to rounding.
[[nodiscard]] inline Eigen::VectorXd unit_vector(std::uint64_t seed, Stream stream, Index item, Index dims) {
  Eigen::VectorXd result(dims);
  draw(seed, stream, item, result);
  // Eigen's sum has an order of its own for every instruction set.
  double square = 0.0;
  for (Index d = 0; d < dims; ++d) square = std::fma(result(d), result(d), square);
  const double length = std::sqrt(square);
  for (Index d = 0; d < dims; ++d) result(d) /= length;
  return result;
}

inline void require(bool in_range, const char* generator, const char* parameter, double value, const char* range) {
  if (in_range) return;
  throw OptionError(fmt::format("synthetic::{}: {} is {}; it must be {}", generator, parameter, value, range));
}

inline void require_shape(Index rows, Index dims) {
  if (rows >= 0 && dims >= 1) return;
  throw ShapeError(
      fmt::format("synthetic embeddings of {} rows and {} dimensions; rows must be at least 0, dimensions at "
                  "least 1",
                  rows, dims),
      rows, dims);
}

template <EmbeddingScalar Scalar>
[[nodiscard]] Scalar rounded(double value) {
  if constexpr (std::same_as<Scalar, float> || std::same_as<Scalar, double>) {
    return static_cast<Scalar>(value);
  } else {
    // Narrower scalars are rounded from float. To odd first (Boldo & Melquiond 2008), or values would be rounded twice.
    float wide = static_cast<float>(value);
    if (static_cast<double>(wide) != value && (std::bit_cast<std::uint32_t>(wide) & 1U) == 0) {
      const float infinity = std::numeric_limits<float>::infinity();
      wide = std::nextafter(wide, value > static_cast<double>(wide) ? infinity : -infinity);
    }
    return static_cast<Scalar>(wide);
  }
}

/// The matrix whose row i is computed by `row(i, deviates, values)` from `width` fresh normal deviates: `values(d)` for
/// d < D.
template <EmbeddingScalar Scalar, class MakeRow>
[[nodiscard]] Embeddings<Scalar> generate(Index rows, Index dims, Index width, std::uint64_t seed, MakeRow&& row) {
  require_shape(rows, dims);
  Embeddings<Scalar> z(rows, dims);
  constexpr Index strip = 16;
  struct Scratch {
    Eigen::VectorXd deviates, values;
  };
  collapse::linalg::parallel_for(
      {(rows + strip - 1) / strip, rows, dims},
      [&] {
        return Scratch{Eigen::VectorXd(width), Eigen::VectorXd(dims)};
      },
      [&](Index s, Scratch& scratch) {
        for (Index i = s * strip; i < std::min(rows, (s + 1) * strip); ++i) {
          draw(seed, Stream::rows, i, scratch.deviates);
          row(i, std::as_const(scratch.deviates), scratch.values);
          for (Index d = 0; d < dims; ++d) z(i, d) = rounded<Scalar>(scratch.values(d));
        }
      });
  return z;
}

/// A random orthogonal matrix in O(D log D) per product: rounds of plane rotations, log2(D) of them as in a fast
/// Fourier transform and, where D is no power of two, as many back, after which every dimension has met every other.
class Rotation {
 public:
  Rotation(Index dims, std::uint64_t seed) {
    Index reach = 1;
    for (; reach < dims; reach *= 2) add_round(dims, reach, seed);
    if (reach == dims) return;
    for (reach /= 4; reach >= 1; reach /= 2) add_round(dims, reach, seed);
  }

  void apply(Eigen::VectorXd& x) const {
    for (const Plane& plane : planes_) {
      const double a = x(plane.i);
      const double b = x(plane.j);
      x(plane.i) = std::fma(plane.cosine, a, -(plane.sine * b));
      x(plane.j) = std::fma(plane.sine, a, plane.cosine * b);
    }
  }

 private:
  struct Plane {
    Index i, j;
    double cosine, sine;
  };

  void add_round(Index dims, Index reach, std::uint64_t seed) {
    Eigen::VectorXd pair(2);
    for (Index i = 0; i + reach < dims; ++i) {
      if ((i / reach) % 2 != 0) continue;
      draw(seed, Stream::rotation, static_cast<Index>(planes_.size()), pair);
      const double length = std::sqrt(std::fma(pair(0), pair(0), pair(1) * pair(1)));
      planes_.push_back({i, i + reach, pair(0) / length, pair(1) / length});
    }
  }

  std::vector<Plane> planes_;
};

}  // namespace detail

/// Healthy: N(0, 1) in every dimension, independently.
template <EmbeddingScalar Scalar>
[[nodiscard]] Embeddings<Scalar> isotropic(Eigen::Index rows, Eigen::Index dims, std::uint64_t seed = 0) {
  return detail::generate<Scalar>(rows, dims, dims, seed,
                                  [](Eigen::Index, const auto& deviates, auto& values) { values = deviates; });
}

/// Dimensional collapse: rows in the span of `rank` random directions, up to the rounding to the scalar. The variance
/// is 1 per dimension on average.
/// @param rank  1 to D
/// Cost: O(N D rank).
template <EmbeddingScalar Scalar>
[[nodiscard]] Embeddings<Scalar> low_rank(Eigen::Index rows, Eigen::Index dims, Eigen::Index rank,
                                          std::uint64_t seed = 0) {
  detail::require_shape(rows, dims);
  detail::require(rank >= 1 && rank <= dims, "low_rank", "rank", static_cast<double>(rank), "from 1 to the dimensions");
  Eigen::MatrixXd basis(dims, rank);
  const double scale = std::sqrt(static_cast<double>(dims) / static_cast<double>(rank));
  for (Eigen::Index k = 0; k < rank; ++k) {
    const Eigen::VectorXd direction = detail::unit_vector(seed, detail::Stream::basis, k, dims);
    for (Eigen::Index d = 0; d < dims; ++d) basis(d, k) = direction(d) * scale;
  }
  return detail::generate<Scalar>(rows, dims, rank, seed, [&](Eigen::Index, const auto& deviates, auto& values) {
    values.setZero();
    for (Eigen::Index k = 0; k < rank; ++k) {
      for (Eigen::Index d = 0; d < dims; ++d) values(d) = std::fma(deviates(k), basis(d, k), values(d));
    }
  });
}

/// A decaying spectrum, as encoders have: the covariance has the eigenvalues k^-alpha, k = 1..D, in random directions.
/// Healthy for alpha about 1, ever more collapsed as it grows.
/// @param alpha  0 (isotropic) to 100
/// Cost: O(N D log D), and O(D log D) memory beside the result.
template <EmbeddingScalar Scalar>
[[nodiscard]] Embeddings<Scalar> power_law(Eigen::Index rows, Eigen::Index dims, double alpha, std::uint64_t seed = 0) {
  detail::require_shape(rows, dims);
  detail::require(alpha >= 0.0 && alpha <= 100.0, "power_law", "alpha", alpha, "from 0 to 100");
  Eigen::VectorXd deviation(dims);
  for (Eigen::Index k = 0; k < dims; ++k) {
    const double exponent = -0.5 * alpha * collapse::synthetic::portable_log(static_cast<double>(k + 1));
    deviation(k) = exponent > -700.0 ? collapse::synthetic::portable_exp(exponent) : 0.0;
  }
  const detail::Rotation rotation(dims, seed);
  return detail::generate<Scalar>(rows, dims, dims, seed, [&](Eigen::Index, const auto& deviates, auto& values) {
    for (Eigen::Index k = 0; k < dims; ++k) values(k) = deviation(k) * deviates(k);
    rotation.apply(values);
  });
}

/// Redundant dimensions, all alike: N(0, 1) with the same correlation between every two.
/// @param correlation  0 to 1
template <EmbeddingScalar Scalar>
[[nodiscard]] Embeddings<Scalar> correlated(Eigen::Index rows, Eigen::Index dims, double correlation,
                                            std::uint64_t seed = 0) {
  detail::require_shape(rows, dims);
  detail::require(correlation >= 0.0 && correlation <= 1.0, "correlated", "correlation", correlation, "from 0 to 1");
  const double common = std::sqrt(correlation);
  const double own = std::sqrt(1.0 - correlation);
  return detail::generate<Scalar>(rows, dims, dims + 1, seed, [&](Eigen::Index, const auto& deviates, auto& values) {
    for (Eigen::Index d = 0; d < dims; ++d) values(d) = std::fma(own, deviates(d), common * deviates(dims));
  });
}

/// Redundant dimensions, copies: dimension d equals dimension d % distinct, and the first `distinct` ones are
/// independent N(0, 1).
/// @param distinct  1 to D
template <EmbeddingScalar Scalar>
[[nodiscard]] Embeddings<Scalar> duplicated(Eigen::Index rows, Eigen::Index dims, Eigen::Index distinct,
                                            std::uint64_t seed = 0) {
  detail::require_shape(rows, dims);
  detail::require(distinct >= 1 && distinct <= dims, "duplicated", "distinct", static_cast<double>(distinct),
                  "from 1 to the dimensions");
  return detail::generate<Scalar>(rows, dims, distinct, seed, [&](Eigen::Index, const auto& deviates, auto& values) {
    for (Eigen::Index d = 0; d < dims; ++d) values(d) = deviates(d % distinct);
  });
}

/// Dead units: N(0, 1) but for the last `dead` dimensions, each of which has one value in all rows.
/// @param dead  0 to D
template <EmbeddingScalar Scalar>
[[nodiscard]] Embeddings<Scalar> dead_dimensions(Eigen::Index rows, Eigen::Index dims, Eigen::Index dead,
                                                 std::uint64_t seed = 0) {
  detail::require_shape(rows, dims);
  detail::require(dead >= 0 && dead <= dims, "dead_dimensions", "dead", static_cast<double>(dead),
                  "from 0 to the dimensions");
  Eigen::VectorXd constant(dims);
  detail::draw(seed, detail::Stream::offset, 0, constant);
  return detail::generate<Scalar>(rows, dims, dims, seed, [&](Eigen::Index, const auto& deviates, auto& values) {
    for (Eigen::Index d = 0; d < dims; ++d) values(d) = d < dims - dead ? deviates(d) : constant(d);
  });
}

/// Anisotropy: N(0, 1) around a point so far out that two rows have the given cosine, to O(1 / sqrt(D)). The centred
/// spectrum is healthy.
/// @param cosine  0 to below 1
template <EmbeddingScalar Scalar>
[[nodiscard]] Embeddings<Scalar> cone(Eigen::Index rows, Eigen::Index dims, double cosine, std::uint64_t seed = 0) {
  detail::require_shape(rows, dims);
  detail::require(cosine >= 0.0 && cosine < 1.0, "cone", "cosine", cosine, "at least 0 and below 1");
  // cos = r^2 / (r^2 + D) for an offset of length r.
  const Eigen::VectorXd axis = detail::unit_vector(seed, detail::Stream::offset, 0, dims);
  const double length = std::sqrt(static_cast<double>(dims) * cosine / (1.0 - cosine));
  return detail::generate<Scalar>(rows, dims, dims, seed, [&](Eigen::Index, const auto& deviates, auto& values) {
    for (Eigen::Index d = 0; d < dims; ++d) values(d) = std::fma(length, axis(d), deviates(d));
  });
}

/// Cluster or mode collapse: `count` centres drawn from N(0, 1) per dimension, and around each N(0, spread^2). Row i
/// belongs to centre i % count.
/// @param count   at least 1
/// @param spread  at least 0
/// Cost: also O(count D) memory.
template <EmbeddingScalar Scalar>
[[nodiscard]] Embeddings<Scalar> clusters(Eigen::Index rows, Eigen::Index dims, Eigen::Index count, double spread,
                                          std::uint64_t seed = 0) {
  detail::require_shape(rows, dims);
  detail::require(count >= 1, "clusters", "count", static_cast<double>(count), "at least 1");
  detail::require(spread >= 0.0 && std::isfinite(spread), "clusters", "spread", spread, "finite and at least 0");
  Eigen::MatrixXd centres(dims, count);
  Eigen::VectorXd centre(dims);
  for (Eigen::Index k = 0; k < count; ++k) {
    detail::draw(seed, detail::Stream::basis, k, centre);
    centres.col(k) = centre;
  }
  return detail::generate<Scalar>(rows, dims, dims, seed, [&](Eigen::Index i, const auto& deviates, auto& values) {
    for (Eigen::Index d = 0; d < dims; ++d) values(d) = std::fma(spread, deviates(d), centres(d, i % count));
  });
}

/// Nearly complete collapse: rows c + noise * N(0, 1) per dimension around a random point c of length 1. With noise far
/// below the scalar's epsilon over sqrt(D), only rounding errors are left.
/// @param noise  at least 0
template <EmbeddingScalar Scalar>
[[nodiscard]] Embeddings<Scalar> around_a_point(Eigen::Index rows, Eigen::Index dims, double noise,
                                                std::uint64_t seed = 0) {
  detail::require_shape(rows, dims);
  detail::require(noise >= 0.0 && std::isfinite(noise), "around_a_point", "noise", noise, "finite and at least 0");
  const Eigen::VectorXd point = detail::unit_vector(seed, detail::Stream::offset, 0, dims);
  return detail::generate<Scalar>(rows, dims, dims, seed, [&](Eigen::Index, const auto& deviates, auto& values) {
    for (Eigen::Index d = 0; d < dims; ++d) values(d) = std::fma(noise, deviates(d), point(d));
  });
}

/// Complete collapse: every row is the same random point of length 1.
template <EmbeddingScalar Scalar>
[[nodiscard]] Embeddings<Scalar> constant(Eigen::Index rows, Eigen::Index dims, std::uint64_t seed = 0) {
  detail::require_shape(rows, dims);
  const Eigen::VectorXd point = detail::unit_vector(seed, detail::Stream::offset, 0, dims);
  return detail::generate<Scalar>(rows, dims, 0, seed,
                                  [&](Eigen::Index, const auto&, auto& values) { values = point; });
}

}  // namespace collapse::synthetic
