#include <collapse/io/raw.hpp>

#include "support/blocks.hpp"
#include "support/catch.hpp"
#include "support/npy_bytes.hpp"
#include "support/temporary_folder.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#if __has_include(<sys/mman.h>)
#include <unistd.h>
#endif

using collapse::Error;
using collapse::FileError;
using collapse::OptionError;
using collapse::io::RawStream;
using collapse::test::block_sizes;
using collapse::test::Blocks;
using collapse::test::blocks_of;
using collapse::test::bytes_of;
using collapse::test::row_bytes;
using collapse::test::same_values;
using collapse::test::TemporaryFolder;

namespace {

constexpr Eigen::Index rows = 23;
constexpr Eigen::Index cols = 5;
constexpr bool swapped = std::endian::native == std::endian::big;
const Eigen::MatrixXd expected = collapse::test::numbered(rows, cols);

struct Closer {
  void operator()(std::FILE* stream) const { std::fclose(stream); }
};
using Stream = std::unique_ptr<std::FILE, Closer>;

Stream open(const std::filesystem::path& path) { return Stream(std::fopen(path.string().c_str(), "rb")); }

struct Type {
  std::string name;
  int size;
  std::string data;
};

std::vector<Type> types() {
  return {{"f2", 2, row_bytes<Eigen::half>(expected)},
          {"bf16", 2, row_bytes<Eigen::bfloat16>(expected)},
          {"f4", 4, row_bytes<float>(expected)},
          {"f8", 8, row_bytes<double>(expected)}};
}

template <class Thrown, class Action>
std::string message_of(Action&& action) {
  try {
    action();
  } catch (const Thrown& error) {
    const std::string message = error.what();
    CHECK(message.find('\n') == std::string::npos);
    return message;
  }
  return "no error";
}

/// How reading `bytes` ends.
std::string end_of(const std::string& bytes, Eigen::Index dims, const std::string& dtype, Eigen::Index block_rows) {
  const TemporaryFolder folder;
  const Stream stream = open(folder.write("Z", bytes));
  RawStream raw(stream.get(), dims, dtype);
  return message_of<FileError>([&] { static_cast<void>(blocks_of(raw, block_rows)); });
}

}  // namespace

static_assert(!std::is_copy_constructible_v<RawStream> && std::is_move_constructible_v<RawStream>);

TEST_CASE("rows of every dtype are read from a stream in blocks of any size", "[raw]") {
  const TemporaryFolder folder;
  for (const Type& type : types()) {
    const std::filesystem::path path = folder.write("Z", type.data);
    for (const Eigen::Index block_rows :
         {Eigen::Index{1}, Eigen::Index{7}, rows, rows + 1, std::numeric_limits<Eigen::Index>::max()}) {
      INFO(type.name << ", blocks of " << block_rows);
      const Stream stream = open(path);
      RawStream raw(stream.get(), cols, type.name, "Z");
      CHECK(raw.cols() == cols);
      CHECK_FALSE(raw.known_rows());
      CHECK(raw.dtype() == type.name);
      CHECK(raw.path() == "Z");
      const Blocks blocks = blocks_of(raw, block_rows);
      CHECK(same_values(blocks.values, expected));
      CHECK(blocks.rows == block_sizes(rows, block_rows));
      CHECK(blocks.scalar_size == type.size);
    }
  }
}

TEST_CASE("bf16 and f2 read the same bytes as different numbers", "[raw]") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.write("Z", bytes_of(std::vector<std::uint16_t>{0x3f80}, swapped));
  const auto value = [&](const std::string& dtype) {
    const Stream stream = open(path);
    RawStream raw(stream.get(), 1, dtype);
    return blocks_of(raw, 1).values(0, 0);
  };
  CHECK(value("bf16") == 1.0);
  CHECK(value("f2") == 1.875);
}

