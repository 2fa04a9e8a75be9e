#pragma once

#include <collapse/linalg/load.hpp>
#include <collapse/linalg/parallel.hpp>
#include <collapse/linalg/products.hpp>
#include <collapse/statistics/rows/rows.hpp>
#include <collapse/statistics/sums/lengths.hpp>
#include <collapse/statistics/sums/sums.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

namespace collapse {

/// Sums over the rows a_i of one view, taken relative to a reference near their mean: w_i = a_i - reference. Everything
/// is in units of 2^exponent and its powers, where the largest |a_id| seen is near 1 (the exponent is 0 while that lies
/// in [2^-200, 2^200]).
struct ViewSums {
  Eigen::VectorXd reference, reference_low;  ///< D; the reference is the sum of the two
  Eigen::VectorXd sum;                       ///< D, sum of w
  Eigen::VectorXd sum_squares;               ///< D, sum of w_d^2
  Eigen::VectorXd own_cubic;                 ///< D, sum of ||w||^2 w
  Eigen::VectorXd other_cubic;               ///< D, sum of ||y||^2 w, where y is the row of the other view
  Eigen::VectorXd product_cubic;             ///< D, sum of (w . y) w; 0 unless D_a = D_b
  int exponent = 0;
  double input_epsilon = 0.0;  ///< of the scalar the rows came in

  ViewSums() = default;
  explicit ViewSums(Index dims)
      : reference(Eigen::VectorXd::Zero(dims)),
        reference_low(reference),
        sum(reference),
        sum_squares(reference),
        own_cubic(reference),
        other_cubic(reference),
        product_cubic(reference) {}

  [[nodiscard]] double total() const { return sum_squares.sum(); }

  /// 1 / sqrt(sum of squares) of every dimension, 0 for those that are constant up to the rounding of the input. Only
  /// of sums relative to the mean.
  [[nodiscard]] Eigen::VectorXd inverse_roots(Index count) const {
    const double n = static_cast<double>(count);
    Eigen::VectorXd result(sum_squares.size());
    for (Index d = 0; d < result.size(); ++d) {
      const double rms = std::sqrt(std::max(sum_squares(d), 0.0) / n + reference(d) * reference(d));
      const bool live = sum_squares(d) > 0.0 && std::sqrt(sum_squares(d) / (n - 1.0)) > input_epsilon * rms;
      result(d) = live ? 1.0 / std::sqrt(sum_squares(d)) : 0.0;
    }
    return result;
  }
};

/// The centred scatters of both views, lower triangles, in units of 2^(2 exponent) of theirs: what is needed to take
/// sums of fourth order relative to another point.
struct ViewScatters {
  Eigen::MatrixXd a, b;
};

/// The sums over paired rows (a_i, b_i) from which every number about two views follows. Additive.
///
/// Rows enter relative to a reference in each view, so that sums of fourth order are plain sums. `centre` takes them
/// relative to the mean. That loses no more than a factor n / n_0 of the last digit, where n_0 of the n rows were there
/// when the reference became their mean: if the mean is now at distance s from it, these n_0 rows alone give
/// sum ||w||^2 >= n_0 s^2 and, by Jensen's inequality, sum ||w||^4 >= n_0 s^4 about the new mean, while no term of the
/// translation is larger than n s^4.
struct CrossSums {
  Index count = 0;
  ViewSums a, b;
  Eigen::MatrixXd scatter;          ///< D_a x D_b, sum of w y^T
  double quartic_a = 0.0;           ///< sum of ||w||^4
  double quartic_b = 0.0;           ///< sum of ||y||^4
  double quartic_ab = 0.0;          ///< sum of ||w||^2 ||y||^2
  double difference_squares = 0.0;  ///< sum of ||a - b||^2 in units of 2^(2 common_exponent()); 0 unless D_a = D_b
  Eigen::VectorXd products;         ///< D, sum of w_d y_d; only where D_a = D_b, as all that follows
  double product_squares = 0.0;     ///< sum of (w . y)^2
  double product_a = 0.0;           ///< sum of (w . y) ||w||^2
  double product_b = 0.0;           ///< sum of (w . y) ||y||^2

