#include <collapse/io/state_file.hpp>

#include "support/catch.hpp"
#include "support/command_line.hpp"
#include "support/temporary_folder.hpp"

#include <filesystem>
#include <sstream>
#include <string>

using namespace collapse;
using collapse::test::read_file;
using collapse::test::TemporaryFolder;

namespace {

Accumulator of_rows(Index rows) {
  Accumulator seen(3, {.pair_rows = 4});
  seen.update(Eigen::MatrixXd::Identity(rows, 3) * 0.5);
  return seen;
}

std::string bytes(const Accumulator& accumulator) {
  std::ostringstream out(std::ios::binary);
  accumulator.save(out);
  return out.str();
}

std::string refusal(const std::filesystem::path& path) {
  try {
    static_cast<void>(io::load_state(path));
  } catch (const FileError& error) {
    CHECK(error.path() == path.string());
    return error.what();
  }
  return "accepted";
}

std::size_t files_in(const std::filesystem::path& folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

}  // namespace

TEST_CASE("a state goes to a file and comes back", "[state_file]") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "run.state";
  io::save_state(of_rows(9), path);
  CHECK(read_file(path) == bytes(of_rows(9)));
  CHECK(bytes(io::load_state(path)) == bytes(of_rows(9)));
  io::save_state(of_rows(5), path);
  CHECK(io::load_state(path).count() == 5);
  CHECK(files_in(path.parent_path()) == 1);
}

TEST_CASE("a state that cannot be saved leaves the old one and nothing else", "[state_file]") {
  const TemporaryFolder folder;
  CHECK_THROWS_AS(io::save_state(of_rows(9), folder / "missing/run.state"), FileError);
  const std::filesystem::path inner = folder / "inner";
  std::filesystem::create_directory(inner);
  CHECK_THROWS_AS(io::save_state(of_rows(9), inner), FileError);
  CHECK(std::filesystem::is_directory(inner));
  CHECK(files_in(inner) == 0);
  if (std::filesystem::exists("/dev/null")) {
    CHECK_THROWS_AS(io::save_state(of_rows(9), "/dev/null"), FileError);
    CHECK_FALSE(std::filesystem::is_regular_file("/dev/null"));
  }
}

TEST_CASE("a state file behind a link is replaced and the link stays", "[state_file]") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "run.state";
  const std::filesystem::path link = folder / "latest";
  io::save_state(of_rows(9), path);
  std::filesystem::create_symlink(path, link);
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  io::save_state(of_rows(7), link);
  CHECK(std::filesystem::is_symlink(link));
  CHECK(io::load_state(path).count() == 7);
  CHECK(std::filesystem::status(path).permissions() ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("what is not a state file is refused by name", "[state_file]") {
  const TemporaryFolder folder;
  const auto says = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  CHECK(says(refusal(folder / "missing"), "cannot open"));
  CHECK(says(refusal(folder.write("empty", "")), "empty"));
  CHECK(says(refusal(folder.write("text", "not a state of anything")), "not the state"));
  const std::string whole = bytes(of_rows(9));
  CHECK(says(refusal(folder.write("short", whole.substr(0, whole.size() - 8))), "truncated"));
  CHECK(says(refusal(folder.write("long", whole + std::string(8, '\0'))), "damaged"));
  std::filesystem::create_directory(folder / "inner");
  CHECK(says(refusal(folder / "inner"), "directory"));
  CHECK(refusal(folder.write("whole", whole)) == "accepted");
}
