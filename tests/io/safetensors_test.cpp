#include <collapse/io/safetensors.hpp>

#include "support/blocks.hpp"
#include "support/catch.hpp"
#include "support/mentions.hpp"
#include "support/npy_bytes.hpp"
#include "support/refusal.hpp"
#include "support/safetensors_bytes.hpp"
#include "support/temporary_folder.hpp"

#include <Eigen/Core>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#if __has_include(<sys/mman.h>)
#include <sys/stat.h>

#include <fstream>
#include <thread>
#endif

using collapse::FileError;
using collapse::OptionError;
using collapse::io::SafetensorsFile;
using collapse::test::block_sizes;
using collapse::test::Blocks;
using collapse::test::blocks_of;
using collapse::test::bytes_of;
using collapse::test::mentions;
using collapse::test::row_bytes;
using collapse::test::safetensors_bytes;
using collapse::test::safetensors_entry;
using collapse::test::same_values;
using collapse::test::TemporaryFolder;

namespace {

constexpr Eigen::Index rows = 23;
constexpr Eigen::Index cols = 5;
constexpr bool swapped = std::endian::native == std::endian::big;
const Eigen::MatrixXd expected = collapse::test::numbered(rows, cols);

struct Type {
  std::string name;
  int size;
  std::string data;
};

std::vector<Type> types() {
  return {{"F16", 2, row_bytes<Eigen::half>(expected)},
          {"BF16", 2, row_bytes<Eigen::bfloat16>(expected)},
          {"F32", 4, row_bytes<float>(expected)},
          {"F64", 8, row_bytes<double>(expected)}};
}

Eigen::MatrixXd values_of(const SafetensorsFile& file) {
  return file.visit([](const auto& Z) -> Eigen::MatrixXd { return Z.template cast<double>(); });
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape, std::size_t begin,
                  std::size_t end) {
  return safetensors_entry(name, dtype, shape, "[" + std::to_string(begin) + "," + std::to_string(end) + "]");
}

std::string refusal(const std::filesystem::path& path, const std::string& name = "") {
  return collapse::test::refusal_after_name([&] { const SafetensorsFile file(path, name); }, path.string(), 1000);
}

/// How a file of tensors of six floats or less is refused; `entries` without the braces around them.
std::string refusal_of(const std::string& entries, std::size_t data_size, const std::string& name = "") {
  const TemporaryFolder folder;
  return refusal(folder.write("Z", safetensors_bytes("{" + entries + "}", std::string(data_size, '\0'))), name);
}

}  // namespace

static_assert(!std::is_copy_constructible_v<SafetensorsFile> && std::is_move_constructible_v<SafetensorsFile>);

TEST_CASE("tensors of every float type are read whole and in blocks at any alignment", "[safetensors]") {
  const TemporaryFolder folder;
  for (const Type& type : types()) {
    for (std::size_t shift = 0; shift < 9; ++shift) {
      const std::string before(shift, '\x7f');
      std::string header = "{" + entry("bytes", "U8", "[" + std::to_string(shift) + "]", 0, shift) + "," +
                           entry("Z", type.name, "[23,5]", shift, shift + type.data.size()) + "}";
      while (header.size() % 8 != 0) header += ' ';
      INFO(header);
      const SafetensorsFile file(folder.write("Z", safetensors_bytes(header, before + type.data)));
      CHECK(file.rows() == rows);
      CHECK(file.cols() == cols);
      CHECK(file.known_rows() == rows);
      CHECK(file.dtype() == type.name);
      CHECK(file.name() == "Z");
      CHECK(file.bytes() == type.data.size());
      CHECK(file.path() == (folder / "Z").string());
#if __has_include(<sys/mman.h>)
      CHECK(file.is_mapped() == (!swapped && shift % static_cast<std::size_t>(type.size) == 0));
#endif
      for (const Eigen::Index block_rows :
           {Eigen::Index{1}, Eigen::Index{7}, rows, rows + 1, std::numeric_limits<Eigen::Index>::max()}) {
        const Blocks blocks = blocks_of(file, block_rows);
        CHECK(same_values(blocks.values, expected));
        CHECK(blocks.rows == block_sizes(rows, block_rows));
        CHECK(blocks.scalar_size == type.size);
      }
      CHECK(same_values(values_of(file), expected));
      const bool aligned = file.visit([&](const auto& Z) {
        return reinterpret_cast<std::uintptr_t>(Z.data()) % static_cast<std::uintptr_t>(type.size) == 0;
      });
      CHECK(aligned);
    }
  }
}