  Index directed = 0;                  ///< pairs in which both rows have a direction, u and v
  double direction_squares = 0.0;      ///< sum of ||u - v||^2
  Eigen::VectorXd directions;          ///< D, sum of u
  Eigen::VectorXd direction_distance;  ///< D, sum of u - v

  CrossSums() = default;
  CrossSums(Index dims_a, Index dims_b, bool with_scatter)
      : a(dims_a),
        b(dims_b),
        scatter(with_scatter ? Eigen::MatrixXd::Zero(dims_a, dims_b).eval() : Eigen::MatrixXd()),
        products(Eigen::VectorXd::Zero(dims_a == dims_b ? dims_a : 0)),
        directions(products),
        direction_distance(products) {}

  [[nodiscard]] bool same_dims() const { return a.sum.size() == b.sum.size(); }
  [[nodiscard]] int common_exponent() const { return std::max(a.exponent, b.exponent); }

  /// Brings the sums to these units.
  void rescale(int exponent_a, int exponent_b) {
    const int by_a = a.exponent - exponent_a;
    const int by_b = b.exponent - exponent_b;
    if (by_a == 0 && by_b == 0) return;
    const int common = common_exponent();
    a.exponent = exponent_a;
    b.exponent = exponent_b;
    scale(a, by_a, by_b);
    scale(b, by_b, by_a);
    scale(scatter, by_a + by_b);
    quartic_a = std::ldexp(quartic_a, 4 * by_a);
    quartic_b = std::ldexp(quartic_b, 4 * by_b);
    quartic_ab = std::ldexp(quartic_ab, 2 * (by_a + by_b));
    difference_squares = std::ldexp(difference_squares, 2 * (common - common_exponent()));
    scale(products, by_a + by_b);
    product_squares = std::ldexp(product_squares, 2 * (by_a + by_b));
    product_a = std::ldexp(product_a, 3 * by_a + by_b);
    product_b = std::ldexp(product_b, by_a + 3 * by_b);
  }

  /// Takes the sums relative to reference + by. With w' = w - s, y' = y - t everything expands under the sums:
  /// ||w'||^2 = ||w||^2 - 2 w . s + ||s||^2. Needs the scatter, and those of the views.
  void move(const Eigen::VectorXd& by_a, const Eigen::VectorXd& by_b, const ViewScatters& views) {
    if (count == 0) return;
    const double n = static_cast<double>(count);
    const Eigen::VectorXd s = step(a, by_a);
    const Eigen::VectorXd t = step(b, by_b);
    const double h = s.squaredNorm();
    const double k = t.squaredNorm();
    const double p = a.total();
    const double q = b.total();
    const double along_a = s.dot(a.sum);
    const double along_b = t.dot(b.sum);
    const Eigen::VectorXd second_a = second(a, views.a, s, along_a, n);
    const Eigen::VectorXd second_b = second(b, views.b, t, along_b, n);
    const Eigen::VectorXd cross_a = scatter * t;
    const Eigen::VectorXd cross_b = scatter.transpose() * s;
    if (same_dims()) move_products(s, t, second_a, second_b, views);

    quartic_ab += 4.0 * s.dot(cross_a) - 2.0 * t.dot(b.other_cubic) - 2.0 * s.dot(a.other_cubic) + k * p + h * q -
                  2.0 * k * along_a - 2.0 * h * along_b + n * h * k;
    quartic_a += 4.0 * s.dot(second_a) - 4.0 * s.dot(a.own_cubic) + 2.0 * h * p - 4.0 * h * along_a + n * h * h;
    quartic_b += 4.0 * t.dot(second_b) - 4.0 * t.dot(b.own_cubic) + 2.0 * k * q - 4.0 * k * along_b + n * k * k;
    a.own_cubic += (2.0 * along_a - p - n * h) * s - 2.0 * second_a + h * a.sum;
    b.own_cubic += (2.0 * along_b - q - n * k) * t - 2.0 * second_b + k * b.sum;
    a.other_cubic += (2.0 * along_b - q - n * k) * s - 2.0 * cross_a + k * a.sum;
    b.other_cubic += (2.0 * along_a - p - n * h) * t - 2.0 * cross_b + h * b.sum;
    scatter += n * s * t.transpose() - s * b.sum.transpose() - a.sum * t.transpose();
    for (const auto& [view, by] : {std::pair{&a, &s}, std::pair{&b, &t}}) {
      view->sum_squares.array() += n * by->array().square() - 2.0 * by->array() * view->sum.array();
      view->sum -= n * *by;
    }
  }

