#pragma once

#include <collapse/accumulator.hpp>
#include <collapse/error.hpp>
#include <collapse/measure.hpp>
#include <collapse/monitor.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>

#include <fmt/format.h>
#include <torch/torch.h>
#include <Eigen/Core>

#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <type_traits>

/// Tensors of LibTorch as embeddings, and the penalties of penalties.hpp as parts of its graph:
///
///     collapse::Report report = collapse::libtorch::measure(encoder->forward(batch));
///
///     collapse::penalties::Vicreg vicreg;
///     auto loss = collapse::libtorch::penalty(vicreg, encoder->forward(a), encoder->forward(b));
///     loss.backward();
///
/// A tensor is N x D, of float, double, half or bfloat16, of any strides. On the CPU it is read in place; from
/// elsewhere it is copied once. What is measured is no part of the graph.
namespace collapse::libtorch {

namespace detail {

using Strides = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;

template <class Scalar>
using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

[[nodiscard]] inline std::string shape_of(const ::torch::Tensor& z) {
  std::ostringstream text;
  text << z.sizes();
  return text.str();
}

inline void require_matrix(const ::torch::Tensor& z) {
  if (!z.defined()) throw ShapeError("an undefined tensor was given; embeddings are a tensor of 2 dimensions", 0, 0);
  if (z.dim() == 2) return;
  throw ShapeError(
      fmt::format("a tensor of shape {} was given; embeddings have 2 dimensions, rows are samples (flatten "
                  "or pool the others)",
                  shape_of(z)),
      z.dim() > 0 ? z.size(0) : 0, z.dim() > 1 ? z.size(1) : 0);
}

/// Calls `use` with the Eigen scalar of the tensor's type.
template <class Use>
decltype(auto) with_scalar(const ::torch::Tensor& z, Use&& use) {
  switch (z.scalar_type()) {
    case ::torch::kFloat: return use(float());
    case ::torch::kDouble: return use(double());
    case ::torch::kHalf: return use(Eigen::half());
    case ::torch::kBFloat16: return use(Eigen::bfloat16());
    default: break;
  }
  throw Error(
      fmt::format("a tensor of {} was given; embeddings are float, double, half or bfloat16 (convert others "
                  "with .to(torch::kFloat))",
                  ::c10::toString(z.scalar_type())));
}

template <class Scalar>
using Map = Eigen::Map<const Matrix<Scalar>, Eigen::Unaligned, Strides>;

/// The memory of a tensor on the CPU. The halves of both libraries have the layout of IEEE, or of the upper half of a
/// float.
template <class Scalar>
[[nodiscard]] Map<Scalar> map_of(const ::torch::Tensor& z) {
  return {static_cast<const Scalar*>(z.data_ptr()), z.size(0), z.size(1), Strides(z.stride(0), z.stride(1))};
}

/// A tensor whose memory the CPU can read.
[[nodiscard]] inline ::torch::Tensor on_cpu(const ::torch::Tensor& z) {
  ::torch::Tensor here = z.detach();
  return here.device().is_cpu() ? here : here.to(::torch::kCPU);
}

}  // namespace detail

/// Calls `use` with the tensor as an Eigen map, and returns what it returns. On the CPU the map refers to the tensor's
/// own memory: it must not outlive the call.
/// @param z    N x D
/// @param use  callable with an Eigen::Map of any of the four scalars, of the same result type for all
/// @throws ShapeError unless it has 2 dimensions, Error for another scalar
template <class Use>
decltype(auto) with_embeddings(const ::torch::Tensor& z, Use&& use) {
  detail::require_matrix(z);
  const ::torch::Tensor here = detail::on_cpu(z);
  return detail::with_scalar(
      here, [&](auto scalar) -> decltype(auto) { return use(detail::map_of<decltype(scalar)>(here)); });
}

/// As `collapse::measure`.
[[nodiscard]] inline Report measure(const ::torch::Tensor& z, const Options& options = {}) {
  return with_embeddings(z, [&options](const auto& map) { return collapse::measure(map, options); });
}

/// As `Monitor::observe`.
inline std::optional<Alarm> observe(Monitor& monitor, std::int64_t step, const ::torch::Tensor& z) {
  return with_embeddings(z, [&](const auto& map) { return monitor.observe(step, map); });
}

/// As `Accumulator::update`.
inline void update(Accumulator& seen, const ::torch::Tensor& z) {
  with_embeddings(z, [&seen](const auto& map) { seen.update(map); });
}

namespace detail {

/// A gradient of the type of `z`, on the CPU, as a map that may be written.
template <class Scalar>
[[nodiscard]] Eigen::Map<Matrix<Scalar>> writable(::torch::Tensor& gradient) {
  return {static_cast<Scalar*>(gradient.data_ptr()), gradient.size(0), gradient.size(1)};
}

[[nodiscard]] inline ::torch::Tensor gradient_for(const ::torch::Tensor& z) {
  return ::torch::empty({z.size(0), z.size(1)}, ::torch::TensorOptions().dtype(z.scalar_type()));
}

/// The value as a scalar of the graph, in float at least: the largest half is 65504.
[[nodiscard]] inline ::torch::Tensor value_for(double value, const ::torch::Tensor& z) {
  const auto type = z.scalar_type() == ::torch::kDouble ? ::torch::kDouble : ::torch::kFloat;
  return ::torch::full({}, value, ::torch::TensorOptions().dtype(type).device(z.device()));
}

/// Gradients are known with the value, so they are formed once and only scaled on the way back.
template <class Penalty>
struct OneView : ::torch::autograd::Function<OneView<Penalty>> {
  static ::torch::Tensor forward(::torch::autograd::AutogradContext* context, const ::torch::Tensor& z,
                                 Penalty* penalty) {
    ::torch::Tensor gradient = gradient_for(z);
    const double value = with_embeddings(z, [&](const auto& map) {
      using Scalar = typename std::remove_cvref_t<decltype(map)>::Scalar;
      return penalty->value_and_gradient(map, writable<Scalar>(gradient));
    });
    context->save_for_backward({gradient.to(z.device())});
    return value_for(value, z);
  }

