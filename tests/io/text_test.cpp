#include <collapse/io/text.hpp>

#include "support/blocks.hpp"
#include "support/catch.hpp"
#include "support/mentions.hpp"
#include "support/refusal.hpp"
#include "support/temporary_folder.hpp"

#include <Eigen/Core>

#include <clocale>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#if __has_include(<sys/mman.h>)
#include <sys/stat.h>

#include <fstream>
#include <thread>
#endif

using collapse::FileError;
using collapse::OptionError;
using collapse::io::TextFile;
using collapse::test::block_sizes;
using collapse::test::Blocks;
using collapse::test::blocks_of;
using collapse::test::mentions;
using collapse::test::same_values;
using collapse::test::TemporaryFolder;

namespace {

Eigen::MatrixXd matrix(std::initializer_list<std::initializer_list<double>> rows) {
  Eigen::MatrixXd values(static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(rows.begin()->size()));
  Eigen::Index i = 0;
  for (const auto& row : rows) {
    Eigen::Index j = 0;
    for (const double value : row) values(i, j++) = value;
    ++i;
  }
  return values;
}

Eigen::MatrixXd values_of(const std::string& text) {
  const TemporaryFolder folder;
  TextFile file(folder.write("Z.txt", text));
  return blocks_of(file, 2).values;
}

bool is_labelled(const std::string& text) {
  const TemporaryFolder folder;
  return TextFile(folder.write("Z.txt", text)).labelled();
}

std::string refusal(const std::filesystem::path& path) {
  return collapse::test::refusal_after_name(
      [&] {
        TextFile file(path);
        static_cast<void>(blocks_of(file, 2));
      },
      path.string(), 300);
}

std::string refusal_of(const std::string& text) {
  const TemporaryFolder folder;
  return refusal(folder.write("Z.txt", text));
}

const Eigen::MatrixXd two_by_three = matrix({{1, 2, 3}, {-4, 0.5, 1024}});

}  // namespace

static_assert(!std::is_copy_constructible_v<TextFile> && std::is_move_constructible_v<TextFile>);

TEST_CASE("rows are read whatever separates their numbers", "[text]") {
  CHECK(same_values(values_of("1,2,3\n-4,0.5,1024\n"), two_by_three));
  CHECK(same_values(values_of("1\t2\t3\n-4\t0.5\t1024\n"), two_by_three));
  CHECK(same_values(values_of("1;2;3\n-4;0.5;1024\n"), two_by_three));
  CHECK(same_values(values_of("1 2 3\n-4 0.5 1024\n"), two_by_three));
  CHECK(same_values(values_of("  1   2 3 \n-4 \t 0.5  1024\t\n"), two_by_three));
  CHECK(same_values(values_of(" 1, 2 ,3\n-4,  0.5,1024 \n"), two_by_three));
  CHECK(same_values(values_of("\"1\",\"2\",3\n-4,\"0.5\",1024\n"), two_by_three));
  CHECK(same_values(values_of("1\n2\n"), matrix({{1}, {2}})));
}

TEST_CASE("line ends and blank lines and comments and a byte order mark do not matter", "[text]") {
  CHECK(same_values(values_of("1,2,3\r\n-4,0.5,1024\r\n"), two_by_three));
  CHECK(same_values(values_of("1,2,3\n-4,0.5,1024"), two_by_three));
  CHECK(same_values(values_of("1,2,3\r\n-4,0.5,1024\r"), two_by_three));
  CHECK(same_values(values_of("1,2,3\n-4,0.5,1024\n\n \n\t\r\n\r\n"), two_by_three));
  CHECK(same_values(values_of("\n\n1,2,3\n\n-4,0.5,1024\n"), two_by_three));
  CHECK(same_values(values_of("# made today\n1,2,3\n#7,8,9\n-4,0.5,1024\n# end"), two_by_three));
  CHECK(same_values(values_of("\xef\xbb\xbf"
                              "1,2,3\n-4,0.5,1024\n"),
                    two_by_three));
  CHECK(same_values(values_of("\xef\xbb\xbf# comment\nx,y,z\n1,2,3\n-4,0.5,1024\n"), two_by_three));
}

