#pragma once

#include <Eigen/Core>

#include <concepts>
#include <type_traits>
#include <utility>

namespace collapse {

/// A scalar that embeddings may come in.
template <class T>
concept EmbeddingScalar = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, Eigen::half> ||
    std::same_as<T, Eigen::bfloat16>;

namespace linalg {

using Eigen::Index;

/// Machine epsilon of the scalar that the embeddings came in. It bounds what their digits can say about the model,
/// whatever the precision of the arithmetic that follows.
template <EmbeddingScalar Scalar>
[[nodiscard]] double input_epsilon() {
  // Eigen 3.4 gives 2^-13 for half, which is not the spacing after 1.
  if constexpr (std::same_as<Scalar, Eigen::half>) return 0x1p-10;
  if constexpr (std::same_as<Scalar, Eigen::bfloat16>) return 0x1p-7;
  if constexpr (std::same_as<Scalar, float>) return 0x1p-23;
  if constexpr (std::same_as<Scalar, double>) return 0x1p-52;
}

template <EmbeddingScalar Scalar>
[[nodiscard]] inline double to_double(Scalar value) {
  if constexpr (std::same_as<Scalar, float> || std::same_as<Scalar, double>) {
    return static_cast<double>(value);
  } else {
    return static_cast<double>(static_cast<float>(value));
  }
}

/// Embeddings in memory, stripped of everything but the scalar: the statistics are compiled once per scalar instead of
/// once per Eigen type. Rows are samples. Strides count scalars and may be of any sign.
template <EmbeddingScalar Scalar>
struct MatrixView {
  const Scalar* data = nullptr;
  Index rows = 0;
  Index cols = 0;
  Index row_stride = 0;
  Index col_stride = 0;

  [[nodiscard]] double at(Index row, Index col) const { return to_double(data[row * row_stride + col * col_stride]); }
};

/// Gives any dense Eigen expression as a MatrixView: in place where its coefficients lie in memory (Matrix, Array, Map,
/// Ref, Block, Transpose of these), evaluated exactly once otherwise.
template <class Derived>
class Evaluated {
 public:
  using Scalar = typename Derived::Scalar;
  static_assert(EmbeddingScalar<Scalar>,
                "collapse: embeddings must be float, double, Eigen::half or Eigen::bfloat16; convert others with "
                "Z.template cast<float>()");

  explicit Evaluated(const Eigen::DenseBase<Derived>& expression) : storage_(expression.derived()) {}

  [[nodiscard]] MatrixView<Scalar> view() const {
    MatrixView<Scalar> view{storage_.data(), storage_.rows(), storage_.cols(), storage_.outerStride(),
                            storage_.innerStride()};
    if constexpr (!Storage::IsRowMajor) std::swap(view.row_stride, view.col_stride);
    return view;
  }

 private:
  // An indexed view has the flag as well, and no data().
  static constexpr bool in_memory =
      (static_cast<int>(Derived::Flags) & Eigen::DirectAccessBit) != 0 && requires(const Derived& z) {
    z.data();
  };
  using Storage = std::conditional_t<in_memory, Derived, typename Derived::PlainObject>;
  std::conditional_t<in_memory, const Storage&, const Storage> storage_;
};

}  // namespace linalg
}  // namespace collapse
