#include <collapse/io/safetensors_header.hpp>

#include "support/catch.hpp"
#include "support/mentions.hpp"
#include "support/refusal.hpp"
#include "support/safetensors_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

using collapse::FileError;
using collapse::io::SafetensorsHeader;
using collapse::test::mentions;
using collapse::test::safetensors_bytes;
using collapse::test::safetensors_entry;

namespace {

SafetensorsHeader parse(const std::string& bytes) {
  // On the heap and of exactly this size, so that a sanitizer sees any read past the end.
  const std::vector<char> exact(bytes.begin(), bytes.end());
  return collapse::io::parse_safetensors_header(std::as_bytes(std::span(exact)), "Z.safetensors");
}

std::string refusal(const std::string& bytes) {
  return collapse::test::refusal_by([&] { static_cast<void>(parse(bytes)); }, "Z.safetensors", 400);
}

std::string refusal_of(const std::string& header, std::size_t data_size = 24) {
  return refusal(safetensors_bytes(header, std::string(data_size, '\0')));
}

const std::string good = safetensors_entry("Z", "F32", "[2,3]", "[0,24]");

}  // namespace

TEST_CASE("a safetensors header is read with metadata and padding", "[safetensors_header]") {
  const std::string header = "{\"__metadata__\":{\"format\":\"pt\",\"a\":\"\\u00e9\"}," +
                             safetensors_entry("b", "I64", "[]", "[24,32]") + ", " + good + " }    ";
  const SafetensorsHeader found = parse(safetensors_bytes(header, std::string(32, '\0')));
  REQUIRE(found.tensors.size() == 2);
  CHECK(found.data_offset == 8 + header.size());
  CHECK(found.tensors[0].name == "Z");
  CHECK(found.tensors[0].dtype == "F32");
  CHECK(found.tensors[0].shape == std::vector<std::uint64_t>{2, 3});
  CHECK(found.tensors[0].begin == 0);
  CHECK(found.tensors[0].end == 24);
  CHECK(found.tensors[1].name == "b");
  CHECK(found.tensors[1].shape.empty());
  CHECK(found.tensors[1].begin == 24);
  CHECK(found.tensors[1].end == 32);
}

TEST_CASE("tensors of no bytes may stand anywhere in the data", "[safetensors_header]") {
  const std::string header = "{" + good + "," + safetensors_entry("first", "F32", "[0,3]", "[0,0]") + "," +
                             safetensors_entry("last", "F32", "[3,0]", "[24,24]") + "}";
  CHECK(parse(safetensors_bytes(header, std::string(24, '\0'))).tensors.size() == 3);
  CHECK(parse(safetensors_bytes("{}", "")).tensors.empty());
}

TEST_CASE("a safetensors header with a length beyond the file or the limit is refused", "[safetensors_header]") {
  const std::string header = "{" + good + "}";
  const std::string data(24, '\0');
  CHECK(mentions(refusal(""), "is empty"));
  CHECK(mentions(refusal("1234567"), "after 7 bytes"));
  CHECK(mentions(refusal(safetensors_bytes(header, data, header.size() + 25)), "are there"));
  CHECK(mentions(refusal(safetensors_bytes(header, data, 100'000'000)), "are there"));
  CHECK(mentions(refusal(safetensors_bytes(header, data, 100'000'001)), "100000000 are the most"));
  CHECK(mentions(refusal(safetensors_bytes(header, data, ~std::size_t{0})), "18446744073709551615 bytes"));
  CHECK(mentions(refusal(safetensors_bytes(header, data, 0)), "does not begin with '{'"));
  CHECK(mentions(refusal(safetensors_bytes(header, data, header.size() - 1)), "no JSON"));
}

