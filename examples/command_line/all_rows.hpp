#pragma once

#include "source.hpp"

#include <collapse/error.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace command_line {

/// Rows in memory, in the scalar that they came in: for what has to look at all of them at once.
class AllRows {
 public:
  /// The rows of a block after those that are there.
  /// @param name  of the input, for the error when its scalar is another than that of the rows before
  template <class Scalar>
  void add(const collapse::io::RowBlock<Scalar>& block, const std::string& name) {
    if (rows_ == 0) values_ = std::vector<Scalar>();
    auto* const values = std::get_if<std::vector<Scalar>>(&values_);
    if (values == nullptr) {
      throw collapse::FileError(name,
                                "holds another type of number than the file before; rows that are looked at "
                                "together are of one type");
    }
    cols_ = block.cols();
    values->resize(static_cast<std::size_t>((rows_ + block.rows()) * cols_));
    Eigen::Map<Matrix<Scalar>>(values->data() + rows_ * cols_, block.rows(), cols_) = block;
    rows_ += block.rows();
  }

  /// body(rows), an Eigen matrix; of float and without rows when there are none.
  template <class Body>
  decltype(auto) visit(Body&& body) const {
    return std::visit(
        [&]<class Scalar>(const std::vector<Scalar>& values) {
          return body(Eigen::Map<const Matrix<Scalar>>(values.data(), rows_, cols_));
        },
        values_);
  }

  [[nodiscard]] Eigen::Index rows() const { return rows_; }

 private:
  template <class Scalar>
  using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  std::variant<std::vector<float>, std::vector<double>, std::vector<Eigen::half>, std::vector<Eigen::bfloat16>> values_;
  Eigen::Index rows_ = 0;
  Eigen::Index cols_ = 0;
};

}  // namespace command_line