  /// Takes the sums relative to the mean.
  void centre(const ViewScatters& views) {
    if (count == 0) return;
    const double n = static_cast<double>(count);
    move(a.sum / n, b.sum / n, views);
  }

  /// Adds the sums of other pairs, both relative to the mean of all from then on.
  /// @param views, other_views  the scatters of the rows of either, in the units of `common_units`
  void merge(const CrossSums& other, const ViewScatters& views, const ViewScatters& other_views) {
    if (other.count == 0) return;
    if (count == 0) {
      *this = other;
      return;
    }
    CrossSums added = other;
    const auto [exponent_a, exponent_b] = common_units(other);
    rescale(exponent_a, exponent_b);
    added.rescale(exponent_a, exponent_b);
    const double n = static_cast<double>(count);
    const double m = static_cast<double>(added.count);
    const auto steps = [&](const ViewSums& mine, const ViewSums& others) {
      const Eigen::VectorXd apart = (others.reference - mine.reference) + (others.reference_low - mine.reference_low);
      const Eigen::VectorXd by = mine.sum / n + ((apart - mine.sum / n) + others.sum / m) * (m / (n + m));
      return std::pair{by, Eigen::VectorXd(by - apart)};
    };
    const auto [by_a, added_by_a] = steps(a, added.a);
    const auto [by_b, added_by_b] = steps(b, added.b);
    move(by_a, by_b, views);
    added.move(added_by_a, added_by_b, other_views);

    count += added.count;
    for (const auto& [to, from] : {std::pair{&a, &added.a}, std::pair{&b, &added.b}}) {
      to->input_epsilon = std::max(to->input_epsilon, from->input_epsilon);
      to->sum += from->sum;
      to->sum_squares += from->sum_squares;
      to->own_cubic += from->own_cubic;
      to->other_cubic += from->other_cubic;
      to->product_cubic += from->product_cubic;
    }
    scatter += added.scatter;
    quartic_a += added.quartic_a;
    quartic_b += added.quartic_b;
    quartic_ab += added.quartic_ab;
    difference_squares += added.difference_squares;
    products += added.products;
    product_squares += added.product_squares;
    product_a += added.product_a;
    product_b += added.product_b;
    directed += added.directed;
    direction_squares += added.direction_squares;
    directions += added.directions;
    direction_distance += added.direction_distance;
  }

  /// The units in which these sums and others can be added.
  [[nodiscard]] std::pair<int, int> common_units(const CrossSums& other) const {
    if (count == 0) return {other.a.exponent, other.b.exponent};
    return {wider(a, other.a), wider(b, other.b)};
  }

  [[nodiscard]] static bool is_empty(const ViewSums& view) { return view.reference.isZero(0) && view.total() == 0.0; }

 private:
  template <class Values>
  static void scale(Values& values, int by) {
    // What is too small for the new unit is 0; a factor 2^by may itself leave the range of double.
    for (Index j = 0; by != 0 && j < values.cols(); ++j) {
      for (Index i = 0; i < values.rows(); ++i) values(i, j) = std::ldexp(values(i, j), by);
    }
  }

  static void scale(ViewSums& view, int by, int other_by) {
    scale(view.reference, by);
    scale(view.reference_low, by);
    scale(view.sum, by);
    scale(view.sum_squares, 2 * by);
    scale(view.own_cubic, 3 * by);
    scale(view.other_cubic, by + 2 * other_by);
    scale(view.product_cubic, 2 * by + other_by);
  }

  [[nodiscard]] static int wider(const ViewSums& mine, const ViewSums& others) {
    if (is_empty(others)) return mine.exponent;
    if (is_empty(mine)) return others.exponent;
    return std::max(mine.exponent, others.exponent);
  }

