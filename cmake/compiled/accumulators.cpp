// The accumulators, but for what depends on one scalar and takes long.
#include <collapse/streams/accumulator_definitions.hpp>
#include <collapse/streams/labelled_definitions.hpp>
#include <collapse/streams/paired_definitions.hpp>

namespace collapse {

COLLAPSE_DEFINE_INSTANCES(COLLAPSE_ACCUMULATOR_INSTANCES)
COLLAPSE_DEFINE_INSTANCES(COLLAPSE_LABELLED_STREAM_INSTANCES)
COLLAPSE_DEFINE_INSTANCES(COLLAPSE_LABELLED_ACCUMULATOR_INSTANCES)
COLLAPSE_DEFINE_INSTANCES(COLLAPSE_PAIRED_ACCUMULATOR_INSTANCES)

}  // namespace collapse
