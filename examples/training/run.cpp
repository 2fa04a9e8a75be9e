#include "run.hpp"

#include <collapse/measure.hpp>

#include <cmath>

namespace training {

collapse::Report report_of(const Matrix& embeddings) { return collapse::measure(embeddings); }

collapse::ClassCollapse classes_of(const Matrix& embeddings, const std::vector<std::int64_t>& labels,
                                   const collapse::ClassOptions& options) {
  return collapse::class_collapse(embeddings, labels, options);
}

void Observer::after(int step, const Matrix& batch, const std::function<Matrix(const Matrix&)>& embed) {
  if (const auto alarm = monitor_.observe(step, batch); alarm && !run_.alarm) run_.alarm = alarm;
  if (step % every_ == 0) look(step, embed(digits_.pixels));
}

void Observer::look(int step, const Matrix& embeddings) {
  run_.report = report_of(embeddings);
  const collapse::Report& report = run_.report;
  collapse::ClassOptions options;
  options.per_class = false;
  options.knn = true;
  options.neighbours = 5;
  const double knn = classes_of(embeddings, digits_.labels, options).knn_accuracy;
  run_.history.push_back({step, report.diagnosis.verdict, report.spectrum.effective_rank, report.variance.dispersion,
                          report.cosine.mean,
                          report.variance.normalized_std * std::sqrt(static_cast<double>(report.dims)), knn});
}

}  // namespace training
