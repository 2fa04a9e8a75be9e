// Trains a small encoder with LibTorch: VICReg as part of torch's graph, a monitor on every step, a report at the end.
// Prints what the monitor costs beside the step.

#include <collapse/adapters/torch.hpp>
#include <collapse/penalties.hpp>
#include <collapse/text.hpp>

#include <fmt/format.h>
#include <torch/torch.h>

#include <chrono>
#include <cstdint>

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

constexpr std::int64_t batch_rows = 256;
constexpr std::int64_t inputs = 1024;
constexpr std::int64_t dims = 512;

/// Inputs that vary in a few hundred ways.
torch::Tensor inputs_of(const torch::Tensor& mixing) {
  return torch::matmul(torch::randn({batch_rows, mixing.size(0)}), mixing);
}

}  // namespace

int main() {
  torch::manual_seed(1);
  torch::nn::Sequential encoder(torch::nn::Linear(inputs, 2048), torch::nn::BatchNorm1d(2048), torch::nn::ReLU(),
                                torch::nn::Linear(2048, dims));
  torch::optim::Adam optimiser(encoder->parameters(), torch::optim::AdamOptions(1e-3));
  collapse::penalties::Vicreg vicreg;
  collapse::Monitor monitor({.window = 5, .warm_up = 20});
  const torch::Tensor mixing = torch::randn({300, inputs}) / 17.0;

  double training = 0.0;
  double watching = 0.0;
  torch::Tensor z;
  for (int step = 0; step < 60; ++step) {
    const Clock::time_point begin = Clock::now();
    const torch::Tensor x = inputs_of(mixing);
    z = encoder->forward(x + 0.1 * torch::randn_like(x));
    const torch::Tensor other = encoder->forward(x + 0.1 * torch::randn_like(x));
    torch::Tensor loss = collapse::libtorch::penalty(vicreg, z, other);
    optimiser.zero_grad();
    loss.backward();
    optimiser.step();
    if (step >= 10) training += seconds_since(begin);

    const Clock::time_point then = Clock::now();
    const auto alarm = collapse::libtorch::observe(monitor, step, z);
    if (step >= 10) watching += seconds_since(then);
    if (alarm) fmt::print("step {}: {}\n", step, *alarm);
    if (step % 10 == 0) fmt::print("step {}: loss {:.3f}\n", step, loss.item<double>());
  }
  fmt::print("\n{:s}\n", collapse::libtorch::measure(z));
  fmt::print("a step takes {:.1f} ms, watching it {:.2f} ms, {:.1f} %\n", 1e3 * training / 50.0, 1e3 * watching / 50.0,
             100.0 * watching / training);
}
