#pragma once

#include "network.hpp"

#include <collapse/io/labels.hpp>
#include <collapse/io/npy.hpp>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace training {

/// 8 x 8 images of digits with values from 0 to 1, and the digits.
struct Digits {
  Matrix pixels;
  std::vector<std::int64_t> labels;

  [[nodiscard]] static Digits load(const std::filesystem::path& folder) {
    Digits result;
    const collapse::io::NpyFile file(folder / "digits_pixels.npy");
    result.pixels = file.visit([](const auto& z) -> Matrix { return z.template cast<float>() / 16.0F; });
    result.labels = collapse::io::read_labels(folder / "labels" / "digits.npy");
    return result;
  }

  [[nodiscard]] Matrix rows(const std::vector<Index>& which) const {
    Matrix result(static_cast<Index>(which.size()), pixels.cols());
    for (std::size_t i = 0; i < which.size(); ++i) result.row(static_cast<Index>(i)) = pixels.row(which[i]);
    return result;
  }
};

[[nodiscard]] inline std::vector<Index> draw(Index count, Index of, Random& random) {
  std::vector<Index> result(static_cast<std::size_t>(count));
  for (Index& i : result) i = random.below(of);
  return result;
}

/// How a view differs from its image.
struct Augmentation {
  Index shift = 1;        ///< by up to so many pixels each way
  float noise = 0.1F;     ///< standard deviation
  float contrast = 0.0F;  ///< factor 1 - contrast to 1 + contrast, for the whole image
};

[[nodiscard]] inline Matrix view_of(const Matrix& images, const Augmentation& how, Random& random) {
  constexpr Index side = 8;
  Matrix result(images.rows(), images.cols());
  for (Index i = 0; i < images.rows(); ++i) {
    const Index down = random.below(2 * how.shift + 1) - how.shift;
    const Index right = random.below(2 * how.shift + 1) - how.shift;
    const float factor = 1.0F + how.contrast * static_cast<float>(2.0 * random.uniform() - 1.0);
    for (Index y = 0; y < side; ++y) {
      for (Index x = 0; x < side; ++x) {
        const Index from_y = y - down;
        const Index from_x = x - right;
        const bool inside = from_y >= 0 && from_y < side && from_x >= 0 && from_x < side;
        const float value = inside ? images(i, from_y * side + from_x) : 0.0F;
        result(i, y * side + x) = factor * value + how.noise * random.normal();
      }
    }
  }
  return result;
}

}  // namespace training
