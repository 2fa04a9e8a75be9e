// Values and gradients of all penalties, for check.py to compare with those of torch.
//
//     penalties ROWS COLS < views > results
//
// reads two views and writes, for each penalty in a fixed order, its value and its gradients, all as doubles by rows.

#include <collapse/penalties.hpp>

#include <Eigen/Core>

#include <cstdio>
#include <cstdlib>

namespace {

namespace reg = collapse::penalties;
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

bool complete = true;

void read(Matrix& z) {
  const auto size = static_cast<std::size_t>(z.size());
  complete = std::fread(z.data(), sizeof(double), size, stdin) == size && complete;
}

void write(const double* values, Eigen::Index count) {
  const auto size = static_cast<std::size_t>(count);
  complete = std::fwrite(values, sizeof(double), size, stdout) == size && complete;
}

template <class Penalty>
void put(Penalty penalty, const Matrix& z) {
  Matrix gradient;
  const double value = penalty.value_and_gradient(z, gradient);
  write(&value, 1);
  write(gradient.data(), gradient.size());
}

template <class Penalty>
void put(Penalty penalty, const Matrix& a, const Matrix& b) {
  Matrix da, db;
  const double value = penalty.value_and_gradient(a, b, da, db);
  write(&value, 1);
  write(da.data(), da.size());
  write(db.data(), db.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  Matrix a(std::atoi(argv[1]), std::atoi(argv[2]));
  Matrix b(a.rows(), a.cols());
  read(a);
  read(b);
  if (!complete) return 2;
  put(reg::VarianceHinge(), a);
  put(reg::CovariancePenalty(), a);
  put(reg::Uniformity(), a);
  put(reg::LogDeterminant(), a);
  put(reg::SpectralEntropy(), a);
  put(reg::Alignment(), a, b);
  put(reg::Vicreg(), a, b);
  put(reg::BarlowTwins(), a, b);
  put(reg::InfoNce(), a, b);
  return complete ? 0 : 1;
}
