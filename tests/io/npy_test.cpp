#include <collapse/io/npy.hpp>

#include "support/blocks.hpp"
#include "support/catch.hpp"
#include "support/mentions.hpp"
#include "support/npy_bytes.hpp"
#include "support/resident_memory.hpp"
#include "support/temporary_folder.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

using collapse::FileError;
using collapse::OptionError;
using collapse::io::NpyFile;
using collapse::test::block_sizes;
using collapse::test::Blocks;
using collapse::test::blocks_of;
using collapse::test::bytes_of;
using collapse::test::mentions;
using collapse::test::NpyBytes;
using collapse::test::same_values;
using collapse::test::TemporaryFolder;

namespace {

// 2 x 3, rows (1, 2, 3) and (-4, 0.5, 1024): all exact in float16.
const std::vector<double> c_order{1, 2, 3, -4, 0.5, 1024};
const std::vector<double> fortran_order{1, -4, 2, 0.5, 3, 1024};

template <class Scalar>
std::string data_of(const std::vector<double>& values, bool swapped) {
  std::vector<Scalar> scalars;
  for (const double value : values) scalars.push_back(static_cast<Scalar>(value));
  return bytes_of(scalars, swapped);
}

std::string data_of(int size, const std::vector<double>& values, bool swapped) {
  switch (size) {
    case 2: return data_of<Eigen::half>(values, swapped);
    case 4: return data_of<float>(values, swapped);
    default: return data_of<double>(values, swapped);
  }
}

constexpr bool is_little_endian = std::endian::native == std::endian::little;

Eigen::MatrixXd values_of(const NpyFile& file) {
  return file.visit([](const auto& Z) -> Eigen::MatrixXd { return Z.template cast<double>(); });
}

Eigen::MatrixXd expected_values() {
  Eigen::MatrixXd expected(2, 3);
  expected << 1, 2, 3, -4, 0.5, 1024;
  return expected;
}

std::string refusal(const std::filesystem::path& path) {
  try {
    const NpyFile file(path);
  } catch (const FileError& error) {
    const std::string message = error.what();
    CHECK(error.path() == path.string());
    CHECK(message.rfind(path.string() + ": ", 0) == 0);
    CHECK(message.find('\n') == std::string::npos);
    return message.substr(path.string().size() + 2);
  }
  return "no error";
}

std::string refusal_of(const std::string& bytes) {
  const TemporaryFolder folder;
  return refusal(folder.write("Z.npy", bytes));
}

std::string refusal_of_type(const std::string& descr) {
  NpyBytes bytes;
  bytes.descr = "'" + descr + "'";
  bytes.data = std::string(24, '\0');
  return refusal_of(bytes.str());
}

std::string refusal_of_shape(const std::string& shape, std::size_t data_size = 24) {
  NpyBytes bytes;
  bytes.shape = shape;
  bytes.data = std::string(data_size, '\0');
  return refusal_of(bytes.str());
}

}  // namespace

static_assert(!std::is_copy_constructible_v<NpyFile> && !std::is_copy_assignable_v<NpyFile>);
static_assert(std::is_move_constructible_v<NpyFile> && std::is_move_assignable_v<NpyFile>);

TEST_CASE("float16, float32 and float64 are read in both byte orders and both storage orders", "[npy]") {
  const TemporaryFolder folder;
  for (const int major : {1, 2, 3}) {
    for (const int size : {2, 4, 8}) {
      for (const std::string order : {"<", ">", "=", "|", ""}) {
        for (const bool fortran : {false, true}) {
          const bool swapped = is_little_endian ? order == ">" : order == "<";
          NpyBytes bytes;
          bytes.major = major;
          bytes.descr = "'" + order + "f" + std::to_string(size) + "'";
          bytes.fortran_order = fortran ? "True" : "False";
          bytes.data = data_of(size, fortran ? fortran_order : c_order, swapped);
          INFO("version " << major << ", " << bytes.dictionary());

          const NpyFile file(folder.write("Z.npy", bytes.str()));
          CHECK(file.rows() == 2);
          CHECK(file.cols() == 3);
          CHECK(file.dtype() == order + "f" + std::to_string(size));
          CHECK(file.fortran_order() == fortran);
          CHECK(file.bytes() == static_cast<std::size_t>(6 * size));
          CHECK(file.path() == (folder / "Z.npy").string());
          CHECK(same_values(values_of(file), expected_values()));
#if __has_include(<sys/mman.h>)
          CHECK(file.is_mapped() == !swapped);
#endif
          const std::size_t scalar_size = file.visit([](const auto& Z) { return sizeof(*Z.data()); });
          CHECK(scalar_size == static_cast<std::size_t>(size));
        }
      }
    }
  }
}

