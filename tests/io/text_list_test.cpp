#include <collapse/io/text_list.hpp>

#include <collapse/io/text.hpp>

#include "support/blocks.hpp"
#include "support/catch.hpp"
#include "support/mentions.hpp"
#include "support/refusal.hpp"
#include "support/temporary_folder.hpp"
#include "support/text_refusal.hpp"

#include <Eigen/Core>

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

using collapse::io::Columns;
using collapse::io::TextFile;
using collapse::io::TextOptions;
using collapse::io::detail::is_list;
using collapse::io::detail::ListKind;
using collapse::io::detail::parse_list;
using collapse::test::blocks_of;
using collapse::test::mentions;
using collapse::test::same_values;
using collapse::test::TemporaryFolder;

namespace {

Eigen::MatrixXd values_of(const std::string& text, const TextOptions& options = {}) {
  const TemporaryFolder folder;
  TextFile file(folder.write("Z.csv", text), options);
  return blocks_of(file, 2).values;
}

std::string refusal_of(const std::string& text, const TextOptions& options = {}) {
  return collapse::test::text_refusal(text, options, 300);
}

const Eigen::MatrixXd two_by_three = (Eigen::MatrixXd(2, 3) << 1, 2, 3, -4, 0.5, 1024).finished();

}  // namespace

TEST_CASE("a printed list is read however it was printed", "[text]") {
  for (const std::string_view text :
       {"[1, -0.5, 1e3]", "[1,-0.5,1e3]", "[ 1.   -0.5  1.e+03]", "[1 -0.5\n 1e3]", "(1, -0.5, 1e3)", "{1,-0.5,1e3}",
        "array([1., -0.5, 1.e+03])", "array([ 1. , -0.5,\n        1.e+03], dtype=float32)", "np.array([1, -0.5, 1e3])",
        "tensor([1., -0.5, 1000.])", "tensor([1., -0.5, 1000.], device='cuda:0', grad_fn=<AddBackward0>)",
        "tensor([[1., -0.5, 1000.]])", "[[1, -0.5, 1e3]]", "[np.float32(1.0), np.float64(-0.5), np.float32(1000.0)]",
        "['1', '-0.5', '1e3']", "  [1, -0.5, 1e3]  ", "\"[1, -0.5, 1e3]\"", "[1, -0.5, 1e3],"}) {
    CAPTURE(text);
    std::vector<double> values;
    const auto list = parse_list(text, &values);
    CHECK(list.kind == ListKind::numbers);
    CHECK(list.count == 3);
    CHECK_FALSE(list.missing);
    CHECK(values == std::vector<double>{1.0, -0.5, 1000.0});
  }
}

TEST_CASE("what is no list or no whole one is told apart", "[text]") {
  for (const std::string_view text : {"", "[]", "1, 2", "[1, 2", "1, 2]", "(3)", "word", "f(x)", "[1, 2] more", "()"}) {
    CAPTURE(text);
    CHECK(parse_list(text, nullptr).kind == ListKind::none);
    CHECK_FALSE(is_list(text));
  }
  CHECK(parse_list("[0.1 0.2 ... 0.9]", nullptr).kind == ListKind::abbreviated);
  CHECK(parse_list("[0.1, 0.2, \xe2\x80\xa6]", nullptr).kind == ListKind::abbreviated);
  CHECK(parse_list("[[1, 2], [3, 4]]", nullptr).kind == ListKind::several);
  const auto spoilt = parse_list("[1, two, 3]", nullptr);
  CHECK(spoilt.kind == ListKind::spoilt);
  CHECK(spoilt.item == "two");
  std::vector<double> values;
  const auto missing = parse_list("[1, None, nan]", &values);
  CHECK(missing.kind == ListKind::numbers);
  CHECK(missing.missing);
  CHECK((values.size() == 3 && std::isnan(values[1]) && std::isnan(values[2])));
}

TEST_CASE("lists in the cells of a table are its rows", "[text]") {
  CHECK(
      same_values(values_of("text,embedding\n\"a, b\",\"[1, 2, 3]\"\n\"c [1]\",\"[-4, 0.5, 1024]\"\n"), two_by_three));
  CHECK(same_values(values_of("text,embedding\na,[1, 2, 3]\nb,[-4, 0.5, 1024]\n"), two_by_three));
  CHECK(same_values(values_of("id;e\n7;[1, 2, 3]\n8;[-4, 0.5, 1024]\n"), two_by_three));
  CHECK(same_values(values_of("id\te\tn\n7\t[1 2 3]\t0.5\n8\t[-4 0.5 1024]\t0.25\n"), two_by_three));
  CHECK(same_values(values_of(",e\n0,\"array([1., 2., 3.])\"\n1,\"array([-4. , 0.5, 1024. ], dtype=float32)\"\n"),
                    two_by_three));
  CHECK(same_values(values_of("[1, 2, 3]\n[-4, 0.5, 1024]\n"), two_by_three));
  CHECK(same_values(values_of("[[1, 2, 3]\n [-4, 0.5, 1024]\n"), two_by_three) == false);
  CHECK(same_values(values_of("[1, 2, 3],\n[-4, 0.5, 1024]\n"), two_by_three));
  CHECK(same_values(values_of("a [1 2 3]\nb [-4 0.5 1024]\n"), two_by_three));
  CHECK(same_values(values_of("text,e\n#one,\"[1, 2, 3]\"\n# a comment\nb,\"[-4, 0.5, 1024]\"\n"), two_by_three));
}

