#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace collapse::test {

/// The bytes of a .safetensors file, put together from its parts, right or wrong.
[[nodiscard]] inline std::string safetensors_bytes(std::string_view header, std::string_view data,
                                                   std::size_t claimed_length) {
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>((claimed_length >> (8 * i)) & 0xFFU);
  return out.append(header).append(data);
}

[[nodiscard]] inline std::string safetensors_bytes(std::string_view header, std::string_view data) {
  return safetensors_bytes(header, data, header.size());
}

/// One entry of the header: `"Z":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}`.
[[nodiscard]] inline std::string safetensors_entry(const std::string& name, const std::string& dtype,
                                                   const std::string& shape, const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

}  // namespace collapse::test