TEST_CASE("values that are not aligned for their type are copied and read right", "[npy]") {
  const TemporaryFolder folder;
  for (const int size : {2, 4, 8}) {
    for (std::size_t shift = 0; shift < 8; ++shift) {
      for (const std::string order : {"<", ">"}) {
        NpyBytes bytes;
        bytes.shift = shift;
        bytes.descr = "'" + order + "f" + std::to_string(size) + "'";
        const bool swapped = is_little_endian == (order == ">");
        bytes.data = data_of(size, c_order, swapped);
        INFO("shift " << shift << ", " << bytes.dictionary());
        const NpyFile file(folder.write("Z.npy", bytes.str()));
        CHECK(same_values(values_of(file), expected_values()));
        const bool aligned = file.visit([&](const auto& Z) {
          return reinterpret_cast<std::uintptr_t>(Z.data()) % static_cast<std::uintptr_t>(size) == 0;
        });
        CHECK(aligned);
#if __has_include(<sys/mman.h>)
        CHECK(file.is_mapped() == (!swapped && shift % static_cast<std::size_t>(size) == 0));
#endif
      }
    }
  }
}

TEST_CASE("every bit pattern of a float16 keeps its value in both byte orders", "[npy]") {
  const TemporaryFolder folder;
  std::vector<std::uint16_t> patterns;
  for (unsigned bits = 0; bits < 65536; ++bits) patterns.push_back(static_cast<std::uint16_t>(bits));
  for (const bool swapped : {false, true}) {
    NpyBytes bytes;
    bytes.descr = is_little_endian == swapped ? "'>f2'" : "'<f2'";
    bytes.shape = "(256, 256)";
    bytes.data = bytes_of(patterns, swapped);
    const NpyFile file(folder.write("Z.npy", bytes.str()));
    file.visit([&](const auto& Z) {
      REQUIRE(sizeof(*Z.data()) == 2);
      for (Eigen::Index i = 0; i < 256; ++i) {
        for (Eigen::Index j = 0; j < 256; ++j) {
          std::uint16_t found = 0;
          const auto& value = Z.coeffRef(i, j);
          std::memcpy(&found, &value, 2);
          if (found != 256 * i + j) FAIL("pattern " << 256 * i + j << " became " << found);
        }
      }
    });
  }
}

TEST_CASE("a visitor may return anything, nothing, and may keep state", "[npy]") {
  const TemporaryFolder folder;
  NpyBytes bytes;
  bytes.data = data_of(4, c_order, !is_little_endian);
  const NpyFile file(folder.write("Z.npy", bytes.str()));
  int calls = 0;
  file.visit([&calls](const auto& Z) { calls += static_cast<int>(Z.rows()); });
  CHECK(calls == 2);
  CHECK(file.visit([](const auto& Z) { return std::to_string(Z.cols()); }) == "3");
}

