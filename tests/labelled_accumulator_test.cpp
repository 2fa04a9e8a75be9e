#include "support/catch.hpp"
#include "support/decompositions.hpp"
#include "support/labelled.hpp"

#include <collapse/classes.hpp>
#include <collapse/labelled_accumulator.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using namespace collapse;
using reference::classes_around;
using reference::Dense;
using reference::labels_of;

namespace {

using Numbers = std::vector<std::pair<std::string, double>>;

/// What follows from the sums.
Numbers streamed(const ClassCollapse& r) {
  return {{"samples", static_cast<double>(r.samples)},
          {"classes", static_cast<double>(r.classes)},
          {"unlabelled_rows", static_cast<double>(r.unlabelled_rows)},
          {"skipped_rows", static_cast<double>(r.skipped_rows)},
          {"input_epsilon", r.input_epsilon},
          {"nc1", r.nc1},
          {"nc1_ratio", r.nc1_ratio},
          {"cdnv", r.cdnv},
          {"nc2_equinorm", r.nc2_equinorm},
          {"nc2_equiangular", r.nc2_equiangular},
          {"nc2_max_angle", r.nc2_max_angle},
          {"nc3", r.nc3},
          {"class_effective_rank", r.class_effective_rank},
          {"centroid_cosine", r.centroid_cosine},
          {"centroid_cosine_centred", r.centroid_cosine_centred},
          {"lidar", r.lidar}};
}

/// And what needs the rows.
Numbers everything(const ClassCollapse& r) {
  Numbers all = streamed(r);
  const Numbers more{{"nc4", r.nc4},
                     {"silhouette", r.silhouette},
                     {"silhouette_cosine", r.silhouette_cosine},
                     {"knn_accuracy", r.knn_accuracy},
                     {"linear_probe_accuracy", r.linear_probe_accuracy},
                     {"linear_probe_train_accuracy", r.linear_probe_train_accuracy},
                     {"sampled_rows", static_cast<double>(r.sampled_rows)},
                     {"exact", r.exact ? 1.0 : 0.0},
                     {"worst", static_cast<double>(r.per_class.worst.value_or(-1))}};
  all.insert(all.end(), more.begin(), more.end());
  for (std::size_t c = 0; c < r.per_class.label.size(); ++c) {
    const std::string name = "class " + std::to_string(r.per_class.label[c]);
    all.emplace_back(name, static_cast<double>(r.per_class.samples[c]));
    all.emplace_back(name, r.per_class.variance(static_cast<Index>(c)));
    all.emplace_back(name, r.per_class.effective_rank(static_cast<Index>(c)));
    all.emplace_back(name, r.per_class.effective_rank_ratio(static_cast<Index>(c)));
  }
  return all;
}

void check_same(const Numbers& measured, const Numbers& expected, double tolerance) {
  REQUIRE(measured.size() == expected.size());
  for (std::size_t k = 0; k < measured.size(); ++k) {
    CAPTURE(expected[k].first, measured[k].second, expected[k].second);
    CHECK(measured[k].first == expected[k].first);
    if (std::isnan(expected[k].second)) {
      CHECK(std::isnan(measured[k].second));
    } else {
      CHECK(std::abs(measured[k].second - expected[k].second) <= tolerance * std::abs(expected[k].second));
    }
  }
}

ClassOptions all_of_it() {
  ClassOptions options;
  options.silhouette = options.knn = options.linear_probe = true;
  options.neighbours = 5;
  return options;
}

template <class Z>
std::vector<int> part_of(const std::vector<int>& labels, Index first, const Z& part) {
  return {labels.begin() + first, labels.begin() + first + part.rows()};
}

}  // namespace

TEST_CASE("a labelled stream that is held has the report of all rows at once", "[labelled_accumulator]") {
  const std::vector<int> labels = labels_of(90, 4);
  std::vector<int> predictions = labels;
  for (std::size_t i = 0; i < predictions.size(); i += 7) predictions[i] = (labels[i] + 1) % 4;
  for (const Index dims : {6, 40}) {
    CAPTURE(dims);
    const Dense<float> z = classes_around<float>(labels, dims, 0.5, 1.0);
    LabelledAccumulator seen(dims, all_of_it());
    for (Index first = 0; first < z.rows(); first += 13) {
      const Dense<float> part = z.middleRows(first, std::min<Index>(13, z.rows() - first));
      seen.update(part, part_of(labels, first, part), part_of(predictions, first, part));
    }
    CHECK(seen.count() == 90);
    CHECK(seen.classes() == 4);
    const ClassCollapse expected = class_collapse(z, labels, predictions, all_of_it());
    CHECK(expected.nc4 > 0.05);
    check_same(everything(seen.report()), everything(expected), 1e-10);
  }
}

