#include <collapse/text/ostream.hpp>

#include <sstream>

#include "support/catch.hpp"

TEST_CASE("a stream shows a report as fmt does", "[ostream]") {
  collapse::Report report;
  report.samples = 12;
  report.dims = 3;
  report.diagnosis.verdict = collapse::Verdict::partial_collapse;
  std::ostringstream out;
  out << report << '|';
  CHECK(out.str() == fmt::format("{}|", report));
  CHECK(out.str().rfind("PARTIAL COLLAPSE", 0) == 0);
}
