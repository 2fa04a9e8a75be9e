// A program of its own: it replaces operator new, and makes Eigen say when it takes memory, to count both.

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace {
bool forbidden = false;
int taken = 0;
void take() { taken += forbidden ? 1 : 0; }
}  // namespace

#define EIGEN_RUNTIME_NO_MALLOC
#define eigen_assert(condition)     \
  do {                              \
    if (!(condition)) std::abort(); \
  } while (false)

#include <collapse/accumulator.hpp>
#include <collapse/penalties.hpp>

void* operator new(std::size_t size) {
  take();
  if (void* const memory = std::malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }

namespace {

using Batch = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Batch batch_of(Eigen::Index rows, Eigen::Index dims, float centre) {
  Batch z(rows, dims);
  for (Eigen::Index i = 0; i < z.size(); ++i) {
    z.data()[i] = centre + static_cast<float>((i * 2654435761U) % 1000) / 1000.0F;
  }
  return z;
}

/// Allocations of `updates` further updates, once the accumulator has seen enough to hold rows no longer.
int allocations(Eigen::Index rows, int updates) {
  constexpr Eigen::Index dims = 40;
  const Batch z = batch_of(rows, dims, 0.5F);
  collapse::Accumulator seen(dims, {.pair_rows = 100});
  for (Eigen::Index i = 0; i <= 400 / rows; ++i) seen.update(z);
  taken = 0;
  forbidden = true;
  Eigen::internal::set_is_malloc_allowed(false);
  for (int i = 0; i < updates; ++i) seen.update(z);
  Eigen::internal::set_is_malloc_allowed(true);
  forbidden = false;
  return taken;
}

/// Allocations of further calls of a penalty whose object has seen the shape.
template <class Call>
int allocations_of(const Call& call) {
  call();
  taken = 0;
  forbidden = true;
  Eigen::internal::set_is_malloc_allowed(false);
  for (int i = 0; i < 3; ++i) call();
  Eigen::internal::set_is_malloc_allowed(true);
  forbidden = false;
  return taken;
}

int report(const char* penalty, int count) {
  if (count == 0) return 0;
  std::printf("3 calls of %s took memory %d times\n", penalty, count);
  return 1;
}

/// Penalties that do not: those with a decomposition leave its memory to Eigen.
int penalties(Eigen::Index rows, Eigen::Index dims) {
  namespace reg = collapse::penalties;
  const Batch a = batch_of(rows, dims, 0.5F);
  const Batch b = batch_of(rows, dims, -0.25F);
  Batch da, db;
  reg::VarianceHinge hinge;
  reg::CovariancePenalty covariance;
  reg::Uniformity uniformity;
  reg::Alignment alignment;
  reg::Vicreg vicreg;
  reg::BarlowTwins barlow;
  reg::InfoNce contrast;
  int failures = 0;
  failures += report("VarianceHinge", allocations_of([&] { hinge.value_and_gradient(a, da); }));
  failures += report("CovariancePenalty", allocations_of([&] { covariance.value_and_gradient(a, da); }));
  failures += report("Uniformity", allocations_of([&] { uniformity.value_and_gradient(a, da); }));
  failures += report("Alignment", allocations_of([&] { alignment.value_and_gradient(a, b, da, db); }));
  failures += report("Vicreg", allocations_of([&] { vicreg.value_and_gradient(a, b, da, db); }));
  failures += report("BarlowTwins", allocations_of([&] { barlow.value_and_gradient(a, b, da, db); }));
  failures += report("InfoNce", allocations_of([&] { contrast.value_and_gradient(a, b, da, db); }));
  return failures;
}

}  // namespace

int main() {
  int failures = 0;
  for (const Eigen::Index rows : {1, 64, 256, 1023, 1500, 4096}) {
    const int count = allocations(rows, 50);
    if (count == 0) continue;
    std::printf("50 updates with %td rows took memory %d times\n", static_cast<std::ptrdiff_t>(rows), count);
    ++failures;
  }
  failures += penalties(120, 40);
  failures += penalties(40, 120);
  return failures == 0 ? 0 : 1;
}
