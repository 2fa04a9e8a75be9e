#include <collapse/compare.hpp>

namespace collapse {

COLLAPSE_DEFINE_INSTANCES(COLLAPSE_COMPARE_INSTANCES)

}  // namespace collapse
