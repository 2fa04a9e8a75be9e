#pragma once

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

}  // namespace collapse::test