TEST_CASE("a moved file keeps its values in place, mapped or copied", "[npy]") {
  const TemporaryFolder folder;
  for (const std::string order : {"<", ">"}) {
    NpyBytes bytes;
    bytes.descr = "'" + order + "f4'";
    bytes.data = data_of(4, c_order, is_little_endian == (order == ">"));
    const auto place = [](const NpyFile& file) {
      return file.visit([](const auto& Z) { return static_cast<const void*>(Z.data()); });
    };
    NpyFile file(folder.write("Z" + std::string(order == "<" ? "1" : "2"), bytes.str()));
    const void* const before = place(file);
    NpyFile moved(std::move(file));
    CHECK(place(moved) == before);
    CHECK(same_values(values_of(moved), expected_values()));
    NpyBytes other;
    other.shape = "(1, 1)";
    other.data = std::string(4, '\0');
    NpyFile target(folder.write("other", other.str()));
    target = std::move(moved);
    CHECK(place(target) == before);
    CHECK(same_values(values_of(target), expected_values()));
  }
}

TEST_CASE("blocks of any size hold the rows of the whole in both byte and storage orders", "[npy]") {
  constexpr Eigen::Index rows = 23;
  constexpr Eigen::Index cols = 5;
  Eigen::MatrixXd expected(rows, cols);
  for (Eigen::Index i = 0; i < rows; ++i) {
    for (Eigen::Index j = 0; j < cols; ++j) expected(i, j) = static_cast<double>(i * cols + j) / 8.0 - 3.0;
  }
  const Eigen::MatrixXd transposed = expected.transpose();
  const TemporaryFolder folder;
  for (const int size : {2, 4, 8}) {
    for (const bool swapped : {false, true}) {
      for (const bool fortran : {false, true}) {
        for (const std::size_t shift : {std::size_t{0}, std::size_t{1}}) {
          NpyBytes bytes;
          bytes.descr = (is_little_endian == swapped ? "'>f" : "'<f") + std::to_string(size) + "'";
          bytes.fortran_order = fortran ? "True" : "False";
          bytes.shape = "(23, 5)";
          bytes.shift = shift;
          const double* const stored = fortran ? expected.data() : transposed.data();
          bytes.data = data_of(size, std::vector<double>(stored, stored + rows * cols), swapped);
          const NpyFile file(folder.write("Z.npy", bytes.str()));
          CHECK(file.known_rows() == rows);
          for (const Eigen::Index block_rows :
               {Eigen::Index{1}, Eigen::Index{7}, rows, rows + 1, std::numeric_limits<Eigen::Index>::max()}) {
            INFO(bytes.dictionary() << ", shift " << shift << ", blocks of " << block_rows);
            const Blocks blocks = blocks_of(file, block_rows);
            CHECK(same_values(blocks.values, expected));
            CHECK(blocks.rows == block_sizes(rows, block_rows));
            CHECK(blocks.scalar_size == size);
          }
          CHECK(same_values(values_of(file), expected));
        }
      }
    }
  }
}

TEST_CASE("blocks of a file in this machine's byte order lie where the whole does", "[npy]") {
  const TemporaryFolder folder;
  for (const std::string fortran : {"True", "False"}) {
    NpyBytes bytes;
    bytes.fortran_order = fortran;
    bytes.descr = is_little_endian ? "'<f4'" : "'>f4'";
    bytes.data = data_of(4, c_order, false);
    const NpyFile file(folder.write("Z.npy", bytes.str()));
    const void* const second_row = file.visit([](const auto& Z) -> const void* { return &Z.coeffRef(1, 0); });
    const void* last = nullptr;
    file.for_each_block(1, [&](const auto& block) { last = block.data(); });
    CHECK(last == second_row);
  }
}

TEST_CASE("a block of no rows is refused and what the body throws is passed on", "[npy]") {
  const TemporaryFolder folder;
  NpyBytes bytes;
  bytes.data = data_of(4, c_order, !is_little_endian);
  const NpyFile file(folder.write("Z.npy", bytes.str()));
  CHECK_THROWS_AS(file.for_each_block(0, [](const auto&) {}), OptionError);
  CHECK_THROWS_AS(file.for_each_block(-1, [](const auto&) {}), OptionError);
  int calls = 0;
  const auto stop = [&](const auto&) {
    ++calls;
    throw std::runtime_error("enough");
  };
  CHECK_THROWS_AS(file.for_each_block(1, stop), std::runtime_error);
  CHECK(calls == 1);
  CHECK(same_values(blocks_of(file, 1).values, expected_values()));
}

