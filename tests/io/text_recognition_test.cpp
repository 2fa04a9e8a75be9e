#include <collapse/io/text_selection.hpp>

#include <collapse/io/text.hpp>

#include "support/blocks.hpp"
#include "support/catch.hpp"
#include "support/mentions.hpp"
#include "support/refusal.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_refusal.hpp"

#include <fmt/format.h>
#include <Eigen/Core>

#include <cmath>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

using collapse::FileError;
using collapse::io::Columns;
using collapse::io::Header;
using collapse::io::TextFile;
using collapse::io::TextOptions;
using collapse::test::blocks_of;
using collapse::test::mentions;
using collapse::test::same_values;
using collapse::test::TemporaryFolder;

namespace {

struct Read {
  Eigen::MatrixXd values;
  std::vector<std::string> remarks;
};

Read read(const std::string& text, const TextOptions& options = {}) {
  const TemporaryFolder folder;
  TextFile file(folder.write("Z.csv", text), options);
  return {blocks_of(file, 7).values, file.remarks()};
}

std::string refusal_of(const std::string& text, const TextOptions& options = {}) {
  return collapse::test::text_refusal(text, options, 400);
}

/// Quarters that differ from row to row, never whole.
Eigen::MatrixXd fractions(Eigen::Index rows, Eigen::Index cols) {
  Eigen::MatrixXd values(rows, cols);
  for (Eigen::Index i = 0; i < rows; ++i) {
    for (Eigen::Index j = 0; j < cols; ++j) values(i, j) = 0.25 + static_cast<double>((7 * i + 3 * j) % 11) - 5.0;
  }
  return values;
}

std::string line_of(const Eigen::MatrixXd& values, Eigen::Index row, const std::string& separator = ",") {
  std::string line;
  for (Eigen::Index j = 0; j < values.cols(); ++j) line += (j > 0 ? separator : "") + fmt::format("{}", values(row, j));
  return line + "\n";
}

/// A table of these values behind a first column, whose cell of row i is first(i).
template <class First>
std::string table(const std::string& header, const Eigen::MatrixXd& values, First first) {
  std::string text = header;
  for (Eigen::Index i = 0; i < values.rows(); ++i) text += first(i) + "," + line_of(values, i);
  return text;
}

std::string counted(Eigen::Index i) { return std::to_string(1000 + i); }

}  // namespace

TEST_CASE("the index of a table is left out and said", "[text]") {
  const Eigen::MatrixXd z = fractions(20, 4);
  for (const std::string header : {"id,0,1,2,3\n", "Unnamed: 0,a,b,c,d\n", "node,x0,x1,x2,x3\n", "step,a1,a2,a3,a4\n",
                                   "\"index\",\"V1\",\"V2\",\"V3\",\"V4\"\n", ""}) {
    CAPTURE(header);
    const Read found = read(table(header, z, counted));
    CHECK(same_values(found.values, z));
    REQUIRE(found.remarks.size() == 1);
    CHECK(mentions(found.remarks[0], "column 1"));
    CHECK(mentions(found.remarks[0], "from 1000 on"));
    CHECK(mentions(found.remarks[0], "--columns 0-"));
    const Read all = read(table(header, z, counted), {.columns = Columns("0-")});
    CHECK(all.values.cols() == 5);
    CHECK(all.values(3, 0) == 1003.0);
    CHECK(all.remarks.empty());
  }
  // As floats, with gaps, in any order, twice.
  CHECK(same_values(read(table("id,0,1,2,3\n", z, [](Eigen::Index i) { return fmt::format("{}.0", i); })).values, z));
  CHECK(same_values(read(table("user_id,0,1,2,3\n", z, [](Eigen::Index i) { return fmt::format("{}", i * i); })).values,
                    z));
  CHECK(same_values(
      read(table("id,0,1,2,3\n", z, [](Eigen::Index i) { return fmt::format("{}", (i * 7) % 20); })).values, z));
  CHECK(same_values(
      read(table("Unnamed: 0.1,Unnamed: 0,0,1,2,3\n", z, [](Eigen::Index i) { return fmt::format("{},{}", i, i + 5); }))
          .values,
      z));
  CHECK(
      same_values(read(table("node,0,1,2,3\n", z, [](Eigen::Index i) { return fmt::format("{}", 2 * i); })).values, z));
  CHECK(same_values(
      read(table(",Unnamed: 0,0,1,2,3\n", z, [](Eigen::Index i) { return fmt::format("{},{}", i, i); })).values, z));
  // One that starts again, as files put together have it.
  const Eigen::MatrixXd long_one = fractions(150, 4);
  CHECK(same_values(
      read(table("id,0,1,2,3\n", long_one, [](Eigen::Index i) { return fmt::format("{}", i % 100); })).values,
      long_one));
}

