#include "other_systems.hpp"

#include <collapse/compare.hpp>
#include <collapse/diagnosis/classes.hpp>
#include <collapse/isotropy.hpp>
#include <collapse/metrics/activations.hpp>
#include <collapse/metrics/srank.hpp>
#include <collapse/penalties/info_nce.hpp>
#include <collapse/penalties/log_determinant.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace training {

namespace {

constexpr Index batch_rows = 256;

/// Gradient of the mean cross-entropy with respect to the logits.
Matrix cross_entropy_slope(const Matrix& logits, const std::vector<std::int64_t>& labels) {
  Matrix slope = (logits.colwise() - logits.rowwise().maxCoeff()).array().exp();
  slope.array().colwise() /= slope.rowwise().sum().array().eval();
  for (Index i = 0; i < slope.rows(); ++i) slope(i, labels[static_cast<std::size_t>(i)]) -= 1.0F;
  return slope / static_cast<float>(slope.rows());
}

}  // namespace

Run train_autoencoder(const Digits& digits, double beta, std::uint64_t seed) {
  constexpr Index latent = 16;
  // Of a pixel, given its reconstruction.
  constexpr float variance = 0.05F;
  Run run;
  Random random(seed);
  Network encoder = perceptron({64, 128, 2 * latent}, true, random);
  Network decoder = perceptron({latent, 128, 64}, true, random);
  Network::Memories encoding, decoding;
  Adam optimiser(3e-3F);
  optimiser.add(encoder);
  optimiser.add(decoder);
  Observer observer(run, digits, 20);
  const auto embed = [&](const Matrix& images) -> Matrix { return encoder(images).leftCols(latent); };
  const auto weight = static_cast<float>(beta);
  for (int step = 1; step <= 600; ++step) {
    const Matrix x = digits.rows(draw(batch_rows, digits.pixels.rows(), random));
    const Matrix code = encoder.forward(x, encoding);
    const Matrix mean = code.leftCols(latent);
    const Matrix deviation = (0.5F * code.rightCols(latent).array()).exp();
    const Matrix noise = random.normal(batch_rows, latent);
    const Matrix z = beta == 0.0 ? mean : Matrix(mean.array() + deviation.array() * noise.array());
    const Matrix slope_of_output = (decoder.forward(z, decoding) - x) / (variance * static_cast<float>(batch_rows));
    const Matrix slope_of_z = decoder.backward(slope_of_output, decoding);
    // Of beta KL(N(mean, deviation^2) || N(0, 1)), and through z.
    Matrix slope(batch_rows, 2 * latent);
    slope.leftCols(latent) = slope_of_z + weight / static_cast<float>(batch_rows) * mean;
    slope.rightCols(latent).setZero();
    if (beta != 0.0) {
      slope.rightCols(latent) = 0.5F * (slope_of_z.array() * noise.array() * deviation.array() +
                                        weight / static_cast<float>(batch_rows) * (deviation.array().square() - 1.0F));
    }
    encoder.backward(slope, encoding);
    optimiser.step();
    observer.after(step, mean, embed);
  }
  const collapse::Activations units = collapse::activations(embed(digits.pixels));
  run.shows = fmt::format("{} of {} units active", units.active_units.value_or(0), latent);
  run.shown = static_cast<double>(units.active_units.value_or(0));
  return run;
}

