#pragma once

#include <collapse/report/classes.hpp>
#include <collapse/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

/// Reports on labelled embeddings as text, through {fmt}: `{}` in UTF-8, `{:a}` in ASCII.
namespace collapse::text {

/// The classes whose effective rank is lowest against what is expected, lowest first; at most so many.
[[nodiscard]] inline std::vector<std::size_t> worst_classes(const PerClass& classes, std::size_t most) {
  std::vector<std::size_t> order(classes.label.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto share = [&classes](std::size_t c) { return classes.effective_rank_vs_expected(static_cast<Index>(c)); };
  std::erase_if(order, [&share](std::size_t c) { return std::isnan(share(c)); });
  std::stable_sort(order.begin(), order.end(), [&share](std::size_t a, std::size_t b) { return share(a) < share(b); });
  if (order.size() > most) order.resize(most);
  return order;
}

/// Without a newline at its end.
[[nodiscard]] inline std::string page(const ClassCollapse& report, const Glyphs& glyphs) {
  std::string out;
  put_line(out, title(glyphs, "labels", page_width,
                      fmt::format("{} in {}", counted(report.samples, "row", "rows"),
                                  counted(report.classes, "class", "classes"))));
  const auto put = [&out](std::string_view label, double value, std::string_view remark) {
    put_number(out, label, number(value), remark);
  };
  put("NC1", report.nc1, "within over between; 0 is collapse");
  put("  ratio of traces", report.nc1_ratio, "");
  put("CDNV", report.cdnv, "spread over distance of two classes");
  put("NC2 equal norms", report.nc2_equinorm, "0: class means equally far out");
  put("  equal angles", report.nc2_equiangular, "0: all angles between them equal");
  put("  widest angles", report.nc2_max_angle, "0: as wide as can be");
  put("NC3", report.nc3, "0: the classifier is the class means");
  put("NC4", report.nc4, "share not predicted by nearest mean");
  put("class effective rank", report.class_effective_rank, "of the class means");
  put("centroid cosine", report.centroid_cosine, "between class means, from the origin");
  put("  from the common mean", report.centroid_cosine_centred, "-1 / (K - 1) when spread evenly");
  put("LiDAR", report.lidar, "directions that tell classes apart");
  const auto put_if = [&put](std::string_view label, double value, std::string_view remark) {
    if (!std::isnan(value)) put(label, value, remark);
  };
  put_if("silhouette", report.silhouette, "-1 to 1");
  put_if("  by cosine", report.silhouette_cosine, "");
  put_if("k-NN accuracy", report.knn_accuracy, "each row left out");
  put_if("linear probe accuracy", report.linear_probe_accuracy, "each row left out");
  put_if("  of the fitted rows", report.linear_probe_train_accuracy, "");
  if (report.unlabelled_rows > 0) put_number(out, "unlabelled rows", integer(report.unlabelled_rows));
  if (report.skipped_rows > 0) put_number(out, "skipped rows", integer(report.skipped_rows));

  const PerClass& classes = report.per_class;
  constexpr std::size_t shown = 5;
  const std::vector<std::size_t> worst = worst_classes(classes, shown);
  if (!worst.empty()) {
    put_line(out, "");
    put_line(out, title(glyphs, "effective rank of each class", page_width,
                        classes.label.size() > worst.size() ? fmt::format("the {} lowest", worst.size()) : ""));
  }
  for (const std::size_t c : worst) {
    const auto k = static_cast<Index>(c);
    put_number(out, fmt::format("class {}", classes.label[c]), number(classes.effective_rank(k)),
               fmt::format("{} of expected, {}", number(classes.effective_rank_vs_expected(k)),
                           counted(classes.samples[c], "row", "rows")));
  }
  if (!report.exact) {
    wrap(out, "  ",
         fmt::format("NC4, the ranks of the classes and what was asked for are of {}",
                     counted(report.sampled_rows, "sampled row", "sampled rows")));
  }
  for (const Finding& finding : report.findings) put_reason(out, glyphs, finding.metric, finding.explanation);
  out.pop_back();
  return out;
}

}  // namespace collapse::text

template <>
struct fmt::formatter<collapse::ClassCollapse> : collapse::text::PageFormatter<collapse::ClassCollapse> {};
