#include <collapse/io/npy_header.hpp>

#include "support/catch.hpp"
#include "support/mentions.hpp"
#include "support/npy_bytes.hpp"
#include "support/refusal.hpp"

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

using collapse::FileError;
using collapse::io::NpyHeader;
using collapse::test::mentions;
using collapse::test::NpyBytes;

namespace {

NpyHeader parse(const std::string& bytes) {
  // On the heap and of exactly this size, so that a sanitizer sees any read past the end.
  const std::vector<char> exact(bytes.begin(), bytes.end());
  return collapse::io::parse_npy_header(std::as_bytes(std::span(exact)), "Z.npy");
}

NpyHeader parse_dictionary(const std::string& dictionary) { return parse(NpyBytes{}.with_dictionary(dictionary)); }

std::string refusal(const std::string& bytes) {
  return collapse::test::refusal_by([&] { static_cast<void>(parse(bytes)); }, "Z.npy", 300);
}

using Shape = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("headers of versions 1.0, 2.0 and 3.0 are read", "[npy_header]") {
  for (const int major : {1, 2, 3}) {
    NpyBytes bytes;
    bytes.major = major;
    bytes.descr = "'>f8'";
    bytes.fortran_order = "True";
    bytes.shape = "(1797, 64)";
    const NpyHeader header = parse(bytes.str());
    CHECK(header.descr == ">f8");
    CHECK(header.fortran_order);
    CHECK(header.shape == Shape{1797, 64});
    CHECK(header.data_offset == 128);
  }
}

TEST_CASE("the dictionary is read in every spelling of the same literal", "[npy_header]") {
  for (const char* const dictionary : {
           "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)}",
           "{'shape': (3, 4), 'fortran_order': False, 'descr': '<f4'}",
           "{\"fortran_order\":False,\"shape\":(3,4,),\"descr\":\"<f4\"}",
           " \t{ 'descr' :\n'<f4' , 'fortran_order' : False ,'shape' : ( 3 ,\r\n 4 , ) , } \n",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 4L), }",
       }) {
    INFO(dictionary);
    const NpyHeader header = parse_dictionary(dictionary);
    CHECK(header.descr == "<f4");
    CHECK_FALSE(header.fortran_order);
    CHECK(header.shape == Shape{3, 4});
  }
}

TEST_CASE("shapes of any number of extents are read", "[npy_header]") {
  const std::vector<std::pair<std::string, Shape>> shapes{{"()", {}},
                                                          {"(7,)", {7}},
                                                          {"(0, 0)", {0, 0}},
                                                          {"(1, 2, 3, 4)", {1, 2, 3, 4}},
                                                          {"(9223372036854775807, 1)", {9223372036854775807, 1}}};
  for (const auto& [text, shape] : shapes) {
    INFO(text);
    NpyBytes bytes;
    bytes.shape = text;
    CHECK(parse(bytes.str()).shape == shape);
    CHECK(collapse::io::to_string(shape) == text);
  }
}

TEST_CASE("a file that is empty or of another kind is refused by name", "[npy_header]") {
  CHECK(mentions(refusal(""), "is empty"));
  CHECK(mentions(refusal("hello, world"), "is not a .npy file (it begins with 'hello,')"));
  CHECK(mentions(refusal("\x93NUMPZ\x01"), "is not a .npy file (it begins with '\\x93NUMPZ')"));
  CHECK(mentions(refusal(std::string("PK\x03\x04", 4)), "zip archive (.npz"));
  CHECK(mentions(refusal("\x93NUM"), "ends within the .npy header, after 4 bytes"));
}

TEST_CASE("an unknown version is refused", "[npy_header]") {
  for (const auto& [major, minor] :
       std::vector<std::pair<int, int>>{{0, 0}, {0, 1}, {1, 1}, {3, 1}, {4, 0}, {255, 255}}) {
    NpyBytes bytes;
    bytes.major = major;
    bytes.minor = minor;
    CHECK(mentions(refusal(bytes.str()), ".npy version " + std::to_string(major) + "." + std::to_string(minor)));
  }
}

TEST_CASE("a header longer than its file is refused", "[npy_header]") {
  for (const int major : {1, 2}) {
    NpyBytes bytes;
    bytes.major = major;
    CHECK(mentions(refusal(bytes.magic(60000) + "{}"), "it says 60000 bytes of header, 2 are there"));
  }
  NpyBytes bytes;
  bytes.major = 2;
  CHECK(mentions(refusal(bytes.magic(0xFFFFFFFFU) + "{}"), "it says 4294967295 bytes of header, 2 are there"));
}

TEST_CASE("a header of more than a mebibyte is refused though the file has it", "[npy_header]") {
  NpyBytes bytes;
  bytes.major = 3;
  const std::string padding(2'000'000, ' ');
  CHECK(mentions(refusal(bytes.with_header(bytes.dictionary() + padding)), "bytes of .npy header"));
}

