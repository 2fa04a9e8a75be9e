#include <collapse/io/scalar_type.hpp>

#include "support/catch.hpp"

#include <Eigen/Core>

#include <cstddef>
#include <string_view>
#include <type_traits>

using collapse::io::ScalarType;
using collapse::io::detail::find_scalar_type;
using collapse::io::detail::scalar_type_of;
using collapse::io::detail::ScalarTypeEntry;
using collapse::io::detail::with_scalar;

TEST_CASE("scalars are found by the names that formats give them", "[scalar_type]") {
  const auto numpy = [](std::string_view name) { return find_scalar_type(name, &ScalarTypeEntry::numpy); };
  const auto safetensors = [](std::string_view name) { return find_scalar_type(name, &ScalarTypeEntry::safetensors); };
  CHECK(numpy("f2")->type == ScalarType::half);
  CHECK(numpy("bf16")->type == ScalarType::bfloat16);
  CHECK(numpy("f4")->type == ScalarType::single_precision);
  CHECK(numpy("f8")->type == ScalarType::double_precision);
  CHECK(safetensors("F16") == numpy("f2"));
  CHECK(safetensors("BF16") == numpy("bf16"));
  CHECK(safetensors("F32") == numpy("f4"));
  CHECK(safetensors("F64") == numpy("f8"));
  for (const std::string_view name : {"", "F4", "f16", "I32", "f4\n"}) {
    CHECK(numpy(name) == nullptr);
    CHECK(safetensors(name) == nullptr);
  }
}

TEST_CASE("a scalar type calls back with its own scalar", "[scalar_type]") {
  for (const ScalarTypeEntry& entry : collapse::io::detail::scalar_types) {
    const auto size = with_scalar<Eigen::half, Eigen::bfloat16, float, double>(
        entry.type, [&]<class Scalar>(std::type_identity<Scalar>) {
          CHECK(scalar_type_of<Scalar>() == entry.type);
          return sizeof(Scalar);
        });
    CHECK(size == entry.size);
  }
}
