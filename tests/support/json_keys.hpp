#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace collapse::test {

using Keys = std::vector<std::string>;

/// The keys of an object, in their order.
template <class Json>
[[nodiscard]] Keys keys_of(const Json& json) {
  Keys keys;
  for (const auto& item : json.items()) keys.push_back(item.key());
  return keys;
}

/// Whether these keys are among all, in this order.
[[nodiscard]] inline bool holds(const Keys& all, const Keys& these) {
  std::size_t met = 0;
  for (const std::string& key : all) {
    if (met < these.size() && key == these[met]) ++met;
  }
  return met == these.size();
}

}  // namespace collapse::test
