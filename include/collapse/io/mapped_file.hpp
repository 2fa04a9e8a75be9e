#pragma once

#include <collapse/error.hpp>
#include <collapse/io/byte_stream.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace collapse::io {

/// The bytes of a file, read-only, for as long as the object lives.
///
/// A regular file is mapped: opening costs no memory and no reading, pages come in as they are touched, and files
/// larger than memory work. Pipes, file systems that cannot map and systems without POSIX `mmap` are read into memory
/// instead. An empty file is accepted and has no bytes. Movable, not copyable; a moved-from object has no bytes either.
///
/// The file must not shrink while it is mapped: touching bytes that are gone ends the process (SIGBUS).
class MappedFile {
 public:
  /// Opens a file.
  /// @param path the file
  /// @throws FileError when it cannot be opened or read, is a directory or a device; std::bad_alloc where it has to be
  ///         read into memory and does not fit
  /// Cost: O(1) where the file is mapped, one read of it elsewhere.
  explicit MappedFile(const std::filesystem::path& path) : MappedFile(ByteStream(path)) {}

  /// The same of a file that was opened before, of which nothing was read.
  explicit MappedFile(ByteStream&& stream) {
    if (!map(stream)) read_all(stream);
  }

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

  /// Gives the memory of the bytes [first, last) back to the system, so that a pass over a file larger than memory
  /// keeps little of it resident. The bytes stay valid: touched again, they are read again, from the system's cache or
  /// the file. Whole pages only: up to a megabyte before `first` may go with them, less than a page before `last` may
  /// stay. Does nothing where the bytes are not mapped, or the system takes no such advice. Cost: one system call.
  void release(std::size_t first, std::size_t last) const noexcept;

 private:
  /// Maps a regular file, and says whether it did.
  [[nodiscard]] bool map(const ByteStream& stream);
  void unmap() noexcept;
  void read_all(ByteStream& stream);

  std::vector<std::byte> contents_;
  std::span<const std::byte> mapped_;
};

inline void MappedFile::read_all(ByteStream& stream) {
  constexpr std::size_t least = std::size_t{1} << 16;
  std::size_t used = 0;
  do {
    contents_.resize(std::max(least, 2 * used));
    used += stream.read(std::span(contents_).subspan(used));
  } while (used == contents_.size());
  contents_.resize(used);
}

#if __has_include(<sys/mman.h>)

inline bool MappedFile::map(const ByteStream& stream) {
  const int descriptor = ::fileno(stream.get());
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) stream.fail("open", errno);
  // Of files that the system makes up as they are read, the size is 0 as well.
  if (!S_ISREG(status.st_mode) || status.st_size <= 0) return false;
  if (static_cast<std::uintmax_t>(status.st_size) > std::numeric_limits<std::ptrdiff_t>::max()) {
    throw FileError(stream.path(),
                    fmt::format("{} bytes are more than this system can address; split the file", status.st_size));
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (address == MAP_FAILED) {
    if (errno == ENOMEM) stream.fail("map", ENOMEM);
    return false;
  }
  mapped_ = {static_cast<const std::byte*>(address), size};
#ifdef MADV_SEQUENTIAL
  // Advice only: larger read-ahead for passes from front to back.
  static_cast<void>(::madvise(address, size, MADV_SEQUENTIAL));
#endif
  return true;
}

inline void MappedFile::unmap() noexcept {
  if (!mapped_.empty()) ::munmap(const_cast<std::byte*>(mapped_.data()), mapped_.size());
  mapped_ = {};
}

inline void MappedFile::release(std::size_t first, std::size_t last) const noexcept {
#ifdef MADV_DONTNEED
  // A page that is touched brings its neighbours along, and those before `first` may have come back that way.
  constexpr std::size_t neighbourhood = std::size_t{1} << 20;
  const long found = ::sysconf(_SC_PAGESIZE);
  const auto page = found > 0 ? static_cast<std::size_t>(found) : neighbourhood;
  const std::size_t unit = std::max(page, neighbourhood);
  const std::size_t begin = first / unit * unit;
  const std::size_t end = std::min(last, mapped_.size()) / page * page;
  if (begin < end)
    static_cast<void>(::madvise(const_cast<std::byte*>(mapped_.data()) + begin, end - begin, MADV_DONTNEED));
#else
  static_cast<void>(first);
  static_cast<void>(last);
#endif
}

#else

inline bool MappedFile::map(const ByteStream&) { return false; }
inline void MappedFile::unmap() noexcept {}
inline void MappedFile::release(std::size_t, std::size_t) const noexcept {}

#endif

}  // namespace collapse::io