TEST_CASE("numbers are read the same in every locale", "[text]") {
  const std::string before = std::setlocale(LC_NUMERIC, nullptr);
  for (const char* const name : {"de_DE.UTF-8", "fr_FR.UTF-8", "C"}) {
    if (std::setlocale(LC_NUMERIC, name)) CHECK(same_values(values_of("1,2,3\n-4,0.5,1024\n"), two_by_three));
  }
  std::setlocale(LC_NUMERIC, before.c_str());
}

TEST_CASE("a header that names the columns is left out", "[text]") {
  CHECK(same_values(values_of("x,y,z\n1,2,3\n-4,0.5,1024\n"), two_by_three));
  CHECK(same_values(values_of("\"x, y\",\"say \"\"y\"\"\",z\n1,2,3\n-4,0.5,1024\n"), two_by_three));
  CHECK(same_values(values_of("x y z\n1 2 3\n-4 0.5 1024\n"), two_by_three));
  CHECK(same_values(values_of("0,1,2\n1,2,3\n-4,0.5,1024\n"), two_by_three));
  CHECK(same_values(values_of("x\n1\n2\n"), matrix({{1}, {2}})));
  CHECK(same_values(values_of("word,x,y,z\na,1,2,3\nb,-4,0.5,1024\n"), two_by_three));
  CHECK(same_values(values_of("word\t0\t1\t2\na\t1\t2\t3\nb\t-4\t0.5\t1024\n"), two_by_three));
  // Numbers, but no names of columns.
  CHECK(same_values(values_of("0,1\n2,3\n"), matrix({{0, 1}, {2, 3}})));
  CHECK(same_values(values_of("0,1,3\n1,2,3\n"), matrix({{0, 1, 3}, {1, 2, 3}})));
  CHECK(same_values(values_of("0,1,2\n"), matrix({{0, 1, 2}})));
}

TEST_CASE("a first column of words is left out", "[text]") {
  CHECK(same_values(values_of("a 1 2 3\nb -4 0.5 1024\n"), two_by_three));
  CHECK(same_values(values_of("a,1,2,3\nb,-4,0.5,1024\n"), two_by_three));
  CHECK(same_values(values_of("New York\t1\t2\t3\nthe \"Hague\"\t-4\t0.5\t1024\n"), two_by_three));
  CHECK(same_values(values_of("\"New York, NY\",1,2,3\n\"say \"\"b\"\"\",-4,0.5,1024\n"), two_by_three));
  CHECK(same_values(values_of(", 1 2 3\n\" -4 0.5 1024\n"), two_by_three));
  CHECK(same_values(values_of("; 1 2 3\n# -4 0.5 1024\n# no row\n"), two_by_three));
  CHECK(values_of("a 1 2 3\n2003 -4 0.5 1024\nb 0 0 0\n").rows() == 3);
  CHECK(values_of("a 1 2 3\nnan -4 0.5 1024\nb 0 0 0\n").rows() == 3);
  CHECK(same_values(values_of("a 1 2 3\n. . . -4 0.5 1024\n"), two_by_three));
  CHECK(same_values(values_of("a 1 2 3\nat name@example.com -4 0.5 1024\n"), two_by_three));
  CHECK(is_labelled("a 1 2 3\n"));
  CHECK_FALSE(is_labelled("1 2 3\n"));
}

TEST_CASE("a header without a name for the first column makes it one of labels", "[text]") {
  CHECK(same_values(values_of(",x,y,z\n0,1,2,3\n1,-4,0.5,1024\n"), two_by_three));
  CHECK(same_values(values_of(",0,1,2\n0,1,2,3\n1,-4,0.5,1024\n"), two_by_three));
  CHECK(same_values(values_of(",0\n5,1\n6,2\n"), matrix({{1}, {2}})));
  CHECK(same_values(values_of("\"\",\"V1\",\"V2\",\"V3\"\n\"1\",1,2,3\n\"2\",-4,0.5,1024\n"), two_by_three));
  CHECK(same_values(values_of("V1 V2 V3\n1 1 2 3\n2 -4 0.5 1024\n"), two_by_three));
  CHECK(same_values(values_of("V1 V2 V3\na 1 2 3\n2 -4 0.5 1024\n"), two_by_three));
  CHECK(mentions(refusal_of("x,y\n1,2,3,4\n"), "line 1 names 2 columns, line 2 has 4"));
  CHECK(mentions(refusal_of("x,y,z\n1,2\n"), "line 1 names 3 columns, line 2 has 2"));
}

