#include "on_demand.hpp"

#include "layers.hpp"

#include <collapse/error.hpp>
#include <collapse/isotropy.hpp>
#include <collapse/streams/paired_accumulator.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>

namespace command_line {

collapse::Isotropy isotropy(const AllRows& rows, const collapse::Options& options) {
  return rows.visit([&options](const auto& z) { return collapse::isotropy(z, options); });
}

collapse::Neighbourhood neighbourhood(const AllRows& rows, const collapse::NeighbourhoodOptions& options) {
  return rows.visit([&options](const auto& z) { return collapse::neighbourhood(z, options); });
}

collapse::LayerProfile profile_files(const std::vector<std::string>& paths, Format format, const std::string& tensor,
                                     const collapse::LayerProfileOptions& options) {
  const std::vector<std::string> names = layer_names(paths);
  collapse::LayerProfile profile;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    Source source = Source::open(paths[i], format, tensor);
    AllRows rows;
    source.for_each_block(1024, [&](const auto& block) { rows.add(block, source.name()); });
    rows.visit([&](const auto& activations) {
      try {
        collapse::add_layer(profile, names[i], activations, options);
      } catch (const collapse::NonFiniteError& error) {
        throw non_finite(source.name(), error.row(), error.col(),
                         static_cast<double>(activations(error.row(), error.col())));
      } catch (const collapse::Error& error) {
        throw collapse::FileError(source.name(), error.what());
      }
    });
  }
  return profile;
}

namespace {

/// Adds pairs; a value that is none is named by its file and its row there.
template <class A, class B>
void update(collapse::PairedAccumulator& seen, const A& a, const B& b, const std::string& path_a,
            const std::string& path_b, Eigen::Index first) {
  try {
    seen.update(a, b);
  } catch (const collapse::NonFiniteError& error) {
    const Eigen::Index row = error.row();
    const Eigen::Index col = error.col();
    const bool in_a = col < a.cols() && !std::isfinite(static_cast<double>(a(row, col)));
    throw non_finite(in_a ? path_a : path_b, first + row, col,
                     in_a ? static_cast<double>(a(row, col)) : static_cast<double>(b(row, col)));
  }
}

}  // namespace

collapse::Comparison compare_files(const std::string& path_a, const std::string& path_b, Format format,
                                   const std::string& tensor, const collapse::Options& options) {
  Source source_a = Source::open(path_a, format, tensor);
  Source source_b = Source::open(path_b, format, tensor);
  AllRows rows_a;
  source_a.for_each_block(1024, [&](const auto& block) { rows_a.add(block, source_a.name()); });
  const auto require_as_many = [&](Eigen::Index rows_b) {
    if (rows_b == rows_a.rows()) return;
    throw collapse::FileError(
        path_b, fmt::format("has {} rows, {} has {}; row i of both is one sample", rows_b, path_a, rows_a.rows()));
  };
  if (const auto known = source_b.known_rows()) require_as_many(*known);
  collapse::PairedAccumulator seen(std::max<Eigen::Index>(source_a.cols(), 1),
                                   std::max<Eigen::Index>(source_b.cols(), 1), options);
  Eigen::Index first = 0;
  source_b.for_each_block(1024, [&]<class Scalar>(const collapse::io::RowBlock<Scalar>& b) {
    if (first + b.rows() <= rows_a.rows()) {
      rows_a.visit([&]<class Rows>(const Rows& all) {
        if constexpr (std::same_as<typename Rows::Scalar, Scalar>) {
          update(seen, all.middleRows(first, b.rows()), b, path_a, path_b, first);
        } else {
          throw collapse::FileError(path_b,
                                    fmt::format("holds another type of number than {}; save both views alike", path_a));
        }
      });
    }
    first += b.rows();
  });
  require_as_many(first);
  if (seen.count() < 2) {
    throw collapse::FileError(path_a,
                              fmt::format("has {} usable pairs with {}; give at least 2", seen.count(), path_b));
  }
  return seen.report();
}

}  // namespace command_line
