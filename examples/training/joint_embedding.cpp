#include "joint_embedding.hpp"

#include <collapse/penalties.hpp>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>
#include <vector>

namespace training {

namespace {

namespace reg = collapse::penalties;

constexpr Index batch_rows = 256;
constexpr Index embedding_dims = 32;

/// InfoNCE of queries against their keys and a queue of earlier ones; only the queries are learned (MoCo).
class QueueContrast {
 public:
  double value_and_gradient(const Matrix& queries, const Matrix& keys, Matrix& gradient) {
    const Matrix q = directions(queries);
    const Matrix k = directions(keys);
    constexpr float temperature = 0.2F;
    Matrix logits(q.rows(), 1 + queue_.rows());
    logits.col(0) = (q.array() * k.array()).rowwise().sum() / temperature;
    logits.rightCols(queue_.rows()) = q * queue_.transpose() / temperature;
    const Eigen::VectorXf largest = logits.rowwise().maxCoeff();
    Matrix shares = (logits.colwise() - largest).array().exp();
    const Eigen::VectorXf sums = shares.rowwise().sum();
    const double value = (largest.array() + sums.array().log() - logits.col(0).array()).mean();
    shares.array().colwise() /= sums.array();
    shares.col(0).array() -= 1.0F;
    shares /= temperature * static_cast<float>(q.rows());
    const Matrix pull =
        (k.array().colwise() * shares.col(0).array()).matrix() + shares.rightCols(queue_.rows()) * queue_;
    const Eigen::VectorXf along = (pull.array() * q.array()).rowwise().sum();
    gradient = pull.array() - q.array().colwise() * along.array();
    gradient.array().colwise() /= queries.rowwise().norm().array().max(1e-12F);
    remember(k);
    return value;
  }

 private:
  static constexpr Index length = 1024;

  static Matrix directions(const Matrix& z) { return z.array().colwise() / z.rowwise().norm().array().max(1e-12F); }

  void remember(const Matrix& keys) {
    const Index kept = std::min(length - keys.rows(), queue_.rows());
    Matrix next(kept + keys.rows(), keys.cols());
    next.topRows(keys.rows()) = keys;
    next.bottomRows(kept) = queue_.topRows(kept);
    queue_ = std::move(next);
  }

  Matrix queue_ = Matrix(0, embedding_dims);
};

/// The encoder, what follows it in training, and its followers.
class System {
 public:
  System(const Recipe& recipe, std::uint64_t seed)
      : recipe_(recipe),
        random_(seed),
        encoder_(perceptron({64, 128, embedding_dims}, recipe.batch_norm, random_)),
        head_(recipe.head ? perceptron({embedding_dims, 64, embedding_dims}, recipe.batch_norm, random_) : Network()),
        predictor_(perceptron({embedding_dims, 16, embedding_dims}, recipe.batch_norm, random_)),
        target_(perceptron({64, 128, embedding_dims}, recipe.batch_norm, random_)),
        optimiser_(3e-3F) {
    target_.follow(encoder_, 1.0F);
    optimiser_.add(encoder_);
    optimiser_.add(head_);
    optimiser_.add(predictor_);
    follow(recipe);
  }

  void follow(const Recipe& recipe) {
    recipe_ = recipe;
    vicreg_.weights = {25.0, recipe.variance, recipe.covariance};
    if (recipe.objective == Objective::invariance) vicreg_.weights = {25.0, 0.0, 0.0};
    barlow_.off_diagonal_weight = recipe.off_diagonal;
    contrast_.temperature = 0.2;
  }

