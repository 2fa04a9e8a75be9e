#pragma once

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <utility>
#include <vector>

/// Just enough of a neural network to see one collapse: dense layers, ReLU, batch normalisation, Adam. Rows are
/// samples.
namespace training {

using Eigen::Index;
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Row = Eigen::Matrix<float, 1, Eigen::Dynamic>;

/// The same numbers on every platform: of the standard library's distributions none is.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  [[nodiscard]] double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  [[nodiscard]] Index below(Index count) { return static_cast<Index>(engine_() % static_cast<std::uint64_t>(count)); }

  [[nodiscard]] float normal() {
    // Box & Muller 1958.
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return static_cast<float>(radius * std::cos(6.283185307179586 * uniform()));
  }

  /// From -1 to 1.
  [[nodiscard]] Matrix uniform(Index rows, Index cols) {
    Matrix result(rows, cols);
    for (Index i = 0; i < result.size(); ++i) result.data()[i] = static_cast<float>(2.0 * uniform() - 1.0);
    return result;
  }

  [[nodiscard]] Matrix normal(Index rows, Index cols) {
    Matrix result(rows, cols);
    for (Index i = 0; i < result.size(); ++i) result.data()[i] = normal();
    return result;
  }

 private:
  std::mt19937_64 engine_;
};

/// What is learned, its gradient, and the moments that Adam keeps.
struct Parameter {
  explicit Parameter(Matrix start) : value(std::move(start)) {
    gradient = mean = square = Matrix::Zero(value.rows(), value.cols());
  }

  Matrix value, gradient, mean, square;
};

/// What a layer remembers of a pass forward for the pass back. Two views pass the same layers, each with its own.
struct Memory {
  Matrix values;
  Row inverse_deviation;
};

class Layer {
 public:
  Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;
  virtual ~Layer() = default;

  /// @param memory  null in evaluation
  virtual Matrix forward(const Matrix& x, Memory* memory) = 0;
  /// Adds to the gradients of the parameters; returns that of the input.
  virtual Matrix backward(const Matrix& gradient, const Memory& memory) = 0;
  virtual std::vector<Parameter*> parameters() { return {}; }
  /// What follows the data without being learned.
  virtual std::vector<Row*> statistics() { return {}; }
};

class Dense final : public Layer {
 public:
  Dense(Index in, Index out, Random& random)
      // Both from -1 / sqrt(in) to 1 / sqrt(in), as PyTorch begins.
      : weight_(random.uniform(in, out) / std::sqrt(static_cast<float>(in))),
        bias_(random.uniform(1, out) / std::sqrt(static_cast<float>(in))) {}

  Matrix forward(const Matrix& x, Memory* memory) override {
    if (memory != nullptr) memory->values = x;
    return (x * weight_.value).rowwise() + bias_.value.row(0);
  }

  Matrix backward(const Matrix& gradient, const Memory& memory) override {
    weight_.gradient.noalias() += memory.values.transpose() * gradient;
    bias_.gradient += gradient.colwise().sum();
    return gradient * weight_.value.transpose();
  }

  std::vector<Parameter*> parameters() override { return {&weight_, &bias_}; }

 private:
  Parameter weight_, bias_;
};

class Relu final : public Layer {
 public:
  Matrix forward(const Matrix& x, Memory* memory) override {
    if (memory != nullptr) memory->values = x;
    return x.cwiseMax(0.0F);
  }

  Matrix backward(const Matrix& gradient, const Memory& memory) override {
    return (memory.values.array() > 0.0F).select(gradient, 0.0F);
  }
};

class BatchNorm final : public Layer {
 public:
  explicit BatchNorm(Index dims)
      : scale_(Matrix::Ones(1, dims)),
        shift_(Matrix::Zero(1, dims)),
        running_mean_(Row::Zero(dims)),
        running_variance_(Row::Ones(dims)) {}

  Matrix forward(const Matrix& x, Memory* memory) override {
    Row mean = running_mean_;
    Row variance = running_variance_;
    if (memory != nullptr) {
      mean = x.colwise().mean();
      variance = (x.rowwise() - mean).cwiseAbs2().colwise().mean();
      running_mean_ += momentum * (mean - running_mean_);
      running_variance_ += momentum * (variance - running_variance_);
    }
    const Row inverse = (variance.array() + 1e-5F).rsqrt();
    Matrix normal = (x.rowwise() - mean).array().rowwise() * inverse.array();
    Matrix result = (normal.array().rowwise() * scale_.value.row(0).array()).rowwise() + shift_.value.row(0).array();
    if (memory != nullptr) *memory = {std::move(normal), inverse};
    return result;
  }

