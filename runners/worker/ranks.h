// The processes that train one model together, over MPI. One process alone needs no MPI at run
// time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runners/worker/nccl.h"
#include "tensor/tensor.h"

namespace adb {

// Not thread-safe: every call comes from the thread that made it. All calls but rank(), size(),
// lead() and abort() are collective: every rank must make them in the same order.
class Ranks {
 public:
  // Joins the others when a launcher (mpirun, srun) started several processes; else a group of one.
  //   throws: Error(kUsage) when the launcher's variables are there but name no valid group
  Ranks();
  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  std::int64_t rank() const { return rank_; }
  std::int64_t size() const { return size_; }
  bool lead() const { return rank_ == 0; }  // the one that reports and writes

  // Collective, once, before the first sum. This rank's device: of `devices` ("cpu", "cuda:0,1"),
  // which the ranks of one machine share, each takes one, in turn. Where no two ranks share a GPU,
  // sums of tensors there go through NCCL, if it is built in.
  //   throws: Error(kUsage) for a device that is not there
  at::Device join(const std::string& devices);

  // The lead's text, on every rank.
  std::string from_lead(const std::string& text) const;

  // Sums over ranks, in place and with the same bits everywhere.
  void sum(std::span<double> values) const;
  // Floating-point tensors of any device, in flat buckets, through the host's memory unless NCCL is
  // in use.
  void sum(const std::vector<at::Tensor>& tensors) const;

  // At the lead: what all ranks gave, in their order; elsewhere empty.
  std::vector<float> gather(std::span<const float> values) const;

  // Ends every rank at once. With one rank it returns.
  void abort(int code) const;

 private:
  std::int64_t rank_ = 0;
  std::int64_t size_ = 1;
  std::unique_ptr<DeviceSums> device_sums_;
};

}  // namespace adb
