#include "support/catch.hpp"

#include <collapse/error.hpp>

#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>

using namespace collapse;

namespace {

template <class Exception>
std::string caught_as_error(const Exception& exception) {
  try {
    throw exception;
  } catch (const Error& error) {
    return error.what();
  }
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("every exception is an Error and an Error is a runtime_error", "[error]") {
  STATIC_REQUIRE(std::is_base_of_v<std::runtime_error, Error>);
  STATIC_REQUIRE(std::is_base_of_v<Error, ShapeError>);
  STATIC_REQUIRE(std::is_base_of_v<Error, NonFiniteError>);
  STATIC_REQUIRE(std::is_base_of_v<Error, OptionError>);
  STATIC_REQUIRE(std::is_base_of_v<Error, FileError>);
  CHECK(caught_as_error(OptionError("x is 3")) == "x is 3");
}

TEST_CASE("a shape error carries the shape", "[error]") {
  const ShapeError error("no rows", 0, 768);
  CHECK(error.rows() == 0);
  CHECK(error.cols() == 768);
  CHECK(caught_as_error(error) == "no rows");
}

TEST_CASE("a non-finite error names row, column and value and what to do", "[error]") {
  const NonFiniteError nan(1234567, 89, std::numeric_limits<double>::quiet_NaN());
  CHECK(nan.row() == 1234567);
  CHECK(nan.col() == 89);
  const std::string message = caught_as_error(nan);
  CHECK(contains(message, "1234567"));
  CHECK(contains(message, "89"));
  CHECK(contains(message, "nan"));
  CHECK(contains(message, "skip_rows"));
  CHECK_FALSE(contains(message, "\n"));
  CHECK(contains(caught_as_error(NonFiniteError(0, 0, -std::numeric_limits<double>::infinity())), "-inf"));
}

TEST_CASE("a file error begins with the path", "[error]") {
  const FileError error("folder/rows.npy", "is empty");
  CHECK(error.path() == "folder/rows.npy");
  CHECK(caught_as_error(error) == "folder/rows.npy: is empty");
}
