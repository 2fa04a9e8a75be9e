// Scores one file with many processes, each of which reads its own rows: mpirun -n 4 mpi_score embeddings.npy

#include <collapse/adapters/mpi.hpp>
#include <collapse/collapse.hpp>
#include <collapse/io/npy.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  int ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  try {
    if (argc != 2) throw collapse::Error("give one file: mpirun -n 4 mpi_score FILE.npy");
    const collapse::io::NpyFile file(argv[1]);
    collapse::Accumulator seen(file.cols());
    const Eigen::Index first = rank * file.rows() / ranks;
    const Eigen::Index last = (rank + 1) * file.rows() / ranks;
    file.visit([&](const auto& Z) { seen.update(Z.middleRows(first, last - first)); });

    collapse::mpi::reduce(seen, 0, MPI_COMM_WORLD);
    if (rank == 0) fmt::print("{}\n", seen.report());
  } catch (const std::exception& error) {
    fmt::print(stderr, "rank {}: {}\n", rank, error.what());
    MPI_Abort(MPI_COMM_WORLD, 2);
  }
  MPI_Finalize();
  return 0;
}