TEST_CASE("a first column that may be a dimension stays", "[text]") {
  const Eigen::MatrixXd z = fractions(20, 3);
  const auto cols = [&](const std::string& header, auto first) { return read(table(header, z, first)).values.cols(); };
  // Called as the others are.
  CHECK(cols("0,1,2,3\n", [](Eigen::Index i) { return std::to_string(i); }) == 4);
  CHECK(cols("dim_0,dim_1,dim_2,dim_3\n", [](Eigen::Index i) { return std::to_string(i); }) == 4);
  CHECK(cols("x,y,z,w\n", [](Eigen::Index i) { return std::to_string(i); }) == 4);
  // No whole numbers, or none that count.
  CHECK(cols("id,a1,a2,a3\n", [](Eigen::Index i) { return fmt::format("{}.5", i); }) == 4);
  CHECK(cols("size,a1,a2,a3\n", [](Eigen::Index i) { return std::to_string(i / 2); }) == 4);
  CHECK(cols("size,a1,a2,a3\n", [](Eigen::Index i) { return std::to_string(100 - i); }) == 4);
  CHECK(cols("class,a1,a2,a3\n", [](Eigen::Index i) { return std::to_string(i % 3); }) == 4);
  CHECK(cols("id,a1,a2,a3\n", [](Eigen::Index i) { return std::to_string(i % 3); }) == 4);
  CHECK(cols("", [](Eigen::Index i) { return std::to_string(2 * i); }) == 4);
  // Without a header, all are whole.
  std::string whole;
  for (int i = 0; i < 20; ++i) whole += fmt::format("{},{},{}\n", i, i % 7, i % 3);
  CHECK(read(whole).values.cols() == 3);
  // The only one.
  CHECK(read("id\n1\n2\n3\n4\n").values.cols() == 1);
}

TEST_CASE("a column that was taken for an index and is none is refused with a way out", "[text]") {
  const Eigen::MatrixXd z = fractions(100, 3);
  const std::string text =
      table("step,a1,a2,a3\n", z, [](Eigen::Index i) { return i == 90 ? std::string("90.5") : std::to_string(i); });
  const std::string message = refusal_of(text);
  CHECK(mentions(message, "line 92, column 1 ('step'): '90.5' is no whole number"));
  CHECK(mentions(message, "--columns 0-"));
  CHECK(read(text, {.columns = Columns("0-")}).values.cols() == 4);
  CHECK(same_values(read(text, {.drop_columns = Columns("step")}).values, z));
}

TEST_CASE("a first line that counts over the columns is a header and said to be", "[text]") {
  const Eigen::MatrixXd z = fractions(12, 5);
  std::string rows;
  for (Eigen::Index i = 0; i < z.rows(); ++i) rows += line_of(z, i);
  for (const std::string header : {"1,2,3,4,5\n", "100,101,102,103,104\n", "1.0,2.0,3.0,4.0,5.0\n"}) {
    CAPTURE(header);
    const Read found = read(header + rows);
    CHECK(same_values(found.values, z));
    REQUIRE(found.remarks.size() == 1);
    CHECK(mentions(found.remarks[0], "line 1 counts up from "));
    CHECK(mentions(found.remarks[0], "--header no"));
    CHECK(read(header + rows, {.header = Header::no}).values.rows() == 13);
  }
  CHECK(read("0,1,2,3,4\n" + rows).remarks.empty());
  const Read behind = read(table("key,1,2,3,4,5\n", z, [](Eigen::Index i) { return fmt::format("w{}", i); }));
  CHECK(same_values(behind.values, z));
  CHECK(behind.remarks.size() == 1);

  // Rows of whole numbers may count up by themselves, and so may several rows.
  CHECK(read("1,2,3,4\n5,6,7,9\n9,9,8,1\n4,4,1,2\n").values.rows() == 4);
  CHECK(read("1,2,3\n0.5,0.25,0.75\n2,3,4\n1.5,2.5,0.1\n").values.rows() == 4);
  CHECK(read("1,2,4,5,6\n" + rows).values.rows() == 13);
  CHECK(read("1.5,2.5,3.5,4.5,5.5\n" + rows).values.rows() == 13);
  CHECK(read("x,y\n1,2\n", {.header = Header::yes}).values.rows() == 1);
  CHECK(read("1,2\n3,4\n", {.header = Header::yes}).values.rows() == 1);
  CHECK(mentions(refusal_of("x,y\n1,2\n", {.header = Header::no}), "line 1"));
}

