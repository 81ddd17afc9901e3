// Batches that several processes share: each holds a part, and what is computed over a batch (the
// statistics of a batch norm) is computed over all of it, so that several processes train the model
// that one would.
#pragma once

#include <cstdint>
#include <functional>

#include "tensor/tensor.h"

namespace adb {

// Call once, before the first step; without it a process has its batches to itself.
//   ranks: how many processes, each with a part of the same size
//   sum: adds a tensor up over them, in place, with the same bits for all; collective
void share_batches(std::int64_t ranks, std::function<void(const at::Tensor&)> sum);

// 1 without share_batches.
std::int64_t ranks_sharing();

// The sum over ranks, differentiable: the gradient is that of the sum of all ranks' losses.
at::Tensor sum_over_ranks(const at::Tensor& x);

}  // namespace adb
