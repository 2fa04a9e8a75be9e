#include <collapse/collapse.hpp>

double mean_norm(const Eigen::MatrixXf& embeddings);

int main() {
  const Eigen::MatrixXf constant = Eigen::MatrixXf::Ones(32, 4);
  const collapse::Report report = collapse::measure(constant);
  fmt::print("{:s}\n", report);
  const bool collapsed = report.diagnosis.verdict == collapse::Verdict::complete_collapse;
  return collapsed && mean_norm(constant) == 2.0 ? 0 : 1;
}
