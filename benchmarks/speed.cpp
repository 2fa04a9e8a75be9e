// How fast the whole and its parts are. Every benchmark states its floating-point work, as a rate and as a share of
// what multiplications and additions in registers reach on as many threads, and the bytes of the embeddings that it
// reads. Built with OpenBLAS, the products and the eigenvalues stand beside its own:
//
//     speed --benchmark_enable_random_interleaving --benchmark_repetitions=5 --benchmark_report_aggregates_only

#include <collapse/collapse.hpp>
#include <collapse/synthetic.hpp>

#include <benchmark/benchmark.h>
#include <Eigen/Eigenvalues>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#ifdef COLLAPSE_BENCHMARK_OPENBLAS
extern "C" {
void dsyrk_(const char* uplo, const char* trans, const int* n, const int* k, const double* alpha, const double* a,
            const int* lda, const double* beta, double* c, const int* ldc);
void dsyevd_(const char* jobz, const char* uplo, const int* n, double* a, const int* lda, double* w, double* work,
             const int* lwork, int* iwork, const int* liwork, int* info);
void openblas_set_num_threads(int threads);
}
#endif

namespace {

using collapse::Index;
using Embeddings = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

const Embeddings& embeddings(Index rows, Index dims) {
  static std::map<std::pair<Index, Index>, Embeddings> made;
  Embeddings& z = made[{rows, dims}];
  if (z.size() == 0) z = collapse::synthetic::isotropic<float>(rows, dims);
  return z;
}

const Eigen::MatrixXd& doubles(Index rows, Index cols) {
  static std::map<std::pair<Index, Index>, Eigen::MatrixXd> made;
  Eigen::MatrixXd& a = made[{rows, cols}];
  if (a.size() == 0) a = collapse::synthetic::isotropic<double>(rows, cols);
  return a;
}

/// As many threads as the last argument says, for the time of a benchmark.
class Threads {
 public:
  explicit Threads(Index threads) : before_(static_cast<int>(collapse::linalg::max_threads())) {
    set(static_cast<int>(threads));
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() { set(before_); }

 private:
  static void set([[maybe_unused]] int threads) {
#ifdef _OPENMP
    omp_set_num_threads(threads);
#endif
#ifdef COLLAPSE_BENCHMARK_OPENBLAS
    openblas_set_num_threads(threads);
#endif
  }

  int before_;
};

constexpr int chains = 12;

/// Multiplications and additions of packets in registers, and nothing else.
void multiply_and_add(int steps) {
  using Packet = collapse::linalg::MicroKernel::Packet;
  Packet sums[chains];
  for (Packet& sum : sums) sum = Eigen::internal::pset1<Packet>(1.0);
  Packet factor = Eigen::internal::pset1<Packet>(0.999);
  Packet term = Eigen::internal::pset1<Packet>(0.001);
  benchmark::DoNotOptimize(factor);
  benchmark::DoNotOptimize(term);
  for (int step = 0; step < steps; ++step) {
    for (Packet& sum : sums) sum = Eigen::internal::pmadd(sum, factor, term);
  }
  // As one number: an array whose address is taken would be kept in memory.
  Packet all = sums[0];
  for (int k = 1; k < chains; ++k) all = Eigen::internal::padd(all, sums[k]);
  benchmark::DoNotOptimize(all);
}

double flops_of(int steps) { return 2.0 * steps * chains * collapse::linalg::MicroKernel::width; }

/// The most that the threads in use can do together in a second.
double peak() {
  static std::map<std::size_t, double> measured;
  const std::size_t threads = collapse::linalg::max_threads();
  double& best = measured[threads];
  if (best > 0.0) return best;
  constexpr int steps = 1 << 20;
  for (int turn = 0; turn < 5; ++turn) {
    const auto start = std::chrono::steady_clock::now();
    collapse::linalg::parallel_for(static_cast<Index>(threads), [](Index) { multiply_and_add(steps); });
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, static_cast<double>(threads) * flops_of(steps) / seconds.count());
  }
  return best;
}

void count(benchmark::State& state, double flops, double bytes = 0.0) {
  const auto rate = [](double amount) {
    return benchmark::Counter(amount, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::OneK::kIs1000);
  };
  state.counters["FLOP/s"] = rate(flops);
  state.counters["of peak"] = rate(flops / peak());
  if (bytes > 0.0) state.counters["B/s"] = rate(bytes);
}

double bytes_of(const Embeddings& z) { return static_cast<double>(z.size()) * sizeof(float); }

/// Two symmetric products (values and directions), each of which forms half of its entries.
double flops_of_products(Index rows, Index dims) {
  const Index small = std::min(rows, dims);
  return 2.0 * static_cast<double>(rows) * static_cast<double>(dims) * static_cast<double>(small);
}

void fma_peak(benchmark::State& state) {
  const Threads threads(state.range(0));
  constexpr int steps = 1 << 18;
  for (auto _ : state) collapse::linalg::parallel_for(state.range(0), [](Index) { multiply_and_add(steps); });
  count(state, static_cast<double>(state.range(0)) * flops_of(steps));
}

double flops_of_tridiagonalisation(Index order) { return 4.0 / 3.0 * std::pow(static_cast<double>(order), 3); }

Eigen::MatrixXd symmetric(Index order) {
  const Eigen::MatrixXd& a = doubles(order, 2 * order);
  return a * a.transpose();
}

/// One tile of products, as both factors come from the second-level cache.
void kernel(benchmark::State& state) {
  constexpr Index tile = collapse::linalg::PackedVectors::tile;
  const Index depth = state.range(0);
  collapse::linalg::PackedVectors left(tile, depth);
  collapse::linalg::PackedVectors right(tile, depth);
  const Eigen::MatrixXd values = collapse::synthetic::isotropic<double>(depth, tile);
  collapse::linalg::Panel panel(depth, tile);
  panel.view(depth, tile).matrix() = values;
  left.pack_columns(0, tile, panel.view(depth, tile));
  right.pack_columns(0, tile, panel.view(depth, tile));
  Eigen::MatrixXd sums = Eigen::MatrixXd::Zero(tile, tile);
  for (auto _ : state) {
    collapse::linalg::add_products(left, 0, right, 0, depth, sums);
    benchmark::DoNotOptimize(sums.data());
  }
  count(state, 2.0 * static_cast<double>(depth) * tile * tile);
}

/// Half of the entries of A^T A for A of double.
void gram(benchmark::State& state) {
  const Threads threads(state.range(2));
  const Eigen::MatrixXd& a = doubles(state.range(1), state.range(0));  // its columns are the rows of A
  for (auto _ : state) {
    benchmark::DoNotOptimize(collapse::statistics::accumulate_gram(
        a.cols(), a.rows(),
        [&](Index first, collapse::linalg::Panel::View out) { out.matrix() = a.middleCols(first, out.rows()).transpose(); }));
  }
  count(state, static_cast<double>(a.size()) * static_cast<double>(a.rows()));
}

#ifdef COLLAPSE_BENCHMARK_OPENBLAS
void gram_dsyrk(benchmark::State& state) {
  const Threads threads(state.range(2));
  const Eigen::MatrixXd& a = doubles(state.range(1), state.range(0));
  const int order = static_cast<int>(a.rows());
  const int depth = static_cast<int>(a.cols());
  const double one = 1.0;
  const double zero = 0.0;
  for (auto _ : state) {
    Eigen::MatrixXd c(order, order);
    dsyrk_("L", "N", &order, &depth, &one, a.data(), &order, &zero, c.data(), &order);
    benchmark::DoNotOptimize(c.data());
  }
  count(state, static_cast<double>(a.size()) * static_cast<double>(a.rows()));
}

void eigenvalues_dsyevd(benchmark::State& state) {
  const Threads threads(state.range(1));
  const Eigen::MatrixXd gram = symmetric(state.range(0));
  const int order = static_cast<int>(gram.rows());
  for (auto _ : state) {
    Eigen::MatrixXd a = gram;
    Eigen::VectorXd values(order);
    double best = 0.0;
    int integers = 0;
    int info = 0;
    int ask = -1;
    dsyevd_("N", "L", &order, a.data(), &order, values.data(), &best, &ask, &integers, &ask, &info);
    const int size = static_cast<int>(best);
    std::vector<double> work(static_cast<std::size_t>(size));
    std::vector<int> integer_work(static_cast<std::size_t>(integers));
    dsyevd_("N", "L", &order, a.data(), &order, values.data(), work.data(), &size, integer_work.data(), &integers,
            &info);
    benchmark::DoNotOptimize(values.data());
  }
  count(state, flops_of_tridiagonalisation(gram.rows()));
}
#endif

/// What a verdict adds to the numbers of the report.
void diagnosis(benchmark::State& state) {
  const collapse::Report report = collapse::measure(embeddings(state.range(0), state.range(1)));
  for (auto _ : state) benchmark::DoNotOptimize(collapse::diagnose(report));
}

void measure(benchmark::State& state) {
  const Threads threads(state.range(2));
  const Embeddings& z = embeddings(state.range(0), state.range(1));
  for (auto _ : state) benchmark::DoNotOptimize(collapse::measure(z));
  count(state, flops_of_products(z.rows(), z.cols()), bytes_of(z));
}

/// How measuring grows with the rows, at 256 dimensions.
void measure_rows(benchmark::State& state) {
  const Embeddings& z = embeddings(state.range(0), 256);
  for (auto _ : state) benchmark::DoNotOptimize(collapse::measure(z));
  state.SetComplexityN(state.range(0));
  count(state, flops_of_products(z.rows(), z.cols()), bytes_of(z));
}

/// How it grows with the dimensions, of 8192 rows.
void measure_dims(benchmark::State& state) {
  const Embeddings& z = embeddings(8192, state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(collapse::measure(z));
  state.SetComplexityN(state.range(0));
  count(state, flops_of_products(z.rows(), z.cols()), bytes_of(z));
}

void scan(benchmark::State& state) {
  const Embeddings& z = embeddings(state.range(0), state.range(1));
  for (auto _ : state) benchmark::DoNotOptimize(collapse::norms(z));
  count(state, 2.0 * static_cast<double>(z.size()), bytes_of(z));
}

void sums(benchmark::State& state) {
  const Embeddings& z = embeddings(state.range(0), state.range(1));
  const auto view = collapse::linalg::Evaluated<Embeddings>(z).view();
  const collapse::Rows rows = collapse::statistics::scan_rows(view, collapse::NonFinite::reject);
  for (auto _ : state) benchmark::DoNotOptimize(collapse::statistics::sum_rows(view, rows));
  count(state, flops_of_products(z.rows(), z.cols()), bytes_of(z));
}

void pairs(benchmark::State& state) {
  const Embeddings& z = embeddings(state.range(0), state.range(1));
  const auto view = collapse::linalg::Evaluated<Embeddings>(z).view();
  const collapse::Rows rows = collapse::statistics::scan_rows(view, collapse::NonFinite::reject);
  const auto selection = collapse::statistics::select_pairs(view, rows, {});
  const Eigen::VectorXd origin = Eigen::VectorXd::Zero(z.cols());
  const double std = 1.0 / std::sqrt(static_cast<double>(z.cols()));
  for (auto _ : state) {
    benchmark::DoNotOptimize(collapse::statistics::pair_distances(view, rows, selection, origin, nullptr, 1.0, std));
  }
  count(state, 2.0 * static_cast<double>(selection.pairs()) * static_cast<double>(z.cols()));
}

/// Singular values from a symmetric matrix, as the spectra take them.
void eigenvalues(benchmark::State& state) {
  const Threads threads(state.range(1));
  const Eigen::MatrixXd gram = symmetric(state.range(0));
  for (auto _ : state) {
    const collapse::linalg::Tridiagonal t = collapse::linalg::tridiagonalize(gram);
    benchmark::DoNotOptimize(collapse::linalg::eigenvalues(t));
  }
  count(state, flops_of_tridiagonalisation(gram.rows()));
}

void eigenvalues_eigen(benchmark::State& state) {
  const Eigen::MatrixXd gram = symmetric(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(gram, Eigen::EigenvaluesOnly));
  }
  count(state, flops_of_tridiagonalisation(gram.rows()));
}

std::vector<Index> thread_numbers() {
  const auto most = static_cast<Index>(collapse::linalg::max_threads());
  return most > 1 ? std::vector<Index>{1, most} : std::vector<Index>{1};
}

void times(benchmark::internal::Benchmark* benchmark) {
  benchmark->Unit(benchmark::kMillisecond)->UseRealTime()->MeasureProcessCPUTime();
}

/// Shapes, on one thread and on all.
template <Index... Arguments>
void on_threads(benchmark::internal::Benchmark* benchmark) {
  for (const Index threads : thread_numbers()) benchmark->Args({Arguments..., threads});
  times(benchmark);
}

BENCHMARK(fma_peak)->Apply(on_threads<>);
BENCHMARK(kernel)->Arg(128)->Arg(1024);
BENCHMARK(gram)->Apply(on_threads<8192, 256>)->Apply(on_threads<8192, 768>)->Apply(on_threads<8192, 2048>);
BENCHMARK(eigenvalues)
    ->Apply(on_threads<256>)
    ->Apply(on_threads<768>)
    ->Apply(on_threads<2048>)
    ->Apply(on_threads<4096>);
#ifdef COLLAPSE_BENCHMARK_OPENBLAS
BENCHMARK(gram_dsyrk)->Apply(on_threads<8192, 256>)->Apply(on_threads<8192, 768>)->Apply(on_threads<8192, 2048>);
BENCHMARK(eigenvalues_dsyevd)->Apply(on_threads<768>)->Apply(on_threads<2048>)->Apply(on_threads<4096>);
#endif
BENCHMARK(eigenvalues_eigen)->Arg(768)->Arg(2048)->Apply(times);
BENCHMARK(scan)->Args({32768, 768})->Apply(times);
BENCHMARK(sums)->Args({4096, 768})->Args({32768, 768})->Apply(times);
BENCHMARK(pairs)->Args({4096, 768})->Args({32768, 768})->Apply(times);
BENCHMARK(diagnosis)->Args({256, 128})->Args({512, 2048})->Args({32768, 768})->Apply(times);
BENCHMARK(measure)
    ->Apply(on_threads<256, 128>)
    ->Apply(on_threads<256, 768>)
    ->Apply(on_threads<512, 2048>)
    ->Apply(on_threads<4096, 128>)
    ->Apply(on_threads<4096, 768>)
    ->Apply(on_threads<8192, 2048>)
    ->Apply(on_threads<32768, 768>);
BENCHMARK(measure_rows)->RangeMultiplier(4)->Range(1 << 14, 1 << 18)->Complexity(benchmark::oN)->Apply(times);
BENCHMARK(measure_dims)->RangeMultiplier(2)->Range(128, 2048)->Complexity()->Apply(times);

}  // namespace

BENCHMARK_MAIN();
