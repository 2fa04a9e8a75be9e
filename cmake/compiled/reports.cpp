// What does not depend on the scalar of the embeddings.
#include <collapse/accumulator.hpp>
#include <collapse/classes.hpp>
#include <collapse/text.hpp>
#include <collapse/text/report.hpp>

#include <string>

namespace collapse {

template Report Accumulator::report<void>() const;
template Report Accumulator::report_folded<void>() const;
template void detail::measure_class_sums<void>(ClassCollapse&, const ClassSums&, const ClassMeans&,
                                               const ClassOptions&);

std::string text::page_of(const Report& report, char style) { return make_page(report, style); }

}  // namespace collapse
