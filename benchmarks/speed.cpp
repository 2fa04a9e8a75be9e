// How fast the whole and its parts are. Every benchmark states its floating-point work, so that the rate can be held
// against `fma_peak`, and the bytes of the embeddings that it reads.

#include <collapse/collapse.hpp>
#include <collapse/synthetic.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <map>
#include <utility>

namespace {

using collapse::Index;
using Embeddings = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

const Embeddings& embeddings(Index rows, Index dims) {
  static std::map<std::pair<Index, Index>, Embeddings> made;
  Embeddings& z = made[{rows, dims}];
  if (z.size() == 0) z = collapse::synthetic::isotropic<float>(rows, dims);
  return z;
}

void count(benchmark::State& state, double flops, double bytes = 0.0) {
  state.counters["FLOP/s"] =
      benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::OneK::kIs1000);
  if (bytes > 0.0) {
    state.counters["B/s"] =
        benchmark::Counter(bytes, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::OneK::kIs1000);
  }
}

double bytes_of(const Embeddings& z) { return static_cast<double>(z.size()) * sizeof(float); }

/// Two symmetric products (values and directions), each of which forms half of its entries.
double flops_of_products(Index rows, Index dims) {
  const Index small = std::min(rows, dims);
  return 2.0 * static_cast<double>(rows) * static_cast<double>(dims) * static_cast<double>(small);
}

/// The most that one thread can do: multiplications and additions of packets in registers and nothing else.
void fma_peak(benchmark::State& state) {
  using Packet = collapse::detail::MicroKernel::Packet;
  constexpr int chains = 12;
  Packet sums[chains];
  for (Packet& sum : sums) sum = Eigen::internal::pset1<Packet>(1.0);
  Packet factor = Eigen::internal::pset1<Packet>(0.999);
  Packet term = Eigen::internal::pset1<Packet>(0.001);
  constexpr int steps = 1 << 16;
  for (auto _ : state) {
    benchmark::DoNotOptimize(factor);
    benchmark::DoNotOptimize(term);
    for (int step = 0; step < steps; ++step) {
      for (Packet& sum : sums) sum = Eigen::internal::pmadd(sum, factor, term);
    }
    benchmark::DoNotOptimize(sums);
  }
  count(state, 2.0 * steps * chains * collapse::detail::MicroKernel::width);
}

/// One tile of products, as both factors come from the second-level cache.
void kernel(benchmark::State& state) {
  constexpr Index tile = collapse::detail::PackedVectors::tile;
  const Index depth = state.range(0);
  collapse::detail::PackedVectors left(tile, depth);
  collapse::detail::PackedVectors right(tile, depth);
  const Eigen::MatrixXd values = collapse::synthetic::isotropic<double>(depth, tile);
  collapse::detail::Panel panel(depth, tile);
  panel.view(depth, tile) = values;
  left.pack_columns(0, tile, panel.view(depth, tile));
  right.pack_columns(0, tile, panel.view(depth, tile));
  Eigen::MatrixXd sums = Eigen::MatrixXd::Zero(tile, tile);
  for (auto _ : state) {
    collapse::detail::add_products(left, 0, right, 0, depth, sums);
    benchmark::DoNotOptimize(sums.data());
  }
  count(state, 2.0 * static_cast<double>(depth) * tile * tile);
}

void measure(benchmark::State& state) {
  const Embeddings& z = embeddings(state.range(0), state.range(1));
  for (auto _ : state) benchmark::DoNotOptimize(collapse::measure(z));
  count(state, flops_of_products(z.rows(), z.cols()), bytes_of(z));
}

void scan(benchmark::State& state) {
  const Embeddings& z = embeddings(state.range(0), state.range(1));
  for (auto _ : state) benchmark::DoNotOptimize(collapse::norms(z));
  count(state, 2.0 * static_cast<double>(z.size()), bytes_of(z));
}

void sums(benchmark::State& state) {
  const Embeddings& z = embeddings(state.range(0), state.range(1));
  const auto view = collapse::detail::Evaluated<Embeddings>(z).view();
  const collapse::Rows rows = collapse::detail::scan_rows(view, collapse::NonFinite::reject);
  for (auto _ : state) benchmark::DoNotOptimize(collapse::detail::sum_rows(view, rows));
  count(state, flops_of_products(z.rows(), z.cols()), bytes_of(z));
}

void pairs(benchmark::State& state) {
  const Embeddings& z = embeddings(state.range(0), state.range(1));
  const auto view = collapse::detail::Evaluated<Embeddings>(z).view();
  const collapse::Rows rows = collapse::detail::scan_rows(view, collapse::NonFinite::reject);
  const auto selection = collapse::detail::select_pairs(view, rows, {});
  const Eigen::VectorXd origin = Eigen::VectorXd::Zero(z.cols());
  const double std = 1.0 / std::sqrt(static_cast<double>(z.cols()));
  for (auto _ : state) {
    benchmark::DoNotOptimize(collapse::detail::pair_distances(view, rows, selection, origin, nullptr, 1.0, std));
  }
  count(state, 2.0 * static_cast<double>(selection.pairs()) * static_cast<double>(z.cols()));
}

void eigenvalues(benchmark::State& state) {
  const Index order = state.range(0);
  const Eigen::MatrixXd z = collapse::synthetic::isotropic<double>(2 * order, order);
  const Eigen::MatrixXd gram = z.transpose() * z;
  for (auto _ : state) benchmark::DoNotOptimize(collapse::detail::tridiagonalize(gram));
  count(state, 4.0 / 3.0 * static_cast<double>(order) * static_cast<double>(order) * static_cast<double>(order));
}

void shapes(benchmark::internal::Benchmark* benchmark) {
  for (const auto& [rows, dims] :
       {std::pair<int, int>{256, 768}, {512, 2048}, {4096, 128}, {4096, 768}, {32768, 768}}) {
    benchmark->Args({rows, dims});
  }
  benchmark->Unit(benchmark::kMillisecond)->UseRealTime();
}

BENCHMARK(fma_peak);
BENCHMARK(kernel)->Arg(128)->Arg(1024);
BENCHMARK(measure)->Apply(shapes);
BENCHMARK(scan)->Args({32768, 768})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(sums)->Args({4096, 768})->Args({32768, 768})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(pairs)->Args({4096, 768})->Args({32768, 768})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(eigenvalues)->Arg(128)->Arg(768)->Arg(1024)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
