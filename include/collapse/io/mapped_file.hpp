#pragma once

#include <collapse/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#if __has_include(<sys/mman.h>)
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace collapse::io {

/// The bytes of a file, read-only, for as long as the object lives.
///
/// A regular file is mapped: opening costs no memory and no reading, pages come in as they are touched, and files
/// larger than memory work. Pipes, file systems that cannot map and systems without POSIX `mmap` are read into memory
/// instead. An empty file is no error: it has no bytes. Movable, not copyable; a moved-from object has no bytes either.
///
/// The file must not shrink while it is mapped: touching bytes that are gone ends the process (SIGBUS).
class MappedFile {
 public:
  /// Opens a file.
  /// @param path the file
  /// @throws FileError when it cannot be opened or read, is a directory or a device; std::bad_alloc where it has to be
  ///         read into memory and does not fit
  /// Cost: O(1) where the file is mapped, one read of it elsewhere.
  explicit MappedFile(const std::filesystem::path& path);

  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  MappedFile(MappedFile&& other) noexcept
      : contents_(std::exchange(other.contents_, {})), mapped_(std::exchange(other.mapped_, {})) {}

  MappedFile& operator=(MappedFile&& other) noexcept {
    if (this != &other) {
      unmap();
      contents_ = std::exchange(other.contents_, {});
      mapped_ = std::exchange(other.mapped_, {});
    }
    return *this;
  }

  ~MappedFile() { unmap(); }

  /// The bytes, valid until the object is destroyed or assigned to; moving it elsewhere keeps them in place.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return mapped_.empty() ? std::span<const std::byte>(contents_) : mapped_;
  }

  [[nodiscard]] const std::byte* data() const noexcept { return bytes().data(); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes().size(); }

  /// True when the bytes are the file's own pages, false when they are a copy (or there are none).
  [[nodiscard]] bool is_mapped() const noexcept { return !mapped_.empty(); }

 private:
  [[noreturn]] static void fail(const std::filesystem::path& path, const char* action, int error) {
    throw FileError(path.string(), fmt::format("cannot {}: {}", action, std::generic_category().message(error)));
  }

  [[noreturn]] static void fail_directory(const std::filesystem::path& path) {
    throw FileError(path.string(), "is a directory; name a file in it");
  }

  void read_all(std::FILE* stream, const std::filesystem::path& path);
  void unmap() noexcept;

  std::vector<std::byte> contents_;
  std::span<const std::byte> mapped_;
};

inline void MappedFile::read_all(std::FILE* stream, const std::filesystem::path& path) {
  constexpr std::size_t least = std::size_t{1} << 16;
  std::size_t used = 0;
  for (;;) {
    if (used == contents_.size()) contents_.resize(std::max(least, 2 * used));
    errno = 0;
    used += std::fread(contents_.data() + used, 1, contents_.size() - used, stream);
    if (std::ferror(stream)) fail(path, "read", errno);
    if (std::feof(stream)) break;
  }
  contents_.resize(used);
}

#if __has_include(<sys/mman.h>)

inline MappedFile::MappedFile(const std::filesystem::path& path) {
  struct Descriptor {
    int value;
    ~Descriptor() { ::close(value); }
  };
  const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0) fail(path, "open", errno);
  const Descriptor descriptor{opened};

  struct stat status {};
  if (::fstat(opened, &status) != 0) fail(path, "open", errno);
  if (S_ISDIR(status.st_mode)) fail_directory(path);
  if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
    throw FileError(path.string(), "is a device; name a file or a pipe");
  }
  if (S_ISREG(status.st_mode)) {
    if (status.st_size <= 0) return;
    if (static_cast<std::uintmax_t>(status.st_size) > std::numeric_limits<std::ptrdiff_t>::max()) {
      throw FileError(path.string(),
                      fmt::format("{} bytes are more than this system can address; split the file", status.st_size));
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, opened, 0);
    if (address != MAP_FAILED) {
      mapped_ = {static_cast<const std::byte*>(address), size};
      // Advice only: larger read-ahead for passes from front to back.
      static_cast<void>(::madvise(address, size, MADV_SEQUENTIAL));
      return;
    }
    if (errno == ENOMEM) fail(path, "map", ENOMEM);
  }
  struct Stream {
    std::FILE* value;
    ~Stream() {
      if (value) std::fclose(value);
    }
  };
  const int duplicate = ::dup(opened);
  const Stream stream{duplicate < 0 ? nullptr : ::fdopen(duplicate, "rb")};
  if (!stream.value) {
    const int error = errno;
    if (duplicate >= 0) ::close(duplicate);
    fail(path, "read", error);
  }
  read_all(stream.value, path);
}

inline void MappedFile::unmap() noexcept {
  if (!mapped_.empty()) ::munmap(const_cast<std::byte*>(mapped_.data()), mapped_.size());
  mapped_ = {};
}

#else

inline MappedFile::MappedFile(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) fail_directory(path);
  struct Stream {
    std::FILE* value;
    ~Stream() {
      if (value) std::fclose(value);
    }
  };
  errno = 0;
  const Stream stream{std::fopen(path.string().c_str(), "rb")};
  if (!stream.value) fail(path, "open", errno);
  read_all(stream.value, path);
}

inline void MappedFile::unmap() noexcept {}

#endif

}  // namespace collapse::io
