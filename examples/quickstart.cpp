// Measures healthy embeddings and collapsed ones.

#include <collapse/collapse.hpp>
#include <collapse/synthetic.hpp>

#include <fmt/format.h>
#include <Eigen/Core>

int main() {
  // Rows are samples, columns are dimensions. Any dense Eigen matrix of float, double, half or bfloat16 will do.
  const Eigen::MatrixXf healthy = collapse::synthetic::isotropic<float>(1000, 64, 1);
  const Eigen::MatrixXf collapsed = collapse::synthetic::low_rank<float>(1000, 64, 3, 1);

  const collapse::Report good = collapse::measure(healthy);
  const collapse::Report bad = collapse::measure(collapsed);
  fmt::print("{:s}\n{:s}\n\n", good, bad);  // one line each, for a training log
  fmt::print("{}\n", bad);                  // the whole report

  // What a training loop or a test asks.
  return bad.diagnosis.verdict == collapse::Verdict::dimensional_collapse ? 0 : 1;
}
