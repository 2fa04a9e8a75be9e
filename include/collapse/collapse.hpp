#pragma once

/// @mainpage collapse
/// Measures representation collapse. This header brings the report and its numbers, the accumulator and the monitor.
/// What is measured on demand has headers of its own: isotropy.hpp, compare.hpp (for streams
/// paired_accumulator.hpp), classes.hpp (labelled_accumulator.hpp), neighbourhood.hpp, layers.hpp and
/// metrics/activations.hpp, and a page for each in text/. The adapters for other libraries are included one by one.
///
/// Start at collapse::measure and collapse::Accumulator. A page for each family of numbers says where codes disagree
/// under one name, and which number is reported here: @ref family_cosine, @ref family_variance, @ref family_spectrum,
/// @ref family_isotropy, @ref family_two_views, @ref family_classes, @ref family_neighbours, @ref family_activations.

#include <collapse/accumulator.hpp>
#include <collapse/confidence.hpp>
#include <collapse/diagnosis.hpp>
#include <collapse/error.hpp>
#include <collapse/measure.hpp>
#include <collapse/metrics/cosine.hpp>
#include <collapse/metrics/decorrelation.hpp>
#include <collapse/metrics/effective_rank.hpp>
#include <collapse/metrics/isoscore.hpp>
#include <collapse/metrics/marchenko_pastur.hpp>
#include <collapse/metrics/matrix_entropy.hpp>
#include <collapse/metrics/norms.hpp>
#include <collapse/metrics/population_participation_ratio.hpp>
#include <collapse/metrics/power_law.hpp>
#include <collapse/metrics/self_cluster.hpp>
#include <collapse/metrics/spectrum.hpp>
#include <collapse/metrics/srank.hpp>
#include <collapse/metrics/uniformity.hpp>
#include <collapse/metrics/variance.hpp>
#include <collapse/metrics/vendi.hpp>
#include <collapse/monitor.hpp>
#include <collapse/options.hpp>
#include <collapse/report.hpp>
#include <collapse/text.hpp>
#include <collapse/text/ostream.hpp>
#include <collapse/version.hpp>
