#include "runners/worker/nccl.h"

#include <cstring>

#include <nccl.h>

#include <c10/core/DeviceGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "core/error.h"

namespace adb {
namespace {

void check(ncclResult_t result, const char* what) {
  ADB_CHECK(result == ncclSuccess,
            ErrorKind::kInternal,
            "NCCL cannot {}: {}",
            what,
            ncclGetErrorString(result));
}

ncclDataType_t nccl_type(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return ncclFloat32;
    case at::kDouble:
      return ncclFloat64;
    case at::kLong:
      return ncclInt64;
    default:
      fail(ErrorKind::kInternal,
           "NCCL sums no tensors of type {} here",
           toString(tensor.scalar_type()));
  }
}

class NcclSums : public DeviceSums {
 public:
  NcclSums(std::int64_t rank, std::int64_t size, at::Device device, const ncclUniqueId& id) {
    const c10::DeviceGuard guard(device);
    check(ncclCommInitRank(&group_, static_cast<int>(size), id, static_cast<int>(rank)),
          "form a group");
  }
  // A group whose other ranks are gone would wait for them.
  ~NcclSums() override { ncclCommAbort(group_); }

  void sum(const at::Tensor& flat) override {
    const c10::DeviceGuard guard(flat.device());
    check(ncclAllReduce(flat.const_data_ptr(),
                        flat.mutable_data_ptr(),
                        static_cast<std::size_t>(flat.numel()),
                        nccl_type(flat),
                        ncclSum,
                        group_,
                        c10::cuda::getCurrentCUDAStream(flat.device().index()).stream()),
          "sum over ranks");
  }

 private:
  ncclComm_t group_ = nullptr;
};

}  // namespace

std::unique_ptr<DeviceSums> nccl_sums(
    std::int64_t rank,
    std::int64_t size,
    at::Device device,
    const std::function<std::string(const std::string&)>& from_lead) {
  ncclUniqueId id = {};
  if (rank == 0) {
    check(ncclGetUniqueId(&id), "name a group");
  }
  const auto shared = from_lead(std::string(id.internal, sizeof id.internal));
  ADB_ASSERT(shared.size() == sizeof id.internal);
  std::memcpy(id.internal, shared.data(), shared.size());
  return std::make_unique<NcclSums>(rank, size, device, id);
}

}  // namespace adb
