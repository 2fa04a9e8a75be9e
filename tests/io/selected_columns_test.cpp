#include <collapse/io/selected_columns.hpp>

#include <collapse/io/npy.hpp>
#include <collapse/io/text.hpp>

#include "support/blocks.hpp"
#include "support/catch.hpp"
#include "support/npy_bytes.hpp"
#include "support/temporary_folder.hpp"

#include <Eigen/Core>

#include <bit>
#include <vector>

using collapse::io::NpyFile;
using collapse::io::RowBlocks;
using collapse::io::SelectedColumns;
using collapse::io::TextFile;
using collapse::test::block_sizes;
using collapse::test::blocks_of;
using collapse::test::same_values;
using collapse::test::TemporaryFolder;

static_assert(RowBlocks<SelectedColumns<NpyFile>> && RowBlocks<SelectedColumns<TextFile>>);

TEST_CASE("some columns of an input are those columns in any block size and scalar", "[columns]") {
  const TemporaryFolder folder;
  const Eigen::MatrixXd all = collapse::test::numbered(23, 5);
  const std::vector<Eigen::Index> columns{0, 3, 4};
  Eigen::MatrixXd expected(23, 3);
  expected << all.col(0), all.col(3), all.col(4);
  collapse::test::NpyBytes bytes;
  bytes.shape = "(23, 5)";
  bytes.descr = std::endian::native == std::endian::little ? "'<f2'" : "'>f2'";
  std::vector<Eigen::half> values;
  for (Eigen::Index i = 0; i < all.size(); ++i) values.push_back(static_cast<Eigen::half>(all(i / 5, i % 5)));
  bytes.data = collapse::test::bytes_of(values, false);
  NpyFile file(folder.write("Z.npy", bytes.str()));
  SelectedColumns some(file, columns);
  CHECK(some.cols() == 3);
  CHECK(some.known_rows() == 23);
  for (const Eigen::Index rows : {1, 7, 23, 100}) {
    const auto blocks = blocks_of(some, rows);
    CHECK(same_values(blocks.values, expected));
    CHECK(blocks.rows == block_sizes(23, rows));
    CHECK(blocks.scalar_size == 2);
  }
}