  Matrix backward(const Matrix& gradient, const Memory& memory) override {
    const Matrix& normal = memory.values;
    const float rows = static_cast<float>(gradient.rows());
    const Row along = (gradient.array() * normal.array()).colwise().sum();
    const Row sum = gradient.colwise().sum();
    scale_.gradient += along;
    shift_.gradient += sum;
    const Matrix centred =
        (gradient.rowwise() - sum / rows).array() - normal.array().rowwise() * (along.array() / rows);
    return centred.array().rowwise() * (scale_.value.row(0).array() * memory.inverse_deviation.array());
  }

  std::vector<Parameter*> parameters() override { return {&scale_, &shift_}; }
  std::vector<Row*> statistics() override { return {&running_mean_, &running_variance_}; }

 private:
  static constexpr float momentum = 0.1F;
  Parameter scale_, shift_;
  Row running_mean_, running_variance_;
};

/// Layers one after the other.
class Network {
 public:
  using Memories = std::vector<Memory>;

  template <class L, class... Arguments>
  Network& add(Arguments&&... arguments) {
    layers_.push_back(std::make_unique<L>(std::forward<Arguments>(arguments)...));
    return *this;
  }

  /// A pass in training, to be followed by one back.
  [[nodiscard]] Matrix forward(Matrix x, Memories& memories) {
    memories.resize(layers_.size());
    for (std::size_t k = 0; k < layers_.size(); ++k) x = layers_[k]->forward(x, &memories[k]);
    return x;
  }

  /// In evaluation: batch normalisation by what it has seen.
  [[nodiscard]] Matrix operator()(Matrix x) {
    for (const auto& layer : layers_) x = layer->forward(x, nullptr);
    return x;
  }

  /// The outputs of all layers in evaluation.
  [[nodiscard]] std::vector<Matrix> activations(Matrix x) {
    std::vector<Matrix> result;
    for (const auto& layer : layers_) result.push_back(x = layer->forward(x, nullptr));
    return result;
  }

  Matrix backward(Matrix gradient, const Memories& memories) {
    for (std::size_t k = layers_.size(); k-- > 0;) gradient = layers_[k]->backward(gradient, memories[k]);
    return gradient;
  }

  [[nodiscard]] std::vector<Parameter*> parameters() {
    std::vector<Parameter*> result;
    for (const auto& layer : layers_) {
      for (Parameter* p : layer->parameters()) result.push_back(p);
    }
    return result;
  }

  /// Moves all that this network is a share of the way towards another of the same layers: 1 copies it.
  void follow(Network& other, float share) {
    const std::vector<Parameter*> from = other.parameters();
    const std::vector<Parameter*> to = parameters();
    for (std::size_t k = 0; k < to.size(); ++k) to[k]->value += share * (from[k]->value - to[k]->value);
    for (std::size_t k = 0; k < layers_.size(); ++k) {
      const std::vector<Row*> seen = other.layers_[k]->statistics();
      const std::vector<Row*> own = layers_[k]->statistics();
      for (std::size_t s = 0; s < own.size(); ++s) *own[s] += share * (*seen[s] - *own[s]);
    }
  }

 private:
  std::vector<std::unique_ptr<Layer>> layers_;
};

/// Kingma & Ba 2015.
class Adam {
 public:
  explicit Adam(float rate) : rate_(rate) {}

  void add(Network& network) {
    for (Parameter* p : network.parameters()) parameters_.push_back(p);
  }

  /// Takes a step down the gradients and clears them.
  void step() {
    ++steps_;
    const float bias_mean = 1.0F - std::pow(beta_mean, static_cast<float>(steps_));
    const float bias_square = 1.0F - std::pow(beta_square, static_cast<float>(steps_));
    for (Parameter* p : parameters_) {
      p->mean += (1.0F - beta_mean) * (p->gradient - p->mean);
      p->square += (1.0F - beta_square) * (p->gradient.cwiseAbs2() - p->square);
      p->value.array() -= rate_ * (p->mean.array() / bias_mean) / ((p->square.array() / bias_square).sqrt() + 1e-8F);
      p->gradient.setZero();
    }
  }

 private:
  static constexpr float beta_mean = 0.9F;
  static constexpr float beta_square = 0.999F;
  float rate_;
  int steps_ = 0;
  std::vector<Parameter*> parameters_;
};

/// Layers of these widths with ReLU between them, and batch normalisation before each ReLU if wanted.
[[nodiscard]] inline Network perceptron(const std::vector<Index>& widths, bool normalised, Random& random) {
  Network result;
  for (std::size_t k = 0; k + 1 < widths.size(); ++k) {
    result.add<Dense>(widths[k], widths[k + 1], random);
    if (k + 2 == widths.size()) break;
    if (normalised) result.add<BatchNorm>(widths[k + 1]);
    result.add<Relu>();
  }
  return result;
}

}  // namespace training
