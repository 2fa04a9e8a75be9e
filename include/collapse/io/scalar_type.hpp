#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace collapse::io {

/// Scalars that a file of embeddings may hold.
enum class ScalarType { half, bfloat16, single_precision, double_precision };

namespace detail {

/// A scalar, its size in bytes, and its names in those formats that name it.
struct ScalarTypeEntry {
  ScalarType type;
  std::size_t size;
  std::string_view numpy;  ///< without the byte order; numpy itself has no bfloat16
  std::string_view safetensors;
};

inline constexpr std::array<ScalarTypeEntry, 4> scalar_types{{
    {ScalarType::half, 2, "f2", "F16"},
    {ScalarType::bfloat16, 2, "bf16", "BF16"},
    {ScalarType::single_precision, 4, "f4", "F32"},
    {ScalarType::double_precision, 8, "f8", "F64"},
}};

/// The scalar that bears a name, or null: `find_scalar_type("f4", &ScalarTypeEntry::numpy)`.
[[nodiscard]] constexpr const ScalarTypeEntry* find_scalar_type(std::string_view name,
                                                                std::string_view ScalarTypeEntry::*format) {
  const auto* const found = std::find_if(scalar_types.begin(), scalar_types.end(),
                                         [&](const ScalarTypeEntry& entry) { return entry.*format == name; });
  return found == scalar_types.end() ? nullptr : found;
}

template <class Scalar>
[[nodiscard]] constexpr ScalarType scalar_type_of() {
  if constexpr (std::same_as<Scalar, Eigen::half>) return ScalarType::half;
  if constexpr (std::same_as<Scalar, Eigen::bfloat16>) return ScalarType::bfloat16;
  if constexpr (std::same_as<Scalar, float>) return ScalarType::single_precision;
  if constexpr (std::same_as<Scalar, double>) return ScalarType::double_precision;
}

/// Calls `body` with the std::type_identity of the scalar that `type` names, which must be one of those listed, and
/// returns what it returns. Listing fewer scalars compiles faster.
template <class First, class... Rest, class Body>
decltype(auto) with_scalar(ScalarType type, Body&& body) {
  if constexpr (sizeof...(Rest) > 0) {
    if (type != scalar_type_of<First>()) return with_scalar<Rest...>(type, std::forward<Body>(body));
  }
  return std::forward<Body>(body)(std::type_identity<First>{});
}

}  // namespace detail
}  // namespace collapse::io