TEST_CASE("a labelled stream has the same numbers however it is split and merged", "[labelled_accumulator]") {
  const std::vector<int> labels = labels_of(1500, 6);
  ClassOptions options{.sample_rows = 100};
  options.classifier = Classifier{reference::gaussian<double>(6, 9, 5), {}};
  for (const double offset : {0.0, 1e6}) {
    CAPTURE(offset);
    const Dense<double> z = classes_around<double>(labels, 9, offset, 1.0);
    const Numbers expected = streamed(class_collapse(z, labels, options));
    std::vector<LabelledAccumulator> parts;
    Index size = 1;
    for (Index first = 0; first < z.rows(); first += size, size = 2 * size + 1) {
      size = std::min(size, z.rows() - first);
      parts.emplace_back(9, options);
      // Each part in batches of its own.
      for (Index at = first; at < first + size; at += 300) {
        const Dense<double> batch = z.middleRows(at, std::min<Index>(300, first + size - at));
        parts.back().update(batch, part_of(labels, at, batch));
      }
    }
    for (const bool backwards : {false, true}) {
      if (backwards) std::reverse(parts.begin(), parts.end());
      LabelledAccumulator all(9, options);
      for (const LabelledAccumulator& part : parts) all.merge(part);
      check_same(streamed(all.report()), expected, 1e-10);
      // As a tree.
      std::vector<LabelledAccumulator> tree = parts;
      while (tree.size() > 1) {
        for (std::size_t k = 0; k + 1 < tree.size(); ++k) {
          tree[k].merge(tree[k + 1]);
          tree.erase(tree.begin() + static_cast<std::ptrdiff_t>(k) + 1);
        }
      }
      check_same(streamed(tree.front().report()), expected, 1e-10);
    }
  }
}

TEST_CASE("what needs rows comes from a sample of a long labelled stream", "[labelled_accumulator]") {
  const std::vector<int> labels = labels_of(2000, 3);
  const Dense<float> z = classes_around<float>(labels, 5, 0.0, 1.0);
  ClassOptions options = all_of_it();
  options.sample_rows = 300;
  LabelledAccumulator seen(5, options);
  for (Index first = 0; first < z.rows(); first += 250) {
    const Dense<float> part = z.middleRows(first, 250);
    seen.update(part, part_of(labels, first, part), part_of(labels, first, part));
  }
  const ClassCollapse report = seen.report();
  const ClassCollapse whole = class_collapse(z, labels, labels, options);
  CHECK(whole.exact);
  CHECK_FALSE(report.exact);
  CHECK(report.samples == 2000);
  CHECK(report.sampled_rows == 300);
  Index counted = 0;
  for (const Index n : report.per_class.samples) counted += n;
  CHECK(counted == 300);
  // Four standard errors of a share of 300 rows are 0.12 at most.
  CHECK(std::abs(report.nc4 - whole.nc4) < 0.12);
  CHECK(std::abs(report.knn_accuracy - whole.knn_accuracy) < 0.12);
  CHECK(std::abs(report.linear_probe_accuracy - whole.linear_probe_accuracy) < 0.12);
  CHECK(std::abs(report.silhouette - whole.silhouette) < 0.1);
  for (Index c = 0; c < 3; ++c) {
    CHECK(std::abs(report.per_class.effective_rank(c) / whole.per_class.effective_rank(c) - 1.0) < 0.05);
  }
  options.seed = 1;
  LabelledAccumulator other(5, options);
  other.update(z, labels);
  CHECK(other.report().per_class.effective_rank(0) != report.per_class.effective_rank(0));
}