TEST_CASE("a bfloat16 tensor is not taken for float16", "[safetensors]") {
  const TemporaryFolder folder;
  const std::string one = bytes_of(std::vector<std::uint16_t>{0x3f80}, swapped);
  const auto value = [&](const std::string& dtype) {
    return values_of(SafetensorsFile(
        folder.write(dtype, safetensors_bytes("{" + entry("Z", dtype, "[1,1]", 0, 2) + "}", one))))(0, 0);
  };
  CHECK(value("BF16") == 1.0);
  CHECK(value("F16") == 1.875);
}

TEST_CASE("a tensor is found by its name or as the only matrix of floats", "[safetensors]") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.write(
      "Z",
      safetensors_bytes("{" + entry("bias", "F32", "[3]", 0, 12) + "," + entry("ids", "I32", "[1,3]", 12, 24) + "," +
                            entry("deep", "F32", "[1,1,3]", 24, 36) + "," + entry("W", "F32", "[1,3]", 36, 48) + "}",
                        std::string(36, '\0') + bytes_of(std::vector<float>{1, 2, 3}, swapped)));
  CHECK(SafetensorsFile(path).name() == "W");
  CHECK(values_of(SafetensorsFile(path, "W"))(0, 2) == 3.0);
  CHECK(mentions(refusal(path, "w"), "has no tensor 'w'; name one of its matrices: 'W' 'F32' (1, 3)"));
  CHECK(mentions(refusal(path, "bias"), "tensor 'bias' has shape (3,), embeddings are 2-D (samples, dims)"));
  CHECK(mentions(refusal(path, "bias"), "Z.reshape(-1, D), or np.stack"));
  CHECK(mentions(refusal(path, "deep"), "tensor 'deep' has shape (1, 1, 3), embeddings are 2-D"));
  CHECK(mentions(refusal(path, "deep"), "Z.reshape(-1, Z.shape[-1])"));
  CHECK(values_of(SafetensorsFile(path, "ids")).isZero());
  CHECK(mentions(refusal(path, "__metadata__"), "has no tensor '__metadata__'"));
}

TEST_CASE("several matrices and no name are refused with at most eight to choose from", "[safetensors]") {
  std::string entries;
  for (std::size_t i = 0; i < 9; ++i) {
    entries += (i > 0 ? "," : "") + entry("m" + std::to_string(i), "F32", "[1,1]", 4 * i, 4 * i + 4);
    if (i == 1)
      CHECK(mentions(refusal_of(entries, 8),
                     "holds 2 matrices of floats; name one of its matrices: 'm0' 'F32' (1, 1), 'm1' 'F32' (1, 1)"));
    if (i == 7) CHECK_FALSE(mentions(refusal_of(entries, 32), "more"));
  }
  const std::string message = refusal_of(entries, 36);
  CHECK(mentions(message, "holds 9 matrices of floats"));
  CHECK(mentions(message, "'m7' 'F32' (1, 1) and 1 more"));
  CHECK_FALSE(mentions(message, "m8"));
  CHECK(refusal_of(entries, 36, "m8") == "no error");
}

TEST_CASE("a file without a matrix of floats is refused with what it has", "[safetensors]") {
  CHECK(mentions(refusal_of("", 0), "holds no tensors"));
  CHECK(mentions(refusal_of(entry("a", "F32", "[6]", 0, 24), 24), "it has 'a' 'F32' (6,)"));
  CHECK(mentions(refusal_of(entry("a", "F8_E5M2", "[8,3]", 0, 24), 24, "b"), "has no tensor 'b', and holds no matrix"));
  CHECK(mentions(refusal_of(entry("a", "F8_E4M3", "[6,4]", 0, 24), 24), "holds no matrix of numbers"));
  CHECK(mentions(refusal_of(entry("a", "F8_E4M3", "[6,4]", 0, 24), 24, "a"), "tensor 'a' holds 'F8_E4M3'"));
}

