#include <collapse/io/byte_order.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

using collapse::io::detail::copy_swapped;
using collapse::io::detail::swapped;

static_assert(swapped(std::uint16_t{0x0102}) == 0x0201);
static_assert(swapped(std::uint32_t{0x01020384}) == 0x84030201U);
static_assert(swapped(std::uint64_t{0x8102030405060708}) == 0x0807060504030281U);

TEST_CASE("values are copied with the bytes of each in the other order at any alignment", "[byte_order]") {
  const std::string from = "x0123456789abcdef";
  const auto copied = [&](auto copy) {
    std::string to(18, '.');
    copy(reinterpret_cast<const std::byte*>(from.data()) + 1, reinterpret_cast<std::byte*>(to.data()) + 1);
    return to;
  };
  CHECK(copied([](auto* a, auto* b) { copy_swapped<2>(a, 8, b); }) == ".1032547698badcfe.");
  CHECK(copied([](auto* a, auto* b) { copy_swapped<4>(a, 4, b); }) == ".32107654ba98fedc.");
  CHECK(copied([](auto* a, auto* b) { copy_swapped<8>(a, 2, b); }) == ".76543210fedcba98.");
  CHECK(copied([](auto* a, auto* b) { copy_swapped<8>(a, 0, b); }) == std::string(18, '.'));
}
