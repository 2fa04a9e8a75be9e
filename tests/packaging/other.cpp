#include <collapse/collapse.hpp>

collapse::Report measure_elsewhere(const Eigen::MatrixXf& embeddings);

collapse::Report measure_elsewhere(const Eigen::MatrixXf& embeddings) { return collapse::measure(embeddings); }
