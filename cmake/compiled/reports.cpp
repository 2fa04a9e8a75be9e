// What does not depend on the scalar of the embeddings.
#include <collapse/diagnosis/rules.hpp>
#include <collapse/metrics/kernel_vendi.hpp>
#include <collapse/report/validate_options.hpp>
#include <collapse/streams/jackknife_report.hpp>
#include <collapse/streams/monitor_definitions.hpp>
#include <collapse/text.hpp>
#include <collapse/text/report.hpp>

#include <string>

namespace collapse {

std::string text::page_of(const Report& report, char style) { return make_page(report, style); }

}  // namespace collapse
