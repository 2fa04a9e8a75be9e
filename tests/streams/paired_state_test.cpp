#include <collapse/paired_accumulator.hpp>

#include "support/catch.hpp"
#include "support/reference_statistics.hpp"
#include "support/report_numbers.hpp"
#include "support/saved_states.hpp"

#include <collapse/accumulator.hpp>
#include <collapse/compare.hpp>
#include <collapse/report/walk.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

using namespace collapse;
using reference::Random;
using reference::RowMajor;
using test::saved;

namespace {

const Options few{.method = SpectrumMethod::gram, .nonfinite = NonFinite::skip_rows, .pair_rows = 8, .seed = 77};

struct Views {
  RowMajor<float> a, b;
};

Views views(Index rows, Index dims_a, Index dims_b, std::uint64_t seed) {
  Random random(seed);
  Views v{RowMajor<float>(rows, dims_a), RowMajor<float>(rows, dims_b)};
  for (Index i = 0; i < v.a.size(); ++i) v.a.data()[i] = static_cast<float>(1.0 + 0.1 * random.normal());
  for (Index i = 0; i < v.b.size(); ++i) v.b.data()[i] = static_cast<float>(-0.5 + 0.1 * random.normal());
  v.b.col(0) += v.a.col(0);
  return v;
}

PairedAccumulator of_pairs(Index rows, Index dims_a = 3, Index dims_b = 3) {
  PairedAccumulator seen(dims_a, dims_b, few, {.variance = 12.5});
  if (rows > 0) {
    const Views v = views(rows, dims_a, dims_b, 1);
    seen.update(v.a, v.b);
  }
  return seen;
}

PairedAccumulator loaded(const std::string& bytes) { return test::loaded<PairedAccumulator>(bytes); }

std::string refusal(const std::string& bytes) { return test::refusal<PairedAccumulator>(bytes); }

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Whether all numbers are the same bits.
bool same(const Comparison& left, const Comparison& right) {
  const auto numbers = [](const Comparison& comparison) {
    reference::Numbers all;
    for_each_field(comparison, [&all](MetricPath path, const FieldInfo&, const auto& value) {
      using Value = std::remove_cvref_t<decltype(value)>;
      if constexpr (std::is_arithmetic_v<Value>) all.emplace_back(std::string(path), static_cast<double>(value));
    });
    return all;
  };
  return reference::same(numbers(left), numbers(right)) &&
         reference::same(reference::numbers(left.a), reference::numbers(right.a)) &&
         reference::same(reference::numbers(left.b), reference::numbers(right.b));
}

}  // namespace

TEST_CASE("saved pairs come back bit for bit and go on alike", "[paired_state]") {
  // None, one, held, folded with pairs that wait, whole blocks and a rest; one view that still holds its rows.
  for (const Index dims_b : {Index{3}, Index{40}}) {
    for (const Index rows : {Index{0}, Index{1}, Index{8}, Index{30}, Index{700}, Index{1200}}) {
      CAPTURE(dims_b, rows);
      PairedAccumulator original = of_pairs(rows, 3, dims_b);
      PairedAccumulator copy = loaded(saved(original));
      CHECK(saved(copy) == saved(original));
      CHECK(copy.count() == rows);
      CHECK(copy.dims_a() == 3);
      CHECK(copy.dims_b() == dims_b);
      CHECK(copy.options().seed == 77);
      CHECK(copy.weights().variance == 12.5);
      if (rows > 0) CHECK(same(copy.report(), original.report()));
      const Views more = views(90, 3, dims_b, 2);
      original.update(more.a, more.b);
      copy.update(more.a, more.b);
      original.merge(of_pairs(200, 3, dims_b));
      copy.merge(loaded(saved(of_pairs(200, 3, dims_b))));
      CHECK(saved(copy) == saved(original));
      CHECK(same(copy.report(), original.report()));
    }
  }
}

TEST_CASE("shards of no pair or one are merged after they were saved", "[paired_state]") {
  const Views v = views(41, 3, 3, 4);
  const auto part = [&](Index first, Index count) {
    PairedAccumulator seen(3, 3, few);
    seen.update(v.a.middleRows(first, count), v.b.middleRows(first, count));
    return loaded(saved(seen));
  };
  PairedAccumulator all = part(0, 0);
  all.merge(part(0, 1));
  all.merge(part(1, 39));
  all.merge(part(40, 1));
  all.merge(part(0, 0));
  CHECK(all.count() == 41);
  const Comparison expected = compare(v.a, v.b, few);
  const Comparison report = all.report();
  CHECK(std::abs(report.alignment - expected.alignment) < 1e-10 * expected.alignment);
  CHECK(std::abs(report.linear_cka - expected.linear_cka) < 1e-10 * expected.linear_cka);
}

TEST_CASE("skipped pairs and options are part of a state of pairs, thresholds are not", "[paired_state]") {
  Options options = few;
  options.all_pairs = true;
  options.thresholds.complete_dispersion = 0.125;
  Views v = views(20, 3, 3, 1);
  v.b(4, 1) = std::numeric_limits<float>::quiet_NaN();
  PairedAccumulator original(3, 3, options, {.invariance = 1.0, .variance = 2.0, .covariance = 3.0});
  original.update(v.a, v.b);
  const PairedAccumulator copy = loaded(saved(original));
  CHECK(copy.skipped_rows() == 1);
  CHECK(copy.count() == 19);
  CHECK(copy.options().all_pairs);
  CHECK(copy.options().nonfinite == NonFinite::skip_rows);
  CHECK(copy.options().thresholds.complete_dispersion == Thresholds{}.complete_dispersion);
  CHECK(copy.weights().invariance == 1.0);
  CHECK(copy.weights().covariance == 3.0);
  CHECK(same(copy.report(options.thresholds), original.report()));
  CHECK_THROWS_AS(copy.report({.complete_dispersion = 2.0}), OptionError);
}

TEST_CASE("a state of pairs that is not whole is rejected", "[paired_state]") {
  for (const Index rows : {Index{4}, Index{20}}) {
    const std::string bytes = saved(of_pairs(rows, 2, 3));
    CHECK(test::accepted_beginnings<PairedAccumulator>(bytes) == 0);
    CHECK(test::accepted_corruptions<PairedAccumulator>(bytes, 1000) == 0);
    CHECK(refusal(bytes) == "accepted");
  }
}

TEST_CASE("a state of pairs with the right checksum is still not believed", "[paired_state]") {
  for (const Index dims_b : {Index{2}, Index{3}}) {
    for (const Index rows : {Index{0}, Index{4}, Index{20}}) {
      const std::size_t accepted =
          test::use_forgeries<PairedAccumulator>(saved(of_pairs(rows, 2, dims_b)), [&](PairedAccumulator& taken) {
            if (taken.dims_a() == 2 && taken.dims_b() == dims_b && taken.options().pair_rows < 1000) {
              const Views more = views(3, 2, dims_b, 9);
              taken.update(more.a, more.b);
            }
            if (taken.count() > 0) static_cast<void>(taken.report());
          });
      CHECK(accepted > 0);
    }
  }
}

TEST_CASE("a state of one kind is not loaded as another", "[paired_state]") {
  const std::string pairs = saved(of_pairs(20));
  const std::string rows = saved(Accumulator(3, few));
  CHECK(contains(test::refusal<Accumulator>(pairs), "the state of a PairedAccumulator, not of an Accumulator"));
  CHECK(contains(refusal(rows), "the state of an Accumulator, not of a PairedAccumulator"));
}
