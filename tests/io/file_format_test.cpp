#include <collapse/io/file_format.hpp>

#include "support/catch.hpp"
#include "support/mentions.hpp"
#include "support/npy_bytes.hpp"
#include "support/safetensors_bytes.hpp"
#include "support/temporary_folder.hpp"

#include <string>
#include <string_view>
#include <vector>

using collapse::FileError;
using collapse::io::ByteStream;
using collapse::io::detect_format;
using collapse::io::FileFormat;
using collapse::test::mentions;
using collapse::test::NpyBytes;
using collapse::test::TemporaryFolder;

namespace {

FileFormat format_of(const std::string& name, std::string_view bytes) {
  const TemporaryFolder folder;
  ByteStream stream(folder.write(name, bytes));
  return detect_format(stream);
}

std::string refusal_of(const std::string& name, std::string_view bytes) {
  try {
    static_cast<void>(format_of(name, bytes));
  } catch (const FileError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("the format of a file is told by how it begins", "[file_format]") {
  NpyBytes npy;
  npy.data = std::string(24, '\0');
  const std::string tensors = collapse::test::safetensors_bytes("{\"__metadata__\":{}}", "");
  for (const std::string name : {"Z", "Z.dat", "Z.emb", "Z.csv", "Z.npy", "Z.bin", "Z.safetensors"}) {
    CAPTURE(name);
    CHECK(format_of(name, npy.str()) == FileFormat::npy);
    CHECK(format_of(name, tensors) == FileFormat::safetensors);
  }
  for (const std::string name : {"Z", "Z.dat", "Z.emb", "Z.embeddings", "Z.w2v", "Z.CSV"}) {
    CAPTURE(name);
    CHECK(format_of(name, "60 8\n0 1.5 2\n") == FileFormat::text);
    CHECK(format_of(name, "\xef\xbb\xbf\xc3\xa4,1\r\n") == FileFormat::text);
    CHECK(format_of(name, std::string_view("\xff\xfe"
                                           "1\0,\0",
                                           6)) == FileFormat::text);
  }
  CHECK(format_of("PAR1.txt", "PAR1 0.5 0.5\n") == FileFormat::text);
}

TEST_CASE("the ending decides where the beginning does not", "[file_format]") {
  for (const std::string_view bytes :
       {std::string_view(""), std::string_view("1,2\n"), std::string_view("\0\1\2", 3)}) {
    CHECK(format_of("Z.npy", bytes) == FileFormat::npy);
    CHECK(format_of("Z.Npy", bytes) == FileFormat::npy);
    CHECK(format_of("Z.safetensors", bytes) == FileFormat::safetensors);
    CHECK(format_of("Z.tsv", bytes) == FileFormat::text);
  }
}

TEST_CASE("other formats are named with what to do", "[file_format]") {
  const auto begin = [](std::string_view magic) { return std::string(magic) + std::string("\0\1\2\3\xff", 5); };
  for (const std::string name : {"Z", "Z.csv", "Z.npy", "Z.gz"}) {
    CAPTURE(name);
    CHECK(mentions(refusal_of(name, begin("PK\x03\x04")), "is a zip archive (.npz or a PyTorch file)"));
    CHECK(mentions(refusal_of(name, begin("\x1f\x8b")), "is compressed with gzip"));
    CHECK(mentions(refusal_of(name, begin("PAR1")), "is a Parquet file"));
    CHECK(mentions(refusal_of(name, begin("\x89HDF")), "is an HDF5 file"));
    CHECK(mentions(refusal_of(name, begin("\x80\x04")), "is a pickle"));
  }
  CHECK(mentions(refusal_of("Z.dat", ""), "is empty"));
  CHECK(mentions(refusal_of("Z.dat", std::string_view("\0\1\2\3", 4)),
                 "is not a .npy file, no .safetensors file and no text"));
  CHECK(mentions(refusal_of("Z.dat", std::string_view("\xff\xff\xff", 3)), "--stdin"));
}
