#pragma once

#include <collapse/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#if __has_include(<sys/mman.h>)
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace collapse::io {

namespace detail {

/// Throws a FileError that says what could not be done, and the system's reason.
[[noreturn]] inline void throw_system_error(const std::string& path, const char* action, int error) {
  throw FileError(path, fmt::format("cannot {}: {}", action, std::generic_category().message(error)));
}

}  // namespace detail

/// The bytes of a file or a pipe, one after the other. Movable, not copyable; a moved-from object may only be assigned
/// to or destroyed.
class ByteStream {
 public:
  /// Opens a file.
  /// @param path the file
  /// @throws FileError when it cannot be opened, is a directory or a device
  explicit ByteStream(const std::filesystem::path& path);

  /// Reads from a stream that is open already, and leaves it open.
  /// @param stream in binary mode; must outlive this object
  /// @param name   names the stream in errors
  ByteStream(std::FILE* stream, std::string name) : path_(std::move(name)), stream_(stream, Closer{false}) {}

  /// Reads until `to` is full or the stream ends, however little comes at a time.
  /// @return the number of bytes read, less than asked for only at the end
  /// @throws FileError when reading fails
  [[nodiscard]] std::size_t read(std::span<std::byte> to);

  /// The next bytes, which stay to be read: `count` of them, fewer at the end.
  /// @return valid until the next call of any kind
  /// @throws FileError when reading fails
  [[nodiscard]] std::span<const std::byte> peek(std::size_t count);

  [[nodiscard]] std::FILE* get() const noexcept { return stream_.get(); }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// @throws FileError that says what could not be done, and the system's reason
  [[noreturn]] void fail(const char* action, int error) const { detail::throw_system_error(path_, action, error); }

 private:
  struct Closer {
    bool owned;
    void operator()(std::FILE* stream) const {
      if (owned) static_cast<void>(std::fclose(stream));
    }
  };

  [[nodiscard]] std::size_t read_stream(std::span<std::byte> to);

  std::string path_;
  std::unique_ptr<std::FILE, Closer> stream_;
  std::vector<std::byte> ahead_;  // looked at, and not read yet
};

inline std::size_t ByteStream::read(std::span<std::byte> to) {
  const std::size_t known = std::min(to.size(), ahead_.size());
  std::copy_n(ahead_.begin(), known, to.begin());
  ahead_.erase(ahead_.begin(), ahead_.begin() + static_cast<std::ptrdiff_t>(known));
  return known + read_stream(to.subspan(known));
}

inline std::span<const std::byte> ByteStream::peek(std::size_t count) {
  const std::size_t known = ahead_.size();
  if (count > known) {
    ahead_.resize(count);
    ahead_.resize(known + read_stream(std::span(ahead_).subspan(known)));
  }
  return std::span<const std::byte>(ahead_).first(std::min(count, ahead_.size()));
}

inline std::size_t ByteStream::read_stream(std::span<std::byte> to) {
  std::FILE* const stream = stream_.get();
  std::size_t used = 0;
  while (used < to.size() && !std::feof(stream)) {
    errno = 0;
    used += std::fread(to.data() + used, 1, to.size() - used, stream);
    if (!std::ferror(stream)) continue;
    if (errno != EINTR) fail("read", errno);
    std::clearerr(stream);
  }
  return used;
}

#if __has_include(<sys/mman.h>)

inline ByteStream::ByteStream(const std::filesystem::path& path)
    : path_(path.string()), stream_(nullptr, Closer{true}) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail("open", errno);
  stream_.reset(::fdopen(descriptor, "rb"));
  if (!stream_) {
    const int error = errno;
    ::close(descriptor);
    fail("open", error);
  }
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) fail("open", errno);
  if (S_ISDIR(status.st_mode)) throw FileError(path_, "is a directory; name a file in it");
  if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
    throw FileError(path_, "is a device; name a file or a pipe");
  }
}

#else

inline ByteStream::ByteStream(const std::filesystem::path& path)
    : path_(path.string()), stream_(nullptr, Closer{true}) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) throw FileError(path_, "is a directory; name a file in it");
  errno = 0;
  stream_.reset(std::fopen(path_.c_str(), "rb"));
  if (!stream_) fail("open", errno);
}

#endif

}  // namespace collapse::io
