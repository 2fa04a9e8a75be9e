#include <collapse/metrics/activations.hpp>

namespace collapse {

COLLAPSE_DEFINE_INSTANCES(COLLAPSE_ACTIVATIONS_INSTANCES)

}  // namespace collapse
