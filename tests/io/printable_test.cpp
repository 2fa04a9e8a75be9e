#include <collapse/io/printable.hpp>

#include "support/catch.hpp"

#include <string>
#include <string_view>

using collapse::io::detail::printable;

TEST_CASE("text out of a file is shown in quotes without anything that could break a line", "[printable]") {
  CHECK(printable("") == "''");
  CHECK(printable("a 'b' ~") == "'a 'b' ~'");
  CHECK(printable(std::string_view("\0\n\r\t\x1b\x7f", 6)) == "'\\x00\\x0a\\x0d\\x09\\x1b\\x7f'");
  CHECK(printable("\xc3\xa9") == "'\\xc3\\xa9'");
}

TEST_CASE("long text out of a file is cut after 40 characters", "[printable]") {
  CHECK(printable(std::string(40, 'x')) == "'" + std::string(40, 'x') + "'");
  CHECK(printable(std::string(41, 'x')) == "'" + std::string(40, 'x') + "...'");
}