TEST_CASE("words that are a blank or begin with the sign of a comment are words", "[text]") {
  const Eigen::MatrixXd z = fractions(9, 4);
  const auto words = [&](const std::vector<std::string>& first, const std::string& before = "") {
    std::string text = before;
    for (Eigen::Index i = 0; i < z.rows(); ++i) {
      const auto k = static_cast<std::size_t>(i);
      text += (k < first.size() ? first[k] : "w" + std::to_string(i)) + " " + line_of(z, i, " ");
    }
    return text;
  };
  for (const std::string before : {"", "9 4\n"}) {
    CAPTURE(before);
    CHECK(same_values(read(words({"#tag"}, before)).values, z));
    CHECK(same_values(read(words({"#tag", "#other", "#", "##"}, before)).values, z));
    CHECK(same_values(read(words({"w", "#tag", "#5"}, before)).values, z));
    CHECK(same_values(read(words({"w", "a", " "}, before)).values, z));
    CHECK(same_values(read(words({" ", "a"}, before)).values, z));
    CHECK(same_values(read(words({"w", "", "b"}, before)).values, z));
    CHECK(same_values(read(words({"\xc2\xa0", "\xe3\x80\x80", "\x0b"}, before)).values, z));
    CHECK(same_values(read(words({"at name@example.com", "a . . ."}, before)).values, z));
    CHECK(same_values(read(words({"nan", "null", "None", "NA", "inf"}, before)).values, z));
    CHECK(same_values(read(words({"7", "8", "9.5"}, before)).values, z));
    CHECK(same_values(read(words({"\"", "\"a", ","}, before)).values, z));
  }
  std::vector<std::string> all;
  for (int i = 0; i < 9; ++i) all.push_back("#" + std::to_string(i));
  CHECK(same_values(read(words(all)).values, z));
  CHECK(same_values(read(table("", z, [](Eigen::Index i) { return fmt::format("#{}", i); })).values, z));
  // Comments stay comments.
  CHECK(same_values(read("# made by hand, 3 4\n# 0 1 2 3\n" + words({"a"}) + "# end 2\n").values, z));
  CHECK(mentions(refusal_of("# only\n# comments 1\n"), "no row of numbers"));
}

TEST_CASE("separators at the end of the lines make no column", "[text]") {
  const Eigen::MatrixXd z = fractions(5, 3);
  std::string text;
  for (Eigen::Index i = 0; i < z.rows(); ++i) {
    std::string line = line_of(z, i);
    line.back() = ',';
    text += line + "\n";
  }
  CHECK(same_values(read(text).values, z));
  CHECK(same_values(read("a,b,c,\n" + text).values, z));
  CHECK(mentions(refusal_of("1,2,\n1,2,3\n"), "line 1, column 3: missing value"));
}

TEST_CASE("missing values are named with their place or passed on", "[text]") {
  for (const std::string cell : {"", "NA", "N/A", "nan", "NaN", "null", "None", "<NA>", " ", "\"\"", "\"NA\""}) {
    CAPTURE(cell);
    const std::string text = "a,b,c\n1,2.5,3\n4," + cell + ",6.5\n7,8,9\n";
    CHECK(mentions(refusal_of(text), "line 3, column 2 ('b'): missing value ("));
    const Eigen::MatrixXd z = read(text, {.missing_is_nan = true}).values;
    REQUIRE(z.rows() == 3);
    CHECK(std::isnan(z(1, 1)));
    CHECK(z(1, 2) == 6.5);
    CHECK(z(2, 1) == 8.0);
  }
  // In the first row, in the first column, in all of a row, with an index, with labels.
  CHECK(mentions(refusal_of("1,NA,3\n4,5,6\n"), "line 1, column 2: missing value ('NA')"));
  CHECK(mentions(refusal_of("a,b\n,2\n3,4\n"), "line 2, column 1 ('a'): missing value (an empty cell)"));
  CHECK(mentions(refusal_of("NA,NA\n3,4\n"), "line 1, column 1: missing value"));
  CHECK(mentions(refusal_of(",1,2\n0,0.5,\n1,0.5,0.25\n"), "line 2, column 3 ('2'): missing value"));
  CHECK(mentions(refusal_of("w 1 nan\nv 3 4\n"), "line 1, column 3: missing value ('nan')"));
  CHECK(mentions(refusal_of("w,NA,NA\nv,3,4\n"), "line 1, column 2: missing value ('NA')"));
  CHECK(mentions(refusal_of("1\t\t3\n4\t5\t6\n"), "line 1, column 2: missing value"));
  CHECK(read("1,NA,3\n4,5,6\n", {.missing_is_nan = true}).values.rows() == 2);
}

