#include <collapse/classes.hpp>

namespace collapse {

COLLAPSE_DEFINE_INSTANCES(COLLAPSE_CLASSES_INSTANCES)

}  // namespace collapse
