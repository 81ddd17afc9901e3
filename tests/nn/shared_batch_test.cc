#include "nn/shared_batch.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include <torch/torch.h>

#include "nn/residual.h"

namespace adb {
namespace {

// Two threads that add their tensors up, as two processes would.
class TwoRanks {
 public:
  void sum(const at::Tensor& tensor) {
    std::unique_lock lock(mutex_);
    const auto round = round_;
    if (!waiting_.defined()) {
      waiting_ = tensor;
      changed_.wait(lock, [&] { return round_ != round; });
      return;
    }
    const at::NoGradGuard no_grad;
    const auto total = waiting_ + tensor;
    waiting_.copy_(total);
    tensor.copy_(total);
    waiting_ = at::Tensor();
    ++round_;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  at::Tensor waiting_;
  int round_ = 0;
};

struct Outcome {
  at::Tensor y, dx, dweight, dbias;
  NamedTensors state;
};

Outcome train(const at::Tensor& x, const at::Tensor& weights_of_loss) {
  const auto norm = std::make_shared<BatchNorm>(x.size(1), 1e-5, x.options());
  {
    const at::NoGradGuard no_grad;
    norm->named_parameters()["weight"].copy_(at::arange(1, x.size(1) + 1, x.options()));
  }
  norm->train(true);
  auto input = x.clone().set_requires_grad(true);
  const auto y = norm->forward(input);
  (y * weights_of_loss).sum().backward();
  return {y.detach(),
          input.grad(),
          norm->named_parameters()["weight"].grad(),
          norm->named_parameters()["bias"].grad(),
          {{"mean", norm->named_buffers()["running_mean"]},
           {"var", norm->named_buffers()["running_var"]}}};
}

TEST(SharedBatch, BatchNormOverTwoRanksIsThatOfTheWholeBatch) {
  const auto options = at::TensorOptions().dtype(at::kDouble);
  const auto x = at::rand({6, 3, 5, 4}, at::detail::createCPUGenerator(5), options) * 3 + 2;
  const auto w = at::rand({6, 3, 5, 4}, at::detail::createCPUGenerator(6), options);
  const auto whole = train(x, w);

  TwoRanks ranks;
  share_batches(2, [&](const at::Tensor& tensor) { ranks.sum(tensor); });
  Outcome parts[2];
  std::thread other([&] { parts[1] = train(x.narrow(0, 3, 3), w.narrow(0, 3, 3)); });
  parts[0] = train(x.narrow(0, 0, 3), w.narrow(0, 0, 3));
  other.join();
  share_batches(1, [](const at::Tensor&) {});

  const auto close = [](const at::Tensor& a, const at::Tensor& b) {
    return at::allclose(a, b, 1e-10, 1e-12);
  };
  EXPECT_TRUE(close(at::cat({parts[0].y, parts[1].y}), whole.y));
  EXPECT_TRUE(close(at::cat({parts[0].dx, parts[1].dx}), whole.dx));
  // Each rank has its own part of a parameter's gradient; the update step adds them up.
  EXPECT_TRUE(close(parts[0].dweight + parts[1].dweight, whole.dweight));
  EXPECT_TRUE(close(parts[0].dbias + parts[1].dbias, whole.dbias));
  for (std::size_t i = 0; i < whole.state.size(); ++i) {
    EXPECT_TRUE(close(parts[0].state[i].second, whole.state[i].second)) << whole.state[i].first;
    EXPECT_TRUE(parts[0].state[i].second.equal(parts[1].state[i].second)) << whole.state[i].first;
  }
}

}  // namespace
}  // namespace adb
