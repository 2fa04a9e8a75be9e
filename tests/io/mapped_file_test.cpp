#include <collapse/io/mapped_file.hpp>

#include "support/catch.hpp"
#include "support/resident_memory.hpp"
#include "support/temporary_folder.hpp"

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#if __has_include(<sys/mman.h>)
#include <sys/stat.h>
#include <unistd.h>
#endif

using collapse::FileError;
using collapse::io::MappedFile;
using collapse::test::TemporaryFolder;

namespace {

std::string text_of(const MappedFile& file) { return {reinterpret_cast<const char*>(file.data()), file.size()}; }

std::string message_of(const std::filesystem::path& path) {
  try {
    const MappedFile file(path);
  } catch (const FileError& error) {
    CHECK(error.path() == path.string());
    return error.what();
  }
  return "no error";
}

}  // namespace

static_assert(!std::is_copy_constructible_v<MappedFile> && !std::is_copy_assignable_v<MappedFile>);
static_assert(std::is_nothrow_move_constructible_v<MappedFile> && std::is_nothrow_move_assignable_v<MappedFile>);

TEST_CASE("a mapped file has the bytes of the file", "[mapped_file]") {
  const TemporaryFolder folder;
  const std::string bytes("a\0b\xff\n", 5);
  const MappedFile file(folder.write("five", bytes));
  CHECK(file.size() == 5);
  CHECK(text_of(file) == bytes);
#if __has_include(<sys/mman.h>)
  CHECK(file.is_mapped());
#endif
}

TEST_CASE("bytes that are released leave memory and stay readable", "[mapped_file]") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.write("large", "begin");
  constexpr std::size_t size = std::size_t{1} << 25;
  std::filesystem::resize_file(path, size);
  const MappedFile file(path);
  const auto touch = [&] {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < size; i += 1024) sum += std::to_integer<std::size_t>(file.data()[i]);
    return sum;
  };
  CHECK(touch() == 'b');
  const std::size_t touched = collapse::test::resident_memory();
  file.release(0, size);
  const std::size_t released = collapse::test::resident_memory();
  if (touched > 0 && file.is_mapped()) CHECK(released + size / 2 < touched);
  CHECK(touch() == 'b');
  CHECK(text_of(file).substr(0, 5) == "begin");
}

TEST_CASE("any range may be released of a file that is mapped or empty", "[mapped_file]") {
  const TemporaryFolder folder;
  MappedFile file(folder.write("small", "small"));
  const MappedFile empty(folder.write("empty", ""));
  for (const std::size_t first : std::vector<std::size_t>{0, 1, 4095, 4096, 5000, 2000000}) {
    for (const std::size_t last : std::vector<std::size_t>{0, 5, 4096, 4097, 3000000}) {
      file.release(first, last);
      empty.release(first, last);
      CHECK(text_of(file) == "small");
    }
  }
  const MappedFile moved(std::move(file));
  file.release(0, 5);  // NOLINT(bugprone-use-after-move): it has no bytes
  CHECK(text_of(moved) == "small");
}

TEST_CASE("an empty file is opened and has no bytes", "[mapped_file]") {
  const TemporaryFolder folder;
  const MappedFile file(folder.write("empty", ""));
  CHECK(file.size() == 0);
  CHECK(file.bytes().empty());
  CHECK_FALSE(file.is_mapped());
}

TEST_CASE("moving a mapped file keeps its bytes in place and empties the source", "[mapped_file]") {
  const TemporaryFolder folder;
  MappedFile first(folder.write("first", "first"));
  MappedFile second(folder.write("second", "second"));
  const std::byte* const place = first.data();

  MappedFile moved(std::move(first));
  CHECK(moved.data() == place);
  CHECK(text_of(moved) == "first");
  CHECK(first.size() == 0);  // NOLINT(bugprone-use-after-move): documented

  second = std::move(moved);
  CHECK(second.data() == place);
  CHECK(text_of(second) == "first");
  CHECK(moved.size() == 0);  // NOLINT(bugprone-use-after-move): documented

  MappedFile& alias = second;
  second = std::move(alias);
  CHECK(text_of(second) == "first");
}

TEST_CASE("a file that is not there is refused with the system's reason", "[mapped_file]") {
  const TemporaryFolder folder;
  const std::string message = message_of(folder / "missing");
  CHECK(message == (folder / "missing").string() + ": cannot open: No such file or directory");
}

TEST_CASE("a directory is refused", "[mapped_file]") {
  const TemporaryFolder folder;
  CHECK(message_of(folder / "").find("is a directory") != std::string::npos);
}

#if __has_include(<sys/mman.h>)

TEST_CASE("an unreadable file is refused with the system's reason", "[mapped_file]") {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("loop", folder / "loop");
  CHECK(message_of(folder / "loop").find(": cannot open: ") != std::string::npos);
  if (::geteuid() != 0) {  // the superuser reads everything
    const std::filesystem::path locked = folder.write("locked", "text");
    std::filesystem::permissions(locked, std::filesystem::perms::none);
    CHECK(message_of(locked) == locked.string() + ": cannot open: Permission denied");
  }
}

TEST_CASE("a device is refused", "[mapped_file]") {
  CHECK(message_of("/dev/null").find("is a device") != std::string::npos);
}

TEST_CASE("a pipe is read into memory to its end", "[mapped_file]") {
  const TemporaryFolder folder;
  const std::filesystem::path pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::string sent;
  for (int i = 0; i < 50000; ++i) sent += std::to_string(i);  // more than a pipe or one read holds
  std::thread writer([&] { std::ofstream(pipe, std::ios::binary) << sent; });
  MappedFile file(pipe);
  writer.join();
  CHECK_FALSE(file.is_mapped());
  CHECK(file.size() == sent.size());
  CHECK(text_of(file) == sent);
  const std::byte* const place = file.data();
  const MappedFile moved(std::move(file));
  CHECK(moved.data() == place);
  CHECK(text_of(moved) == sent);
}

#endif
