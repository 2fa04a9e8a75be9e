// Seconds that a penalty and its gradient take, once memory is there: penalties ROWS COLS prints one line for each.

#include <collapse/penalties.hpp>
#include <collapse/synthetic.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace {

using Embeddings = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class Call>
void put(const char* name, const Call& call) {
  call();
  double best = 1e9;
  for (int turn = 0; turn < 3; ++turn) {
    const auto begin = std::chrono::steady_clock::now();
    call();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  fmt::print("{} {:.6f}\n", name, best);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: penalties ROWS COLS\n");
    return 2;
  }
  const Eigen::Index rows = std::atol(argv[1]);
  const Eigen::Index cols = std::atol(argv[2]);
  const Embeddings a = collapse::synthetic::isotropic<float>(rows, cols, 1);
  const Embeddings b = collapse::synthetic::isotropic<float>(rows, cols, 2);
  Embeddings da, db;
  collapse::penalties::Vicreg vicreg;
  collapse::penalties::BarlowTwins barlow;
  collapse::penalties::InfoNce contrast;
  put("vicreg", [&] { vicreg.value_and_gradient(a, b, da, db); });
  put("barlow_twins", [&] { barlow.value_and_gradient(a, b, da, db); });
  put("info_nce", [&] { contrast.value_and_gradient(a, b, da, db); });
}