Run train_values(bool regularised, std::uint64_t seed) {
  constexpr Index side = 10;
  constexpr Index states = side * side;
  constexpr Index coordinates = 64;
  constexpr Index actions = 4;
  constexpr float discount = 0.97F;
  Run run;
  Random random(seed);

  // A step in each of four directions, walls reflect; reward 1 for each step from the last corner.
  std::vector<Matrix> transitions(actions, Matrix::Zero(states, states));
  const std::vector<std::pair<Index, Index>> moves{{-1, 0}, {1, 0}, {0, -1}, {0, 1}};
  Matrix inputs(states, coordinates);
  const Matrix waves = 3.0F * random.normal(2, coordinates);
  const Matrix phases = 3.14F * random.uniform(1, coordinates);
  for (Index s = 0; s < states; ++s) {
    const Index y = s / side;
    const Index x = s % side;
    for (std::size_t a = 0; a < moves.size(); ++a) {
      const Index to_y = std::clamp<Index>(y + moves[a].first, 0, side - 1);
      const Index to_x = std::clamp<Index>(x + moves[a].second, 0, side - 1);
      transitions[a](s, to_y * side + to_x) = 1.0F;
    }
    const float down = static_cast<float>(y) / static_cast<float>(side - 1) - 0.5F;
    const float right = static_cast<float>(x) / static_cast<float>(side - 1) - 0.5F;
    inputs.row(s) = (down * waves.row(0) + right * waves.row(1) + phases.row(0)).array().cos();
  }
  Eigen::VectorXf reward = Eigen::VectorXf::Zero(states);
  reward(states - 1) = 1.0F;

  Network features;
  Index width = coordinates;
  for (int layer = 0; layer < 3; ++layer, width = 64) features.add<Dense>(width, 64, random).add<Relu>();
  Network values;
  values.add<Dense>(64, actions, random);
  Network::Memories seen, valued;
  Adam optimiser(1e-3F);
  optimiser.add(features);
  optimiser.add(values);
  collapse::penalties::LogDeterminant volume;
  Matrix targets;
  Matrix slope_of_volume;
  for (int step = 0; step <= 4000; ++step) {
    const Matrix phi = features.forward(inputs, seen);
    const Matrix q = values.forward(phi, valued);
    // Many steps towards targets that stand still: a high replay ratio.
    if (step % 50 == 0) {
      const Eigen::VectorXf best = q.rowwise().maxCoeff();
      targets.resize(states, actions);
      for (Index a = 0; a < actions; ++a) {
        targets.col(a) = reward + discount * transitions[static_cast<std::size_t>(a)] * best;
      }
    }
    if (step % 500 == 0) {
      run.report = report_of(phi);
      const collapse::Activations units = collapse::activations(phi);
      run.shown = static_cast<double>(collapse::srank(phi).value_or(0));
      run.shows =
          fmt::format("srank {:.0f} of 64, {:.0f} % of units dormant", run.shown, 100.0 * units.dormant_fraction);
      run.activity.push_back({step, run.shown, units.dormant_fraction});
    }
    Matrix slope = values.backward((q - targets) / static_cast<float>(states), valued);
    if (regularised) {
      volume.value_and_gradient(phi, slope_of_volume);
      slope += 0.01F * slope_of_volume;
    }
    features.backward(slope, seen);
    optimiser.step();
  }
  return run;
}

Run train_generator(bool repulsion, std::uint64_t seed) {
  constexpr float spread = 0.1F;
  constexpr Index modes = 8;
  constexpr double turn = 6.283185307179586;
  Run run;
  Random random(seed);
  Network generator = perceptron({4, 64, 64, 2}, false, random);
  Network::Memories memories;
  Adam optimiser(2e-3F);
  optimiser.add(generator);
  const auto centre = [](Index mode) {
    const double angle = turn * static_cast<double>(mode) / static_cast<double>(modes);
    return Row({{static_cast<float>(2.0 * std::cos(angle)), static_cast<float>(2.0 * std::sin(angle))}});
  };
  // k(a, b) = exp(-|a - b|^2 / (2 h^2)), summed over widths; adds to the slope of a weight * mean k.
  const auto pull = [](const Matrix& a, const Matrix& b, float weight, Matrix& slope) {
    for (const float h : {0.2F, 0.5F, 1.5F}) {
      for (Index i = 0; i < a.rows(); ++i) {
        for (Index j = 0; j < b.rows(); ++j) {
          const Row apart = a.row(i) - b.row(j);
          const float k = std::exp(-apart.squaredNorm() / (2.0F * h * h));
          slope.row(i) -= weight * k / (h * h * static_cast<float>(a.rows() * b.rows())) * apart;
        }
      }
    }
  };
  for (int step = 1; step <= 1500; ++step) {
    Matrix real(128, 2);
    for (Index i = 0; i < real.rows(); ++i) {
      real.row(i) = centre(random.below(modes)) + spread * random.normal(1, 2).row(0);
    }
    const Matrix fake = generator.forward(random.normal(128, 4), memories);
    Matrix slope = Matrix::Zero(fake.rows(), 2);
    pull(fake, real, -2.0F, slope);
    if (repulsion) pull(fake, fake, 2.0F, slope);
    generator.backward(slope, memories);
    optimiser.step();
  }
  const Matrix samples = generator(random.normal(2000, 4));
  run.report = report_of(samples);
  std::vector<Index> found(modes);
  Index good = 0;
  for (Index i = 0; i < samples.rows(); ++i) {
    Index nearest = 0;
    for (Index m = 1; m < modes; ++m) {
      if ((samples.row(i) - centre(m)).norm() < (samples.row(i) - centre(nearest)).norm()) nearest = m;
    }
    if ((samples.row(i) - centre(nearest)).norm() > 4.0F * spread) continue;
    ++good;
    ++found[static_cast<std::size_t>(nearest)];
  }
  const auto covered = std::count_if(found.begin(), found.end(), [](Index n) { return n >= 20; });
  const double vendi = collapse::isotropy(samples).vendi_score;
  run.shown = static_cast<double>(covered);
  run.shows = fmt::format("{} of {} modes, {:.0f} % of samples at one, Vendi score {:.2f} of 2", covered, modes,
                          100.0 * static_cast<double>(good) / 2000.0, vendi);
  return run;
}

