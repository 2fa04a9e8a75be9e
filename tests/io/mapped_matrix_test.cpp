#include <collapse/io/mapped_matrix.hpp>

#include "support/blocks.hpp"
#include "support/catch.hpp"
#include "support/npy_bytes.hpp"
#include "support/temporary_folder.hpp"

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using collapse::io::MappedFile;
using collapse::io::ScalarType;
using collapse::io::detail::MappedMatrix;
using collapse::io::detail::matrix_bytes;
using collapse::io::detail::MatrixLayout;
using collapse::io::detail::not_a_matrix;
using collapse::test::bytes_of;
using collapse::test::same_values;
using collapse::test::TemporaryFolder;

namespace {

Eigen::MatrixXd values_of(const MappedMatrix& matrix) {
  return matrix.visit<Eigen::half, Eigen::bfloat16, float, double>(
      [](const auto& Z) -> Eigen::MatrixXd { return Z.template cast<double>(); });
}

}  // namespace

TEST_CASE("the bytes of a matrix are counted or found too many", "[mapped_matrix]") {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<Eigen::Index>::max());
  CHECK(matrix_bytes(2, 3, 4) == 24U);
  CHECK(matrix_bytes(0, most, 8) == 0U);
  CHECK(matrix_bytes(most, 0, 8) == 0U);
  CHECK(matrix_bytes(most / 8, 1, 8) == most / 8 * 8);
  CHECK_FALSE(matrix_bytes(most / 8 + 1, 1, 8));
  CHECK_FALSE(matrix_bytes(most + 1, 0, 2));
  CHECK_FALSE(matrix_bytes(0, most + 1, 2));
  CHECK_FALSE(matrix_bytes(std::uint64_t{1} << 32, std::uint64_t{1} << 32, 2));
}

TEST_CASE("a shape that is not that of a matrix is refused with how to reshape it", "[mapped_matrix]") {
  CHECK(not_a_matrix("(6,)", 1) ==
        "has shape (6,), embeddings are 2-D (samples, dims); save it as Z.reshape(-1, D), or np.stack the rows");
  CHECK(not_a_matrix("(1, 2, 3)", 3) ==
        "has shape (1, 2, 3), embeddings are 2-D (samples, dims); save it as Z.reshape(-1, Z.shape[-1]), or as "
        "Z.reshape(len(Z), -1)");
}

TEST_CASE("a matrix within a file is read in every layout", "[mapped_matrix]") {
  Eigen::MatrixXd expected(3, 2);
  expected << 1, 4, 2, 5, 3, 6;
  const TemporaryFolder folder;
  for (const bool fortran : {false, true}) {
    for (const bool swapped : {false, true}) {
      for (const std::size_t before : {std::size_t{0}, std::size_t{2}, std::size_t{3}}) {
        std::vector<Eigen::bfloat16> stored;
        for (const int value : fortran ? std::vector{1, 2, 3, 4, 5, 6} : std::vector{1, 4, 2, 5, 3, 6}) {
          stored.push_back(static_cast<Eigen::bfloat16>(static_cast<float>(value)));
        }
        const std::string bytes = std::string(before, '\xff') + bytes_of(stored, swapped) + "\xff";
        const MatrixLayout layout{.scalar = ScalarType::bfloat16,
                                  .swapped = swapped,
                                  .fortran_order = fortran,
                                  .offset = before,
                                  .rows = 3,
                                  .cols = 2};
        const MappedMatrix matrix(MappedFile(folder.write("Z", bytes)), layout);
        INFO("fortran " << fortran << ", swapped " << swapped << ", offset " << before);
        CHECK(matrix.rows() == 3);
        CHECK(matrix.cols() == 2);
        CHECK(matrix.bytes() == 12);
        CHECK(same_values(values_of(matrix), expected));
        Eigen::Index first = 0;
        matrix.for_each_block<Eigen::half, Eigen::bfloat16, float, double>(2, [&](const auto& block) {
          CHECK(same_values(block.template cast<double>(), expected.middleRows(first, block.rows())));
          first += block.rows();
        });
        CHECK(first == 3);
      }
    }
  }
}

TEST_CASE("threads that want the copy of a matrix share one", "[mapped_matrix]") {
  const TemporaryFolder folder;
  std::vector<float> stored(30'000);
  for (std::size_t i = 0; i < stored.size(); ++i) stored[i] = static_cast<float>(i);
  const MatrixLayout layout{.scalar = ScalarType::single_precision, .swapped = true, .rows = 100, .cols = 300};
  const MappedMatrix matrix(MappedFile(folder.write("Z", bytes_of(stored, true))), layout);
  std::vector<const void*> places(4);
  std::vector<float> last(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < places.size(); ++i) {
    threads.emplace_back([&, i] {
      matrix.visit<float>([&](const auto& Z) {
        places[i] = Z.data();
        last[i] = Z(99, 299);
      });
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < places.size(); ++i) {
    CHECK(places[i] == places[0]);
    CHECK(last[i] == 29'999.0F);
  }
}
