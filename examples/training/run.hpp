#pragma once

#include "digits.hpp"
#include "network.hpp"

#include <collapse/classes.hpp>
#include <collapse/monitor.hpp>
#include <collapse/report.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace training {

/// What is known of a run at a step.
struct Point {
  int step = 0;
  collapse::Verdict verdict = collapse::Verdict::undetermined;
  double effective_rank = 0.0;
  double dispersion = 0.0;
  double mean_cosine = 0.0;
  double normalized_std = 0.0;  ///< times sqrt(D): 1 is healthy
  double knn = 0.0;             ///< 5-NN accuracy
};

/// What is known of the features of Q learning at a step.
struct Activity {
  int step = 0;
  double srank = 0.0;
  double dormant = 0.0;  ///< share of units
};

/// A run of one system, as it is or with something taken away.
struct Run {
  std::string system;
  std::string ablation;  ///< "-" for the system as it is
  int onset = 0;         ///< step at which it was taken away
  collapse::Report report;
  std::vector<Point> history;
  std::optional<collapse::Alarm> alarm;  ///< the first one
  std::string shows;                     ///< what else tells of the collapse
  double shown = 0.0;                    ///< the number of it
  std::vector<Activity> activity;        ///< of Q learning

  /// Of all accuracy that is lost after the best, a half is gone from this step on; none when too little is lost to
  /// speak of.
  [[nodiscard]] std::optional<int> half_lost() const {
    const auto first = std::find_if(history.begin(), history.end(), [this](const Point& p) { return p.step >= onset; });
    const auto best =
        std::max_element(first, history.end(), [](const Point& a, const Point& b) { return a.knn < b.knn; });
    if (best == history.end() || best->knn - history.back().knn < 0.05) return std::nullopt;
    const double half = 0.5 * (best->knn + history.back().knn);
    const auto gone = std::find_if(best, history.end(), [half](const Point& p) { return p.knn < half; });
    return gone->step;
  }
};

/// What the library says of embeddings, and of classes among them; compiled once for all systems.
[[nodiscard]] collapse::Report report_of(const Matrix& embeddings);
[[nodiscard]] collapse::ClassCollapse classes_of(const Matrix& embeddings, const std::vector<std::int64_t>& labels,
                                                 const collapse::ClassOptions& options = {});

/// Follows a run: a monitor on every batch, a report on held-out rows now and then.
class Observer {
 public:
  Observer(Run& run, const Digits& digits, int every) : run_(run), digits_(digits), every_(every) {}

  /// @param batch  embeddings of a training batch
  /// @param embed  what makes embeddings of all digits, in evaluation
  void after(int step, const Matrix& batch, const std::function<Matrix(const Matrix&)>& embed);

  /// @param embeddings  of all digits
  void look(int step, const Matrix& embeddings);

 private:
  Run& run_;
  const Digits& digits_;
  int every_;
  // A run of a few hundred steps cannot wait for as long as one of a hundred thousand.
  collapse::Monitor monitor_{{.window = 5, .warm_up = 20}};
};

}  // namespace training