  /// @return the embeddings of the first view
  Matrix step(const Digits& digits) {
    const Matrix images = digits.rows(draw(batch_rows, digits.pixels.rows(), random_));
    const Matrix view_a = view_of(images, recipe_.augmentation, random_);
    const Matrix view_b = view_of(images, recipe_.augmentation, random_);
    const Matrix code = encoder_.forward(view_a, encoder_a_);
    const Matrix a = head_.forward(code, head_a_);
    const Matrix b = head_.forward(encoder_.forward(view_b, encoder_b_), head_b_);
    Matrix slope_a, slope_b;
    switch (recipe_.objective) {
      case Objective::invariance:
      case Objective::vicreg: vicreg_.value_and_gradient(a, b, slope_a, slope_b); break;
      case Objective::barlow_twins: barlow_.value_and_gradient(a, b, slope_a, slope_b); break;
      case Objective::simclr:
        if (recipe_.negatives) {
          contrast_.value_and_gradient(a, b, slope_a, slope_b);
        } else {
          alignment_.value_and_gradient(a, b, slope_a, slope_b);
        }
        break;
      case Objective::moco: {
        slope_b.setZero(b.rows(), b.cols());
        const Matrix keys = target_.forward(view_b, target_memory_);
        if (recipe_.negatives) {
          queue_.value_and_gradient(a, keys, slope_a);
        } else {
          Matrix unused;
          alignment_.value_and_gradient(a, keys, slope_a, unused);
        }
        break;
      }
      case Objective::byol: {
        const Matrix target_a = target_.forward(view_a, target_memory_);
        const Matrix target_b = target_.forward(view_b, target_memory_);
        slope_a = recipe_.stop_gradient ? predict(a, target_b, predictor_a_).first : Matrix();
        slope_b = recipe_.stop_gradient ? predict(b, target_a, predictor_b_).first : Matrix();
        if (!recipe_.stop_gradient) std::tie(slope_a, slope_b) = predict_each_other(a, b);
        break;
      }
      case Objective::simsiam: std::tie(slope_a, slope_b) = predict_each_other(a, b); break;
    }
    encoder_.backward(head_.backward(slope_a, head_a_), encoder_a_);
    encoder_.backward(head_.backward(slope_b, head_b_), encoder_b_);
    optimiser_.step();
    target_.follow(encoder_, 1.0F - recipe_.momentum);
    return code;
  }

  [[nodiscard]] Matrix embed(const Matrix& images) { return encoder_(images); }

 private:
  /// How well z predicts a target: gradients with respect to z and to the target.
  std::pair<Matrix, Matrix> predict(const Matrix& z, const Matrix& target, Network::Memories& memories) {
    Matrix slope, slope_of_target;
    const Matrix predicted = recipe_.predictor ? predictor_.forward(z, memories) : z;
    alignment_.value_and_gradient(predicted, target, slope, slope_of_target);
    if (recipe_.predictor) slope = predictor_.backward(slope, memories);
    return {slope, slope_of_target};
  }

  std::pair<Matrix, Matrix> predict_each_other(const Matrix& a, const Matrix& b) {
    auto [slope_a, through_b] = predict(a, b, predictor_a_);
    auto [slope_b, through_a] = predict(b, a, predictor_b_);
    if (recipe_.stop_gradient) return {slope_a, slope_b};
    return {slope_a + through_a, slope_b + through_b};
  }

  Recipe recipe_;
  Random random_;
  Network encoder_, head_, predictor_, target_;
  Network::Memories encoder_a_, encoder_b_, head_a_, head_b_, predictor_a_, predictor_b_, target_memory_;
  Adam optimiser_;
  reg::Vicreg vicreg_;
  reg::BarlowTwins barlow_;
  reg::InfoNce contrast_;
  reg::Alignment alignment_;
  QueueContrast queue_;
};

}  // namespace

Run train(const Recipe& recipe, const Digits& digits, std::uint64_t seed, const std::optional<Recipe>& then) {
  Run run;
  run.onset = then ? recipe.steps : 0;
  System system(recipe, seed);
  Observer observer(run, digits, 10);
  const auto embed = [&system](const Matrix& images) { return system.embed(images); };
  observer.look(0, embed(digits.pixels));
  const int steps = recipe.steps + (then ? then->steps : 0);
  for (int step = 1; step <= steps; ++step) {
    if (then && step == recipe.steps + 1) system.follow(*then);
    const Matrix batch = system.step(digits);
    observer.after(step, batch, embed);
  }
  return run;
}

}  // namespace training