TEST_CASE("a safetensors header that is no JSON of this form is refused", "[safetensors_header]") {
  CHECK(mentions(refusal_of("[1]"), "does not begin with '{'"));
  CHECK(mentions(refusal_of(" {" + good + "}"), "does not begin with '{'"));
  CHECK(mentions(refusal_of("\xef\xbb\xbf{" + good + "}"), "does not begin with '{'"));
  CHECK(mentions(refusal_of("{" + good), "no JSON"));
  CHECK(mentions(refusal_of("{" + good + "}}"), "no JSON"));
  CHECK(mentions(refusal_of("{" + good + "} {"), "no JSON"));
  CHECK(mentions(refusal_of("{" + good + "}" + std::string(1, '\0') + "}"), "zero byte"));
  CHECK(mentions(refusal_of("{/* */" + good + "}"), "no JSON"));
  CHECK(mentions(refusal_of("{" + safetensors_entry("\xff", "F32", "[2,3]", "[0,24]") + "}"), "no JSON in UTF-8"));
  CHECK(mentions(refusal_of("{" + safetensors_entry("\xed\xa0\x80", "F32", "[2,3]", "[0,24]") + "}"), "UTF-8"));
  CHECK(mentions(refusal_of("{\"Z\":1}"), "'Z' is or holds the number 1"));
  CHECK(mentions(refusal_of("{\"Z\":null}"), "null"));
  CHECK(mentions(refusal_of("{\"Z\":true}"), "a boolean"));
  CHECK(mentions(refusal_of("{\"Z\":\"text\"}"), "the text 'text'"));
  CHECK(mentions(refusal_of("{\"Z\":[0]}"), "a list"));
  CHECK(mentions(refusal_of("{\"Z\":{\"dtype\":[\"F32\"]}}"), "'dtype' of tensor 'Z' is or holds a list"));
  CHECK(mentions(refusal_of("{\"Z\":{\"dtype\":4}}"), "the number 4"));
  CHECK(mentions(refusal_of("{\"Z\":{\"shape\":\"2\"}}"), "the text '2'"));
  CHECK(mentions(refusal_of("{\"Z\":{\"size\":1}}"), "unknown key 'size'"));
  CHECK(mentions(refusal_of("{\"Z\":{}}"), "lacks 'dtype'"));
  CHECK(mentions(refusal_of("{\"Z\":{\"dtype\":\"F32\",\"shape\":[2,3]}}"), "lacks 'data_offsets'"));
  CHECK(mentions(refusal_of("{\"__metadata__\":\"text\"}"), "is or holds the text"));
  CHECK(mentions(refusal_of("{\"__metadata__\":{\"a\":1}}"), "the metadata is or holds the number 1"));
  CHECK(mentions(refusal_of("{\"__metadata__\":{\"a\":{}}}"), "a dictionary"));
}

TEST_CASE("keys that come twice in a safetensors header are refused", "[safetensors_header]") {
  CHECK(mentions(refusal_of("{" + good + "," + good + "}"), "the name 'Z' comes twice"));
  // The same name, written in two ways.
  CHECK(mentions(refusal_of("{" + good + "," + safetensors_entry("\\u005a", "F32", "[0,3]", "[0,0]") + "}"),
                 "the name 'Z' comes twice"));
  CHECK(mentions(refusal_of("{\"Z\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}"), "'dtype' of tensor 'Z' comes twice"));
  CHECK(mentions(refusal_of("{\"__metadata__\":{},\"__metadata__\":{}}"), "comes twice"));
  CHECK(mentions(refusal_of("{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}"), "the metadata 'a' comes twice"));
}

