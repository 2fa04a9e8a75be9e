#include <collapse/io/text_number.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

using collapse::io::detail::CellKind;
using collapse::io::detail::is_missing;
using collapse::io::detail::parse_number;
using collapse::io::detail::read_cell;

TEST_CASE("numbers are read in every way that they are written", "[text]") {
  const auto number = [](std::string_view text) {
    double value = -7.0;
    REQUIRE(parse_number(text, value));
    return value;
  };
  CHECK(number("+1.0") == 1.0);
  CHECK(number("1.") == 1.0);
  CHECK(number("-.5") == -0.5);
  CHECK(number("+.5e+1") == 5.0);
  CHECK(number("1e5") == 1e5);
  CHECK(number("1E-5") == 1e-5);
  CHECK(number("0.1") == 0.1);
  CHECK(number("0.30000000000000004") == 0.1 + 0.2);
  CHECK(number("1.7976931348623157e308") == std::numeric_limits<double>::max());
  CHECK(number("5e-324") == std::numeric_limits<double>::denorm_min());
  CHECK(std::isnan(number("nan")));
  CHECK(std::isnan(number("NaN")));
  CHECK(std::isnan(number("-nan")));
  CHECK(number("inf") == std::numeric_limits<double>::infinity());
  CHECK(number("+Inf") == std::numeric_limits<double>::infinity());
  CHECK(number("-infinity") == -std::numeric_limits<double>::infinity());
}

TEST_CASE("numbers below every double are zero and those above are refused", "[text]") {
  double value = -7.0;
  for (const std::string text : {"1e-400", "0.1e-400", "12345e-999999999999999999999", "1e-9223372036854775808"}) {
    INFO(text);
    CHECK(parse_number(text, value));
    CHECK(value == 0.0);
    CHECK_FALSE(std::signbit(value));
    CHECK(parse_number("-" + text, value));
    CHECK(value == 0.0);
    CHECK(std::signbit(value));
  }
  CHECK(parse_number("0." + std::string(400, '0') + "1", value));
  CHECK(value == 0.0);
  CHECK(parse_number("1" + std::string(400, '0') + "e-800", value));
  CHECK(value == 0.0);
  for (const std::string text : {"1e400", "-1e400", "+0.001e400", "1e99999999999999999999", "1e9223372036854775807"}) {
    INFO(text);
    CHECK_FALSE(parse_number(text, value));
  }
  CHECK_FALSE(parse_number("1" + std::string(400, '0'), value));
  CHECK_FALSE(parse_number("1" + std::string(800, '0') + "e-400", value));
  CHECK_FALSE(parse_number("0." + std::string(400, '0') + "1e800", value));
}

TEST_CASE("text that only begins like a number is none", "[text]") {
  double value = 0.0;
  for (const std::string_view text :
       {"",    "+",    "-",   ".",  "e5",    "1e",   "1e+",     "--1", "+-1", "++1",     "1 2",
        "1,5", "0x10", "1d5", "1f", "1_000", "nanx", "infinit", " 1",  "1 ",  "\xc2\xa0"}) {
    INFO(text);
    CHECK_FALSE(parse_number(text, value));
  }
}

TEST_CASE("a missing value is told from a number and from a word", "[text]") {
  for (const std::string_view text : {"", "NA", "N/A", "n/a", "nan", "NaN", "-nan", "+nan", "null", "NULL", "None",
                                      "none", "<NA>", "#N/A", "NaT", "-1.#QNAN"}) {
    CAPTURE(text);
    double value = 0.0;
    CHECK(read_cell(text, false, value) == CellKind::missing);
    CHECK(std::isnan(value));
  }
  for (const std::string_view text : {"nano", "NAN0", "nulls", "Noneself", "?", "-", "missing value", "nonenone"}) {
    CAPTURE(text);
    double value = 0.0;
    CHECK(read_cell(text, false, value) == CellKind::text);
    CHECK_FALSE(is_missing(text));
  }
}

TEST_CASE("a decimal comma is named and read where that is wanted", "[text]") {
  double value = 0.0;
  for (const auto& [text, expected] :
       {std::pair<std::string_view, double>{"0,5", 0.5}, {"-0,39938", -0.39938}, {"+1,5e-3", 1.5e-3}, {"12,0", 12.0}}) {
    CAPTURE(text);
    CHECK(read_cell(text, false, value) == CellKind::decimal_comma);
    CHECK(read_cell(text, true, value) == CellKind::number);
    CHECK(value == expected);
  }
  for (const std::string_view text : {"1,", "1,2,3", "1.000,5", "a,5", ","}) {
    CAPTURE(text);
    CHECK(read_cell(text, true, value) == CellKind::text);
  }
  CHECK(read_cell("0.5", true, value) == CellKind::number);
}