TEST_CASE("decimal commas are named and read where that is wanted", "[text]") {
  const Eigen::MatrixXd z = (Eigen::MatrixXd(2, 3) << 0.5, -1.25, 3.0, 2.5, 0.125, -7.0).finished();
  for (const std::string separator : {";", "\t", " ", "; "}) {
    CAPTURE(separator);
    const std::string rows =
        "0,5" + separator + "-1,25" + separator + "3\n2,5" + separator + "0,125" + separator + "-7\n";
    CHECK(mentions(refusal_of(rows), "line 1, column 1: '0,5' is written with a decimal comma"));
    CHECK(mentions(refusal_of(rows), "--decimal-comma"));
    CHECK(same_values(read(rows, {.decimal_comma = true}).values, z));
    if (separator == " ") continue;
    const std::string header = "a" + separator + "b" + separator + "c\n";
    CHECK(mentions(refusal_of(header + rows), "line 2, column 1: '0,5' is written with a decimal comma"));
    CHECK(same_values(read(header + rows, {.decimal_comma = true}).values, z));
  }
  const std::string quoted = "\"0,5\",\"-1,25\",\"3,0\"\n\"2,5\",\"0,125\",\"-7,0\"\n";
  CHECK(mentions(refusal_of(quoted), "decimal comma"));
  CHECK(same_values(read(quoted, {.decimal_comma = true}).values, z));
  CHECK(same_values(read("sep=;\n0,5;-1,25;3\n2,5;0,125;-7\n", {.decimal_comma = true}).values, z));
  CHECK(mentions(refusal_of("1;2,5\n3;x\n", {.decimal_comma = true}), "line 2, column 2: 'x' is no number"));
  // Whole numbers until it shows.
  CHECK(mentions(refusal_of("1;2;3\n4;5;6,5\n"), "line 2, column 3: '6,5' is written with a decimal comma"));
}

TEST_CASE("columns are chosen by position and by name", "[text]") {
  const Eigen::MatrixXd z = fractions(6, 3);
  const std::string text =
      table("id,word,a,b,c\n", z, [](Eigen::Index i) { return fmt::format("{},\"w, {}\"", 50 - i, i); });
  CHECK(mentions(refusal_of(text), "line 2, column 2"));
  CHECK(mentions(refusal_of(text), "--columns"));
  CHECK(same_values(read(text, {.columns = Columns("2-4")}).values, z));
  CHECK(same_values(read(text, {.columns = Columns("a-c")}).values, z));
  CHECK(same_values(read(text, {.columns = Columns("c,a,b")}).values, z));
  CHECK(same_values(read(text, {.columns = Columns("2-")}).values, z));
  CHECK(same_values(read(text, {.drop_columns = Columns("id,word")}).values, z));
  CHECK(same_values(read(text, {.columns = Columns("0-"), .drop_columns = Columns("0,1")}).values, z));
  CHECK(same_values(read(text, {.columns = Columns("b")}).values, z.middleCols(1, 1)));
  CHECK(read(text, {.columns = Columns("id,c")}).values(0, 0) == 50.0);
  CHECK(mentions(refusal_of(text, {.columns = Columns("word")}), "line 2, column 2 ('word'): 'w, 0' is no number"));
  CHECK(mentions(refusal_of(text, {.columns = Columns("d")}), "no column is called 'd'; the header has 'id', 'word'"));
  CHECK(mentions(refusal_of(text, {.columns = Columns("3-5")}), "there are 5 (counted from 0)"));
  CHECK(mentions(refusal_of(text, {.drop_columns = Columns("0-")}), "no column is left"));

  // Names that are numbers are names where all are names.
  const std::string numbered = table("id,0,1,2\n", z, counted);
  CHECK(same_values(read(numbered, {.columns = Columns("0-2")}).values, z));
  CHECK(same_values(read(numbered, {.columns = Columns("1-3")}).values, z));
  CHECK(same_values(read(numbered, {.drop_columns = Columns("id")}).values, z));
  CHECK(same_values(read(numbered, {.drop_columns = Columns("2")}).values, z.leftCols(2)));

  const std::string between = "name,0,1,2,label\n" + [&] {
    std::string lines;
    for (Eigen::Index i = 0; i < z.rows(); ++i) {
      std::string line = line_of(z, i);
      line.pop_back();
      lines += fmt::format("w{},{},c\n", i, line);
    }
    return lines;
  }();
  CHECK(same_values(read(between, {.columns = Columns("1-3")}).values, z));
  CHECK(same_values(read(between, {.columns = Columns("0-2")}).values, z));
  CHECK(same_values(read(between, {.drop_columns = Columns("label")}).values, z));

  // Words between blanks, and no header.
  CHECK(same_values(read("a 1 2\nb 3 4\n", {.columns = Columns("2")}).values,
                    (Eigen::MatrixXd(2, 1) << 2, 4).finished()));
  CHECK(same_values(read("a 1 2\nb 3 4\n", {.drop_columns = Columns("2")}).values,
                    (Eigen::MatrixXd(2, 1) << 1, 3).finished()));
  CHECK(mentions(refusal_of("1,2\n3,4\n5,6\n", {.columns = Columns("x")}), "no column is called 'x'"));
  CHECK(mentions(refusal_of("1,2\n3,4\n5\n", {.columns = Columns("0")}), "line 3 ends after column 1"));
  CHECK(mentions(refusal_of("x,y\n1,\n3,4\n", {.columns = Columns("y")}), "line 2, column 2 ('y'): missing value"));
  CHECK(read("x,y\n1,\n3,4\n", {.columns = Columns("x")}).values.rows() == 2);
}

