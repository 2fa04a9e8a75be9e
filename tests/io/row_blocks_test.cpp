#include <collapse/io/row_blocks.hpp>

#include "support/blocks.hpp"
#include "support/catch.hpp"
#include "support/npy_bytes.hpp"
#include "support/safetensors_bytes.hpp"
#include "support/temporary_folder.hpp"

#include <collapse/io/npy.hpp>
#include <collapse/io/raw.hpp>
#include <collapse/io/safetensors.hpp>
#include <collapse/io/text.hpp>

#include <Eigen/Core>

#include <bit>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using collapse::OptionError;
using collapse::io::RowBlocks;
using collapse::test::blocks_of;
using collapse::test::same_values;
using collapse::test::TemporaryFolder;

namespace {

struct WithoutRows {
  [[nodiscard]] Eigen::Index cols() const;
  template <class Body>
  void for_each_block(Eigen::Index rows, Body&& body);
};

struct WithRows : WithoutRows {
  [[nodiscard]] std::optional<Eigen::Index> known_rows() const;
};

}  // namespace

static_assert(RowBlocks<WithRows> && !RowBlocks<const WithRows>);
static_assert(!RowBlocks<WithoutRows> && !RowBlocks<Eigen::MatrixXd> && !RowBlocks<int>);

TEST_CASE("one loop reads the same rows from every input", "[row_blocks]") {
  const std::vector<float> values{1.0F, 2.0F, 3.0F, -4.0F, 0.5F, 1024.0F};
  Eigen::MatrixXd expected(2, 3);
  expected << 1, 2, 3, -4, 0.5, 1024;
  constexpr bool swapped = std::endian::native == std::endian::big;
  const std::string data = collapse::test::bytes_of(values, swapped);
  collapse::test::NpyBytes npy_bytes;
  npy_bytes.data = data;

  const TemporaryFolder folder;
  const collapse::io::NpyFile npy(folder.write("Z.npy", npy_bytes.str()));
  const collapse::io::SafetensorsFile safetensors(folder.write(
      "Z.safetensors", collapse::test::safetensors_bytes(
                           "{" + collapse::test::safetensors_entry("Z", "F32", "[2,3]", "[0,24]") + "}", data)));
  collapse::io::TextFile text(folder.write("Z.vec", "2 3\na 1 2 3\nb -4 0.5 1024\n"));
  const auto close = [](std::FILE* stream) { std::fclose(stream); };
  const std::unique_ptr<std::FILE, decltype(close)> stream(
      std::fopen(folder.write("Z.raw", data).string().c_str(), "rb"), close);
  collapse::io::RawStream raw(stream.get(), 3, "f4");

  const auto check = [&](auto& source, std::optional<Eigen::Index> known_rows) {
    CHECK(source.cols() == 3);
    CHECK(source.known_rows() == known_rows);
    CHECK(same_values(blocks_of(source, 1).values, expected));
  };
  check(npy, 2);
  check(safetensors, 2);
  check(text, 2);
  check(raw, std::nullopt);
}

TEST_CASE("a block has at least one row", "[row_blocks]") {
  CHECK_NOTHROW(collapse::io::detail::check_block_rows(1));
  CHECK_THROWS_AS(collapse::io::detail::check_block_rows(0), OptionError);
  CHECK_THROWS_AS(collapse::io::detail::check_block_rows(-5), OptionError);
}