TEST_CASE("the first line of word2vec announces rows and is told apart", "[text]") {
  const TemporaryFolder folder;
  const TextFile vectors(folder.write("Z.vec", "2 3\na 1 2 3 \nb -4 0.5 1024 \n"));
  CHECK(vectors.cols() == 3);
  CHECK(vectors.known_rows() == 2);
  CHECK(vectors.labelled());
  CHECK(same_values(values_of("2 3\na 1 2 3 \nb -4 0.5 1024 \n"), two_by_three));
  CHECK(same_values(values_of("2 3\n# 1 2 3\nb -4 0.5 1024\n"), two_by_three));
  CHECK(same_values(values_of("2 3\n# a comment\n7 1 2 3\n8 -4 0.5 1024\n"), two_by_three));
  CHECK(same_values(values_of("2\t3\na\t1\t2\t3\nb\t-4\t0.5\t1024\n"), two_by_three));
  CHECK(same_values(values_of("2 1\na 5\nb 6\n"), matrix({{5}, {6}})));

  // Rows of two whole numbers.
  CHECK(same_values(values_of("2 3\n4 5\n"), matrix({{2, 3}, {4, 5}})));
  CHECK(same_values(values_of("2 1\n4 5\n"), matrix({{2, 1}, {4, 5}})));
  CHECK(same_values(values_of("2 3\n# a comment\n4 5\n"), matrix({{2, 3}, {4, 5}})));
  CHECK(same_values(values_of("2 3\n"), matrix({{2, 3}})));
  CHECK(same_values(values_of("2,3\n4,5\n"), matrix({{2, 3}, {4, 5}})));
  CHECK_FALSE(TextFile(folder.write("Z.txt", "2 3\n4 5\n")).known_rows());
  CHECK(mentions(refusal_of("2 4\na 1 2 3\n"), "line 2, column 1: 'a' is no number"));
}

TEST_CASE("rows that are announced and missing or there and not announced are refused", "[text]") {
  CHECK(refusal_of("3 2\na 1 2\nb 3 4\n") ==
        "line 1 announces 3 rows, the file holds 2; it was cut, or that line is wrong");
  CHECK(mentions(refusal_of("#\n1 2\na 1 2\nb 3 4\n"), "line 2 announces 1 rows, the file holds 2"));
}

TEST_CASE("a spoilt number in the first column is not taken for a label", "[text]") {
  CHECK(
      refusal_of("O.3,0.5,0.6\n0.1,0.5,0.6\n0.2,0.5,0.6\n") ==
      "line 1, column 1: 'O.3' is no number, all others in this column are; repair it, or name the columns in a header "
      "and leave the name of a column of labels empty");
  CHECK(mentions(refusal_of("x,y\n# one\nl,0.5\n2,0.5\n"), "line 3, column 1: 'l' is no number"));
  CHECK(refusal_of("N/A,0.5,0.6\n") == "no error");
  CHECK(mentions(refusal_of("N/A,0.5,0.6\n0.1,0.5,0.6\n"), "line 1, column 1: missing value ('N/A')"));
  CHECK(refusal_of(",y\nl,0.5\n2,0.5\n") == "no error");
  CHECK(mentions(refusal_of("1,2\nx,3\n"), "line 2, column 1: 'x' is no number"));
}

TEST_CASE("a spoilt number in the first row is not taken for a header", "[text]") {
  CHECK(mentions(refusal_of("1,abc,3\n1,2,3\n"), "line 1, column 2: 'abc' is no number"));
  CHECK(mentions(refusal_of("a,1,?\na,1,2\n"), "line 1, column 3: '?' is no number"));
  CHECK(mentions(refusal_of(",0.5,0.6\n0.1,0.5,0.6\n"), "line 1, column 1: missing value (an empty cell)"));
  CHECK(mentions(refusal_of("1,5;2,5\n3,5;4,5\n"), "line 1, column 1: '1,5' is written with a decimal comma"));
}