TEST_CASE("an empty tensor beside a matrix is none to choose from", "[safetensors]") {
  const auto name_of = [](const std::string& entries, std::size_t size) {
    const TemporaryFolder folder;
    return SafetensorsFile(folder.write("Z", safetensors_bytes("{" + entries + "}", std::string(size, '\0')))).name();
  };
  CHECK(name_of(entry("w", "F32", "[2,3]", 0, 24) + "," + entry("e", "F32", "[0,3]", 24, 24), 24) == "w");
  CHECK(name_of(entry("e", "F32", "[7,0]", 0, 0) + "," + entry("w", "F32", "[2,3]", 0, 24) + "," +
                    entry("f", "F16", "[0,0]", 24, 24),
                24) == "w");
  CHECK(name_of(entry("e", "F32", "[0,3]", 0, 0) + "," + entry("s", "F32", "[0]", 0, 0), 0) == "e");
  CHECK(mentions(refusal_of(entry("e", "F32", "[0,3]", 0, 0) + "," + entry("f", "F32", "[0,4]", 0, 0), 0),
                 "holds 2 matrices of floats"));
  CHECK(mentions(refusal_of(entry("w", "F32", "[2,3]", 0, 24) + "," + entry("v", "F32", "[1,3]", 24, 36), 36),
                 "holds 2 matrices of floats"));
}

TEST_CASE("integers are read where no matrix is of floats", "[safetensors]") {
  const TemporaryFolder folder;
  const std::string data("\x01\xff\x7f\x80\x00\x02", 6);
  const SafetensorsFile file(folder.write(
      "Z",
      safetensors_bytes("{" + entry("z", "I8", "[2,3]", 0, 6) + "," + entry("e", "F32", "[0,3]", 6, 6) + "}", data)));
  CHECK(file.name() == "z");
  CHECK(same_values(values_of(file), (Eigen::MatrixXd(2, 3) << 1, -1, 127, -128, 0, 2).finished()));
  const SafetensorsFile bytes(folder.write("u", safetensors_bytes("{" + entry("z", "U8", "[2,3]", 0, 6) + "}", data)));
  CHECK(same_values(values_of(bytes), (Eigen::MatrixXd(2, 3) << 1, 255, 127, 128, 0, 2).finished()));
  CHECK(mentions(refusal_of(entry("a", "I8", "[2,3]", 0, 6) + "," + entry("b", "I8", "[2,3]", 6, 12), 12),
                 "holds 2 matrices of integers"));
}

TEST_CASE("a shape that is not that of the tensor's bytes is refused", "[safetensors]") {
  const auto with_shape = [](const std::string& shape) { return refusal_of(entry("Z", "F32", shape, 0, 24), 24); };
  CHECK(with_shape("[2,3]") == "no error");
  CHECK(mentions(with_shape("[2,4]"),
                 "tensor 'Z' of shape (2, 4) and type F32 takes 32 bytes, its data_offsets [0, 24] say 24"));
  CHECK(mentions(with_shape("[2,2]"), "takes 16 bytes"));
  CHECK(mentions(with_shape("[0,3]"), "takes 0 bytes"));
  for (const std::string shape :
       {"[4294967296,4294967296]", "[18446744073709551615,1]", "[1,18446744073709551615]", "[6148914691236517206,3]",
        "[4611686018427387910,1]", "[9223372036854775808,0]", "[0,9223372036854775808]"}) {
    CHECK(mentions(with_shape(shape), "more bytes than this system can address"));
  }
}

TEST_CASE("no rows or no columns of a tensor are legal", "[safetensors]") {
  const TemporaryFolder folder;
  for (const std::string shape : {"[0,5]", "[5,0]", "[9223372036854775807,0]"}) {
    const SafetensorsFile file(folder.write("Z", safetensors_bytes("{" + entry("Z", "F32", shape, 0, 0) + "}", "")));
    CHECK(file.bytes() == 0);
    CHECK(file.visit([](const auto& Z) { return Z.size(); }) == 0);
    file.for_each_block(1, [](const auto&) { FAIL("a block of nothing"); });
  }
}