TEST_CASE("a pass over a file keeps little of it in memory and the values stay readable", "[npy]") {
  if (collapse::test::resident_memory() == 0) return;
  const TemporaryFolder folder;
  NpyBytes bytes;
  bytes.shape = "(65536, 256)";  // 64 MiB
  bytes.descr = is_little_endian ? "'<f4'" : "'>f4'";
  const std::filesystem::path path = folder.write("Z.npy", bytes.str());
  const std::size_t before_data = bytes.str().size();
  std::filesystem::resize_file(path, before_data + (std::size_t{1} << 26));
  {
    std::fstream out(path, std::ios::binary | std::ios::in | std::ios::out);
    const float one = 1.0F;
    out.seekp(static_cast<std::streamoff>(before_data));
    out.write(reinterpret_cast<const char*>(&one), 4);
  }
  const NpyFile file(path);
  REQUIRE(file.is_mapped());
  for (const Eigen::Index rows : {64, 4096}) {
    const std::size_t at_first = collapse::test::resident_memory();
    std::size_t most = at_first;
    double sum = 0.0;
    const float* first = nullptr;
    file.for_each_block(rows, [&](const auto& block) {
      sum += static_cast<double>(block.sum());
      if constexpr (sizeof(*block.data()) == 4) first = first ? first : block.data();
      most = std::max(most, collapse::test::resident_memory());
    });
    CHECK(sum == 1.0);
    CHECK(most - at_first < (std::size_t{24} << 20));
    REQUIRE(first);
    CHECK(*first == 1.0F);
  }
}

TEST_CASE("no rows or no columns are legal", "[npy]") {
  const TemporaryFolder folder;
  for (const auto& [shape, rows, cols] : std::vector<std::tuple<std::string, Eigen::Index, Eigen::Index>>{
           {"(0, 64)", 0, 64},
           {"(64, 0)", 64, 0},
           {"(0, 0)", 0, 0},
           {"(4611686018427387904, 0)", 4611686018427387904, 0}}) {
    for (const std::string descr : {"'<f4'", "'>f8'"}) {
      for (const std::string fortran : {"True", "False"}) {
        NpyBytes bytes;
        bytes.shape = shape;
        bytes.descr = descr;
        bytes.fortran_order = fortran;
        bytes.shift = 1;
        INFO(bytes.dictionary());
        const NpyFile file(folder.write("Z.npy", bytes.str()));
        CHECK(file.rows() == rows);
        CHECK(file.cols() == cols);
        CHECK(file.bytes() == 0);
        CHECK(file.visit([](const auto& Z) { return Z.size(); }) == 0);
        file.for_each_block(1, [](const auto&) { FAIL("a block of nothing"); });
      }
    }
  }
}

TEST_CASE("a missing file, a directory and an empty file are refused", "[npy]") {
  const TemporaryFolder folder;
  CHECK(mentions(refusal(folder / "missing.npy"), "cannot open: No such file"));
  CHECK(mentions(refusal(folder / ""), "is a directory"));
  CHECK(mentions(refusal(folder.write("empty.npy", "")), "is empty"));
}