TEST_CASE("a rejected labelled batch or merge changes nothing", "[labelled_accumulator]") {
  const std::vector<int> labels = labels_of(60, 3);
  const Dense<double> z = classes_around<double>(labels, 4, 0.0, 1.0);
  LabelledAccumulator seen(4, {.sample_rows = 40});
  seen.update(z, labels);
  const Numbers before = everything(seen.report());
  Dense<double> bad = z;
  bad(59, 3) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(seen.update(bad, labels), NonFiniteError);
  CHECK_THROWS_AS(seen.update(z, std::vector<int>(59, 9)), ShapeError);
  CHECK_THROWS_AS(seen.update(z, labels, std::vector<int>(61, 9)), ShapeError);
  CHECK_THROWS_AS(seen.update(z.leftCols(3), labels), ShapeError);
  CHECK_THROWS_AS(seen.update(z, std::vector<std::uint64_t>(60, ~std::uint64_t{0})), OptionError);
  CHECK_THROWS_AS(seen.merge(LabelledAccumulator(5)), ShapeError);
  CHECK_THROWS_AS(seen.merge(LabelledAccumulator(4)), OptionError);
  check_same(everything(seen.report()), before, 0.0);
}

TEST_CASE("a labelled accumulator refuses what it cannot be by name", "[labelled_accumulator]") {
  CHECK_THROWS_AS(LabelledAccumulator(0), ShapeError);
  CHECK_THROWS_AS(LabelledAccumulator(-1), ShapeError);
  CHECK_THROWS_AS(LabelledAccumulator(3, {.sample_rows = 1}), OptionError);
  CHECK_THROWS_AS(LabelledAccumulator(3, {.sample_rows = -1}), OptionError);
  ClassOptions options;
  options.classifier = Classifier{Eigen::MatrixXd::Ones(2, 4), {}};
  CHECK_THROWS_AS(LabelledAccumulator(3, options), ShapeError);
  CHECK_THROWS_AS(LabelledAccumulator(3).report(), ShapeError);
}

TEST_CASE("unlabelled and skipped rows of a stream are counted and no more", "[labelled_accumulator]") {
  std::vector<int> labels = labels_of(50, 3);
  Dense<double> z = classes_around<double>(labels, 4, 0.0, 1.0);
  const ClassOptions options{.unlabelled = -1, .nonfinite = NonFinite::skip_rows};
  labels[3] = labels[20] = -1;
  z(7, 1) = std::numeric_limits<double>::infinity();
  LabelledAccumulator seen(4, options);
  seen.update(z.topRows(25), part_of(labels, 0, z.topRows(25)));
  seen.update(z.topRows(0), std::vector<int>{});
  seen.update(z.bottomRows(25), part_of(labels, 25, z.bottomRows(25)));
  CHECK(seen.count() == 47);
  CHECK(seen.unlabelled_rows() == 2);
  CHECK(seen.skipped_rows() == 1);
  check_same(everything(seen.report()), everything(class_collapse(z, labels, options)), 1e-10);

  LabelledAccumulator none(4, {.unlabelled = -1});
  none.update(z.topRows(1), std::vector<int>{-1});
  try {
    static_cast<void>(none.report());
    FAIL("a report without rows");
  } catch (const ShapeError& error) {
    CHECK(std::string(error.what()).find("1 have a label that means none") != std::string::npos);
  }
}

TEST_CASE("a labelled accumulator merges with itself and starts anew", "[labelled_accumulator]") {
  const std::vector<int> labels = labels_of(40, 3);
  const Dense<float> z = classes_around<float>(labels, 4, 0.0, 1.0);
  LabelledAccumulator seen(4);
  seen.update(z, labels);
  const Numbers once = everything(seen.report());
  seen.merge(seen);
  Dense<float> twice(80, 4);
  twice << z, z;
  std::vector<int> both = labels;
  both.insert(both.end(), labels.begin(), labels.end());
  check_same(streamed(seen.report()), streamed(class_collapse(twice, both)), 1e-10);
  seen.reset();
  CHECK(seen.count() == 0);
  CHECK(seen.classes() == 0);
  seen.update(z, labels);
  check_same(everything(seen.report()), once, 0.0);
}

TEST_CASE("batches of several scalars keep the coarsest precision", "[labelled_accumulator]") {
  const std::vector<int> labels = labels_of(40, 3);
  const Dense<float> z = classes_around<float>(labels, 4, 0.0, 1.0);
  LabelledAccumulator seen(4);
  seen.update(z.topRows(20), part_of(labels, 0, z.topRows(20)));
  seen.update(z.bottomRows(20).cast<double>(), part_of(labels, 20, z.bottomRows(20)));
  check_same(everything(seen.report()), everything(class_collapse(z, labels)), 1e-10);
}