  /// Moves the reference, and returns by how much it moved.
  [[nodiscard]] static Eigen::VectorXd step(ViewSums& view, const Eigen::VectorXd& by) {
    for (Index d = 0; d < by.size(); ++d) {
      std::tie(view.reference(d), view.reference_low(d)) =
          statistics::two_sum(view.reference(d), view.reference_low(d) + by(d));
    }
    return by;
  }

  /// The part of `move` for sums of w . y, before the others have moved: w' . y' = w . y - s . y - t . w + s . t.
  /// @param second_a, second_b  (sum w w^T) s and (sum y y^T) t
  void move_products(const Eigen::VectorXd& s, const Eigen::VectorXd& t, const Eigen::VectorXd& second_a,
                     const Eigen::VectorXd& second_b, const ViewScatters& views) {
    const double n = static_cast<double>(count);
    const double h = s.squaredNorm();
    const double k = t.squaredNorm();
    const double steps = s.dot(t);
    const double p = a.total();
    const double q = b.total();
    const double s_a = s.dot(a.sum);
    const double t_a = t.dot(a.sum);
    const double s_b = s.dot(b.sum);
    const double t_b = t.dot(b.sum);
    // Of the rows of one view along the step of the other.
    const Eigen::VectorXd t_second_a = second(a, views.a, t, t_a, n);
    const Eigen::VectorXd s_second_b = second(b, views.b, s, s_b, n);
    const Eigen::VectorXd scatter_s = scatter * s;
    const Eigen::VectorXd scatter_t = scatter.transpose() * t;
    const double product = products.sum();
    const double moved = product - s_b - t_a + n * steps;

    product_squares += s.dot(s_second_b) + t.dot(t_second_a) + n * steps * steps -
                       2.0 * (s.dot(b.product_cubic) + t.dot(a.product_cubic)) + 2.0 * steps * (product - s_b - t_a) +
                       2.0 * t.dot(scatter_s);
    product_a += -2.0 * s.dot(a.product_cubic) + h * product - s.dot(b.other_cubic) + 2.0 * s.dot(scatter_s) - h * s_b -
                 t.dot(a.own_cubic) + 2.0 * t.dot(second_a) - h * t_a + steps * (p - 2.0 * s_a + n * h);
    product_b += -2.0 * t.dot(b.product_cubic) + k * product - s.dot(b.own_cubic) + 2.0 * s.dot(second_b) - k * s_b -
                 t.dot(a.other_cubic) + 2.0 * t.dot(scatter_t) - k * t_a + steps * (q - 2.0 * t_b + n * k);
    a.product_cubic += steps * a.sum - scatter_s - t_second_a - moved * s;
    b.product_cubic += steps * b.sum - s_second_b - scatter_t - moved * t;
    products.array() += n * s.array() * t.array() - s.array() * b.sum.array() - t.array() * a.sum.array();
  }

  /// (sum w w^T) s.
  [[nodiscard]] static Eigen::VectorXd second(const ViewSums& view, const Eigen::MatrixXd& scatter,
                                              const Eigen::VectorXd& s, double along, double n) {
    return scatter.selfadjointView<Eigen::Lower>() * s + view.sum * (along / n);
  }
};

namespace statistics {

/// A scatter in units of its moments, brought to units of 2^(2 exponent).
[[nodiscard]] inline Eigen::MatrixXd in_units(Eigen::MatrixXd scatter, const Moments& moments, int exponent) {
  if (exponent == 0 && !moments.scaled()) return scatter;
  for (Index e = 0; e < scatter.cols(); ++e) {
    for (Index d = e; d < scatter.rows(); ++d) {
      scatter(d, e) = std::ldexp(scatter(d, e), moments.exponent(d) + moments.exponent(e) - 2 * exponent);
    }
  }
  return scatter;
}

/// Adds paired rows to CrossSums, block by block: values are converted to double once, centred on the references, and
/// A^T B is one product of packed columns. Blocks are counted from the first pair ever added.
///
/// Memory is taken by the constructor; adding takes none and does not throw.
class CrossFolder {
 public:
  static constexpr Index block = 512;

