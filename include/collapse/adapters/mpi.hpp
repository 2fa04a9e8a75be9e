#pragma once

// The deprecated C++ bindings of old MPI libraries are not needed.
#ifndef OMPI_SKIP_MPICXX
#define OMPI_SKIP_MPICXX 1
#endif
#ifndef MPICH_SKIP_MPICXX
#define MPICH_SKIP_MPICXX 1
#endif

#include <collapse/accumulator.hpp>
#include <collapse/error.hpp>
#include <collapse/streams/needs_rows.hpp>

#include <mpi.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// Accumulators of many processes merged into one. Every rank feeds its own and then calls the same function, as with
/// any collective operation of MPI.
namespace collapse::mpi {

namespace detail {

inline void check(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw Error(fmt::format("MPI: {} failed: {}", what, std::string(text.data(), static_cast<std::size_t>(length))));
}

/// What must be known of every rank before memory is taken.
struct Summary {
  std::int64_t dims;
  std::int64_t rows;
  std::int64_t pair_rows;
  std::int64_t holds_all;
  std::int64_t root;
};

/// A state in a buffer of a fixed size: how many words it has (0: it could not be made), then they.
class Buffer {
 public:
  explicit Buffer(std::size_t words) : words_(words + 1) {}

  static void put(std::span<std::uint64_t> buffer, const Accumulator& accumulator) {
    const std::vector<std::uint64_t> words = collapse::streams::StateWords::write(accumulator);
    if (words.size() >= buffer.size()) throw std::length_error("a state is larger than foretold");
    std::copy(words.begin(), words.end(), buffer.begin() + 1);
    buffer[0] = words.size();
  }
  [[nodiscard]] static Accumulator get(std::span<const std::uint64_t> buffer) {
    return collapse::streams::StateWords::read(buffer.subspan(1, static_cast<std::size_t>(buffer[0])));
  }

  [[nodiscard]] std::span<std::uint64_t> all() { return words_; }

 private:
  std::vector<std::uint64_t> words_;
};

/// The MPI_Op: inout = in merged with inout. No exception may pass through MPI; the result is marked instead.
inline void merge_states(void* in, void* inout, int* count, MPI_Datatype* type) {
  MPI_Count bytes = 0;
  MPI_Type_size_x(*type, &bytes);
  const std::size_t words = static_cast<std::size_t>(bytes) / sizeof(std::uint64_t);
  for (std::size_t i = 0; i < static_cast<std::size_t>(*count); ++i) {
    const std::span<const std::uint64_t> left(static_cast<const std::uint64_t*>(in) + i * words, words);
    const std::span<std::uint64_t> right(static_cast<std::uint64_t*>(inout) + i * words, words);
    if (left[0] == 0) right[0] = 0;
    if (right[0] == 0) continue;
    try {
      Accumulator merged = Buffer::get(left);
      merged.merge(Buffer::get(right));
      Buffer::put(right, merged);
    } catch (...) {
      right[0] = 0;
    }
  }
}

/// Owns what MPI hands out.
struct Operation {
  explicit Operation(std::size_t words) {
    check(MPI_Type_contiguous(static_cast<int>(words), MPI_UINT64_T, &type), "MPI_Type_contiguous");
    check(MPI_Type_commit(&type), "MPI_Type_commit");
    // Not commutative: ranks are merged in their order, so that the result is the same each time.
    check(MPI_Op_create(&merge_states, 0, &op), "MPI_Op_create");
  }
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  ~Operation() {
    if (op != MPI_OP_NULL) MPI_Op_free(&op);
    if (type != MPI_DATATYPE_NULL) MPI_Type_free(&type);
  }

