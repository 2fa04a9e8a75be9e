// Run by every rank. Prints what is wrong and ends with 1 where something is; a hang is found by the test's time limit.

#include <collapse/adapters/mpi.hpp>
#include <collapse/measure.hpp>

#include "support/reference_statistics.hpp"
#include "support/report_numbers.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <exception>
#include <string>

using namespace collapse;
using reference::numbers;
using reference::Random;
using reference::RowMajor;

namespace {

constexpr Index dims = 24;
const Options few{.method = SpectrumMethod::gram, .pair_rows = 64};

int rank = 0;
int ranks = 0;
int failures = 0;

void check(bool holds, const std::string& what) {
  if (holds) return;
  ++failures;
  fmt::print(stderr, "rank {} of {}: {}\n", rank, ranks, what);
}

RowMajor<float> rows_around(Index rows, double noise) {
  Random random(7);
  RowMajor<float> z(rows, dims);
  for (Index i = 0; i < z.size(); ++i) z.data()[i] = static_cast<float>(1.0 + noise * random.normal());
  return z;
}

/// The rows of this rank; those of rank 1 are none when it is `idle`.
RowMajor<float> share(const RowMajor<float>& z, bool idle) {
  const Index parts = idle && ranks > 1 ? ranks - 1 : ranks;
  const Index part = idle && rank > 1 ? rank - 1 : rank;
  if (idle && rank == 1) return RowMajor<float>(0, dims);
  return z.middleRows(part * z.rows() / parts, (part + 1) * z.rows() / parts - part * z.rows() / parts);
}

void check_close(const Report& report, const Report& expected, bool pairs, const std::string& what) {
  // What comes from the sample of rows depends on how the rows are split.
  const auto kept = [](reference::Numbers all) {
    std::erase_if(all, [](const auto& number) {
      for (const char* start :
           {"variance.largest_point", "variance.duplicate_rows", "variance.crowded", "norms.outlier"}) {
        if (number.first.rfind(start, 0) == 0) return true;
      }
      return false;
    });
    return all;
  };
  const reference::Numbers left = kept(numbers(report));
  const reference::Numbers right = kept(numbers(expected));
  for (std::size_t i = 0; i < right.size(); ++i) {
    const auto& [name, wanted] = right[i];
    const bool of_pairs = name.rfind("cosine.", 0) == 0 && name != "cosine.mean" && name != "cosine.std";
    if ((of_pairs && !pairs) || name.rfind("finding ", 0) == 0 || name.find("singular_values") != std::string::npos) {
      continue;
    }
    const double found = left[i].second;
    const bool close = found == wanted || (std::isnan(found) && std::isnan(wanted)) ||
                       std::abs(found - wanted) <= 1e-10 * std::abs(wanted);
    check(close, fmt::format("{}: {} is {}, expected {}", what, name, found, wanted));
  }
}

void ranks_equal_one_process() {
  Options all = few;
  all.all_pairs = true;
  for (const double noise : {1.0, 1e-3, 1e-6}) {
    // Few enough to be held, folded on no rank but in all, folded on every rank.
    for (const Index rows : {Index{50}, Index{150}, Index{5200}}) {
      const RowMajor<float> z = rows_around(rows, noise);
      for (const bool idle : {false, true}) {
        for (const Options& options : {few, all}) {
          if (options.all_pairs && rows > 1000) continue;
          const std::string what = fmt::format("noise {}, {} rows{}{}", noise, rows, idle ? ", an idle rank" : "",
                                               options.all_pairs ? ", all" : "");
          const bool exact = options.all_pairs || rows <= options.pair_rows;
          const Report expected = measure(z, options);
          Accumulator seen(dims, options);
          seen.update(share(z, idle));
          const Accumulator own = seen;
          mpi::all_reduce(seen, MPI_COMM_WORLD);
          check(seen.count() == rows, what + ": count");
          check_close(seen.report(), expected, exact, what);

          Accumulator rooted = own;
          const int root = ranks - 1;
          mpi::reduce(rooted, root, MPI_COMM_WORLD);
          if (rank == root) {
            // Not the same bits: MPI may merge in another order.
            check(rooted.count() == rows, what + ": count at the root");
            check_close(rooted.report(), expected, exact, what + ", reduce");
          } else {
            check(rooted.count() == own.count(), what + ": reduce changed another rank");
          }
        }
      }
    }
  }
}

void all_ranks_hold_the_same() {
  Accumulator seen(dims, few);
  seen.update(share(rows_around(5200, 1.0), false));
  mpi::all_reduce(seen, MPI_COMM_WORLD);
  double p50 = seen.report().cosine.p50;
  double first = p50;
  MPI_Bcast(&first, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  check(p50 == first, "the sample differs between ranks");
  check(seen.report().cosine.sampled_rows == few.pair_rows, "the sample is not full");
}

/// The error of a call that every rank must refuse alike.
template <class Expected, class Call>
void check_refused(Call&& call, const std::string& what) {
  bool refused = false;
  try {
    call();
  } catch (const std::exception& error) {
    refused = dynamic_cast<const Expected*>(&error) != nullptr;
    check(refused, what + ": " + error.what());
  }
  check(refused, what + " was not refused");
}

void what_does_not_fit_is_refused_by_all() {
  Accumulator odd(rank == ranks - 1 ? dims + 1 : dims, few);
  check_refused<ShapeError>([&] { mpi::all_reduce(odd, MPI_COMM_WORLD); }, "mismatched dims");
  check_refused<ShapeError>([&] { mpi::reduce(odd, 0, MPI_COMM_WORLD); }, "mismatched dims in reduce");
  Accumulator other(dims, {.pair_rows = rank == 0 ? 5 : 6});
  check_refused<OptionError>([&] { mpi::all_reduce(other, MPI_COMM_WORLD); }, "mismatched pair_rows");
  Accumulator seen(dims, few);
  check_refused<OptionError>([&] { mpi::reduce(seen, rank == 0 ? 1 : 0, MPI_COMM_WORLD); }, "different roots");
  check_refused<OptionError>([&] { mpi::reduce(seen, ranks, MPI_COMM_WORLD); }, "a root beyond the ranks");
  check_refused<OptionError>([&] { mpi::reduce(seen, -1, MPI_COMM_WORLD); }, "a negative root");
  check_refused<Error>([&] { mpi::all_reduce(seen, MPI_COMM_NULL); }, "no communicator");
}

void moments_travel_too() {
  const RowMajor<float> z = rows_around(900, 1.0);
  Accumulator seen(dims, few);
  seen.update(share(z, false));
  if (rank == 0) {
    const MomentState state = seen.state();
    seen = Accumulator::from_moments(state.count, state.mean, state.scatter, few, state.input_epsilon);
  }
  mpi::all_reduce(seen, MPI_COMM_WORLD);
  const Report expected = measure(z, few);
  check(seen.count() == 900, "moments: count");
  check(std::abs(seen.report().variance.total / expected.variance.total - 1.0) < 1e-12, "moments: variance");
  check(std::isnan(seen.report().cosine.mean), "moments: cosines cannot be known");
}

void nothing_at_all() {
  Accumulator seen(dims, few);
  mpi::all_reduce(seen, MPI_COMM_WORLD);
  check(seen.count() == 0, "rows out of nothing");
}

}  // namespace

int main(int argc, char** argv) {
  check_refused<Error>(
      [] {
        Accumulator early(dims, few);
        mpi::all_reduce(early, MPI_COMM_WORLD);
      },
      "a call before MPI_Init");
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  ranks_equal_one_process();
  all_ranks_hold_the_same();
  if (ranks > 1) what_does_not_fit_is_refused_by_all();
  moments_travel_too();
  nothing_at_all();
  int all = 0;
  MPI_Allreduce(&failures, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  MPI_Finalize();
  return all == 0 ? 0 : 1;
}