  static ::torch::autograd::tensor_list backward(::torch::autograd::AutogradContext* context,
                                                 const ::torch::autograd::tensor_list& slopes) {
    const ::torch::Tensor gradient = context->get_saved_variables()[0];
    return {gradient * slopes[0].to(gradient.scalar_type()), ::torch::Tensor()};
  }
};

template <class Penalty>
struct TwoViews : ::torch::autograd::Function<TwoViews<Penalty>> {
  static ::torch::Tensor forward(::torch::autograd::AutogradContext* context, const ::torch::Tensor& a,
                                 const ::torch::Tensor& b, Penalty* penalty) {
    ::torch::Tensor gradient_a = gradient_for(a);
    ::torch::Tensor gradient_b = gradient_for(b);
    const double value = with_embeddings(a, [&](const auto& map_a) {
      using Scalar = typename std::remove_cvref_t<decltype(map_a)>::Scalar;
      const ::torch::Tensor other = on_cpu(b);
      return penalty->value_and_gradient(map_a, map_of<Scalar>(other), writable<Scalar>(gradient_a),
                                         writable<Scalar>(gradient_b));
    });
    context->save_for_backward({gradient_a.to(a.device()), gradient_b.to(b.device())});
    return value_for(value, a);
  }

  static ::torch::autograd::tensor_list backward(::torch::autograd::AutogradContext* context,
                                                 const ::torch::autograd::tensor_list& slopes) {
    const ::torch::autograd::tensor_list saved = context->get_saved_variables();
    return {saved[0] * slopes[0].to(saved[0].scalar_type()), saved[1] * slopes[0].to(saved[1].scalar_type()),
            ::torch::Tensor()};
  }
};

}  // namespace detail

/// The value of a penalty on one batch as a scalar of the graph.
///
/// @param rule  a penalty on one batch of penalties.hpp; it must live until this returns, not until `backward`
/// @param z     N x D
/// @return in double for double tensors, else in float. Its gradient is that of the penalty, of the type of z; second
///         derivatives are not available
/// @throws ShapeError, NonFiniteError, Error for another scalar
template <class Penalty>
[[nodiscard]] ::torch::Tensor penalty(Penalty& rule, const ::torch::Tensor& z) {
  detail::require_matrix(z);
  return detail::OneView<Penalty>::apply(z, &rule);
}

/// The value of a penalty on two views as a scalar of the graph.
///
/// @param rule  a penalty on two views of penalties.hpp; it must live until this returns
/// @param a, b  N x D, of the same scalar; row i of both is one sample
/// @return as of the penalty on one batch
/// @throws as there, and Error when a and b differ in scalar
template <class Penalty>
[[nodiscard]] ::torch::Tensor penalty(Penalty& rule, const ::torch::Tensor& a, const ::torch::Tensor& b) {
  detail::require_matrix(a);
  detail::require_matrix(b);
  if (a.scalar_type() != b.scalar_type()) {
    throw Error(fmt::format("views of {} and {} were given; they must have one scalar type",
                            ::c10::toString(a.scalar_type()), ::c10::toString(b.scalar_type())));
  }
  return detail::TwoViews<Penalty>::apply(a, b, &rule);
}

}  // namespace collapse::libtorch