  /// @param with_scatter  whether to form what costs N D_a D_b: the scatter. Without it nothing of order three or four
  CrossFolder(Index dims_a, Index dims_b, bool with_scatter = true)
      : a_(dims_a, with_scatter), b_(dims_b, with_scatter), with_scatter_(with_scatter) {
    if (with_scatter) {
      for (Index j = 0; j < dims_b; j += tile) {
        for (Index i = 0; i < dims_a; i += tile) corners_.emplace_back(i, j);
      }
    }
    if (dims_a == dims_b) {
      strip_directions_ = Eigen::MatrixXd::Zero(dims_a, strips);
      strip_distance_ = strip_directions_;
    }
  }

  [[nodiscard]] CrossSums empty() const { return CrossSums(a_.dims, b_.dims, with_scatter_); }

  /// Adds the pairs of usable rows of a and b, of which there are as many.
  template <EmbeddingScalar ScalarA, EmbeddingScalar ScalarB>
  void add(const linalg::MatrixView<ScalarA>& a, const Rows& rows_a, const linalg::MatrixView<ScalarB>& b,
           const Rows& rows_b, CrossSums& sums) {
    sums.a.input_epsilon = std::max(sums.a.input_epsilon, linalg::input_epsilon<ScalarA>());
    sums.b.input_epsilon = std::max(sums.b.input_epsilon, linalg::input_epsilon<ScalarB>());
    for (Index done = 0; done < rows_a.samples;) {
      const Index count = std::min(block - waiting_, rows_a.samples - done);
      a_.wait(a, rows_a, done, count, waiting_);
      b_.wait(b, rows_b, done, count, waiting_);
      waiting_ += count;
      done += count;
      if (waiting_ == block) flush(sums);
    }
  }

  /// Adds the pairs that wait.
  void flush(CrossSums& sums) {
    if (waiting_ == 0) return;
    plan_units(sums);
    const Index count = waiting_;
    const bool same_dims = sums.same_dims();
    const Index used = (count + strip - 1) / strip;
    linalg::parallel_for({used, count, a_.dims + b_.dims}, [&](Index s) {
      const Index first = s * strip;
      const Index rows = std::min(strip, count - first);
      if (same_dims) compare_rows(s, first, rows, sums.common_exponent());
      a_.centre(first, rows, sums.a, with_scatter_);
      b_.centre(first, rows, sums.b, with_scatter_);
      for (Index i = first; same_dims && i < first + rows; ++i) product_(i) = a_.row(i).dot(b_.row(i));
    });
    linalg::parallel_for({static_cast<Index>(corners_.size()), count, a_.dims, b_.dims}, [&](Index t) {
      const auto [i, j] = corners_[static_cast<std::size_t>(t)];
      linalg::add_products(a_.packed, i, b_.packed, j, count,
                           linalg::ColumnsView<double>(sums.scatter)
                               .block(i, j, std::min(tile, a_.dims - i), std::min(tile, b_.dims - j)));
    });
    add_columns(a_, b_, sums.a, count);
    add_columns(b_, a_, sums.b, count);
    if (same_dims) add_products(sums.products, count);
    const auto p = a_.square.head(count);
    const auto q = b_.square.head(count);
    sums.quartic_a += p.squaredNorm();
    sums.quartic_b += q.squaredNorm();
    sums.quartic_ab += p.dot(q);
    if (same_dims) {
      const auto products = product_.head(count);
      sums.product_squares += products.squaredNorm();
      sums.product_a += products.dot(p);
      sums.product_b += products.dot(q);
      sums.difference_squares += difference_.head(count).sum();
      sums.direction_squares += distance_.head(count).sum();
      for (Index i = 0; i < count; ++i) sums.directed += a_.inverse(i) != 0.0 && b_.inverse(i) != 0.0 ? 1 : 0;
      sums.directions += strip_directions_.leftCols(used).rowwise().sum();
      sums.direction_distance += strip_distance_.leftCols(used).rowwise().sum();
    }
    sums.count += count;
    waiting_ = 0;
  }

  /// Pairs that were added and are not in the sums yet.
  [[nodiscard]] Index waiting() const noexcept { return waiting_; }

