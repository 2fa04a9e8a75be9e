#include <collapse/io/labels.hpp>

#include "support/catch.hpp"
#include "support/npy_bytes.hpp"
#include "support/temporary_folder.hpp"

#include <Eigen/Core>

#include <bit>
#include <cmath>
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

TEST_CASE("labels as text are read as embeddings are", "[labels]") {
  const TemporaryFolder folder;
  const Values expected{0, 2, -1, 2};
  for (const std::string text :
       {"0\n2\n-1\n2\n",
        "\xef\xbb\xbf"
        "0\r\n2\r\n-1\r\n2\r\n",
        "\xef\xbb\xbf"
        "label\r\n0\r\n2\r\n-1\r\n2",
        "0\n\n2\n \n-1\n2\n\n", "# made today\n0\n2\n# half\n-1\n2\n", "\"label\"\n\"0\"\n\"2\"\n\"-1\"\n\"2\"\n",
        "0.000e+00\n2.000e+00\n-1.000e+00\n2.000e+00\n", "0.0\n2.\n-1.0\n2\n", "class label\n0\n2\n-1\n2\n",
        ",label\n0,0\n1,2\n2,-1\n3,2\n", "id,label\n100,0\n101,2\n102,-1\n103,2\n",
        "file;label\na.png;0\nb.png;2\nc.png;-1\nd.png;2\n", "a.png 0\nb.png 2\nc.png -1\nd.png 2\n",
        "+0\n+2\n-1\n2\n"}) {
    CAPTURE(text);
    CHECK(read_labels(folder.write("y.txt", text)) == expected);
  }
  // Integers that no double holds.
  CHECK(read_labels(folder.write("y.txt", "9007199254740993\n-9223372036854775808\n9223372036854775807\n")) ==
        Values{9007199254740993, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()});
  CHECK(read_labels(folder.write("y.csv", "a,y\n0.5,3\n0.25,4\n"), {.columns = collapse::io::Columns("y")}) ==
        Values{3, 4});
  CHECK(read_labels(folder.write("unique.txt", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n")).size() == 10);
}

TEST_CASE("whole floats are labels in a .npy file too", "[labels]") {
  const TemporaryFolder folder;
  const std::vector<double> values{0.0, -1.0, 3.0, 9007199254740992.0};
  for (const bool swapped : {false, true}) {
    CHECK(read_labels(folder.write("y.npy", npy(values, "f8", swapped))) == Values{0, -1, 3, 9007199254740992});
    CHECK(read_labels(folder.write("y.npy", npy(std::vector<float>{2.0F, -7.0F}, "f4", swapped))) == Values{2, -7});
    CHECK(read_labels(folder.write("y.npy", npy(std::vector<Eigen::half>{Eigen::half(2), Eigen::half(-7)}, "f2",
                                                swapped))) == Values{2, -7});
  }
  check_refused(npy(std::vector<double>{0.0, 1.5}, "f8", false), "label 1 (counted from 0) is 1.5");
  check_refused(npy(std::vector<double>{std::nan("")}, "f8", false), "label 0");
  check_refused(npy(std::vector<double>{1e300}, "f8", false), "label 0");
}

TEST_CASE("labels that are none are refused with their place", "[labels]") {
  check_refused("3\nfour\n", "line 2, column 1: 'four' is no label");
  check_refused("y\n3\nfour\n", "line 3, column 1 ('y'): 'four' is no label");
  check_refused("3\nNA\n4\n", "line 2, column 1: missing value ('NA')");
  check_refused("y,w\n3,1\n4,2\n", "2 columns of numbers");
  check_refused("3.5\n", "line 1, column 1: '3.5'");
  check_refused("2\n1e300\n", "line 2, column 1: '1e300'");
  check_refused(std::string("3\n\0\n", 4), "line 2, byte 1");
  check_refused("1 2\n", "line 1");
  check_refused("9223372036854775808\n", "line 1");
  check_refused(npy(std::vector<std::uint64_t>{1, ~std::uint64_t{0}}, "u8", false), "label 1");
  NpyBytes file;
  file.descr = "'<U4'";
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
