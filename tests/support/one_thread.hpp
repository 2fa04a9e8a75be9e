#pragma once

#ifdef _OPENMP
#include <omp.h>
#endif

namespace collapse::test {

/// Keeps OpenMP to one thread while it lives: waking a team for each of hundreds of small inputs costs more than they.
class OneThread {
 public:
#ifdef _OPENMP
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;
  ~OneThread() { omp_set_num_threads(before_); }

 private:
  int before_;
#endif
};

}  // namespace collapse::test
