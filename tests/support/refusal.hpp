#pragma once

#include <collapse/error.hpp>

#include "catch.hpp"

#include <cstddef>
#include <string>
#include <utility>

namespace collapse::test {

/// The message with which an action refuses a file, checked to be one line about this file, of printable characters and
/// shorter than `limit`; "no error" when it does not.
template <class Action>
std::string refusal_by(Action&& action, const std::string& path, std::size_t limit) {
  try {
    std::forward<Action>(action)();
  } catch (const FileError& error) {
    const std::string message = error.what();
    CHECK(error.path() == path);
    CHECK(message.rfind(path + ": ", 0) == 0);
    CHECK(message.size() < limit);
    for (const char c : message) CHECK((c >= ' ' && c <= '~'));
    return message;
  }
  return "no error";
}

/// The same of a file on disk, what is said after its name: shorter than `limit`.
template <class Action>
std::string refusal_after_name(Action&& action, const std::string& path, std::size_t limit) {
  const std::string message = refusal_by(std::forward<Action>(action), path, path.size() + limit);
  return message == "no error" ? message : message.substr(path.size() + 2);
}

}  // namespace collapse::test
