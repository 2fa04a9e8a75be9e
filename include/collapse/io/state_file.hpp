#pragma once

#include <collapse/accumulator.hpp>
#include <collapse/error.hpp>
#include <collapse/io/byte_stream.hpp>
#include <collapse/io/mapped_file.hpp>

#include <cerrno>
#include <concepts>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#if __has_include(<unistd.h>)
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace collapse::io {

namespace detail {

/// A new, empty file in the folder of `path`. No other process writes to it.
[[nodiscard]] inline std::filesystem::path make_neighbour(const std::filesystem::path& path) {
#if __has_include(<unistd.h>)
  for (int attempt = 0;; ++attempt) {
    std::filesystem::path neighbour = path;
    neighbour += fmt::format(".{}-{}.part", ::getpid(), attempt);
    const int made = ::open(neighbour.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (made >= 0) {
      ::close(made);
      return neighbour;
    }
    if (errno != EEXIST || attempt == 1000) throw_system_error(path.string(), "write", errno);
  }
#else
  std::filesystem::path neighbour = path;
  neighbour += ".part";
  return neighbour;
#endif
}

/// A file that is removed at the end, unless it was renamed meanwhile.
class Part {
 public:
  explicit Part(std::filesystem::path path) : path_(std::move(path)) {}
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  ~Part() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// Waits until the bytes of a file, or the entries of a folder, are on the disk.
inline void synchronise(const std::filesystem::path& path, bool folder) {
#if __has_include(<unistd.h>)
  const int opened = ::open(path.c_str(), (folder ? O_RDONLY | O_DIRECTORY : O_WRONLY) | O_CLOEXEC);
  if (opened < 0) throw_system_error(path.string(), "write", errno);
  const int failed = ::fsync(opened) == 0 ? 0 : errno;
  ::close(opened);
  // Some file systems have no names to wait for.
  if (failed != 0 && !(folder && failed == EINVAL)) throw_system_error(path.string(), "write", failed);
#else
  static_cast<void>(path);
  static_cast<void>(folder);
#endif
}

}  // namespace detail

/// What can be saved: Accumulator, PairedAccumulator, LabelledAccumulator.
template <class T>
concept Saveable = requires(const T& accumulator, std::ostream& out, std::string_view bytes) {
  accumulator.save(out);
  { T::load(bytes) } -> std::same_as<T>;
};

/// Saves an accumulator to a file, completely or not at all: whatever happens meanwhile (an error, a kill, a power
/// cut), the path holds either what it held before or the new state. The state is first written to
/// PATH.<process>-<n>.part in the same folder; a killed process leaves that file behind.
/// @param accumulator  any number of rows
/// @param path         a file to make or to replace; a symbolic link is followed
/// @throws FileError when it cannot be written, or is something else than a file; the old one is untouched then
/// Cost: as `Accumulator::save`, and a wait for the disk.
template <Saveable Saved>
void save_state(const Saved& accumulator, const std::filesystem::path& path) {
  std::error_code ignored;
  const std::filesystem::file_status before = std::filesystem::status(path, ignored);
  const bool replaces = std::filesystem::exists(before);
  if (replaces && !std::filesystem::is_regular_file(before)) {
    throw FileError(path.string(), "is not a regular file; name one to be made or replaced");
  }
  const std::filesystem::path target = replaces ? std::filesystem::canonical(path, ignored) : path;
  const detail::Part part(detail::make_neighbour(target));
  {
    errno = 0;
    std::ofstream out(part.path(), std::ios::binary);
    if (!out) detail::throw_system_error(path.string(), "write", errno);
    try {
      accumulator.save(out);
    } catch (const StateError&) {
      detail::throw_system_error(path.string(), "write", errno != 0 ? errno : EIO);
    }
    out.close();
    if (!out) detail::throw_system_error(path.string(), "write", errno != 0 ? errno : EIO);
  }
  detail::synchronise(part.path(), false);
  if (replaces) std::filesystem::permissions(part.path(), before.permissions(), ignored);
  std::error_code failed;
  std::filesystem::rename(part.path(), target, failed);
  if (failed) throw FileError(path.string(), "cannot write: " + failed.message());
  detail::synchronise(target.has_parent_path() ? target.parent_path() : ".", true);
}

/// The accumulator that was saved to a file: `load_state(path)` for an Accumulator,
/// `load_state<PairedAccumulator>(path)` for another kind.
/// @throws FileError when it cannot be read or does not hold the state of such an accumulator
/// Cost: as `Accumulator::load`.
template <Saveable Saved = Accumulator>
[[nodiscard]] Saved load_state(const std::filesystem::path& path) {
  const MappedFile file(path);
  try {
    return Saved::load(std::string_view(reinterpret_cast<const char*>(file.data()), file.size()));
  } catch (const StateError& error) {
    throw FileError(path.string(), error.what());
  }
}

}  // namespace collapse::io