TEST_CASE("what is no dictionary of the three keys is refused with its place", "[npy_header]") {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"", "expected '{' (byte 64)"},
      {"[]", "expected '{' (byte 10)"},
      {"{", "expected a key in quotes"},
      {"{}", "the key 'descr' is missing"},
      {"{,}", "expected a key in quotes (byte 11)"},
      {"{'descr': '<f4', 'fortran_order': False}", "the key 'shape' is missing"},
      {"{'shape': (1, 2), 'fortran_order': False}", "the key 'descr' is missing"},
      {"{'shape': (1, 2), 'descr': '<f4'}", "the key 'fortran_order' is missing"},
      {"{'shape': (1, 2), 'shape': (1, 2)}", "the key 'shape' comes twice"},
      {"{'descr': '<f4', 'order': 'C'}", "unknown key 'order'"},
      {"{'descr' '<f4'}", "expected ':' after a key"},
      {"{'descr': '<f4' 'shape': (1, 2)}", "expected ',' or '}' after a value"},
      {"{'descr': '<f4',, 'shape': (1, 2)}", "expected a key in quotes"},
      {"{'descr: '<f4'}", "unknown key 'descr: '"},
      {"{'descr", "closed on its line"},
      {"{'de\\x73cr': '<f4'}", "closed on its line"},
      {"{'descr': <f4}", "expected the dtype in quotes"},
      {"{'descr': None}", "expected the dtype in quotes"},
      {"{'fortran_order': 0}", "expected True or False"},
      {"{'fortran_order': true}", "expected True or False"},
      {"{'fortran_order': Truer}", "expected ',' or '}' after a value"},
      {"{'shape': 3}", "expected the shape as a tuple"},
      {"{'shape': [3, 4]}", "expected the shape as a tuple"},
      {"{'shape': (3)}", "expected the shape as a tuple"},
      {"{'shape': (3 4)}", "expected ',' or ')' in the shape"},
      {"{'shape': (3,,4)}", "expected an integer in the shape"},
      {"{'shape': (,)}", "expected an integer in the shape"},
      {"{'shape': (3.0, 4)}", "expected ',' or ')' in the shape"},
      {"{'shape': (+3, 4)}", "expected an integer in the shape"},
      {"{'shape': (03, 4)}", "begins with 0"},
      {"{'shape': (3LL, 4)}", "expected ',' or ')' in the shape"},
      {"{'shape': (-, 4)}", "expected an integer in the shape"},
      {"{'shape': (-1, 4)}", "negative extent, '-1'"},
      {"{'shape': (3, 9223372036854775808)}", "extent of 2^63 or more, '9223372036854775808'"},
      {"{'shape': (99999999999999999999999999999999, 4)}", "extent of 2^63 or more"},
      {"{'shape': (3, 4", "expected ',' or ')' in the shape"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)} x", "something follows the dictionary"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)}}", "something follows the dictionary"},
      {"{'k\x01y\n'}", "closed on its line"},
      {"{'k\x01\xffy': 1}", "unknown key 'k\\x01\\xffy'"},
  };
  for (const auto& [dictionary, expected] : wrong) {
    INFO(dictionary);
    CHECK(mentions(refusal(NpyBytes{}.with_dictionary(dictionary)), expected));
  }
}

TEST_CASE("a long name in a header is cut in the message", "[npy_header]") {
  CHECK(mentions(refusal(NpyBytes{}.with_dictionary("{'" + std::string(5000, 'k') + "': 1}")), "kkk...'"));
}

TEST_CASE("records are refused as such, however deep they nest", "[npy_header]") {
  for (const std::string& descr :
       {std::string("[('x', '<f4'), ('y', '<f4')]"), std::string("('<f4', (3,))"), std::string(50000, '[')}) {
    NpyBytes bytes;
    bytes.descr = descr;
    CHECK(mentions(refusal(bytes.str()), "structured dtype"));
  }
}

TEST_CASE("every prefix of a header is refused without a crash", "[npy_header]") {
  for (const int major : {1, 2, 3}) {
    NpyBytes bytes;
    bytes.major = major;
    const std::string whole = bytes.str();
    for (std::size_t length = 0; length < whole.size(); ++length) {
      INFO(length << " bytes");
      CHECK(refusal(whole.substr(0, length)) != "no error");
    }
    CHECK_NOTHROW(parse(whole));
  }
}

TEST_CASE("random damage to a header is refused or read, never more", "[npy_header]") {
  std::mt19937 random(7);
  NpyBytes bytes;
  bytes.shape = "(12, 345)";
  const std::string tokens = "{}()[]'\":,-0123456789LTrueFalsdcpfo_nh<>=|\\ \n\t\x93";
  int read = 0;
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    bytes.major = 1 + round % 3;
    std::string damaged = bytes.str();
    if (round % 2 == 0) {
      // Other digits, or none: many of these headers can be read.
      const std::size_t digit =
          damaged.find_first_of("0123456789", damaged.size() / 4 + random() % (damaged.size() / 2));
      if (digit != std::string::npos) damaged[digit] = "0123456789L,"[random() % 12];
    }
    for (unsigned flips = round % 2 == 0 ? 0 : 1 + random() % 4; flips > 0; --flips) {
      char& victim = damaged[random() % damaged.size()];
      victim = random() % 2 == 0 ? tokens[random() % tokens.size()] : static_cast<char>(random() % 256);
    }
    try {
      const NpyHeader header = parse(damaged);
      ++read;
      REQUIRE(header.data_offset <= damaged.size());
      for (const std::int64_t extent : header.shape) REQUIRE(extent >= 0);
    } catch (const FileError&) {
      ++refused;
    }
  }
  // Both must happen, or the damage is not what this test is about.
  CHECK(read > 1000);
  CHECK(refused > 1000);
}