TEST_CASE("integers and booleans are read as the scalar that holds them", "[npy]") {
  const TemporaryFolder folder;
  const auto check = [&]<class Integer>(Integer, const std::string& type, int scalar_size) {
    constexpr Eigen::Index rows = 7;
    constexpr Eigen::Index cols = 3;
    Eigen::MatrixXd expected(rows, cols);
    for (Eigen::Index i = 0; i < expected.size(); ++i) {
      const double least = static_cast<double>(std::numeric_limits<Integer>::min());
      const double most = static_cast<double>(std::numeric_limits<Integer>::max());
      expected(i / cols, i % cols) =
          i == 0 ? least : (i == 1 && sizeof(Integer) < 8 ? most : static_cast<double>(3 * i));
    }
    for (const bool fortran : {false, true}) {
      for (const bool swapped : {false, true}) {
        CAPTURE(type, fortran, swapped);
        std::vector<Integer> values;
        for (Eigen::Index a = 0; a < (fortran ? cols : rows); ++a) {
          for (Eigen::Index b = 0; b < (fortran ? rows : cols); ++b) {
            values.push_back(static_cast<Integer>(fortran ? expected(b, a) : expected(a, b)));
          }
        }
        NpyBytes bytes;
        bytes.descr = "'" + std::string(is_little_endian != swapped ? "<" : ">") + type + "'";
        bytes.fortran_order = fortran ? "True" : "False";
        bytes.shape = "(7, 3)";
        bytes.data = bytes_of(values, swapped);
        const NpyFile file(folder.write("Z.npy", bytes.str()));
        CHECK_FALSE(file.is_mapped());
        CHECK(file.bytes() == 21 * sizeof(Integer));
        CHECK(same_values(values_of(file), expected));
        for (const Eigen::Index count : {1, 2, 7, 100}) {
          const Blocks blocks = blocks_of(file, count);
          CHECK(same_values(blocks.values, expected));
          CHECK(blocks.scalar_size == scalar_size);
        }
        CHECK(mentions(refusal_of(bytes.str() + "x"), "too long"));
        CHECK(mentions(refusal_of(bytes.str().substr(0, bytes.str().size() - 1)), "truncated"));
      }
    }
  };
  check(std::int8_t{}, "i1", 4);
  check(std::uint8_t{}, "u1", 4);
  check(std::int16_t{}, "i2", 4);
  check(std::uint16_t{}, "u2", 4);
  check(std::int32_t{}, "i4", 8);
  check(std::uint32_t{}, "u4", 8);
  check(std::int64_t{}, "i8", 8);
  check(std::uint64_t{}, "u8", 8);
  NpyBytes flags;
  flags.descr = "'|b1'";
  flags.data = std::string("\0\1\1\1\0\1", 6);
  const NpyFile file(folder.write("Z.npy", flags.str()));
  CHECK(same_values(values_of(file), (Eigen::MatrixXd(2, 3) << 0, 1, 1, 1, 0, 1).finished()));
}

TEST_CASE("types that are no embeddings are refused with what to do", "[npy]") {
  CHECK(mentions(refusal_of_type("|O"), "Python objects (dtype '|O')"));
  CHECK(mentions(refusal_of_type("O"), "unpickling"));
  for (const std::string descr : {"<i16", "|i3", ">u5"}) {
    CHECK(mentions(refusal_of_type(descr),
                   "holds integers of an unknown size (dtype '" + descr + "'); save it as Z.astype('float32')"));
  }
  CHECK(mentions(refusal_of_type("<c8"), "complex"));
  CHECK(mentions(refusal_of_type("<f16"), "float64"));
  CHECK(mentions(refusal_of_type("<f3"), "float64"));
  CHECK(mentions(refusal_of_type("|V2"), "bfloat16"));
  CHECK(mentions(refusal_of_type("<U5"), "no numbers"));
  CHECK(mentions(refusal_of_type("<M8[ns]"), "no numbers"));
  CHECK(mentions(refusal_of_type(""), "no numbers"));
  CHECK(mentions(refusal_of_type("<"), "no numbers"));
  CHECK(mentions(refusal_of_type("<<f4"), "no numbers"));
  CHECK(mentions(refusal_of_type("f4 "), "dtype 'f4 '"));

  NpyBytes records;
  records.descr = "[('x', '<f4'), ('y', '<f4')]";
  CHECK(mentions(refusal_of(records.str()), "structured dtype"));
}

TEST_CASE("arrays that are not 2-D are refused with how to reshape them", "[npy]") {
  CHECK(mentions(refusal_of_shape("()", 4), "has shape (), embeddings are 2-D (samples, dims)"));
  CHECK(mentions(refusal_of_shape("(6,)"), "has shape (6,), embeddings are 2-D"));
  CHECK(mentions(refusal_of_shape("(6,)"), "Z.reshape(-1, D), or np.stack the rows"));
  CHECK(mentions(refusal_of_shape("(1, 2, 3)"), "has shape (1, 2, 3), embeddings are 2-D"));
  CHECK(mentions(refusal_of_shape("(1, 2, 3)"), "Z.reshape(-1, Z.shape[-1])"));
}