TEST_CASE("ragged rows are refused with where and what", "[text]") {
  CHECK(refusal_of("1,2,3\n4,5\n") == "line 2 ends after column 2, '5'; line 1 has 3 columns");
  CHECK(refusal_of("x,y\n\n1,2\n3\n") == "line 4 ends after column 1, '3'; line 3 has 2 columns");
  CHECK(refusal_of("1,2\n3,4,5\n") == "line 2, column 3: '5' is one too many, line 1 has 2 columns");
  CHECK(refusal_of("1,2\n3,4,\n") == "line 2, column 3: '' is one too many, line 1 has 2 columns");
  CHECK(refusal_of("a 1 2\nb 3\n") == "line 2 ends after column 2, '3'; line 1 has 3 columns");
  CHECK(refusal_of("a 1 2\nb\n") == "line 2 ends after column 1, 'b'; line 1 has 3 columns");
  CHECK(refusal_of("a 1 2\nb 3 4 5\n") == "line 2, column 4: '5' is one too many, line 1 has 3 columns");
  CHECK(refusal_of("2 2\na 1 2\nb 3 4 5\n") == "line 3, column 4: '5' is one too many, line 2 has 3 columns");
}

TEST_CASE("what is no number is refused with where and what", "[text]") {
  const std::string advice = " is no number that a double holds; repair it, or write nan for what is missing";
  CHECK(refusal_of("1,2\n3,abc\n") == "line 2, column 2: 'abc'" + advice);
  CHECK(refusal_of("1,2\n3,ten\n") == "line 2, column 2: 'ten'" + advice);
  CHECK(refusal_of("1,2\n3,1e999\n") == "line 2, column 2: '1e999'" + advice);
  CHECK(refusal_of("a 1 2\nb 3 x\n") == "line 2, column 3: 'x'" + advice);
  CHECK(refusal_of("1,2\n3,\x1b[2J\n") == "line 2, column 2: '\\x1b[2J'" + advice);
  CHECK(mentions(refusal_of("1,2\r3,4\n"), "line 1, column 2: '2\\x0d3' is no number"));
  CHECK(refusal_of("1,2\n3," + std::string(5000, 'z') + "\n") ==
        "line 2, column 2: '" + std::string(40, 'z') + "...'" + advice);
  CHECK(refusal_of("1,2\n\"3,4\n") == "line 2, column 1: '\"3'" + advice);
}

TEST_CASE("files without a row of numbers are refused", "[text]") {
  for (const std::string text : {"", "\n\n", " \t\r\n", "# only a comment", "\xef\xbb\xbf"}) {
    CHECK(mentions(refusal_of(text), "holds no row of numbers"));
  }
  CHECK(mentions(refusal_of("hello"), "line 1, column 1: 'hello' is no number"));
  CHECK(mentions(refusal_of("hello world\nhow are you\n"), "line 2, column 2: 'are' is no number"));
  CHECK(mentions(refusal_of("x,y\na,b\n"), "line 2, column 2: 'b' is no number"));
  CHECK(mentions(refusal_of(std::string("1,2\n\0,3\n", 8)), "line 2, byte 1 holds a zero byte"));
  CHECK(mentions(refusal_of(std::string("\xff\xfe"
                                        "1\0,\0002\0",
                                        8)),
                 "no text in UTF-8"));
}

TEST_CASE("blocks of any size hold the rows in their order", "[text]") {
  const TemporaryFolder folder;
  Eigen::MatrixXd expected(23, 2);
  std::string text = "x,y\n";
  for (Eigen::Index i = 0; i < 23; ++i) {
    expected.row(i) << static_cast<double>(i), static_cast<double>(i) / 8.0;
    text += std::to_string(expected(i, 0)) + "," + std::to_string(expected(i, 1)) + "\n";
  }
  const std::filesystem::path path = folder.write("Z.csv", text);
  for (const Eigen::Index rows : {Eigen::Index{1}, Eigen::Index{7}, Eigen::Index{23}, Eigen::Index{24},
                                  std::numeric_limits<Eigen::Index>::max()}) {
    TextFile file(path);
    CHECK(file.cols() == 2);
    CHECK_FALSE(file.known_rows());
    CHECK(file.path() == path.string());
    const Blocks blocks = blocks_of(file, rows);
    CHECK(same_values(blocks.values, expected));
    CHECK(blocks.rows == block_sizes(23, rows));
    CHECK(blocks.scalar_size == 8);
  }
}

TEST_CASE("lines may cross the ends of the buffer at every place", "[text]") {
  const TemporaryFolder folder;
  constexpr std::size_t buffer = 65536;
  for (std::size_t shift = 0; shift < 24; ++shift) {
    // The second row begins up to 12 bytes before or after the first buffer's end, and again after the second's.
    std::string text = "1 2\r\n#";
    text += std::string(buffer - 12 + shift - text.size() - 1, 'x') + "\n345 678.5\r\n#";
    text += std::string(2 * buffer - 12 + shift - text.size() - 1, 'y') + "\n9 10";
    TextFile file(folder.write("Z.txt", text));
    INFO("shift " << shift);
    CHECK(same_values(blocks_of(file, 2).values, matrix({{1, 2}, {345, 678.5}, {9, 10}})));
  }
}

