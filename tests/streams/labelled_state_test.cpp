#include <collapse/labelled_accumulator.hpp>

#include "support/catch.hpp"
#include "support/labelled.hpp"
#include "support/report_numbers.hpp"
#include "support/saved_states.hpp"

#include <collapse/accumulator.hpp>
#include <collapse/report/walk.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

using namespace collapse;
using reference::Dense;
using test::saved;

namespace {

constexpr Index dims = 3;

constexpr std::int64_t unlabelled = -1;

ClassOptions options_with(Index sample_rows) {
  ClassOptions options;
  options.sample_rows = sample_rows;
  options.seed = 77;
  options.unlabelled = unlabelled;
  return options;
}

const ClassOptions few = options_with(8);

/// Some rows have no label, and every other one is classified.
void add(LabelledAccumulator& to, Index rows, int classes = 3) {
  std::vector<int> labels = reference::labels_of(rows, classes);
  const Dense<float> z = reference::classes_around<float>(labels, dims, 0.5, 1.0);
  std::vector<int> predictions = labels;
  for (std::size_t i = 0; i < labels.size(); i += 7) {
    predictions[i] = 1;
    labels[i] = unlabelled;
  }
  if (rows % 2 == 0) {
    to.update(z, labels, predictions);
  } else {
    to.update(z, labels);
  }
}

LabelledAccumulator of_rows(Index rows, int classes = 3) {
  LabelledAccumulator seen(dims, few);
  if (rows > 0) add(seen, rows, classes);
  return seen;
}

LabelledAccumulator loaded(const std::string& bytes) { return test::loaded<LabelledAccumulator>(bytes); }

std::string refusal(const std::string& bytes) { return test::refusal<LabelledAccumulator>(bytes); }

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Whether all numbers are the same bits.
bool same(const ClassCollapse& left, const ClassCollapse& right) {
  const auto numbers = [](const ClassCollapse& report) {
    reference::Numbers all;
    for_each_field(report, [&all](MetricPath path, const FieldInfo&, const auto& value) {
      using Value = std::remove_cvref_t<decltype(value)>;
      if constexpr (std::is_arithmetic_v<Value>) all.emplace_back(std::string(path), static_cast<double>(value));
      if constexpr (std::is_same_v<Value, Eigen::VectorXd>) {
        for (const double each : value) all.emplace_back(std::string(path), each);
      }
    });
    return all;
  };
  return reference::same(numbers(left), numbers(right));
}

}  // namespace

TEST_CASE("saved labelled rows come back bit for bit and go on alike", "[labelled_state]") {
  for (const Index rows : {Index{0}, Index{1}, Index{2}, Index{7}, Index{40}, Index{700}}) {
    CAPTURE(rows);
    LabelledAccumulator original = of_rows(rows);
    LabelledAccumulator copy = loaded(saved(original));
    CHECK(saved(copy) == saved(original));
    CHECK(copy.count() == original.count());
    CHECK(copy.dims() == dims);
    CHECK(copy.classes() == original.classes());
    CHECK(copy.unlabelled_rows() == original.unlabelled_rows());
    CHECK(copy.options().sample_rows == 8);
    if (original.count() > 0) CHECK(same(copy.report(), original.report()));
    add(original, 90, 5);
    add(copy, 90, 5);
    original.merge(of_rows(200, 7));
    copy.merge(loaded(saved(of_rows(200, 7))));
    CHECK(saved(copy) == saved(original));
    CHECK(same(copy.report(), original.report()));
  }
}

TEST_CASE("shards of no labelled row or one are merged after they were saved", "[labelled_state]") {
  const std::vector<int> labels = reference::labels_of(41, 3);
  const Dense<float> z = reference::classes_around<float>(labels, dims, 0.5, 1.0);
  const auto part = [&](Index first, Index count) {
    LabelledAccumulator seen(dims, few);
    seen.update(z.middleRows(first, count), std::vector<int>(labels.begin() + first, labels.begin() + first + count));
    return loaded(saved(seen));
  };
  LabelledAccumulator all = part(0, 0);
  all.merge(part(0, 1));
  all.merge(part(1, 39));
  all.merge(part(40, 1));
  all.merge(part(0, 0));
  CHECK(all.count() == 41);
  const ClassCollapse expected = class_collapse(z, labels, few);
  const ClassCollapse report = all.report();
  CHECK(std::abs(report.nc1 - expected.nc1) < 1e-10 * expected.nc1);
  CHECK(std::abs(report.cdnv - expected.cdnv) < 1e-10 * expected.cdnv);
}

