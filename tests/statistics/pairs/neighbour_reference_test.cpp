#include <collapse/io/npy.hpp>
#include <collapse/layers.hpp>
#include <collapse/neighbourhood.hpp>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/decompositions.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <type_traits>

/// What independent code says of real embeddings, as far as neighbours and layers follow from it: the cosines of all
/// pairs give the nearest, the farthest and the median; norms and variances give the rows and units that are zero.
using namespace collapse;
using Json = nlohmann::json;

namespace {

bool near(double measured, const Json& expected, double tolerance) {
  return std::abs(measured - expected.get<double>()) <= tolerance * std::abs(expected.get<double>());
}

void check_neighbours(const io::NpyMatrix<float>& z, const Json& reference) {
  const Json& cosine = reference.at("cosine");
  // Rows of which one is the other's nearest are the most alike of all.
  const Neighbours nearest = neighbours(z, 1, {.metric = Metric::cosine});
  CHECK(near(1.0 - nearest.distance.minCoeff(), cosine.at("max"), 1e-12));
  const Index n = z.rows();
  // Of a small file, all rows are asked for.
  if (n <= 128) {
    const Neighbours all = neighbours(z, n - 1, {.metric = Metric::cosine});
    CHECK(near(1.0 - all.distance.maxCoeff(), cosine.at("min"), 1e-9));
    CHECK(near(1.0 - all.distance.mean(), cosine.at("mean"), 1e-12));
    CHECK(static_cast<double>(all.distance.size()) == 2.0 * cosine.at("pairs").get<double>());
  }
  const Neighbourhood rows = neighbourhood(z, {.metric = Metric::cosine, .pair_rows = n});
  CHECK(rows.samples == reference.at("samples"));
  CHECK(rows.dims == reference.at("dims"));
  CHECK(rows.zero_rows == reference.at("norms").at("zero_rows"));
  CHECK(near(1.0 - 0.5 * rows.median_distance * rows.median_distance, cosine.at("p50"), 1e-9));
  CHECK(rows.k_occurrence.sum() == 10 * n);
}

void check_layer(const io::NpyMatrix<float>& z, const Json& reference) {
  LayerProfile profile;
  add_layer(profile, "layer", z);
  const Layer& layer = profile.layers.front();
  CHECK(layer.samples == reference.at("samples"));
  CHECK(layer.units == reference.at("dims"));
  CHECK(near(layer.effective_rank, reference.at("spectrum").at("effective_rank"), 1e-9));
  CHECK(near(layer.effective_rank_ratio, reference.at("spectrum").at("effective_rank_ratio"), 1e-9));
  CHECK(near(layer.mean_cosine, reference.at("cosine").at("mean"), 1e-9));
  // Of these files the units that never change are those that are always 0.
  CHECK(layer.dead_units == reference.at("variance").at("dead_dimensions"));
}

void check_folder(const std::filesystem::path& references, const std::filesystem::path& data) {
  std::ifstream in(references / "reference.json");
  REQUIRE(in.good());
  const Json reference = Json::parse(in);
  REQUIRE(reference.size() >= 2);
  for (const auto& [file, numbers] : reference.items()) {
    CAPTURE(file);
    const io::NpyFile embeddings(data / file);
    embeddings.visit([&numbers = numbers]<class Matrix>(const Matrix& z) {
      if constexpr (std::is_same_v<Matrix, io::NpyMatrix<float>>) {
        check_neighbours(z, numbers);
        check_layer(z, numbers);
      } else {
        FAIL("the references are of float32 files");
      }
    });
  }
}

}  // namespace

TEST_CASE("neighbours and layers of the shipped data agree with what independent code says of them",
          "[neighbour_reference]") {
  check_folder(COLLAPSE_TEST_DATA, COLLAPSE_EXAMPLE_DATA);
}

TEST_CASE("neighbours and layers of data beyond the shipped ones agree with what independent code says of them",
          "[neighbour_reference]") {
  const char* const folder = std::getenv("COLLAPSE_REFERENCE_DIR");
  if (folder == nullptr || !std::filesystem::is_directory(folder)) {
    WARN("skipped: COLLAPSE_REFERENCE_DIR names no folder");
    return;
  }
  check_folder(folder, folder);
}
