#include <collapse/collapse.hpp>

collapse::Report measure_elsewhere(const Eigen::MatrixXf& embeddings);

int main() {
  const Eigen::MatrixXf constant = Eigen::MatrixXf::Ones(32, 4);
  const collapse::Report here = collapse::measure(constant);
  const collapse::Report there = measure_elsewhere(constant);
  fmt::print("{:s}\n", here);
  const bool collapsed = here.diagnosis.verdict == collapse::Verdict::complete_collapse;
  return collapsed && there.diagnosis.verdict == here.diagnosis.verdict ? 0 : 1;
}