TEST_CASE("skipped rows, every option and a classifier are part of a state of labelled rows", "[labelled_state]") {
  ClassOptions options = options_with(9);
  options.classifier = Classifier{reference::gaussian<double>(4, dims, 5), Eigen::VectorXd::LinSpaced(4, -1.0, 1.0)};
  options.per_class = false;
  options.silhouette = options.knn = options.linear_probe = true;
  options.neighbours = 3;
  options.ridge = 0.5;
  options.lidar_delta = 0.25;
  options.method = SpectrumMethod::svd;
  options.nonfinite = NonFinite::skip_rows;
  const std::vector<int> labels = reference::labels_of(30, 4);
  Dense<float> z = reference::classes_around<float>(labels, dims, 0.5, 1.0);
  z(3, 1) = std::numeric_limits<float>::quiet_NaN();
  LabelledAccumulator original(dims, options);
  original.update(z, labels);
  const LabelledAccumulator copy = loaded(saved(original));
  CHECK(copy.skipped_rows() == 1);
  CHECK(copy.options().classifier->weights == options.classifier->weights);
  CHECK(copy.options().classifier->bias == options.classifier->bias);
  CHECK_FALSE(copy.options().per_class);
  CHECK(copy.options().silhouette);
  CHECK(copy.options().knn);
  CHECK(copy.options().linear_probe);
  CHECK(copy.options().neighbours == 3);
  CHECK(copy.options().ridge == 0.5);
  CHECK(copy.options().lidar_delta == 0.25);
  CHECK(copy.options().method == SpectrumMethod::svd);
  CHECK(copy.options().nonfinite == NonFinite::skip_rows);
  CHECK(copy.options().sample_rows == 9);
  CHECK(copy.options().seed == 77);
  CHECK(same(copy.report(), original.report()));
}

TEST_CASE("a state of labelled rows that is not whole is rejected", "[labelled_state]") {
  for (const Index rows : {Index{4}, Index{20}}) {
    const std::string bytes = saved(of_rows(rows));
    CHECK(test::accepted_beginnings<LabelledAccumulator>(bytes) == 0);
    CHECK(test::accepted_corruptions<LabelledAccumulator>(bytes, 1000) == 0);
    CHECK(refusal(bytes) == "accepted");
  }
}

TEST_CASE("a state of labelled rows with the right checksum is still not believed", "[labelled_state]") {
  for (const bool classified : {false, true}) {
    for (const Index rows : {Index{0}, Index{4}, Index{20}}) {
      ClassOptions options = options_with(8);
      options.silhouette = options.knn = options.linear_probe = true;
      if (classified) options.classifier = Classifier{reference::gaussian<double>(3, dims, 5), {}};
      LabelledAccumulator seen(dims, options);
      if (rows > 0) add(seen, rows);
      const std::size_t accepted =
          test::use_forgeries<LabelledAccumulator>(saved(seen), [](LabelledAccumulator& taken) {
            if (taken.dims() == dims) add(taken, 6);
            if (taken.count() > 0) static_cast<void>(taken.report());
          });
      CHECK(accepted > 0);
    }
  }
}

TEST_CASE("a state of labelled rows is not loaded as another kind", "[labelled_state]") {
  const std::string labelled = saved(of_rows(20));
  CHECK(contains(test::refusal<Accumulator>(labelled), "the state of a LabelledAccumulator, not of an Accumulator"));
  CHECK(contains(refusal(saved(Accumulator(3))), "the state of an Accumulator, not of a LabelledAccumulator"));
}