TEST_CASE("extents and offsets that are no unsigned integers are refused", "[safetensors_header]") {
  const auto with_shape = [](const std::string& shape) {
    return refusal_of("{" + safetensors_entry("Z", "F32", shape, "[0,24]") + "}");
  };
  CHECK(mentions(with_shape("[2.0,3]"), "'shape' of tensor 'Z' is or holds '2.0', no integer below 2^64"));
  CHECK(mentions(with_shape("[2e0,3]"), "'2e0'"));
  CHECK(mentions(with_shape("[-2,3]"), "-2, a negative number"));
  CHECK(mentions(with_shape("[18446744073709551616,3]"), "no integer below 2^64"));
  CHECK(mentions(with_shape("[1e999,3]"), "no JSON"));
  CHECK(mentions(with_shape("[\"2\",3]"), "the text '2'"));
  CHECK(mentions(with_shape("[null]"), "null"));
  CHECK(mentions(with_shape("[[2,3]]"), "a list"));
  CHECK(mentions(with_shape("[{}]"), "a dictionary"));
  CHECK(mentions(with_shape("6"), "the number 6"));
  std::string long_list = "[1";
  for (int i = 0; i < 64; ++i) long_list += ",1";
  CHECK(mentions(with_shape(long_list + "]"), "more than 64 numbers"));

  const auto with_offsets = [](const std::string& offsets) {
    return refusal_of("{" + safetensors_entry("Z", "F32", "[2,3]", offsets) + "}");
  };
  CHECK(mentions(with_offsets("[0]"), "needs two data_offsets"));
  CHECK(mentions(with_offsets("[0,24,24]"), "needs two data_offsets"));
  CHECK(mentions(with_offsets("[-8,16]"), "a negative number"));
  CHECK(mentions(with_offsets("[0,24.0]"), "no integer"));
}

TEST_CASE("tensors must cover the data of a safetensors file once", "[safetensors_header]") {
  const auto two = [](const std::string& a, const std::string& b, std::size_t size) {
    return refusal_of(
        "{" + safetensors_entry("a", "F32", "[2,3]", a) + "," + safetensors_entry("b", "F32", "[2,3]", b) + "}", size);
  };
  CHECK(two("[0,24]", "[24,48]", 48) == "no error");
  CHECK(two("[24,48]", "[0,24]", 48) == "no error");
  CHECK(
      mentions(two("[0,24]", "[20,44]", 44), "tensor 'b' begins at byte 20 of the data, the one before it ends at 24"));
  CHECK(mentions(two("[0,24]", "[0,24]", 24), "begins at byte 0"));
  CHECK(mentions(two("[0,24]", "[28,52]", 52), "begins at byte 28 of the data, the one before it ends at 24"));
  CHECK(mentions(two("[4,28]", "[28,52]", 52), "tensor 'a' begins at byte 4"));
  CHECK(mentions(two("[24,0]", "[24,48]", 48), "the end before the beginning"));
  CHECK(mentions(two("[0,24]", "[24,48]", 47), "is truncated: tensor 'b' ends at byte 48 of the data, found 47"));
  CHECK(mentions(two("[0,24]", "[24,18446744073709551615]", 48), "ends at byte 18446744073709551615"));
  CHECK(mentions(two("[0,24]", "[24,48]", 49), "is too long: its tensors take 48 bytes of data, found 49"));
  CHECK(mentions(refusal_of("{}", 1), "is too long"));
}

TEST_CASE("nesting of any depth is refused without exhausting the stack", "[safetensors_header]") {
  constexpr std::size_t depth = 4'000'000;
  CHECK(mentions(refusal_of("{\"Z\":" + std::string(depth, '[')), "a list"));
  std::string objects;
  for (std::size_t i = 0; i < depth / 8; ++i) objects += "{\"a\":";
  CHECK(mentions(refusal_of(objects), "unknown key 'a'"));
  CHECK(mentions(refusal_of("{\"Z\":{\"shape\":" + std::string(depth, '[')), "a list"));
  CHECK(mentions(refusal_of("{\"__metadata__\":" + objects), "a dictionary"));
}

TEST_CASE("names in a message are shortened and printable", "[safetensors_header]") {
  const std::string message =
      refusal_of("{" + safetensors_entry("\\n\\u0007" + std::string(1000, 'x'), "F32", "[2,3]", "[24,0]") + "}");
  CHECK(mentions(message, "'\\x0a\\x07" + std::string(38, 'x') + "...'"));
}
