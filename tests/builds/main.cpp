// Every number of the report over data of several kinds and shapes, as text with all digits: the same whatever the
// compiler, the instruction set and the number of threads, to the last digits. See run.sh.

#include <collapse/collapse.hpp>
#include <collapse/json.hpp>
#include <collapse/synthetic.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string>

namespace {

void print(const std::string& path, const nlohmann::json& value) {
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) {
      // Sentences, in which numbers are rounded.
      if (key != "explanation" && key != "remedy") print(path + '.' + key, inner);
    }
  } else if (value.is_array()) {
    for (std::size_t k = 0; k < value.size(); ++k) print(fmt::format("{}.{}", path, k), value[k]);
  } else if (value.is_number_float()) {
    fmt::print("{} {:.17g}\n", path, value.get<double>());
  } else {
    fmt::print("{} {}\n", path, value.dump());
  }
}

template <class Scalar>
void measure(const std::string& name) {
  using collapse::Index;
  for (const auto& [rows, dims] : {std::pair<Index, Index>{300, 40}, {100, 250}, {1500, 130}, {5000, 24}}) {
    const auto report = [&, rows = rows, dims = dims](const char* kind, const auto& z) {
      print(fmt::format("{}.{}x{}.{}", name, rows, dims, kind), nlohmann::json(collapse::measure(z)));
    };
    report("isotropic", collapse::synthetic::isotropic<Scalar>(rows, dims));
    report("around_a_point", collapse::synthetic::around_a_point<Scalar>(rows, dims, 1e-3));
    report("power_law", collapse::synthetic::power_law<Scalar>(rows, dims, 1.5));
    report("clusters", collapse::synthetic::clusters<Scalar>(rows, dims, 5, 1e-2));
    report("duplicated", collapse::synthetic::duplicated<Scalar>(rows, dims, 7));
  }
}

}  // namespace

int main() {
  measure<float>("float");
  measure<double>("double");
}
