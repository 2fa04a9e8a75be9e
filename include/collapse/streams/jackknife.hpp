#pragma once

#include <collapse/linalg/hash.hpp>
#include <collapse/linalg/vectors.hpp>
#include <collapse/report.hpp>
#include <collapse/report/walk.hpp>
#include <collapse/streams/student.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

/// Standard errors of a report's numbers by the delete-a-group jackknife: the report on all rows but one group, for
/// each group. A bootstrap would draw many rows twice, and a repeated row lowers the rank; here all rows are different.
namespace collapse::streams {

/// A number of a report that varies smoothly with its rows.
struct Statistic {
  MetricPath metric;
  double value;
};

COLLAPSE_NOINLINE inline void add_statistic(MetricPath metric, double value, std::vector<Statistic>& to) {
  to.push_back({metric, value});
}

/// The numbers of a report that vary smoothly with its rows: neither counts, nor extremes over rows or at the end of a
/// spectrum, of which a jackknife knows nothing, nor what the shape alone decides.
[[nodiscard]] inline std::vector<Statistic> statistics_of(const Report& report) {
  std::vector<Statistic> result;
  for_each_field(report, [&](MetricPath metric, const FieldInfo& info, const auto& value) {
    if constexpr (std::is_same_v<decltype(value), const double&>) {
      // Of a sample of rows these vary with that sample as well, and carry a standard error of their own.
      if (info.resampled && (report.cosine.exact || !info.of_pairs)) add_statistic(metric, value, result);
    }
  });
  return result;
}

/// Groups of equally many rows, drawn at random; a few rows may be in none. A spectrum depends on the number of rows
/// more than on which they are: groups that differ by a single row would be told apart by that.
class RowGroups {
 public:
  RowGroups(Index rows, Index groups, std::uint64_t seed)
      : group_of_(static_cast<std::size_t>(rows), none), size_(std::min(rows, groups)) {
    std::vector<std::pair<std::uint64_t, std::size_t>> order;
    order.reserve(group_of_.size());
    for (std::size_t i = 0; i < group_of_.size(); ++i) order.emplace_back(linalg::hash(~seed, i), i);
    std::sort(order.begin(), order.end());
    const auto grouped = static_cast<std::size_t>(rows - rows % size_);
    for (std::size_t k = 0; k < grouped; ++k) group_of_[order[k].second] = static_cast<Index>(k) % size_;
  }

  [[nodiscard]] Index size() const noexcept { return size_; }

  /// What turns the sum of squared deviations without each group into the variance with all rows: right for a mean. It
  /// is (G - 1) / G when every row is in one of G groups.
  [[nodiscard]] double variance_factor() const {
    const double n = static_cast<double>(group_of_.size());
    const double groups = static_cast<double>(size_);
    const double left_out = std::floor(n / groups);
    return (n - left_out) * (n - left_out) / (n * left_out * (groups - 1.0));
  }

  /// The rows outside of a group, ascending.
  [[nodiscard]] std::vector<Index> all_but(Index group) const {
    std::vector<Index> rows;
    rows.reserve(group_of_.size());
    for (std::size_t i = 0; i < group_of_.size(); ++i) {
      if (group_of_[i] != group) rows.push_back(static_cast<Index>(i));
    }
    return rows;
  }

 private:
  static constexpr Index none = -1;
  std::vector<Index> group_of_;
  Index size_;
};

/// Takes the reports without each group in turn.
class Jackknife {
 public:
  /// @param whole  on all rows
  Jackknife(const Report& whole, double level) : level_(level) {
    for (const Statistic& number : statistics_of(whole)) numbers_.push_back({number, {}});
  }

  void add(const Report& without) {
    ++groups_;
    for (const Statistic& left : statistics_of(without)) {
      // Quantiles of a sample of rows may be of all of them once a group is left out.
      for (Number& number : numbers_) {
        if (number.of_all.metric == left.metric) number.without.push_back(left.value);
      }
    }
  }

  /// sqrt(variance_factor sum (theta_g - mean)^2) over the groups, and intervals by Student's t with one degree of
  /// freedom less than groups.
  ///
  /// Source: Shao & Wu, A general theory for jackknife variance estimation, 1989; Kott, The delete-a-group jackknife,
  /// 2001.
  [[nodiscard]] Confidence result(double variance_factor) const {
    Confidence result{groups_, level_, {}};
    const double width = groups_ > 1 ? student_bound(level_, groups_ - 1) : undefined;
    for (const Number& number : numbers_) {
      Estimate estimate{number.of_all.metric, number.of_all.value, undefined, undefined, undefined};
      if (static_cast<Index>(number.without.size()) == groups_ && groups_ > 1) {
        const double mean = linalg::sum(number.without.data(), groups_) / static_cast<double>(groups_);
        double squares = 0.0;
        for (const double value : number.without) squares += (value - mean) * (value - mean);
        estimate.standard_error = std::sqrt(variance_factor * squares);
        estimate.low = number.of_all.value - width * estimate.standard_error;
        estimate.high = number.of_all.value + width * estimate.standard_error;
      }
      result.estimates.push_back(estimate);
    }
    return result;
  }

 private:
  struct Number {
    Statistic of_all;
    std::vector<double> without;  ///< one per group
  };

  double level_;
  Index groups_ = 0;
  std::vector<Number> numbers_;
};

}  // namespace collapse::streams