TEST_CASE("a row longer than the buffer is read whole", "[text]") {
  const TemporaryFolder folder;
  constexpr Eigen::Index cols = 40'000;
  std::string text;
  for (int i = 0; i < 3; ++i) {
    for (Eigen::Index j = 0; j < cols; ++j) text += std::to_string(j + i + 1) + (j + 1 < cols ? "," : "\n");
  }
  TextFile file(folder.write("Z.csv", text));
  CHECK(file.cols() == cols);
  const Eigen::MatrixXd values = blocks_of(file, 2).values;
  const Eigen::RowVectorXd counted = Eigen::RowVectorXd::LinSpaced(cols, 0.0, static_cast<double>(cols - 1));
  REQUIRE(values.rows() == 3);
  for (Eigen::Index i = 0; i < 3; ++i) {
    CHECK((values.row(i) - counted).minCoeff() == static_cast<double>(i + 1));
    CHECK((values.row(i) - counted).maxCoeff() == static_cast<double>(i + 1));
  }
}

TEST_CASE("a text is read once and blocks have rows", "[text]") {
  const TemporaryFolder folder;
  TextFile file(folder.write("Z.txt", "1 2\n3 4\n"));
  CHECK_THROWS_AS(file.for_each_block(0, [](const auto&) {}), OptionError);
  TextFile moved(std::move(file));
  CHECK(same_values(blocks_of(moved, 1).values, matrix({{1, 2}, {3, 4}})));
  CHECK_THROWS_AS(blocks_of(moved, 1), FileError);
}

TEST_CASE("text comes from files and pipes alone", "[text]") {
  const TemporaryFolder folder;
  CHECK(mentions(refusal(folder / "missing"), "cannot open: No such file"));
  CHECK(mentions(refusal(folder / ""), "is a directory"));
#if __has_include(<sys/mman.h>)
  CHECK(mentions(refusal("/dev/null"), "is a device"));
  const std::filesystem::path pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i) + " 1\n";
  std::thread writer([&] { std::ofstream(pipe, std::ios::binary) << text; });
  TextFile file(pipe);
  Eigen::Index rows = 0;
  double sum = 0.0;
  file.for_each_block(1000, [&](const auto& block) {
    rows += block.rows();
    sum += block.sum();
  });
  writer.join();
  CHECK(rows == 50'000);
  CHECK(sum == 50'000.0 * 49'999.0 / 2.0 + 50'000.0);
#endif
}

TEST_CASE("a damaged text is refused or read and never crashes", "[text]") {
  const TemporaryFolder folder;
  std::mt19937 random(5);
  const std::string tokens = "0123456789+-.eE,;\t \n\r\"#naif";
  const std::vector<std::string> wholes{"x,y,z\n1,2,3\n-4,0.5,1e3\n7,8,9\n", "2 3\na 1 2 3\nb -4 0.5 1e3\n",
                                        "\"\",\"x\"\n\"1\",0.5\n\"2\",0.25\n", "1\t2\n3\t4\r\n5\t6\n"};
  int read = 0;
  int refused = 0;
  for (std::size_t round = 0; round < 2000; ++round) {
    std::string damaged = wholes[round % wholes.size()];
    for (auto flips = 1 + random() % 3; flips > 0; --flips) {
      const std::size_t at = random() % damaged.size();
      const char token = random() % 8 != 0 ? tokens[random() % tokens.size()] : static_cast<char>(random() % 256);
      switch (random() % 3) {
        case 0: damaged[at] = token; break;
        case 1: damaged.insert(at, 1, token); break;
        default: damaged.erase(at, 1); break;
      }
    }
    try {
      TextFile file(folder.write("Z.txt", damaged));
      const Blocks blocks = blocks_of(file, 2);
      REQUIRE(blocks.values.cols() == file.cols());
      ++read;
    } catch (const FileError& error) {
      const std::string message = error.what();
      for (const char c : message) REQUIRE((c >= ' ' && c <= '~'));
      ++refused;
    }
  }
  CHECK(read > 250);
  CHECK(refused > 250);
}
