#include <collapse/io/byte_stream.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#if __has_include(<sys/mman.h>)
#include <sys/stat.h>
#endif

using collapse::FileError;
using collapse::io::ByteStream;
using collapse::test::TemporaryFolder;

namespace {

std::string read(ByteStream& stream, std::size_t most) {
  std::vector<char> bytes(most);
  const std::size_t found = stream.read(std::as_writable_bytes(std::span(bytes)));
  return {bytes.data(), found};
}

std::string message_of(const std::filesystem::path& path) {
  try {
    const ByteStream stream(path);
  } catch (const FileError& error) {
    CHECK(error.path() == path.string());
    return error.what();
  }
  return "no error";
}

}  // namespace

static_assert(!std::is_copy_constructible_v<ByteStream> && std::is_nothrow_move_constructible_v<ByteStream>);

TEST_CASE("a byte stream hands out a file piece by piece to its end", "[byte_stream]") {
  const TemporaryFolder folder;
  const std::string bytes("ab\0\xff\r\nc", 7);
  ByteStream stream(folder.write("Z", bytes));
  CHECK(stream.path() == (folder / "Z").string());
  CHECK(read(stream, 3) == bytes.substr(0, 3));
  ByteStream moved(std::move(stream));
  CHECK(read(moved, 0).empty());
  CHECK(read(moved, 100) == bytes.substr(3));
  CHECK(read(moved, 100).empty());
}

TEST_CASE("bytes that were looked at stay to be read", "[byte_stream]") {
  const TemporaryFolder folder;
  ByteStream stream(folder.write("Z", "abcdef"));
  const auto peeked = [&](std::size_t count) {
    const std::span<const std::byte> bytes = stream.peek(count);
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  CHECK(peeked(2) == "ab");
  CHECK(peeked(4) == "abcd");
  CHECK(peeked(1) == "a");
  CHECK(read(stream, 3) == "abc");
  CHECK(peeked(2) == "de");
  CHECK(peeked(100) == "def");
  CHECK(read(stream, 100) == "def");
  CHECK(peeked(1).empty());
  CHECK(read(stream, 1).empty());
}

TEST_CASE("a byte stream leaves a stream open that is not its own", "[byte_stream]") {
  const TemporaryFolder folder;
  std::FILE* const file = std::fopen(folder.write("Z", "abc").string().c_str(), "rb");
  REQUIRE(file);
  {
    ByteStream stream(file, "name");
    CHECK(stream.path() == "name");
    CHECK(read(stream, 1) == "a");
  }
  CHECK(std::fgetc(file) == 'b');
  std::fclose(file);
}

TEST_CASE("what cannot be streamed is refused", "[byte_stream]") {
  const TemporaryFolder folder;
  CHECK(message_of(folder / "missing") == (folder / "missing").string() + ": cannot open: No such file or directory");
  CHECK(message_of(folder / "").find("is a directory; name a file in it") != std::string::npos);
#if __has_include(<sys/mman.h>)
  CHECK(message_of("/dev/null") == "/dev/null: is a device; name a file or a pipe");
#endif
}

#if __has_include(<sys/mman.h>)

TEST_CASE("a byte stream reads a pipe to its end", "[byte_stream]") {
  const TemporaryFolder folder;
  const std::filesystem::path pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const std::string sent(200'000, 'x');  // more than a pipe holds
  std::thread writer([&] { std::ofstream(pipe, std::ios::binary) << sent; });
  ByteStream stream(pipe);
  const std::string found = read(stream, 300'000);
  writer.join();
  CHECK(found == sent);
}

#endif