TEST_CASE("a block that outgrows the first buffer is read whole", "[raw]") {
  constexpr std::size_t count = 700'001;  // 2.8 MB, and no multiple of any power of two
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i);
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.write("Z", bytes_of(values, swapped));
  for (const Eigen::Index block_rows : {Eigen::Index{300'000}, Eigen::Index{1'000'000}}) {
    const Stream stream = open(path);
    RawStream raw(stream.get(), 1, "f4");
    Eigen::Index seen = 0;
    bool same = true;
    raw.for_each_block(block_rows, [&](const auto& block) {
      for (Eigen::Index i = 0; i < block.rows(); ++i, ++seen) {
        same = same && static_cast<double>(block(i, 0)) == static_cast<double>(seen);
      }
    });
    CHECK(same);
    CHECK(seen == static_cast<Eigen::Index>(count));
  }
}

TEST_CASE("an empty stream has no blocks", "[raw]") {
  CHECK(end_of("", 3, "f4", 2) == "no error");
  const TemporaryFolder folder;
  const Stream stream = open(folder.write("Z", ""));
  RawStream raw(stream.get(), 3, "f4");
  CHECK(blocks_of(raw, 2).rows.empty());
}

TEST_CASE("a stream that ends within a row is refused with what is left over", "[raw]") {
  for (std::size_t left_over = 1; left_over < 12; ++left_over) {
    for (const Eigen::Index block_rows : {1, 2, 3, 100}) {
      INFO(left_over << " bytes, blocks of " << block_rows);
      CHECK(end_of(std::string(36 + left_over, '\0'), 3, "f4", block_rows) ==
            "standard input: ends within a row: " + std::to_string(left_over) +
                " bytes are left over after 3 rows of 12 bytes; check dims (3) and dtype (f4), or write it again");
    }
  }
  CHECK(end_of("x", 1, "bf16", 1).find("1 bytes are left over after 0 rows of 2 bytes") != std::string::npos);
}

TEST_CASE("dims and dtypes that make no row are refused", "[raw]") {
  const auto refusal = [](Eigen::Index dims, const std::string& dtype) {
    return message_of<OptionError>([&] { const RawStream raw(nullptr, dims, dtype); });
  };
  CHECK(refusal(0, "f4").find("asked for 0 (dims)") != std::string::npos);
  CHECK(refusal(-1, "f4").find("asked for -1 (dims)") != std::string::npos);
  CHECK(refusal(std::numeric_limits<Eigen::Index>::max(), "f2").find("(dims)") != std::string::npos);
  for (const std::string dtype : {"", "f", "f16", "F32", "<f4", "float32", "i4", "f4 "}) {
    CHECK(refusal(3, dtype) == "the dtype must be f2, f4, f8 or bf16, asked for '" + dtype + "'");
  }
}

TEST_CASE("a stream is read once and blocks have rows", "[raw]") {
  const TemporaryFolder folder;
  const Stream stream = open(folder.write("Z", std::string(24, '\0')));
  RawStream raw(stream.get(), 3, "f4");
  CHECK_THROWS_AS(raw.for_each_block(0, [](const auto&) {}), OptionError);
  RawStream moved(std::move(raw));
  CHECK(blocks_of(moved, 1).rows.size() == 2);
  CHECK(message_of<FileError>([&] { static_cast<void>(blocks_of(moved, 1)); }).find("was read before") !=
        std::string::npos);
}

TEST_CASE("a stream that cannot be read is refused with the system's reason", "[raw]") {
  const TemporaryFolder folder;
  const Stream stream(std::fopen((folder / "out").string().c_str(), "wb"));
  RawStream raw(stream.get(), 3, "f4");
  CHECK(message_of<FileError>([&] { static_cast<void>(blocks_of(raw, 1)); }).find("standard input: cannot read: ") ==
        0);
}

#if __has_include(<sys/mman.h>)

TEST_CASE("rows that trickle through a pipe are put together", "[raw]") {
  int ends[2] = {-1, -1};
  REQUIRE(::pipe(ends) == 0);
  const Stream stream(::fdopen(ends[0], "rb"));
  const std::string data = row_bytes<float>(expected);
  std::thread writer([&] {
    std::size_t sent = 0;
    for (std::size_t piece = 1; sent < data.size(); piece = piece % 13 + 1) {
      const ::ssize_t written = ::write(ends[1], data.data() + sent, std::min(piece, data.size() - sent));
      if (written < 0) break;
      sent += static_cast<std::size_t>(written);
      if (piece == 3) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ::close(ends[1]);
  });
  RawStream raw(stream.get(), cols, "f4");
  const Blocks blocks = blocks_of(raw, 7);
  writer.join();
  CHECK(same_values(blocks.values, expected));
  CHECK(blocks.rows == block_sizes(rows, 7));
}

#endif
