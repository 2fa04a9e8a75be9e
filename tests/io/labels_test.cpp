#include <collapse/io/labels.hpp>

#include "support/catch.hpp"
#include "support/npy_bytes.hpp"
#include "support/temporary_folder.hpp"

#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using collapse::FileError;
using collapse::io::read_labels;
using collapse::test::bytes_of;
using collapse::test::NpyBytes;
using collapse::test::TemporaryFolder;
using Values = std::vector<std::int64_t>;

namespace {

constexpr bool big_endian = std::endian::native == std::endian::big;

template <class Integer>
std::string npy(const std::vector<Integer>& values, const std::string& type, bool swapped) {
  NpyBytes file;
  file.descr = std::string("'") + (big_endian != swapped ? ">" : "<") + type + "'";
  file.shape = "(" + std::to_string(values.size()) + ",)";
  file.data = bytes_of(values, swapped);
  return file.str();
}

template <class Integer>
void check_type(const std::string& type) {
  const TemporaryFolder folder;
  const std::vector<Integer> values{
      0, 1, 7, std::numeric_limits<Integer>::min(), static_cast<Integer>(std::numeric_limits<Integer>::max() / 2), 100};
  const Values expected(values.begin(), values.end());
  for (const bool swapped : {false, true}) {
    CAPTURE(type, swapped);
    CHECK(read_labels(folder.write("y.npy", npy(values, type, swapped))) == expected);
  }
}

void check_refused(const std::string& content, const std::string& named) {
  const TemporaryFolder folder;
  try {
    static_cast<void>(read_labels(folder.write("y", content)));
    FAIL("not refused: " << named);
  } catch (const FileError& error) {
    CAPTURE(error.what());
    CHECK(std::string(error.what()).find(named) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("labels are read from integers of every size and byte order", "[labels]") {
  check_type<std::int8_t>("i1");
  check_type<std::int16_t>("i2");
  check_type<std::int32_t>("i4");
  check_type<std::int64_t>("i8");
  check_type<std::uint8_t>("u1");
  check_type<std::uint16_t>("u2");
  check_type<std::uint32_t>("u4");
  check_type<std::uint64_t>("u8");
  check_type<std::uint8_t>("b1");
}

TEST_CASE("labels may be a column, and none at all", "[labels]") {
  const TemporaryFolder folder;
  NpyBytes column;
  column.descr = "'|i1'";
  column.shape = "(3, 1)";
  column.data = bytes_of(std::vector<std::int8_t>{5, -1, 4}, false);
  CHECK(read_labels(folder.write("y.npy", column.str())) == Values{5, -1, 4});
  column.shape = "(0,)";
  column.data.clear();
  CHECK(read_labels(folder.write("none.npy", column.str())).empty());
  CHECK(read_labels(folder.write("none.txt", "")).empty());
}

TEST_CASE("labels are read from lines of text", "[labels]") {
  const TemporaryFolder folder;
  CHECK(read_labels(folder.write("y.txt", "3\n-1\n  12\t\n0")) == Values{3, -1, 12, 0});
  CHECK(read_labels(folder.write("y.csv", "3\r\n4\r\n")) == Values{3, 4});
}

TEST_CASE("labels that are none are refused with their place", "[labels]") {
  check_refused("3\nfour\n", "line 2 is 'four'");
  check_refused("3\n\n4\n", "line 2 is empty");
  check_refused("3.5\n", "line 1");
  check_refused("1 2\n", "line 1");
  check_refused("9223372036854775808\n", "line 1");
  check_refused(npy(std::vector<std::uint64_t>{1, ~std::uint64_t{0}}, "u8", false), "label 1");
  NpyBytes file;
  file.descr = "'<f4'";
  file.shape = "(2,)";
  file.data = bytes_of(std::vector<float>{1.0F, 2.0F}, false);
  check_refused(file.str(), "no integers");
  file.descr = "'<i4'";
  file.shape = "(1, 2)";
  check_refused(file.str(), "shape (1, 2)");
  file.shape = "(3,)";
  check_refused(file.str(), "holds 8 bytes");
  file.shape = "(4611686018427387905,)";
  check_refused(file.str(), "holds 8 bytes");
  check_refused(file.str().substr(0, 20), "header");
}
