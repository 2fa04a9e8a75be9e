// The adapter of LibTorch, where it is found. Prints what is wrong and ends with 1 where something is.

#include <collapse/adapters/torch.hpp>
#include <collapse/penalties.hpp>

#include <fmt/format.h>

#include <cmath>
#include <string>

namespace {

int failures = 0;

void check(bool holds, const std::string& what) {
  if (holds) return;
  fmt::print("does not hold: {}\n", what);
  ++failures;
}

template <class Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const collapse::Error& error) {
    return error.what();
  }
  return {};
}

void measures_every_scalar_and_stride() {
  const torch::Tensor z = torch::randn({60, 12}, torch::kDouble) + 0.5;
  const collapse::Report exact = collapse::libtorch::measure(z);
  check(exact.samples == 60 && exact.dims == 12, "the shape of the report");
  for (const auto type : {torch::kFloat, torch::kHalf, torch::kBFloat16}) {
    const collapse::Report report = collapse::libtorch::measure(z.to(type));
    const double tolerance = type == torch::kFloat ? 1e-5 : 2e-2;
    check(std::abs(report.spectrum.effective_rank / exact.spectrum.effective_rank - 1.0) < tolerance,
          fmt::format("the effective rank of {}", c10::toString(type)));
    check(std::abs(report.cosine.mean - exact.cosine.mean) < tolerance, "the mean cosine");
  }
  const torch::Tensor wide = torch::randn({30, 80}, torch::kFloat);
  const torch::Tensor strided = wide.t().slice(0, 5, 75, 3);
  check(!strided.is_contiguous(), "a strided view");
  const collapse::Report there = collapse::libtorch::measure(strided);
  const collapse::Report copied = collapse::libtorch::measure(strided.contiguous());
  check(there.spectrum.effective_rank == copied.spectrum.effective_rank, "strides change nothing");
  const float* seen = nullptr;
  collapse::libtorch::with_embeddings(strided,
                                      [&](const auto& map) { seen = reinterpret_cast<const float*>(map.data()); });
  check(seen == strided.data_ptr<float>(), "no copy is made");
}

void feeds_monitors_and_accumulators() {
  collapse::Monitor monitor;
  collapse::Accumulator seen(8);
  for (int step = 0; step < 3; ++step) {
    const torch::Tensor z = torch::randn({20, 8}, torch::requires_grad());
    collapse::libtorch::observe(monitor, step, z);
    collapse::libtorch::update(seen, z);
  }
  check(monitor.history().size() == 3, "three observations");
  check(seen.count() == 60, "sixty rows");
}

/// Against torch's own differentiation of the same formula.
void differentiates_penalties() {
  const auto options = torch::TensorOptions().dtype(torch::kDouble).requires_grad(true);
  const torch::Tensor a = torch::randn({40, 10}, options);
  const torch::Tensor b = torch::randn({40, 10}, options);
  collapse::penalties::Alignment alignment;
  const torch::Tensor loss = 3.0 * collapse::libtorch::penalty(alignment, a * 2.0, b);
  loss.backward();
  const torch::Tensor got_a = a.grad().clone();
  const torch::Tensor got_b = b.grad().clone();
  a.mutable_grad().zero_();
  b.mutable_grad().zero_();
  const auto unit = [](const torch::Tensor& z) { return z / z.norm(2, {1}, true); };
  const torch::Tensor own = 3.0 * (unit(a * 2.0) - unit(b)).pow(2).sum(1).mean();
  own.backward();
  check(std::abs(loss.item<double>() - own.item<double>()) < 1e-12, "the value of a penalty of two views");
  check((got_a - a.grad()).abs().max().item<double>() < 1e-12, "its gradient for the first");
  check((got_b - b.grad()).abs().max().item<double>() < 1e-12, "its gradient for the second");

  const torch::Tensor z = torch::randn({20, 6}, options);
  collapse::penalties::CovariancePenalty covariance;
  collapse::libtorch::penalty(covariance, z).backward();
  const torch::Tensor got = z.grad().clone();
  z.mutable_grad().zero_();
  const torch::Tensor x = z - z.mean(0);
  const torch::Tensor c = torch::matmul(x.t(), x) / 19.0;
  ((c.pow(2).sum() - c.diagonal().pow(2).sum()) / 6.0).backward();
  check((got - z.grad()).abs().max().item<double>() < 1e-12, "the gradient of a penalty of one view");

  const torch::Tensor half = torch::randn({20, 6}).to(torch::kHalf).requires_grad_();
  const torch::Tensor value = collapse::libtorch::penalty(covariance, half);
  value.backward();
  check(value.scalar_type() == torch::kFloat && half.grad().scalar_type() == torch::kHalf, "types of half");
}

void refuses_what_is_no_matrix_of_embeddings() {
  using collapse::libtorch::measure;
  check(refusal([] {
          static_cast<void>(measure(torch::randn({3, 4, 5})));
        }).find("[3, 4, 5]") != std::string::npos,
        "three dimensions are refused with their shape");
  check(refusal([] {
          static_cast<void>(measure(torch::ones({3, 4}, torch::kLong)));
        }).find("Long") != std::string::npos,
        "integers are refused by name");
  check(!refusal([] { static_cast<void>(measure(torch::Tensor())); }).empty(), "an undefined tensor is refused");
  collapse::penalties::Alignment alignment;
  check(refusal([&] {
          static_cast<void>(
              collapse::libtorch::penalty(alignment, torch::randn({3, 4}), torch::randn({3, 4}, torch::kDouble)));
        }).find("one scalar type") != std::string::npos,
        "views of two scalars are refused");
}

}  // namespace

int main() {
  torch::manual_seed(1);
  measures_every_scalar_and_stride();
  feeds_monitors_and_accumulators();
  differentiates_penalties();
  refuses_what_is_no_matrix_of_embeddings();
  return failures == 0 ? 0 : 1;
}
