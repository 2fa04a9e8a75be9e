#include <collapse/neighbourhood.hpp>

namespace collapse {

COLLAPSE_DEFINE_INSTANCES(COLLAPSE_NEIGHBOURHOOD_INSTANCES)

}  // namespace collapse
