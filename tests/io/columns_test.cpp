#include <collapse/io/columns.hpp>

#include "support/catch.hpp"

#include <string>
#include <string_view>
#include <vector>

using collapse::OptionError;
using collapse::io::Columns;
using collapse::io::kept_columns;
using Positions = std::vector<Eigen::Index>;

namespace {

std::string refusal_of(std::string_view list, Eigen::Index count, const std::vector<std::string>& names = {}) {
  try {
    static_cast<void>(Columns(list).positions_in(count, names));
  } catch (const OptionError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("columns are named by positions and ranges of them", "[columns]") {
  CHECK(Columns("0").positions_in(3) == Positions{0});
  CHECK(Columns("2,0").positions_in(3) == Positions{0, 2});
  CHECK(Columns("0-2").positions_in(3) == Positions{0, 1, 2});
  CHECK(Columns("1-").positions_in(4) == Positions{1, 2, 3});
  CHECK(Columns(" 1 , 1 , 1-2 ").positions_in(4) == Positions{1, 2});
  CHECK(Columns("2-2").positions_in(3) == Positions{2});
  CHECK(Columns().empty());
  CHECK_FALSE(Columns("0").empty());
  CHECK_FALSE(Columns("0-3,7-").needs_names());
  CHECK(Columns("0,x").needs_names());
}

TEST_CASE("columns are named by the names of a header", "[columns]") {
  const std::vector<std::string> names{"id", "dim-0", "dim-1", "a-b", "9"};
  CHECK(Columns("id").positions_in(5, names) == Positions{0});
  CHECK(Columns("dim-0-dim-1").positions_in(5, names) == Positions{1, 2});
  CHECK(Columns("a-b").positions_in(5, names) == Positions{3});
  CHECK(Columns("id-a-b").positions_in(5, names) == Positions{0, 1, 2, 3});
  CHECK(Columns("dim-1-").positions_in(5, names) == Positions{2, 3, 4});
  CHECK(Columns("9").positions_in(5, names) == Positions{4});
  CHECK(Columns("9,id").positions_in(5, names) == Positions{0, 4});
  // A number that is no name makes all numbers positions.
  const std::vector<std::string> numbers{"id", "0", "1", "2"};
  CHECK(Columns("0-2").positions_in(4, numbers) == Positions{1, 2, 3});
  CHECK(Columns("1-3").positions_in(4, numbers) == Positions{1, 2, 3});
  CHECK(Columns("0,3").positions_in(4, numbers) == Positions{0, 3});
  CHECK(Columns("id,2").positions_in(4, numbers) == Positions{0, 3});
}

TEST_CASE("columns that are none are refused by name", "[columns]") {
  CHECK_THROWS_AS(Columns(""), OptionError);
  CHECK_THROWS_AS(Columns("1,,2"), OptionError);
  CHECK(refusal_of("3", 3) == "column '3' was asked for, there are 3 (counted from 0)");
  CHECK(refusal_of("0-9", 3).find("there are 3") != std::string::npos);
  CHECK(refusal_of("2-1", 3).find("run backwards") != std::string::npos);
  CHECK(refusal_of("99999999999999999999", 3).find("there are 3") != std::string::npos);
  CHECK(refusal_of("5-", 3).find("there are 3") != std::string::npos);
  CHECK(refusal_of("x", 3).find("no header names the columns") != std::string::npos);
  CHECK(refusal_of("-1", 3).find("'-1'") != std::string::npos);
  CHECK(refusal_of("y", 2, {"x", "z"}) == "no column is called 'y'; the header has 'x', 'z'");
  const std::vector<std::string> many(20, "n");
  CHECK(refusal_of("y", 20, many).find("and 12 more") != std::string::npos);
}

TEST_CASE("what is to be left out goes after what is to be kept", "[columns]") {
  CHECK(kept_columns({}, {}, 3) == Positions{0, 1, 2});
  CHECK(kept_columns(Columns("1-"), {}, 3) == Positions{1, 2});
  CHECK(kept_columns({}, Columns("1"), 3) == Positions{0, 2});
  CHECK(kept_columns(Columns("0-1"), Columns("1"), 3) == Positions{0});
  CHECK(kept_columns({}, {}, 0).empty());
  CHECK_THROWS_AS(kept_columns(Columns("1"), Columns("0-"), 3), OptionError);
}
