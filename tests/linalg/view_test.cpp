#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/linalg/view.hpp>

#include <complex>
#include <vector>

using namespace collapse;
using reference::Dense;
using reference::RowMajor;

namespace {

/// Whether the view of the expression holds its coefficients.
template <class Derived>
bool view_holds(const Eigen::DenseBase<Derived>& expression) {
  const linalg::Evaluated<Derived> evaluated(expression);
  const auto view = evaluated.view();
  const typename Derived::PlainObject plain = expression.derived();
  if (view.rows != plain.rows() || view.cols != plain.cols()) return false;
  for (Eigen::Index i = 0; i < plain.rows(); ++i) {
    for (Eigen::Index j = 0; j < plain.cols(); ++j) {
      if (view.at(i, j) != static_cast<double>(reference::widen(plain(i, j)))) return false;
    }
  }
  return true;
}

/// Where the view reads from.
template <class Derived>
const void* address(const Eigen::DenseBase<Derived>& expression) {
  return linalg::Evaluated<Derived>(expression).view().data;
}

Dense<float> numbered(Eigen::Index rows, Eigen::Index cols) {
  Dense<float> z(rows, cols);
  for (Eigen::Index i = 0; i < rows; ++i) {
    for (Eigen::Index j = 0; j < cols; ++j) z(i, j) = static_cast<float>(100 * i + j);
  }
  return z;
}

}  // namespace

TEST_CASE("the view of what lies in memory reads it in place", "[view]") {
  Dense<float> z = numbered(7, 5);
  RowMajor<float> r = z;
  CHECK(view_holds(z));
  CHECK(address(z) == z.data());
  CHECK(view_holds(r));
  CHECK(address(r) == r.data());
  CHECK(view_holds(z.transpose()));
  CHECK(address(z.transpose()) == z.data());
  CHECK(view_holds(r.transpose()));
  CHECK(view_holds(z.block(1, 2, 4, 3)));
  CHECK(address(z.block(1, 2, 4, 3)) == &z(1, 2));
  CHECK(view_holds(r.block(1, 2, 4, 3)));
  CHECK(view_holds(r.block(1, 2, 4, 3).transpose()));
  CHECK(address(r.block(1, 2, 4, 3).transpose()) == &r(1, 2));
  CHECK(view_holds(z.row(2)));
  CHECK(address(z.row(2)) == &z(2, 0));
  CHECK(view_holds(r.row(2)));
  CHECK(view_holds(z.col(2)));
  CHECK(view_holds(r.col(2)));
  CHECK(address(r.col(2)) == &r(0, 2));
  CHECK(view_holds(z.array()));
  CHECK(address(z.array()) == z.data());
  CHECK(view_holds(z.transpose().array()));
  CHECK(view_holds(z.array().matrix()));
  CHECK(view_holds(z.diagonal()));
  CHECK(view_holds(z.topRows<3>()));

  const Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> array = z.array();
  CHECK(view_holds(array));
  CHECK(address(array) == array.data());

  const Eigen::Map<const Dense<float>> map(z.data(), 5, 7);
  CHECK(view_holds(map));
  CHECK(address(map) == z.data());
  using Strides = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
  const Eigen::Map<const Dense<float>, 0, Strides> strided(z.data(), 3, 2, Strides(9, 2));
  CHECK(view_holds(strided));
  CHECK(address(strided) == z.data());
  const Eigen::Map<const RowMajor<float>, 0, Strides> strided_rows(z.data(), 3, 2, Strides(9, 2));
  CHECK(view_holds(strided_rows));
  CHECK(view_holds(strided_rows.transpose()));
  const Eigen::Map<const Dense<float>, 0, Eigen::InnerStride<2>> inner(z.data(), 3, 2);
  CHECK(view_holds(inner));

  const Eigen::Ref<const Dense<float>> ref(z.topRows(4));
  CHECK(view_holds(ref));
  CHECK(address(ref) == z.data());
  const Eigen::Ref<const Dense<float>, 0, Strides> loose(z.transpose().topRows(3));
  CHECK(view_holds(loose));
}

TEST_CASE("fixed sizes and vectors have a view", "[view]") {
  Eigen::Matrix<double, 3, 2> fixed;
  fixed << 1, 2, 3, 4, 5, 6;
  CHECK(view_holds(fixed));
  CHECK(address(fixed) == fixed.data());
  CHECK(view_holds(fixed.transpose()));
  CHECK(view_holds(2.0 * fixed));
  const Eigen::Matrix<float, 2, 3, Eigen::RowMajor> rows = fixed.transpose().cast<float>();
  CHECK(view_holds(rows));
  const Eigen::VectorXd vector = Eigen::VectorXd::LinSpaced(5, 0, 4);
  CHECK(view_holds(vector));
  CHECK(view_holds(vector.transpose()));
  const Eigen::RowVector4f row(1, 2, 3, 4);
  CHECK(view_holds(row));
  const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor, 8, 8> bounded = numbered(4, 3);
  CHECK(view_holds(bounded));
}