TEST_CASE("negative and overflowing shapes are refused", "[npy]") {
  CHECK(mentions(refusal_of_shape("(-2, 3)"), "negative extent"));
  CHECK(mentions(refusal_of_shape("(9223372036854775808, 1)"), "2^63 or more"));
  for (const std::string shape :
       {"(4294967296, 2147483648)", "(9223372036854775807, 9223372036854775807)", "(4294967296, 4294967296)",
        "(2305843009213693952, 1)", "(1, 9223372036854775807)", "(3, 6148914691236517206)"}) {
    CHECK(mentions(refusal_of_shape(shape), "more bytes than this system can address"));
  }
}

TEST_CASE("truncated data are refused with what is missing", "[npy]") {
  CHECK(refusal_of_shape("(2, 3)", 23) ==
        "is truncated: shape (2, 3) of '<f4' takes 24 bytes of data, found 23; write or copy it again");
  CHECK(mentions(refusal_of_shape("(2, 3)", 0), "takes 24 bytes of data, found 0"));
  CHECK(mentions(refusal_of_shape("(1073741824, 1073741824)"), "takes 4611686018427387904 bytes of data, found 24"));
}

TEST_CASE("data beyond the shape are refused", "[npy]") {
  CHECK(refusal_of_shape("(2, 3)", 25) ==
        "is too long: shape (2, 3) of '<f4' takes 24 bytes of data, found 25; save one array per file, with np.save");
  CHECK(mentions(refusal_of_shape("(0, 3)", 1), "is too long"));
}

TEST_CASE("a file cut at any length is refused and never crashes", "[npy]") {
  const TemporaryFolder folder;
  for (const std::string descr : {"'<f4'", "'>f4'"}) {
    NpyBytes bytes;
    bytes.descr = descr;
    bytes.data = data_of(4, c_order, false);
    const std::string whole = bytes.str();
    for (std::size_t length = 0; length < whole.size(); ++length) {
      INFO(length << " bytes");
      CHECK(refusal(folder.write("Z.npy", whole.substr(0, length))) != "no error");
    }
    CHECK(refusal(folder.write("Z.npy", whole)) == "no error");
  }
}

TEST_CASE("a file with a damaged header is refused or read within its bounds", "[npy]") {
  const TemporaryFolder folder;
  std::mt19937 random(11);
  const std::string tokens = "0123456789<>=|fiuOcV,()'";
  NpyBytes bytes;
  bytes.shape = "(12, 10)";
  bytes.data = std::string(480, '\0');
  const std::string whole = bytes.str();
  const std::size_t header_size = whole.size() - bytes.data.size();
  int read = 0;
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = whole;
    if (round % 3 == 0) {
      // Blanks to other blanks, the dtype's order and kind: many of these files can be read.
      damaged[header_size - 2 - random() % 8] = "\t \n"[random() % 3];
      damaged[whole.find("<f4")] = "<>=|"[random() % 4];
    }
    for (unsigned flips = round % 3 == 0 ? 0 : 1 + random() % 2; flips > 0; --flips) {
      const std::size_t at = random() % (round % 2 == 0 ? header_size : 72);
      damaged[at] = random() % 2 == 0 ? tokens[random() % tokens.size()] : static_cast<char>(random() % 256);
    }
    const std::filesystem::path path = folder.write("Z.npy", damaged);
    try {
      const NpyFile file(path);
      REQUIRE(file.bytes() <= damaged.size());
      // Touches every value: a wrong bound shows under a sanitizer.
      const double sum = values_of(file).sum();
      REQUIRE(sum == 0.0);
      ++read;
    } catch (const FileError&) {
      ++refused;
    }
  }
  // Both must happen, or the damage is not what this test is about.
  CHECK(read > 100);
  CHECK(refused > 100);
}
