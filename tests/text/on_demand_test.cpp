#include "support/blocks_on_demand.hpp"
#include "support/catch.hpp"

#include <collapse/text/classes.hpp>
#include <collapse/text/comparison.hpp>
#include <collapse/text/isotropy.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

using namespace collapse;

namespace {

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) result.push_back(line);
  return result;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// What holds for every page, in UTF-8 and in ASCII; returns the first.
template <class Block>
std::string checked_page(const Block& block) {
  const std::string page = fmt::format("{}", block);
  const std::string ascii = fmt::format("{:a}", block);
  for (const std::string& text : {page, ascii}) {
    CAPTURE(text);
    CHECK(text.back() != '\n');
    CHECK_FALSE(contains(text, "nan"));
    for (const std::string& line : lines(text)) {
      const auto columns = std::count_if(line.begin(), line.end(),
                                         [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
      CAPTURE(line);
      CHECK(columns <= 80);
      CHECK((line.empty() || line.back() != ' '));
    }
  }
  CHECK(std::all_of(ascii.begin(), ascii.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80U; }));
  CHECK(lines(ascii).size() == lines(page).size());
  CHECK_THROWS_AS(fmt::format(fmt::runtime("{:x}"), block), fmt::format_error);
  return page;
}

/// Whether a line begins with a label and then has this value.
bool tells(const std::string& page, const std::string& label, const std::string& value) {
  const std::string start = "  " + label + ' ';
  for (const std::string& line : lines(page)) {
    if (line.rfind(start, 0) != 0) continue;
    const std::size_t first = line.find_first_not_of(' ', start.size());
    if (first != std::string::npos && line.compare(first, value.size(), value) == 0) return true;
  }
  UNSCOPED_INFO(page << "\nlacks " << label << ' ' << value);
  return false;
}

}  // namespace

TEST_CASE("the page of uniformity tells every number", "[format_on_demand]") {
  const std::string page = checked_page(reference::uniformity_example());
  CHECK(contains(lines(page).front(), "4950 pairs of 100 sampled rows"));
  CHECK(tells(page, "uniformity", "-3.125   ± 0.01250"));
  CHECK(tells(page, "isoscore", "0.2500"));
  CHECK(tells(page, "vendi score", "31.50"));
  CHECK(tells(page, "  order 2", "21.50"));
  CHECK(tells(page, "  order infinity", "11.50"));
  CHECK(tells(page, "  / largest possible", "0.6250"));
  CHECK(tells(page, "self cluster", "0.03125"));
  CHECK(tells(page, "coherence", "1.500"));
  CHECK(tells(page, "partition isotropy", "0.8750"));
  CHECK_FALSE(contains(page, "  ln"));

  Isotropy all = reference::uniformity_example();
  all.exact = true;
  all.partition_isotropy = 0.0;
  all.log_partition_isotropy = -900.0;
  const std::string exact = checked_page(all);
  CHECK(contains(lines(exact).front(), "all pairs"));
  CHECK(tells(exact, "  ln", "-900.0"));
  CHECK(tells(checked_page(Isotropy{}), "uniformity", "-"));
}

TEST_CASE("the page of labelled embeddings tells every number and the worst classes", "[format_on_demand]") {
  const std::string page = checked_page(reference::class_example());
  CHECK(contains(lines(page).front(), "600 rows in 3 classes"));
  CHECK(tells(page, "NC1", "0.1250"));
  CHECK(tells(page, "  ratio of traces", "0.3750"));
  CHECK(tells(page, "CDNV", "0.4375"));
  CHECK(tells(page, "NC2 equal norms", "0.06250"));
  CHECK(tells(page, "  equal angles", "0.03125"));
  CHECK(tells(page, "  widest angles", "0.01562"));
  CHECK(tells(page, "NC3", "1.125"));
  CHECK(tells(page, "NC4", "0.09375"));
  CHECK(tells(page, "class effective rank", "1.875"));
  CHECK(tells(page, "centroid cosine", "0.1875"));
  CHECK(tells(page, "  from the common mean", "-0.4375"));
  CHECK(tells(page, "LiDAR", "1.938"));
  CHECK(tells(page, "silhouette", "0.5625"));
  CHECK(tells(page, "  by cosine", "0.6875"));
  CHECK(tells(page, "k-NN accuracy", "0.9688"));
  CHECK(tells(page, "linear probe accuracy", "0.9531"));
  CHECK(tells(page, "  of the fitted rows", "0.9844"));
  CHECK(tells(page, "unlabelled rows", "5"));
  CHECK(tells(page, "skipped rows", "6"));
  // The lowest first.
  CHECK(tells(page, "class 1", "5.125   0.2303 of expected, 190 rows"));
  CHECK(page.find("class 1 ") < page.find("class 7 "));
  CHECK(page.find("class 7 ") < page.find("class 0 "));
  CHECK_FALSE(contains(page, "sampled"));

  ClassCollapse sampled = reference::class_example();
  sampled.exact = false;
  sampled.sampled_rows = 77;
  sampled.silhouette = undefined;
  sampled.findings.push_back({FindingKind::undefined_number, 0.0, metric_path<&ClassCollapse::silhouette>.in_result(),
                              undefined, undefined, "there is one class", ""});
  sampled.per_class.effective_rank_vs_expected(0) = undefined;
  const std::string other = checked_page(sampled);
  CHECK(contains(other, "77 sampled rows"));
  CHECK(contains(other, "silhouette is undefined: there is one class"));
  CHECK(contains(other, "the 2 lowest"));
  CHECK_FALSE(contains(other, "class 0"));
  CHECK_FALSE(contains(checked_page(ClassCollapse{}), "k-NN"));
}

TEST_CASE("the page of a comparison tells every number and both verdicts", "[format_on_demand]") {
  Comparison comparison = reference::comparison_example();
  comparison.findings.push_back({FindingKind::undefined_number, 0.0, metric_path<&Comparison::vicreg>.in_result(),
                                 undefined, undefined, "no common space", ""});
  const std::string page = checked_page(comparison);
  CHECK(contains(lines(page).front(), "700 pairs"));
  CHECK(tells(page, "alignment", "0.2500"));
  CHECK(tells(page, "invariance", "0.3750"));
  CHECK(tells(page, "paired cosine", "0.8750"));
  CHECK(tells(page, "unpaired cosine", "0.03125"));
  CHECK(tells(page, "modality gap", "0.06250"));
  CHECK(tells(page, "linear CKA", "0.8125"));
  CHECK(tells(page, "  debiased", "0.7812"));
  CHECK(tells(page, "Barlow Twins, on diagonal", "1.250"));
  CHECK(tells(page, "  off diagonal", "2.750"));
  CHECK(tells(page, "VICReg", "13.50"));
  CHECK(tells(page, "skipped pairs", "4"));
  CHECK(contains(page, "vicreg is undefined: no common space"));
  CHECK(page.find("HEALTHY · 700 samples × 16 dims") < page.find("PARTIAL COLLAPSE · 700 samples × 17 dims"));
}
