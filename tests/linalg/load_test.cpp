#include "support/catch.hpp"
#include "support/reference_statistics.hpp"

#include <collapse/linalg/load.hpp>

#include <cstdint>
#include <vector>

using namespace collapse;
using linalg::Index;
using linalg::Panel;
using reference::Dense;

TEMPLATE_TEST_CASE("load copies any block of any layout, either way up", "[load]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  const Dense<TestType> z = reference::gaussian<TestType>(21, 19);
  reference::in_every_layout(z, [&](const std::string& layout, const linalg::MatrixView<TestType>& view) {
    CAPTURE(layout);
    for (const Index first_row : {0, 3}) {
      for (const Index first_col : {0, 2}) {
        for (const Index rows : {1, 7, 8, 9, 16, 18}) {
          for (const Index cols : {1, 7, 8, 9, 16, 17}) {
            Panel panel(rows, cols);
            linalg::load(view, linalg::RowSelection{}, first_row, first_col, panel.view(rows, cols));
            Panel upright(cols, rows);
            linalg::load_transposed(view, linalg::RowSelection{}, first_row, first_col, upright.view(cols, rows));
            bool right = true;
            for (Index i = 0; i < rows; ++i) {
              for (Index j = 0; j < cols; ++j) {
                const auto expected = static_cast<double>(reference::widen(z(first_row + i, first_col + j)));
                right = right && panel.view(rows, cols).row(i)[j] == expected &&
                        upright.view(cols, rows).row(j)[i] == expected;
              }
            }
            CAPTURE(first_row, first_col, rows, cols);
            REQUIRE(right);
          }
        }
      }
    }
  });
}

TEST_CASE("load takes the listed rows in their order", "[load]") {
  const Dense<float> z = reference::gaussian<float>(30, 11);
  const std::vector<Index> listed{0, 2, 3, 9, 10, 11, 17, 18, 20, 22, 29};
  const linalg::RowSelection selection{&listed};
  reference::in_every_layout(z, [&](const std::string& layout, const linalg::MatrixView<float>& view) {
    CAPTURE(layout);
    Panel panel(9, 10);
    linalg::load(view, selection, 2, 1, panel.view(9, 10));
    Panel upright(10, 9);
    linalg::load_transposed(view, selection, 2, 1, upright.view(10, 9));
    for (Index i = 0; i < 9; ++i) {
      for (Index j = 0; j < 10; ++j) {
        const auto expected = static_cast<double>(z(listed[static_cast<std::size_t>(i + 2)], j + 1));
        REQUIRE(panel.view(9, 10).row(i)[j] == expected);
        REQUIRE(upright.view(10, 9).row(j)[i] == expected);
      }
    }
  });
}

TEST_CASE("load writes nothing outside its block", "[load]") {
  const Dense<float> z = reference::gaussian<float>(12, 20);
  reference::in_every_layout(z, [&](const std::string& layout, const linalg::MatrixView<float>& view) {
    CAPTURE(layout);
    Panel panel(8, 24);
    linalg::RowsView::Matrix all = panel.view(8, 24).matrix();
    all.setConstant(-77.0);
    linalg::load(view, linalg::RowSelection{}, 0, 0, panel.rows(2, 3, 13));
    CHECK((all.array() == -77.0).count() == 8 * 24 - 3 * 13);
    all.setConstant(-77.0);
    linalg::load_transposed(view, linalg::RowSelection{}, 0, 0, panel.rows(2, 3, 11));
    CHECK((all.array() == -77.0).count() == 8 * 24 - 3 * 11);
  });
}

TEST_CASE("the rows of a panel do not fall on the same cache sets", "[load]") {
  for (const Index cols : {1, 7, 8, 9, 63, 64, 65, 256, 512, 768, 1024, 4096}) {
    CAPTURE(cols);
    Panel panel(4, cols);
    const Index stride = panel.view(4, cols).stride();
    CHECK(stride >= cols);
    CHECK(stride % 8 == 0);
    CHECK(stride % 64 != 0);
    panel.view(4, cols).matrix().setConstant(1.0);
    panel.rows(3, 1, cols).matrix().setConstant(2.0);
    CHECK(panel.view(4, cols).matrix().sum() == static_cast<double>(5 * cols));
    CHECK(panel.rows(3, 1, cols).data() == panel.view(4, cols).data() + 3 * stride);
  }
}
