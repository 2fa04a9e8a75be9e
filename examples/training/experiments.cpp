#include "experiments.hpp"

#include "joint_embedding.hpp"
#include "other_systems.hpp"

#include <collapse/report.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace training {

namespace {

using collapse::Verdict;

std::string expect(const Run& run, Verdict verdict) {
  const Verdict got = run.report.diagnosis.verdict;
  return got == verdict ? std::string() : fmt::format("{} and not {}", to_string(got), to_string(verdict));
}

/// The verdicts that an intact system must not get, and no alarm.
std::string expect_intact(const Run& run) {
  const Verdict got = run.report.diagnosis.verdict;
  if (got != Verdict::healthy) return fmt::format("{}", to_string(got));
  return run.alarm ? fmt::format("false alarm: {}", *run.alarm) : std::string();
}

std::string expect_alarm_in_time(const Run& run) {
  if (!run.alarm) return "no alarm";
  if (run.alarm->step <= run.onset) return fmt::format("false alarm: {}", *run.alarm);
  const std::optional<int> half = run.half_lost();
  if (!half || run.alarm->step <= *half) return {};
  return fmt::format("alarm at step {}, half of the accuracy lost at {}", run.alarm->step, *half);
}

/// A recipe with one thing taken away.
template <class Value>
Recipe without(Recipe recipe, const char* ablation, Value Recipe::*what, Value instead) {
  recipe.ablation = ablation;
  recipe.*what = instead;
  return recipe;
}

class Table {
 public:
  explicit Table(const Digits& digits) : digits_(digits) {}

  void add(const Recipe& recipe, std::function<std::string(const Run&)> contradiction) {
    put(
        recipe.system, recipe.ablation,
        [&digits = digits_, recipe](std::uint64_t seed) { return train(recipe, digits, seed); },
        std::move(contradiction));
  }

  void add(const Recipe& recipe, Verdict verdict) {
    add(recipe, [verdict](const Run& run) { return expect(run, verdict); });
  }

  /// The ablation begins in an intact run.
  void add_late(Recipe recipe, Recipe ablated) {
    recipe.steps = 300;
    ablated.steps = 1200;
    put(
        recipe.system, ablated.ablation + " from step 300",
        [&digits = digits_, recipe, ablated](std::uint64_t seed) { return train(recipe, digits, seed, ablated); },
        expect_alarm_in_time);
  }

  template <class Train>
  void put(const std::string& system, const std::string& ablation, Train train_it,
           std::function<std::string(const Run&)> contradiction) {
    const auto named = [system, ablation, train_it = std::move(train_it)](std::uint64_t seed) {
      Run run = train_it(seed);
      run.system = system;
      run.ablation = ablation;
      return run;
    };
    result.push_back({system + (ablation == "-" ? "" : ", " + ablation), named, std::move(contradiction)});
  }

  std::vector<Experiment> result;

 private:
  const Digits& digits_;
};

}  // namespace

