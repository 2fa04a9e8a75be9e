#pragma once

#include "catch.hpp"

#include <string>

namespace collapse::test {

/// Whether a text holds a part; a check that fails shows both.
inline bool mentions(const std::string& text, const std::string& part) {
  UNSCOPED_INFO("text: " << text << "\nexpected in it: " << part);
  return text.find(part) != std::string::npos;
}

}  // namespace collapse::test
