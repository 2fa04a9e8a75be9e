#pragma once

/// @mainpage collapse
/// Measures representation collapse. This header brings everything that needs Eigen and fmt alone; the adapters for
/// other libraries are included one by one.
///
/// Start at collapse::measure and collapse::Accumulator. A page for each family of numbers says where codes disagree
/// under one name, and which number is reported here: @ref family_cosine, @ref family_variance, @ref family_spectrum,
/// @ref family_uniformity, @ref family_two_views, @ref family_classes, @ref family_neighbours, @ref family_activations.

#include <collapse/accumulator.hpp>
#include <collapse/class_collapse.hpp>
#include <collapse/compare.hpp>
#include <collapse/confidence.hpp>
#include <collapse/diagnosis.hpp>
#include <collapse/error.hpp>
#include <collapse/format.hpp>
#include <collapse/format_classes.hpp>
#include <collapse/format_comparison.hpp>
#include <collapse/format_layers.hpp>
#include <collapse/format_neighbourhood.hpp>
#include <collapse/labelled_accumulator.hpp>
#include <collapse/layer_profile.hpp>
#include <collapse/measure.hpp>
#include <collapse/metrics/activations.hpp>
#include <collapse/metrics/alignment.hpp>
#include <collapse/metrics/cka.hpp>
#include <collapse/metrics/coherence.hpp>
#include <collapse/metrics/cosine.hpp>
#include <collapse/metrics/cross_correlation.hpp>
#include <collapse/metrics/decorrelation.hpp>
#include <collapse/metrics/duplicates.hpp>
#include <collapse/metrics/effective_rank.hpp>
#include <collapse/metrics/gaussian_potential.hpp>
#include <collapse/metrics/hubness.hpp>
#include <collapse/metrics/intrinsic_dimension.hpp>
#include <collapse/metrics/isoscore.hpp>
#include <collapse/metrics/marchenko_pastur.hpp>
#include <collapse/metrics/matrix_entropy.hpp>
#include <collapse/metrics/modality_gap.hpp>
#include <collapse/metrics/norms.hpp>
#include <collapse/metrics/participation.hpp>
#include <collapse/metrics/partition_isotropy.hpp>
#include <collapse/metrics/power_law.hpp>
#include <collapse/metrics/self_cluster.hpp>
#include <collapse/metrics/spectrum.hpp>
#include <collapse/metrics/srank.hpp>
#include <collapse/metrics/uniformity.hpp>
#include <collapse/metrics/variance.hpp>
#include <collapse/metrics/vendi.hpp>
#include <collapse/metrics/vicreg.hpp>
#include <collapse/monitor.hpp>
#include <collapse/neighbourhood.hpp>
#include <collapse/options.hpp>
#include <collapse/ostream.hpp>
#include <collapse/paired_accumulator.hpp>
#include <collapse/report.hpp>
#include <collapse/version.hpp>
