#pragma once

/// Measures representation collapse. This header brings everything that needs Eigen and fmt alone; the adapters for
/// other libraries are included one by one.

#include <collapse/accumulator.hpp>
#include <collapse/diagnosis.hpp>
#include <collapse/error.hpp>
#include <collapse/format.hpp>
#include <collapse/measure.hpp>
#include <collapse/metrics/cosine.hpp>
#include <collapse/metrics/decorrelation.hpp>
#include <collapse/metrics/effective_rank.hpp>
#include <collapse/metrics/marchenko_pastur.hpp>
#include <collapse/metrics/norms.hpp>
#include <collapse/metrics/participation.hpp>
#include <collapse/metrics/power_law.hpp>
#include <collapse/metrics/spectrum.hpp>
#include <collapse/metrics/variance.hpp>
#include <collapse/monitor.hpp>
#include <collapse/options.hpp>
#include <collapse/ostream.hpp>
#include <collapse/report.hpp>
#include <collapse/version.hpp>
