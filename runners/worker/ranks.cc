#include "runners/worker/ranks.h"

#define AT_PER_OPERATOR_HEADERS
#include <algorithm>
#include <cstdlib>
#include <limits>

#include <mpi.h>

#include <ATen/core/TensorBody.h>
#include <ATen/ops/cat.h>

#include "core/error.h"
#include "core/text.h"
#include "tensor/device.h"

namespace adb {
namespace {

// Gradients travel together up to this size: few large messages, bounded memory.
constexpr std::int64_t kBucketBytes = std::int64_t{25} << 20;

// How many processes the launcher says it started, or 1. Only Open MPI's own mpirun and Slurm with
// PMIx set these for each process.
std::int64_t launched_size() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK"}) {
    if (const char* text = std::getenv(name); text != nullptr) {
      if (std::string(name) == "PMIX_RANK") {
        const char* tasks = std::getenv("SLURM_NTASKS");
        return tasks == nullptr ? 1 : std::atoll(tasks);
      }
      return std::atoll(text);
    }
  }
  return 1;
}

int as_count(std::size_t n) {
  ADB_CHECK(n <= static_cast<std::size_t>(std::numeric_limits<int>::max()),
            ErrorKind::kInternal,
            "a message of {} elements is more than MPI takes",
            n);
  return static_cast<int>(n);
}

MPI_Datatype mpi_type(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return MPI_FLOAT;
    case at::kDouble:
      return MPI_DOUBLE;
    case at::kLong:
      return MPI_INT64_T;
    default:
      fail(ErrorKind::kInternal,
           "ranks cannot exchange tensors of type {}",
           toString(tensor.scalar_type()));
  }
}

// Sums tensors of one type and device that are together below the bucket's size.
void sum_bucket(const std::vector<at::Tensor>& bucket, DeviceSums* device_sums) {
  std::vector<at::Tensor> flat;
  for (const auto& tensor : bucket) {
    flat.push_back(tensor.detach().reshape({-1}));
  }
  auto joined = at::cat(flat);
  if (device_sums != nullptr && !joined.is_cpu()) {
    device_sums->sum(joined);
  } else {
    joined = joined.cpu();
    MPI_Allreduce(MPI_IN_PLACE,
                  joined.mutable_data_ptr(),
                  as_count(static_cast<std::size_t>(joined.numel())),
                  mpi_type(joined),
                  MPI_SUM,
                  MPI_COMM_WORLD);
  }
  std::int64_t at = 0;
  for (const auto& tensor : bucket) {
    tensor.detach().copy_(joined.narrow(0, at, tensor.numel()).view(tensor.sizes()));
    at += tensor.numel();
  }
}

}  // namespace

Ranks::Ranks() {
  if (launched_size() <= 1) {
    return;
  }
  int provided = 0, rank = 0, size = 1;
  // The channel's thread makes no MPI calls.
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  ADB_CHECK(size == launched_size(),
            ErrorKind::kUsage,
            "the launcher promised {} ranks and MPI sees {}",
            launched_size(),
            size);
  rank_ = rank;
  size_ = size;
}

Ranks::~Ranks() {
  device_sums_.reset();
  if (size_ > 1) {
    MPI_Finalize();
  }
}

at::Device Ranks::join(const std::string& devices) {
  const auto names = split(devices, ',');
  if (size_ == 1) {
    return parse_device(names.front());
  }
  MPI_Comm machine = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
  int place = 0, neighbours = 1;
  MPI_Comm_rank(machine, &place);
  MPI_Comm_size(machine, &neighbours);
  MPI_Comm_free(&machine);
  const auto device = parse_device(names[static_cast<std::size_t>(place) % names.size()]);
  int alone = device.is_cuda() && static_cast<std::size_t>(neighbours) <= names.size() ? 1 : 0;
  MPI_Allreduce(MPI_IN_PLACE, &alone, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  if (alone == 1) {
    device_sums_ =
        nccl_sums(rank_, size_, device, [this](const auto& text) { return from_lead(text); });
  }
  return device;
}

std::string Ranks::from_lead(const std::string& text) const {
  if (size_ == 1) {
    return text;
  }
  auto length = static_cast<std::int64_t>(text.size());
  MPI_Bcast(&length, 1, MPI_INT64_T, 0, MPI_COMM_WORLD);
  std::string all = text;
  all.resize(static_cast<std::size_t>(length));
  MPI_Bcast(all.data(), as_count(all.size()), MPI_CHAR, 0, MPI_COMM_WORLD);
  return all;
}

void Ranks::sum(std::span<double> values) const {
  if (size_ > 1) {
    MPI_Allreduce(
        MPI_IN_PLACE, values.data(), as_count(values.size()), MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  }
}

void Ranks::sum(const std::vector<at::Tensor>& tensors) const {
  if (size_ == 1) {
    return;
  }
  std::vector<at::Tensor> bucket;
  std::int64_t bytes = 0;
  for (const auto& tensor : tensors) {
    const auto more = static_cast<std::int64_t>(tensor.nbytes());
    const bool other = !bucket.empty() && (bucket.back().scalar_type() != tensor.scalar_type() ||
                                           bucket.back().device() != tensor.device());
    if (!bucket.empty() && (bytes + more > kBucketBytes || other)) {
      sum_bucket(bucket, device_sums_.get());
      bucket.clear();
      bytes = 0;
    }
    bucket.push_back(tensor);
    bytes += more;
  }
  if (!bucket.empty()) {
    sum_bucket(bucket, device_sums_.get());
  }
}

std::vector<float> Ranks::gather(std::span<const float> values) const {
  if (size_ == 1) {
    return {values.begin(), values.end()};
  }
  const int own = as_count(values.size());
  std::vector<int> counts(static_cast<std::size_t>(size_)), places(counts.size());
  MPI_Gather(&own, 1, MPI_INT, counts.data(), 1, MPI_INT, 0, MPI_COMM_WORLD);
  std::size_t total = 0;
  for (std::size_t i = 0; lead() && i < counts.size(); ++i) {
    places[i] = as_count(total);
    total += static_cast<std::size_t>(counts[i]);
  }
  std::vector<float> all(total);
  MPI_Gatherv(values.data(),
              own,
              MPI_FLOAT,
              all.data(),
              counts.data(),
              places.data(),
              MPI_FLOAT,
              0,
              MPI_COMM_WORLD);
  return all;
}

void Ranks::abort(int code) const {
  if (size_ > 1) {
    MPI_Abort(MPI_COMM_WORLD, code);
  }
}

}  // namespace adb