TEST_CASE("a moved tensor keeps its values and a block of no rows is refused", "[safetensors]") {
  const TemporaryFolder folder;
  const std::string data = bytes_of(std::vector<float>{1, 2}, swapped);
  SafetensorsFile file(folder.write("Z", safetensors_bytes("{" + entry("Z", "F32", "[1,2]", 0, 8) + "}", data)));
  CHECK_THROWS_AS(file.for_each_block(0, [](const auto&) {}), OptionError);
  const SafetensorsFile moved(std::move(file));
  CHECK(values_of(moved)(0, 1) == 2.0);
}

TEST_CASE("files that are no regular safetensors files are refused", "[safetensors]") {
  const TemporaryFolder folder;
  CHECK(mentions(refusal(folder / "missing"), "cannot open: No such file"));
  CHECK(mentions(refusal(folder / ""), "is a directory"));
  CHECK(mentions(refusal(folder.write("empty", "")), "is empty"));
  CHECK(mentions(refusal(folder.write("zip", "PK\x03\x04 and so on")), "another format"));
#if __has_include(<sys/mman.h>)
  CHECK(mentions(refusal("/dev/null"), "is a device"));
  const std::filesystem::path pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const std::string data = bytes_of(std::vector<float>{1, 2}, swapped);
  std::thread writer([&] {
    std::ofstream(pipe, std::ios::binary) << safetensors_bytes("{" + entry("Z", "F32", "[2,1]", 0, 8) + "}", data);
  });
  const SafetensorsFile file(pipe);
  writer.join();
  CHECK_FALSE(file.is_mapped());
  CHECK(blocks_of(file, 1).values(1, 0) == 2.0);
#endif
}

TEST_CASE("a safetensors file cut at any length is refused and never crashes", "[safetensors]") {
  const TemporaryFolder folder;
  const std::string whole = safetensors_bytes("{\"__metadata__\":{\"a\":\"b\"}," + entry("Z", "F32", "[2,3]", 0, 24) +
                                                  "," + entry("b", "F16", "[1]", 24, 26) + "}",
                                              std::string(26, '\1'));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    INFO(length << " bytes");
    CHECK(refusal(folder.write("Z", whole.substr(0, length))) != "no error");
  }
  CHECK(refusal(folder.write("Z", whole)) == "no error");
}

TEST_CASE("a safetensors file with a damaged header is refused or read within its bounds", "[safetensors]") {
  const TemporaryFolder folder;
  std::mt19937 random(7);
  const std::string tokens = "0123456789{}[]\",:-+.eFBIU \\";
  const std::string whole =
      safetensors_bytes("{\"__metadata__\":{\"a\":\"b\"}," + entry("Z", "F32", "[12,10]", 0, 480) + "," +
                            entry("b", "F16", "[8]", 480, 496) + "}",
                        std::string(496, '\0'));
  const std::size_t header_size = whole.size() - 496;
  int read = 0;
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = whole;
    for (auto flips = 1 + random() % 3; flips > 0; --flips) {
      const std::size_t at = round % 4 == 0 ? random() % header_size : 8 + random() % (header_size - 8);
      damaged[at] = random() % 4 != 0 ? tokens[random() % tokens.size()] : static_cast<char>(random() % 256);
    }
    // A shape that still fits: these files can be read.
    if (round % 8 == 1)
      damaged = std::string(whole).replace(whole.find("12,10"), 5, round % 16 == 1 ? "10,12" : "1,120");
    try {
      const SafetensorsFile file(folder.write("Z", damaged));
      REQUIRE(file.bytes() <= damaged.size());
      // Touches every value: a wrong bound shows under a sanitizer.
      const double whole_sum = values_of(file).sum();
      const double blocks_sum = blocks_of(file, 3).values.sum();
      REQUIRE(whole_sum == 0.0);
      REQUIRE(blocks_sum == 0.0);
      ++read;
    } catch (const FileError& error) {
      REQUIRE(std::string(error.what()).find('\n') == std::string::npos);
      ++refused;
    }
  }
  CHECK(read > 250);
  CHECK(refused > 250);
}