  /// Writes or reads the pairs that wait; see `streams/archive.hpp`.
  template <class Archive, class Self>
  static void exchange(Archive& archive, Self& self) {
    archive(self.waiting_);
    if constexpr (Archive::reads) {
      archive.require(self.waiting_ >= 0 && self.waiting_ < block, "more pairs wait than a block holds");
    }
    View::exchange(archive, self.a_, self.waiting_);
    View::exchange(archive, self.b_, self.waiting_);
  }

 private:
  static constexpr Index tile = linalg::PackedVectors::tile;
  static constexpr Index strip = 16;
  static constexpr Index strips = block / strip;
  static constexpr Index group = linalg::MicroKernel::group;
  using Row = Eigen::Map<Eigen::RowVectorXd>;

  /// The rows of one view that wait for the block to fill.
  struct View {
    View(Index dims_, bool with_scatter) : dims(dims_), values(block, dims_), packed(with_scatter ? dims_ : 0, block) {}

    template <EmbeddingScalar Scalar>
    void wait(const linalg::MatrixView<Scalar>& z, const Rows& rows, Index first, Index count, Index at) {
      load(z, rows.selection(), first, 0, values.rows(at, count, dims));
      inverse.segment(at, count) = rows.inverse_norm.segment(first, count);
      for (Index i = 0; i < count; ++i) prescale(at + i) = rows.scale(first + i);
    }

    template <class Archive, class Self>
    static void exchange(Archive& archive, Self& self, Index waiting) {
      for (Index i = 0; i < waiting; ++i) archive(self.values.row(i), self.dims);
      archive(self.inverse.data(), waiting);
      archive(self.prescale.data(), waiting);
    }

    [[nodiscard]] Row row(Index i) { return {values.row(i), dims}; }

    void centre(Index first, Index count, const ViewSums& sums, bool pack) {
      for (Index i = first; i < first + count; ++i) {
        Row w = row(i);
        if (sums.exponent != 0) {
          for (double& value : w) value = std::ldexp(value, -sums.exponent);
        }
        w = (w - sums.reference.transpose()) - sums.reference_low.transpose();
        square(i) = w.squaredNorm();
      }
      if (pack) packed.pack_columns(0, dims, values.rows(first, count, dims), first);
    }

    Index dims;
    linalg::Panel values;
    linalg::PackedVectors packed;
    Eigen::VectorXd inverse = Eigen::VectorXd::Zero(block);
    Eigen::VectorXd prescale = Eigen::VectorXd::Ones(block);
    Eigen::VectorXd square = Eigen::VectorXd::Zero(block);  ///< ||w||^2
  };

  /// Gives the sums the units of the block where it is larger.
  void plan_units(CrossSums& sums) {
    const auto planned = [&](View& view, const ViewSums& known) {
      double largest = 0.0;
      for (Index i = 0; i < waiting_; ++i) largest = std::max(largest, view.row(i).cwiseAbs().maxCoeff());
      if (largest == 0.0) return known.exponent;
      const int wanted = range_exponent(largest);
      return CrossSums::is_empty(known) ? wanted : std::max(wanted, known.exponent);
    };
    sums.rescale(planned(a_, sums.a), planned(b_, sums.b));
  }

  /// What is formed from the values of both rows before they are centred.
  void compare_rows(Index s, Index first, Index rows, int exponent) {
    strip_directions_.col(s).setZero();
    strip_distance_.col(s).setZero();
    for (Index i = first; i < first + rows; ++i) {
      const Row a = a_.row(i);
      const Row b = b_.row(i);
      double squares = 0.0;
      if (exponent == 0) {
        squares = (a - b).squaredNorm();
      } else {
        for (Index d = 0; d < a.size(); ++d) {
          const double difference = std::ldexp(a(d), -exponent) - std::ldexp(b(d), -exponent);
          squares += difference * difference;
        }
      }
      difference_(i) = squares;
      distance_(i) = 0.0;
      if (a_.inverse(i) == 0.0 || b_.inverse(i) == 0.0) continue;
      for (Index d = 0; d < a.size(); ++d) {
        const double u = a(d) * a_.prescale(i) * a_.inverse(i);
        const double apart = u - b(d) * b_.prescale(i) * b_.inverse(i);
        distance_(i) += apart * apart;
        strip_directions_(d, s) += u;
        strip_distance_(d, s) += apart;
      }
    }
  }

