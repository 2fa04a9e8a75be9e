#pragma once

#include <fmt/format.h>
#include <Eigen/Core>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

/// The exceptions of the library. Everything thrown on purpose derives from `collapse::Error`, its message fits on one
/// line and names the argument, its shape or the offending index, and what to do about it. A function that throws
/// leaves every object that it was given as it was.
namespace collapse {

/// Base of all errors thrown by the library.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The shape of an argument does not allow the computation (no rows, no columns, mismatched dimensions).
class ShapeError : public Error {
 public:
  ShapeError(const std::string& message, Eigen::Index rows, Eigen::Index cols)
      : Error(message), rows_(rows), cols_(cols) {}

  [[nodiscard]] Eigen::Index rows() const noexcept { return rows_; }
  [[nodiscard]] Eigen::Index cols() const noexcept { return cols_; }

 private:
  Eigen::Index rows_;
  Eigen::Index cols_;
};

/// A NaN or an infinity among the embeddings, and where the first one is.
class NonFiniteError : public Error {
 public:
  /// @param name  of the matrix
  NonFiniteError(Eigen::Index row, Eigen::Index col, double value, const char* name = "Z")
      : Error(message(row, col, value, name)), row_(row), col_(col) {}

  /// The same of one matrix among several.
  NonFiniteError(std::string_view which, const NonFiniteError& error)
      : Error(std::string(which).append(": ").append(error.what())), row_(error.row_), col_(error.col_) {}

  [[nodiscard]] Eigen::Index row() const noexcept { return row_; }
  [[nodiscard]] Eigen::Index col() const noexcept { return col_; }

 private:
  /// Every program includes this header, and a format that the compiler checks costs each of them more than the rest.
  static std::string message(Eigen::Index row, Eigen::Index col, double value, const char* name) {
    return fmt::vformat(
        "embeddings hold a non-finite value: {0}({1}, {2}) is {3} (row {1}, column {2}, counted from 0); "
        "repair the input or drop such rows with Options::nonfinite = NonFinite::skip_rows",
        fmt::make_format_args(name, row, col, value));
  }

  Eigen::Index row_;
  Eigen::Index col_;
};

/// An option lies outside its documented range.
class OptionError : public Error {
 public:
  using Error::Error;
};

/// A saved state is damaged, truncated, of another version, or not one at all; or it could not be written.
class StateError : public Error {
 public:
  using Error::Error;
};

/// A file cannot be read, or does not hold what its format promises.
class FileError : public Error {
 public:
  FileError(std::string path, const std::string& what) : Error(path + ": " + what), path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

}  // namespace collapse
