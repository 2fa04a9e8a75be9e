#include <collapse/isotropy.hpp>

namespace collapse {

COLLAPSE_DEFINE_INSTANCES(COLLAPSE_ISOTROPY_INSTANCES)

}  // namespace collapse
