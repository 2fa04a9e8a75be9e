#include "support/catch.hpp"

#include <collapse/statistics/pairs/disjoint_sets.hpp>

using collapse::statistics::DisjointSets;
using Eigen::Index;

TEST_CASE("disjoint sets unite and keep their smallest place", "[disjoint_sets]") {
  DisjointSets sets(6);
  CHECK(sets.sets() == 6);
  sets.unite(4, 2);
  sets.unite(5, 4);
  CHECK(sets.sets() == 4);
  CHECK(sets.find(5) == 2);
  CHECK(sets.find(4) == 2);
  CHECK(sets.find(3) == 3);
  sets.unite(2, 5);
  CHECK(sets.sets() == 4);
  sets.unite(0, 5);
  CHECK(sets.find(4) == 0);
  CHECK(sets.find(1) == 1);
  CHECK(sets.sets() == 3);
}

TEST_CASE("a long chain of unions is one set", "[disjoint_sets]") {
  constexpr Index count = 20000;
  DisjointSets sets(count);
  for (Index i = count - 1; i > 0; --i) sets.unite(i, i - 1);
  CHECK(sets.sets() == 1);
  CHECK(sets.find(count - 1) == 0);
}
