#include <collapse/collapse.hpp>

double mean_norm(const Eigen::MatrixXf& embeddings);

// Not `measure` again: what is to be shown is that the header may be included twice, and decompositions compile slowly.
double mean_norm(const Eigen::MatrixXf& embeddings) { return collapse::norms(embeddings).mean; }