  /// Adds the sums over columns of the block.
  void add_columns(View& view, const View& other, ViewSums& sums, Index count) {
    linalg::parallel_for({(view.dims + group - 1) / group, count, view.dims}, [&](Index g) {
      const Index first = g * group;
      const Index lanes = std::min(group, view.dims - first);
      using Lanes = Eigen::Array<double, group, 1>;
      Lanes sum = Lanes::Zero();
      Lanes squares = Lanes::Zero();
      Lanes own = Lanes::Zero();
      Lanes others = Lanes::Zero();
      Lanes products = Lanes::Zero();
      Lanes w = Lanes::Zero();
      for (Index i = 0; i < count; ++i) {
        const double* const row = view.values.row(i) + first;
        for (Index k = 0; k < lanes; ++k) w(k) = row[k];
        sum += w;
        squares += w.square();
        own += view.square(i) * w;
        others += other.square(i) * w;
        products += product_(i) * w;
      }
      sums.sum.segment(first, lanes) += sum.head(lanes).matrix();
      sums.sum_squares.segment(first, lanes) += squares.head(lanes).matrix();
      sums.own_cubic.segment(first, lanes) += own.head(lanes).matrix();
      sums.other_cubic.segment(first, lanes) += others.head(lanes).matrix();
      sums.product_cubic.segment(first, lanes) += products.head(lanes).matrix();
    });
  }

  /// Adds w_d y_d of the block to the sums of each dimension.
  void add_products(Eigen::VectorXd& sums, Index count) {
    linalg::parallel_for({(a_.dims + group - 1) / group, count, a_.dims}, [&](Index g) {
      const Index first = g * group;
      const Index lanes = std::min(group, a_.dims - first);
      double sum[static_cast<std::size_t>(group)] = {};
      for (Index i = 0; i < count; ++i) {
        const double* const w = a_.values.row(i) + first;
        const double* const y = b_.values.row(i) + first;
        for (Index k = 0; k < lanes; ++k) sum[k] += w[k] * y[k];
      }
      for (Index k = 0; k < lanes; ++k) sums(first + k) += sum[k];
    });
  }

  View a_, b_;
  bool with_scatter_;
  Index waiting_ = 0;
  std::vector<std::pair<Index, Index>> corners_;
  Eigen::VectorXd difference_ = Eigen::VectorXd::Zero(block);  ///< ||a - b||^2
  Eigen::VectorXd distance_ = Eigen::VectorXd::Zero(block);    ///< ||u - v||^2
  Eigen::VectorXd product_ = Eigen::VectorXd::Zero(block);     ///< w . y; 0 unless D_a = D_b
  Eigen::MatrixXd strip_directions_, strip_distance_;          ///< sums of u and u - v, strip by strip
};

/// Takes the reference of a view, of which nothing was added yet, to the mean.
inline void set_reference(ViewSums& view, const Moments& moments) {
  view.exponent = moments.common_exponent();
  view.reference = moments.common_mean();
  view.reference_low = moments.mean_low;
  for (Index d = 0; moments.scaled() && d < moments.dims; ++d) {
    view.reference_low(d) = std::ldexp(moments.mean_low(d), moments.exponent(d) - view.exponent);
  }
}

/// The sums of all pairs of rows of two matrices, relative to the means of both to the last digit: they need no
/// `centre`.
template <EmbeddingScalar ScalarA, EmbeddingScalar ScalarB>
[[nodiscard]] CrossSums cross_sums(const linalg::MatrixView<ScalarA>& a, const Rows& rows_a,
                                   const linalg::MatrixView<ScalarB>& b, const Rows& rows_b, bool with_scatter = true) {
  CrossFolder folder(rows_a.dims, rows_b.dims, with_scatter);
  CrossSums sums = folder.empty();
  set_reference(sums.a, sum_rows(a, rows_a, moments_only).moments);
  set_reference(sums.b, sum_rows(b, rows_b, moments_only).moments);
  folder.add(a, rows_a, b, rows_b, sums);
  folder.flush(sums);
  return sums;
}

}  // namespace statistics
}  // namespace collapse