std::vector<Experiment> experiments(const Digits& digits) {
  Table table(digits);

  const Recipe invariance{.system = "invariance only", .objective = Objective::invariance};
  table.add(invariance, Verdict::complete_collapse);
  const Recipe simclr{.system = "SimCLR", .objective = Objective::simclr};
  const Recipe simclr_alone = without(simclr, "no negatives", &Recipe::negatives, false);
  table.add(simclr, expect_intact);
  table.add(simclr_alone, Verdict::complete_collapse);

  const Recipe moco{.system = "MoCo", .objective = Objective::moco};
  const Recipe moco_alone = without(moco, "no queue", &Recipe::negatives, false);
  const Recipe moco_stale = without(moco, "momentum 0", &Recipe::momentum, 0.0F);
  table.add(moco, expect_intact);
  table.add(moco_alone, Verdict::complete_collapse);
  // The keys of the queue are those of other encoders: the run goes through a collapse before it finds out.
  table.add(moco_stale, [](const Run& run) {
    double least = 1.0;
    for (const Point& p : run.history) least = std::min(least, p.dispersion);
    return least < 0.2 ? std::string() : fmt::format("the dispersion never falls below {:.2f}", least);
  });

  const Recipe byol{.system = "BYOL", .objective = Objective::byol};
  Recipe byol_alone = without(byol, "no predictor", &Recipe::predictor, false);
  byol_alone.steps = 900;  // it goes slowly
  const Recipe byol_through = without(byol, "no stop-gradient", &Recipe::stop_gradient, false);
  const Recipe byol_plain = without(byol, "no batch norm", &Recipe::batch_norm, false);
  table.add(byol, expect_intact);
  table.add(byol_alone, Verdict::complete_collapse);
  table.add(byol_through, Verdict::complete_collapse);
  table.add(byol_plain, Verdict::complete_collapse);

  const Recipe simsiam{.system = "SimSiam", .objective = Objective::simsiam};
  const Recipe simsiam_through = without(simsiam, "no stop-gradient", &Recipe::stop_gradient, false);
  table.add(simsiam, expect_intact);
  table.add(simsiam_through, Verdict::complete_collapse);

  const Recipe barlow{.system = "Barlow Twins", .objective = Objective::barlow_twins};
  const Recipe barlow_alone = without(barlow, "no off-diagonal", &Recipe::off_diagonal, 0.0);
  table.add(barlow, expect_intact);
  table.add(barlow_alone, Verdict::dimensional_collapse);

  const Recipe vicreg{.system = "VICReg", .objective = Objective::vicreg};
  const Recipe no_variance = without(vicreg, "no variance", &Recipe::variance, 0.0);
  const Recipe no_covariance = without(vicreg, "no covariance", &Recipe::covariance, 0.0);
  const Recipe neither = without(no_variance, "neither", &Recipe::covariance, 0.0);
  table.add(vicreg, expect_intact);
  table.add(no_variance, Verdict::complete_collapse);
  table.add(no_covariance, Verdict::dimensional_collapse);
  table.add(neither, Verdict::complete_collapse);

  // What the projection loses is thrown away with it; without one the encoder itself loses it (Jing et al. 2022).
  const Recipe head{.system = "SimCLR, strong views",
                    .objective = Objective::simclr,
                    .head = true,
                    .augmentation = {.shift = 3, .noise = 0.1F, .contrast = 0.0F}};
  const Recipe no_head = without(head, "no head", &Recipe::head, false);
  const auto with_cliff = [&digits](const Recipe& recipe) {
    return [&digits, recipe](std::uint64_t seed) {
      Run run = train(recipe, digits, seed);
      const Eigen::VectorXd& values = run.report.spectrum.singular_values;
      run.shown = values(9) / values(0);
      run.shows = fmt::format("10th singular value {:.2f} of the first", run.shown);
      return run;
    };
  };
  table.put(head.system, head.ablation, with_cliff(head),
            [](const Run& run) { return run.shown > 0.13 ? expect_intact(run) : run.shows; });
  table.put(no_head.system, no_head.ablation, with_cliff(no_head),
            [](const Run& run) { return run.shown < 0.09 ? std::string() : run.shows; });

  table.put(
      "autoencoder", "-", [&digits](std::uint64_t seed) { return train_autoencoder(digits, 0.0, seed); },
      [](const Run& run) { return run.shown >= 16.0 ? std::string() : run.shows; });
  table.put(
      "VAE", "-", [&digits](std::uint64_t seed) { return train_autoencoder(digits, 1.0, seed); },
      [](const Run& run) { return run.shown >= 12.0 ? std::string() : run.shows; });
  table.put(
      "VAE", "beta 30", [&digits](std::uint64_t seed) { return train_autoencoder(digits, 30.0, seed); },
      [](const Run& run) { return run.shown <= 4.0 ? std::string() : run.shows; });

  const auto kept = [](const Run& run) {
    const Activity& first = run.activity.front();
    const Activity& last = run.activity.back();
    return last.srank >= 0.9 * first.srank && last.dormant <= first.dormant ? std::string() : run.shows;
  };
  const auto lost = [](const Run& run) {
    const Activity& first = run.activity.front();
    const Activity& last = run.activity.back();
    return last.srank <= 0.7 * first.srank && last.dormant > first.dormant ? std::string() : run.shows;
  };
  table.put(
      "Q learning", "-", [](std::uint64_t seed) { return train_values(true, seed); }, kept);
  table.put(
      "Q learning", "no log-determinant", [](std::uint64_t seed) { return train_values(false, seed); }, lost);

  table.put(
      "generator", "-", [](std::uint64_t seed) { return train_generator(true, seed); },
      [](const Run& run) { return run.shown >= 8.0 ? expect(run, Verdict::healthy) : run.shows; });
  table.put(
      "generator", "no repulsion", [](std::uint64_t seed) { return train_generator(false, seed); },
      [](const Run& run) { return run.shown <= 2.0 ? expect(run, Verdict::complete_collapse) : run.shows; });

  table.put(
      "two towers", "temperature 0.5", [&digits](std::uint64_t seed) { return train_two_towers(digits, 0.5, seed); },
      [](const Run& run) { return run.shown < 0.25 ? expect_intact(run) : run.shows; });
  table.put(
      "two towers", "temperature 0.03", [&digits](std::uint64_t seed) { return train_two_towers(digits, 0.03, seed); },
      [](const Run& run) { return run.shown > 0.4 ? expect_intact(run) : run.shows; });

  // A collapse that is wanted: with labels it is called what it is.
  table.put(
      "classifier", "-", [&digits](std::uint64_t seed) { return train_classifier(digits, false, seed); },
      [](const Run& run) { return run.shown > 0.1 ? expect(run, Verdict::healthy) : run.shows; });
  table.put(
      "classifier", "past zero error", [&digits](std::uint64_t seed) { return train_classifier(digits, true, seed); },
      [](const Run& run) { return run.shown < 0.1 ? expect(run, Verdict::healthy) : run.shows; });

  table.add_late(simclr, simclr_alone);
  table.add_late(moco, moco_alone);
  table.add_late(byol, byol_alone);
  table.add_late(simsiam, simsiam_through);
  table.add_late(barlow, barlow_alone);
  table.add_late(vicreg, no_variance);
  table.add_late(vicreg, no_covariance);
  return std::move(table.result);
}

}  // namespace training