TEST_CASE("expressions without memory of their own are evaluated", "[view]") {
  const Dense<float> z = numbered(6, 5);
  CHECK(view_holds(2.0F * z));
  CHECK(view_holds(z * Dense<float>::Identity(5, 5)));
  CHECK(view_holds(z.cast<double>()));
  CHECK(view_holds(z.rowwise().reverse()));
  CHECK(view_holds(z.replicate(2, 3)));
  CHECK(view_holds((2.0F * z).transpose()));
  CHECK(view_holds((2.0F * z).block(1, 1, 3, 2)));
  CHECK(view_holds(z.array().square()));
  CHECK(view_holds(Dense<float>::Random(3, 3).triangularView<Eigen::Lower>().toDenseMatrix()));
}

TEST_CASE("slices and reshaped matrices have a view", "[view]") {
  const Dense<float> z = numbered(8, 6);
  const RowMajor<float> r = z;
  CHECK(view_holds(z(Eigen::seq(1, 7, 2), Eigen::seq(0, 5, 3))));
  CHECK(view_holds(z(Eigen::seq(1, 7, Eigen::fix<2>), Eigen::seq(0, 5, Eigen::fix<3>))));
  CHECK(view_holds(r(Eigen::seq(Eigen::fix<1>, Eigen::fix<7>, Eigen::fix<2>), Eigen::seqN(0, 2, Eigen::fix<3>))));
  CHECK(view_holds(z(std::vector<int>{5, 0, 3}, Eigen::seqN(0, 6))));
  CHECK(view_holds(z(Eigen::seqN(0, 8), std::vector<int>{5, 0, 3})));
  CHECK(view_holds(z.reshaped(12, 4)));
  CHECK(view_holds(z.topRows(4).reshaped(12, 2)));
}

TEST_CASE("the real part of a complex matrix has a view", "[view]") {
  Eigen::MatrixXcd complex(3, 2);
  for (Eigen::Index i = 0; i < 3; ++i) {
    for (Eigen::Index j = 0; j < 2; ++j) complex(i, j) = {static_cast<double>(i), static_cast<double>(10 * j)};
  }
  const Eigen::MatrixXcd& constant = complex;
  CHECK(view_holds(constant.real()));
  CHECK(view_holds(complex.real()));
  CHECK(view_holds(complex.imag()));
}

TEST_CASE("an expression is evaluated exactly once", "[view]") {
  int calls = 0;
  const auto counting = [&calls](Eigen::Index i, Eigen::Index j) {
    ++calls;
    return static_cast<double>(10 * i + j);
  };
  const auto expression = Eigen::MatrixXd::NullaryExpr(4, 3, counting);
  const linalg::Evaluated<std::decay_t<decltype(expression)>> evaluated(expression);
  CHECK(calls == 12);
  CHECK(evaluated.view().at(3, 2) == 32.0);
  CHECK(evaluated.view().at(0, 1) == 1.0);
  CHECK(calls == 12);
}

TEST_CASE("the epsilon of a scalar is the spacing after 1", "[view]") {
  CHECK(linalg::input_epsilon<double>() == 0x1p-52);
  CHECK(linalg::input_epsilon<float>() == 0x1p-23);
  CHECK(linalg::input_epsilon<Eigen::half>() == 0x1p-10);
  CHECK(linalg::input_epsilon<Eigen::bfloat16>() == 0x1p-7);
}

TEST_CASE("scalars convert to double without a change", "[view]") {
  CHECK(linalg::to_double(0.1F) == static_cast<double>(0.1F));
  CHECK(linalg::to_double(5e-324) == 5e-324);
  CHECK(linalg::to_double(Eigen::half(65504.0F)) == 65504.0);
  CHECK(linalg::to_double(Eigen::half(0x1p-24F)) == 0x1p-24);
  CHECK(linalg::to_double(Eigen::bfloat16(0x1p-120F)) == 0x1p-120);
  CHECK(std::isinf(linalg::to_double(Eigen::half(70000.0F))));
  CHECK(std::isnan(linalg::to_double(Eigen::bfloat16(std::numeric_limits<float>::quiet_NaN()))));
}

TEST_CASE("only the four scalars are embeddings", "[view]") {
  STATIC_REQUIRE(EmbeddingScalar<float>);
  STATIC_REQUIRE(EmbeddingScalar<double>);
  STATIC_REQUIRE(EmbeddingScalar<Eigen::half>);
  STATIC_REQUIRE(EmbeddingScalar<Eigen::bfloat16>);
  STATIC_REQUIRE_FALSE(EmbeddingScalar<int>);
  STATIC_REQUIRE_FALSE(EmbeddingScalar<long double>);
  STATIC_REQUIRE_FALSE(EmbeddingScalar<std::complex<float>>);
  STATIC_REQUIRE_FALSE(EmbeddingScalar<const float>);
}

TEMPLATE_TEST_CASE("a view reads every layout", "[view]", float, double, Eigen::half, Eigen::bfloat16) {
  const Dense<TestType> z = reference::gaussian<TestType>(9, 5);
  reference::in_every_layout(z, [&](const std::string& layout, const linalg::MatrixView<TestType>& view) {
    CAPTURE(layout);
    for (Eigen::Index i = 0; i < 9; ++i) {
      for (Eigen::Index j = 0; j < 5; ++j) {
        REQUIRE(view.at(i, j) == static_cast<double>(reference::widen(z(i, j))));
      }
    }
  });
}