  MPI_Datatype type = MPI_DATATYPE_NULL;
  MPI_Op op = MPI_OP_NULL;
};

/// Every rank finds the same fault and throws the same error, so that none waits for another.
inline void require_alike(const std::vector<Summary>& ranks) {
  const auto differs = [&ranks](auto member) {
    return std::find_if(ranks.begin(), ranks.end(),
                        [&](const Summary& rank) { return rank.*member != ranks.front().*member; });
  };
  if (const auto other = differs(&Summary::dims); other != ranks.end()) {
    throw ShapeError(
        fmt::format("accumulators of different ranks must have the same dimensions: rank 0 has {}, rank {} "
                    "has {} ({} rows)",
                    ranks.front().dims, other - ranks.begin(), other->dims, other->rows),
        other->rows, other->dims);
  }
  if (const auto other = differs(&Summary::root); other != ranks.end()) {
    throw OptionError(fmt::format("ranks must name the same root: rank 0 names {}, rank {} names {}",
                                  ranks.front().root, other - ranks.begin(), other->root));
  }
  for (const auto member : {&Summary::pair_rows, &Summary::holds_all}) {
    const auto other = differs(member);
    if (other == ranks.end()) continue;
    throw OptionError(
        fmt::format("accumulators of different ranks must sample pairs alike: pair_rows = {} on rank 0 and "
                    "{} on rank {}, all rows held (all_pairs, method = svd): {} and {}",
                    ranks.front().pair_rows, other->pair_rows, other - ranks.begin(), ranks.front().holds_all != 0,
                    other->holds_all != 0));
  }
}

/// Throws on all ranks unless every one of them has succeeded so far.
inline void require_all(bool here, MPI_Comm comm, const char* what) {
  int mine = here ? 1 : 0;
  int all = 0;
  check(MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_MIN, comm), "MPI_Allreduce");
  if (all == 0) throw Error(fmt::format("MPI: {} on {}", what, here ? "another rank" : "this rank"));
}

constexpr int everywhere = std::numeric_limits<int>::min();

/// Into the accumulators of all ranks where root is `everywhere`, into that of root otherwise.
inline void combine(Accumulator& accumulator, int root, MPI_Comm comm) {
  int initialised = 0;
  MPI_Initialized(&initialised);
  if (initialised == 0) throw Error("MPI: MPI_Init has not been called");
  if (comm == MPI_COMM_NULL) throw Error("MPI: the communicator is MPI_COMM_NULL");
  int ranks = 0;
  int rank = 0;
  check(MPI_Comm_size(comm, &ranks), "MPI_Comm_size");
  check(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
  const Options& options = accumulator.options();
  const Summary own{accumulator.dims(), accumulator.count(), options.pair_rows,
                    collapse::streams::needs_rows(options) ? 1 : 0, root};
  constexpr int fields = sizeof(Summary) / sizeof(std::int64_t);
  std::vector<Summary> all(static_cast<std::size_t>(ranks));
  check(MPI_Allgather(&own, fields, MPI_INT64_T, all.data(), fields, MPI_INT64_T, comm), "MPI_Allgather");
  require_alike(all);
  if (root != everywhere && (root < 0 || root >= ranks))
    throw OptionError(fmt::format("root is {}; the communicator has {} ranks", root, ranks));
  Index rows = 0;
  for (const Summary& one : all) rows += one.rows;

  const std::size_t words = Accumulator::most_state_words(accumulator.dims(), options, rows) + 1;
  if (words > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw ShapeError(
        fmt::format("{} rows of {} dimensions that are all held are more than one message can carry; leave "
                    "out all_pairs and method = svd",
                    rows, accumulator.dims()),
        rows, accumulator.dims());
  }
  std::optional<Buffer> mine;
  std::optional<Buffer> result;
  const bool receives = root == everywhere || rank == root;
  bool ready = false;
  try {
    mine.emplace(words - 1);
    if (receives) result.emplace(words - 1);
    Buffer::put(mine->all(), accumulator);
    ready = true;
  } catch (const std::bad_alloc&) {
  }
  require_all(ready, comm, "no memory for the state of an accumulator");

  Operation operation(words);
  std::uint64_t* const to = receives ? result->all().data() : nullptr;
  if (root == everywhere) {
    check(MPI_Allreduce(mine->all().data(), to, 1, operation.type, operation.op, comm), "MPI_Allreduce");
  } else {
    check(MPI_Reduce(mine->all().data(), to, 1, operation.type, operation.op, root, comm), "MPI_Reduce");
  }
  std::optional<Accumulator> total;
  bool merged = true;
  if (receives) {
    try {
      if (result->all()[0] == 0) throw std::bad_alloc();
      // Into an empty one, which keeps the options of this rank.
      total.emplace(accumulator.dims(), options).merge(Buffer::get(result->all()));
    } catch (const std::bad_alloc&) {
      merged = false;
    }
  }
  require_all(merged, comm, "no memory to merge accumulators");
  if (receives) accumulator = std::move(*total);
}

}  // namespace detail

/// Merges the accumulators of all ranks; afterwards each holds all rows, and the same numbers.
///
/// @param accumulator  any number of rows, also none; every rank's must have the same dims and sample pairs alike
/// @param comm         an intra-communicator; every rank of it must call this
/// @throws on every rank, never on some of them: ShapeError when dims differ, OptionError when pair_rows differ or
///         whether an accumulator holds all rows, Error when memory or MPI fails. No accumulator has changed then
/// Cost: messages of O(D^2 + pair_rows D) words, log2(ranks) of them one after the other; three times that in memory.
inline void all_reduce(Accumulator& accumulator, MPI_Comm comm) {
  detail::combine(accumulator, detail::everywhere, comm);
}

/// Merges the accumulators of all ranks into that of rank `root`; the others stay as they are.
///
/// @param accumulator  as of `all_reduce`
/// @param root         the rank that receives the sum, 0 <= root < ranks; the same on all ranks
/// @param comm         as of `all_reduce`
/// @throws OptionError on every rank when roots differ or no such rank exists; else as `all_reduce`
/// Cost: that of `all_reduce`.
inline void reduce(Accumulator& accumulator, int root, MPI_Comm comm) {
  // Not refused here, where the other ranks would wait for this one.
  detail::combine(accumulator, root == detail::everywhere ? -1 : root, comm);
}

}  // namespace collapse::mpi
