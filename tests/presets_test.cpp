#include <collapse/presets.hpp>

#include "support/catch.hpp"

#include <limits>
#include <string>
#include <string_view>

using collapse::OptionError;
using collapse::preset;
using collapse::set_threshold;
using collapse::Thresholds;

namespace {

template <class Action>
std::string refusal_of(Action action) {
  try {
    action();
  } catch (const OptionError& error) {
    return error.what();
  }
  return "no error";
}

bool same(const Thresholds& a, const Thresholds& b) {
  bool equal = true;
  Thresholds::fields([&](const auto& field) { equal = equal && a.*field.member == b.*field.member; });
  return equal;
}

}  // namespace

TEST_CASE("a preset is found by its name, and is valid", "[presets]") {
  for (const collapse::Preset& each : collapse::presets) {
    CAPTURE(each.name);
    CHECK(preset(each.name).thresholds == each.thresholds);
    CHECK_NOTHROW(validate(each.thresholds()));
    CHECK(each.reason.size() > 20);
  }
  CHECK(same(preset("self-supervised").thresholds(), Thresholds()));
  CHECK_FALSE(same(preset("language-model").thresholds(), Thresholds()));
  CHECK_FALSE(same(preset("supervised").thresholds(), Thresholds()));
  const std::string message = refusal_of([] { static_cast<void>(preset("superviced")); });
  CHECK(message.rfind("'superviced' is no preset; there are supervised, ", 0) == 0);
  for (const std::string_view name : {"self-supervised", "contrastive", "language-model", "autoencoder"}) {
    CHECK(message.find(name) != std::string::npos);
  }
}

TEST_CASE("every threshold is set by its name and no other changes", "[presets]") {
  int count = 0;
  Thresholds::fields([&](const auto& named) {
    CAPTURE(named.name);
    Thresholds changed;
    const double value = static_cast<double>(changed.*named.member) == 2.0 ? 3.0 : 1.0;
    const bool counts = std::string_view(named.name) == "minimum_samples";
    set_threshold(changed, named.name, counts ? 2.0 : value);
    CHECK(static_cast<double>(changed.*named.member) == (counts ? 2.0 : value));
    Thresholds::fields([&](const auto& other) {
      if (std::string_view(other.name) == named.name) return;
      CHECK(changed.*other.member == Thresholds().*other.member);
    });
    ++count;
  });
  CHECK(count >= 5);
}

TEST_CASE("thresholds that are none or out of range are refused and change nothing", "[presets]") {
  Thresholds thresholds;
  CHECK(refusal_of([&] {
          set_threshold(thresholds, "dimensional_ratios", 0.1);
        }).find("no threshold is called 'dimensional_ratios'; similar ones are dimensional_ratio, ") !=
        std::string::npos);
  CHECK(refusal_of([&] {
          set_threshold(thresholds, "cluster", 0.1);
        }).find("similar ones are cluster_points, cluster_pairs") != std::string::npos);
  CHECK(refusal_of([&] { set_threshold(thresholds, "", 0.1); }) != "no error");
  CHECK(refusal_of([&] { set_threshold(thresholds, "minimum_samples", 2.5); }).find("is a whole number, got 2.5") !=
        std::string::npos);
  CHECK(refusal_of([&] { set_threshold(thresholds, "minimum_samples", std::numeric_limits<double>::quiet_NaN()); }) !=
        "no error");
  CHECK(refusal_of([&] { set_threshold(thresholds, "minimum_samples", 1e300); }) != "no error");
  CHECK(refusal_of([&] { set_threshold(thresholds, "dimensional_ratio", 1.5); }).find("it lies from 0 to 1") !=
        std::string::npos);
  CHECK(same(thresholds, Thresholds()));
}
