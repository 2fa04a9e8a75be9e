#pragma once

#include <collapse/compare.hpp>
#include <collapse/report.hpp>
#include <collapse/report/classes.hpp>

/// Blocks of a report that are measured on demand, without anything undefined, all numbers different.
namespace collapse::reference {

[[nodiscard]] inline Isotropy uniformity_example() {
  return {-3.125, 0.0125, 4950, 100, false, 0.25, 31.5, 21.5, 11.5, 0.625, 0.03125, 1.5, 0.875, -0.1335};
}

[[nodiscard]] inline ClassCollapse class_example() {
  ClassCollapse report;
  report.samples = 600;
  report.dims = 24;
  report.classes = 3;
  report.unlabelled_rows = 5;
  report.skipped_rows = 6;
  report.input_epsilon = 0x1p-23;
  report.nc1 = 0.125;
  report.nc1_ratio = 0.375;
  report.cdnv = 0.4375;
  report.nc2_equinorm = 0.0625;
  report.nc2_equiangular = 0.03125;
  report.nc2_max_angle = 0.015625;
  report.nc3 = 1.125;
  report.nc4 = 0.09375;
  report.class_effective_rank = 1.875;
  report.centroid_cosine = 0.1875;
  report.centroid_cosine_centred = -0.4375;
  report.lidar = 1.9375;
  report.per_class.label = {0, 1, 7};
  report.per_class.samples = {200, 190, 210};
  report.per_class.variance = Eigen::Vector3d(4.5, 0.5, 3.5);
  report.per_class.effective_rank = Eigen::Vector3d(21.25, 5.125, 20.75);
  report.per_class.effective_rank_ratio = Eigen::Vector3d(0.885, 0.2135, 0.8646);
  report.per_class.expected_effective_rank = Eigen::Vector3d(22.5, 22.25, 22.75);
  report.per_class.effective_rank_vs_expected = Eigen::Vector3d(0.9444, 0.2303, 0.9121);
  report.per_class.worst = 1;
  report.silhouette = 0.5625;
  report.silhouette_cosine = 0.6875;
  report.knn_accuracy = 0.9688;
  report.linear_probe_accuracy = 0.9531;
  report.linear_probe_train_accuracy = 0.9844;
  report.sampled_rows = 600;
  report.exact = true;
  return report;
}

[[nodiscard]] inline Comparison comparison_example() {
  Comparison c;
  c.samples = 700;
  c.skipped_rows = 4;
  c.directed_pairs = 699;
  c.alignment = 0.25;
  c.invariance = 0.375;
  c.barlow_on_diagonal = 1.25;
  c.barlow_off_diagonal = 2.75;
  c.vicreg = 13.5;
  c.modality_gap = 0.0625;
  c.paired_cosine = 0.875;
  c.unpaired_cosine = 0.03125;
  c.linear_cka = 0.8125;
  c.linear_cka_debiased = 0.7812;
  c.a.samples = c.b.samples = 700;
  c.a.dims = 16;
  c.b.dims = 17;
  c.a.diagnosis.verdict = Verdict::healthy;
  c.b.diagnosis.verdict = Verdict::partial_collapse;
  return c;
}

}  // namespace collapse::reference
