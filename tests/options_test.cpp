#include "support/catch.hpp"

#include <collapse/options.hpp>

#include <limits>
#include <string>

using namespace collapse;

namespace {

std::string complaint(const Options& options) {
  try {
    validate(options);
  } catch (const OptionError& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the default options are valid and documented", "[options]") {
  const Options options;
  CHECK(complaint(options).empty());
  CHECK(options.method == SpectrumMethod::automatic);
  CHECK(options.nonfinite == NonFinite::reject);
  CHECK(options.pair_rows == 4096);
  CHECK_FALSE(options.all_pairs);
  CHECK(options.seed == 0);
  CHECK(options.alpha_first == 11);
  CHECK(options.alpha_last == 100);
  CHECK(options.resamples == 0);
  CHECK(options.confidence_level == 0.95);
}

TEST_CASE("options are set by name", "[options]") {
  const Options options{
      .method = SpectrumMethod::svd, .pair_rows = 8192, .seed = 7, .thresholds = {.minimum_samples = 3}};
  CHECK(options.method == SpectrumMethod::svd);
  CHECK(options.pair_rows == 8192);
  CHECK(options.seed == 7);
  CHECK(options.thresholds.minimum_samples == 3);
  CHECK(options.thresholds.complete_dispersion == 0.01);
  CHECK(complaint(options).empty());
}

TEST_CASE("fewer than two pair rows are refused by name and value", "[options]") {
  for (const Index rows : {Index{1}, Index{0}, Index{-1}, std::numeric_limits<Index>::min()}) {
    const std::string message = complaint({.pair_rows = rows});
    CAPTURE(message);
    CHECK(contains(message, "Options::pair_rows"));
    CHECK(contains(message, std::to_string(rows)));
  }
  CHECK(complaint({.pair_rows = 2}).empty());
  CHECK(complaint({.pair_rows = std::numeric_limits<Index>::max()}).empty());
}

TEST_CASE("a power-law range that is empty or begins before rank 1 is refused by name and value", "[options]") {
  CHECK(contains(complaint({.alpha_first = 0}), "Options::alpha_first = 0"));
  CHECK(contains(complaint({.alpha_first = -5, .alpha_last = -1}), "Options::alpha_first = -5"));
  const std::string message = complaint({.alpha_first = 30, .alpha_last = 29});
  CHECK(contains(message, "alpha_first = 30"));
  CHECK(contains(message, "alpha_last = 29"));
  CHECK(complaint({.alpha_first = 30, .alpha_last = 30}).empty());
  CHECK(complaint({.alpha_first = 1, .alpha_last = std::numeric_limits<Index>::max()}).empty());
}

TEST_CASE("resampling that has no spread or no level is refused by name and value", "[options]") {
  for (const Index groups : {Index{1}, Index{-1}}) {
    const std::string message = complaint({.resamples = groups});
    CHECK(contains(message, "Options::resamples"));
    CHECK(contains(message, std::to_string(groups)));
  }
  for (const double level : {0.0, 1.0, -0.5, std::numeric_limits<double>::quiet_NaN()}) {
    CAPTURE(level);
    CHECK(contains(complaint({.confidence_level = level}), "Options::confidence_level"));
  }
  CHECK(complaint({.resamples = 2, .confidence_level = 0.5}).empty());
}
