#include "../../examples/command_line/progress.hpp"

#include "support/catch.hpp"

#include <string>

using namespace command_line;

TEST_CASE("numbers of rows are told in three digits", "[progress]") {
  CHECK(short_number(0) == "0");
  CHECK(short_number(999) == "999");
  CHECK(short_number(999.6) == "1.0 k");
  CHECK(short_number(1234) == "1.2 k");
  CHECK(short_number(9949) == "9.9 k");
  CHECK(short_number(9951) == "10 k");
  CHECK(short_number(12345678) == "12 M");
  CHECK(short_number(999.6e3) == "1.0 M");
  CHECK(short_number(5e15) == "5000 T");
}

TEST_CASE("times left are told as on a clock", "[progress]") {
  CHECK(clock(0) == "0:00");
  CHECK(clock(6.2) == "0:07");
  CHECK(clock(754) == "12:34");
  CHECK(clock(10805) == "3:00:05");
  CHECK(clock(1e300) == "99:59:59");
}

TEST_CASE("a progress line has a bar where the end is known", "[progress]") {
  const std::string line = progress_line(250000, 1000000, 10.0);
  CHECK(line.find(" 25 % · 25 k rows/s · 0:30 left") != std::string::npos);
  CHECK(progress_line(0, 1000, 0.0).find("  0 % · 0 rows/s · -:-- left") != std::string::npos);
  CHECK(progress_line(1000, 1000, 1.0).find("100 % · 1.0 k rows/s · 0:00 left") != std::string::npos);
  CHECK(progress_line(2000, std::nullopt, 2.0) == "2.0 k rows · 1.0 k rows/s");
}
