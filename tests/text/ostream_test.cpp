#include <collapse/text/ostream.hpp>

#include <sstream>

#include "support/catch.hpp"

TEST_CASE("a stream shows a report as fmt does", "[ostream]") {
  collapse::Report report;
  report.samples = 12;
  report.dims = 3;
  report.diagnosis.verdict = collapse::Verdict::anisotropic;
  std::ostringstream out;
  out << report << '|';
  CHECK(out.str() == fmt::format("{}|", report));
  CHECK(out.str().rfind("ANISOTROPIC", 0) == 0);
}
