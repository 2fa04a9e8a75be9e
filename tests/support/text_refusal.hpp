#pragma once

#include "blocks.hpp"
#include "refusal.hpp"
#include "temporary_folder.hpp"

#include <collapse/io/text.hpp>

#include <cstddef>
#include <string>

namespace collapse::test {

/// The message with which a text is refused, without the name of its file; see refusal_by.
inline std::string text_refusal(const std::string& text, const io::TextOptions& options, std::size_t limit) {
  const TemporaryFolder folder;
  const auto path = folder.write("Z.csv", text);
  return refusal_after_name(
      [&] {
        io::TextFile file(path, options);
        static_cast<void>(blocks_of(file, 2));
      },
      path.string(), limit);
}

}  // namespace collapse::test
