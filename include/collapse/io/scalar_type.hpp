#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace collapse::io {

/// Scalars that a file of embeddings may hold.
enum class ScalarType { half, bfloat16, single_precision, double_precision };

/// Integers that a file of embeddings may hold instead: quantised ones, codes. They are read as float, or as double where
/// float does not hold them all.
enum class IntegerType { none, i1, u1, i2, u2, i4, u4, i8, u8 };

namespace detail {

/// An integer type, the scalar that it is read as, its size in bytes, and its names.
struct IntegerTypeEntry {
  IntegerType type;
  ScalarType scalar;
  std::size_t size;
  std::string_view numpy;  ///< without the byte order
  std::string_view safetensors;
};

inline constexpr std::array<IntegerTypeEntry, 10> integer_types{{
    {IntegerType::i1, ScalarType::single_precision, 1, "i1", "I8"},
    {IntegerType::u1, ScalarType::single_precision, 1, "u1", "U8"},
    {IntegerType::u1, ScalarType::single_precision, 1, "b1", "BOOL"},
    {IntegerType::u1, ScalarType::single_precision, 1, "?", "BOOL"},
    {IntegerType::i2, ScalarType::single_precision, 2, "i2", "I16"},
    {IntegerType::u2, ScalarType::single_precision, 2, "u2", "U16"},
    {IntegerType::i4, ScalarType::double_precision, 4, "i4", "I32"},
    {IntegerType::u4, ScalarType::double_precision, 4, "u4", "U32"},
    {IntegerType::i8, ScalarType::double_precision, 8, "i8", "I64"},
    {IntegerType::u8, ScalarType::double_precision, 8, "u8", "U64"},
}};

/// The integer type that bears a name, or null.
[[nodiscard]] constexpr const IntegerTypeEntry* find_integer_type(std::string_view name,
                                                                  std::string_view IntegerTypeEntry::*format) {
  const auto* const found = std::find_if(integer_types.begin(), integer_types.end(),
                                         [&](const IntegerTypeEntry& entry) { return entry.*format == name; });
  return found == integer_types.end() ? nullptr : found;
}

/// Calls `body` with the std::type_identity of the C++ type of integers.
template <class Body>
decltype(auto) with_integer(IntegerType type, Body&& body) {
  switch (type) {
    case IntegerType::i1: return body(std::type_identity<std::int8_t>{});
    case IntegerType::u1: return body(std::type_identity<std::uint8_t>{});
    case IntegerType::i2: return body(std::type_identity<std::int16_t>{});
    case IntegerType::u2: return body(std::type_identity<std::uint16_t>{});
    case IntegerType::i4: return body(std::type_identity<std::int32_t>{});
    case IntegerType::u4: return body(std::type_identity<std::uint32_t>{});
    case IntegerType::u8: return body(std::type_identity<std::uint64_t>{});
    case IntegerType::i8:
    case IntegerType::none: break;
  }
  return body(std::type_identity<std::int64_t>{});
}

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