Run train_two_towers(const Digits& digits, double temperature, std::uint64_t seed) {
  Run run;
  Random random(seed);
  Network upper = perceptron({32, 128, 32}, true, random);
  Network lower = perceptron({32, 128, 32}, true, random);
  Network::Memories upper_memories, lower_memories;
  Adam optimiser(1e-3F);
  optimiser.add(upper);
  optimiser.add(lower);
  collapse::penalties::InfoNce contrast;
  contrast.temperature = temperature;
  Observer observer(run, digits, 20);
  const auto embed = [&](const Matrix& images) { return upper(images.leftCols(32)); };
  Matrix slope_u, slope_l;
  for (int step = 1; step <= 400; ++step) {
    const Matrix x = view_of(digits.rows(draw(batch_rows, digits.pixels.rows(), random)), {}, random);
    const Matrix u = upper.forward(x.leftCols(32), upper_memories);
    const Matrix l = lower.forward(x.rightCols(32), lower_memories);
    contrast.value_and_gradient(u, l, slope_u, slope_l);
    upper.backward(slope_u, upper_memories);
    lower.backward(slope_l, lower_memories);
    optimiser.step();
    observer.after(step, u, embed);
  }
  const collapse::Comparison views = collapse::compare(embed(digits.pixels), lower(digits.pixels.rightCols(32)));
  run.shown = views.modality_gap;
  run.shows = fmt::format("modality gap {:.2f}, cosine of pairs {:.2f}, of others {:.2f}", views.modality_gap,
                          views.paired_cosine, views.unpaired_cosine);
  return run;
}

Run train_classifier(const Digits& digits, bool past_zero_error, std::uint64_t seed) {
  Run run;
  Random random(seed);
  Network encoder = perceptron({64, 128, 32}, true, random);
  Network head = perceptron({32, 10}, false, random);
  Network::Memories encoding, classifying;
  Adam optimiser(3e-3F);
  optimiser.add(encoder);
  optimiser.add(head);
  Observer observer(run, digits, past_zero_error ? 200 : 20);
  const auto embed = [&](const Matrix& images) { return encoder(images); };
  const int steps = past_zero_error ? 4000 : 40;
  for (int step = 1; step <= steps; ++step) {
    const std::vector<Index> which = draw(batch_rows, digits.pixels.rows(), random);
    std::vector<std::int64_t> labels;
    for (const Index i : which) labels.push_back(digits.labels[static_cast<std::size_t>(i)]);
    const Matrix code = encoder.forward(digits.rows(which), encoding);
    const Matrix slope = cross_entropy_slope(head.forward(code, classifying), labels);
    Matrix slope_of_code = head.backward(slope, classifying);
    // Weight decay of the features: without it the means grow instead of the classes shrinking.
    slope_of_code += 1e-3F / static_cast<float>(batch_rows) * code;
    encoder.backward(slope_of_code, encoding);
    optimiser.step();
    observer.after(step, code, embed);
  }
  const Matrix z = embed(digits.pixels);
  const collapse::ClassCollapse classes = classes_of(z, digits.labels);
  const collapse::Verdict without = run.report.diagnosis.verdict;
  run.report.diagnosis = collapse::diagnose(run.report, classes);
  run.shown = classes.nc1_ratio;
  run.shows = fmt::format("NC1 {:.2g}, spread within / between {:.2g}, {} without labels", classes.nc1,
                          classes.nc1_ratio, to_string(without));
  return run;
}

}  // namespace training