TEST_CASE("lists may go on over lines in their quotes", "[text]") {
  CHECK(
      same_values(values_of("text,e\nx,\"[ 1.\n  2.  3.]\"\r\n\"two\nlines, \"\"said\"\"\",\"[-4.\n 0.5\n 1024.]\"\n"),
                  two_by_three));
  CHECK(same_values(values_of("text\te\nx\t\"[1.\n 2. 3.]\"\ny\t\"[-4.\n 0.5\n 1024.]\"\n"), two_by_three));
  CHECK(same_values(values_of("text\te\n\"one\nand \"\"two\"\"\"\t\"[1.\n 2. 3.]\"\ny\t\"[-4.\n 0.5\n 1024.]\"\n"),
                    two_by_three));
  CHECK(same_values(values_of("e\n\"[1.\n 2. 3.]\"\n\"[-4.\n 0.5\n 1024.]\"\n"), two_by_three));
  CHECK(mentions(refusal_of("e\n\"[1. 2. ...\n 3. 4.]\"\n"), "line 2, column 1 ('e'): the list is abbreviated"));
  // Line numbers count all lines.
  CHECK(mentions(refusal_of("text,e\nx,\"[ 1.\n  2.]\"\ny,\"[1. x]\"\n"), "line 4, column 2 ('e'): 'x' in the list"));
}

TEST_CASE("lists that do not make a row are refused with where and what", "[text]") {
  CHECK(mentions(refusal_of("text,e\na,\"[1, 2, 3]\"\nb,\"[4, 5]\"\n"),
                 "line 3, column 2 ('e'): the list has 2 numbers, that of line 2 has 3"));
  CHECK(mentions(refusal_of("text,e\na,\"[1 2 ... 3]\"\nb,\"[4 5 ... 6]\"\n"),
                 "line 2, column 2 ('e'): the list is abbreviated ('...') after 2 numbers"));
  CHECK(mentions(refusal_of("text,e\na,\"[1, 2]\"\nb,\"[1 ... 2]\"\n"),
                 "line 3, column 2 ('e'): the list is abbreviated"));
  CHECK(mentions(refusal_of("text,e\na,\"[1, 2]\"\nb,\n"), "line 3, column 2 ('e'): missing value (an empty cell)"));
  CHECK(mentions(refusal_of("text,e\na,\"[1, 2]\"\nb,\"[1, None]\"\n"), "line 3, column 2 ('e'): missing value"));
  CHECK(
      mentions(refusal_of("text,e\na,\"[1, 2]\"\nb,none of it\n"), "line 3, column 2 ('e'): 'none of it' is no list"));
  CHECK(mentions(refusal_of("[[1, 2],\n[3, 4]]\n"), "is JSON"));
  CHECK(mentions(refusal_of("[\n[\n1,\n2\n]\n]\n"), "is JSON"));
  CHECK(mentions(refusal_of("{\"t\": \"a\", \"e\": [1, 2]}\n{\"t\": \"b\", \"e\": [3, 4]}\n"), "is JSON"));
  CHECK(mentions(refusal_of("1 2 ... 3 4\n5 6 ... 7 8\n"), "is abbreviated ('...')"));
  const std::string two = "title,body\n\"[1, 2]\",\"[3, 4, 5]\"\n\"[6, 7]\",\"[8, 9, 0]\"\n";
  CHECK(mentions(refusal_of(two), "column 1 ('title') and column 2 ('body') hold lists"));
  CHECK(values_of(two, {.columns = Columns("body")}).cols() == 3);
  CHECK(values_of(two, {.drop_columns = Columns("body")}).cols() == 2);
  const Eigen::MatrixXd nan = values_of("text,e\na,\"[1, 2]\"\nb,\nc,\"[3, None]\"\n", {.missing_is_nan = true});
  REQUIRE(nan.rows() == 3);
  CHECK((std::isnan(nan(1, 0)) && std::isnan(nan(1, 1)) && nan(2, 0) == 3.0 && std::isnan(nan(2, 1))));
}