TEST_CASE("tables of many kinds that are damaged are refused or read and never crash", "[text]") {
  const TemporaryFolder folder;
  std::mt19937 random(11);
  const std::string tokens = "0123456789+-.eE,;\t \n\r\"#[](){}naif";
  const std::vector<std::string> wholes{"id,0,1,2\n1000,0.5,1.5,2.5\n1001,0.25,1.25,2.25\n1002,0.125,1.125,2.125\n",
                                        "text,e\n\"a, b\",\"[1.5, 2]\"\n\"c\nd\",\"[3\n 4]\"\n",
                                        "a;b\n0,5;1,5\n2,5;3,5\n",
                                        "1,2,3,4\n0.5,0.5,0.5,0.1\n0.25,0.5,0.5,0.1\n0.5,0.5,0.75,0.1\n",
                                        "3 2\n#a 1 2\n  3 4\nb c 5 6\n",
                                        "x,y\n1,NA\n,2\n",
                                        "array([1, 2])\narray([3, 4])\n"};
  const std::vector<TextOptions> options{{},
                                         {.missing_is_nan = true},
                                         {.decimal_comma = true},
                                         {.columns = Columns("0-")},
                                         {.drop_columns = Columns("0")},
                                         {.columns = Columns("1")},
                                         {.header = Header::no},
                                         {.header = Header::yes}};
  int read_rows = 0;
  int refused = 0;
  for (std::size_t round = 0; round < 4000; ++round) {
    std::string damaged = wholes[round % wholes.size()];
    for (auto flips = random() % 4; flips > 0; --flips) {
      const std::size_t at = random() % damaged.size();
      const char token = random() % 8 != 0 ? tokens[random() % tokens.size()] : static_cast<char>(random() % 256);
      switch (random() % 4) {
        case 0: damaged[at] = token; break;
        case 1: damaged.insert(at, 1, token); break;
        case 2: damaged.resize(at + 1); break;
        default: damaged.erase(at, 1); break;
      }
      if (damaged.empty()) damaged = "\n";
    }
    CAPTURE(round, damaged);
    try {
      TextFile file(folder.write("Z.txt", damaged), options[random() % options.size()]);
      const auto blocks = blocks_of(file, 2);
      REQUIRE(blocks.values.cols() == file.cols());
      ++read_rows;
    } catch (const FileError& error) {
      const std::string message = error.what();
      for (const char c : message) REQUIRE((c >= ' ' && c <= '~'));
      ++refused;
    }
  }
  CHECK(read_rows > 500);
  CHECK(refused > 500);
}
