#include "runners/worker/loader.h"

#define AT_PER_OPERATOR_HEADERS
#include <algorithm>
#include <numeric>

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include "core/error.h"
#include "images/codec.h"
#include "images/resize.h"

namespace adb {

ImageStore::ImageStore(std::vector<std::filesystem::path> files,
                       std::optional<std::int64_t> side,
                       std::int64_t budget_bytes)
    : files_(std::move(files)), side_(side), budget_(budget_bytes), kept_(files_.size()) {}

std::shared_ptr<const Image> ImageStore::image(std::int64_t index) const {
  const auto i = static_cast<std::size_t>(index);
  {
    const std::lock_guard lock(mutex_);
    if (kept_[i]) {
      return kept_[i];
    }
  }
  auto decoded = read_image(files_[i]);
  if (side_) {
    const int side = static_cast<int>(*side_);
    decoded = resize_image(decoded, side, side);
  }
  const auto image = std::make_shared<const Image>(std::move(decoded));
  const std::lock_guard lock(mutex_);
  const auto bytes = static_cast<std::int64_t>(image->pixels.size());
  if (!kept_[i] && budget_ >= bytes) {
    budget_ -= bytes;
    kept_[i] = image;
  }
  return image;
}

std::optional<std::int64_t> kept_side(const InputSpec& input, const SampleFunction& sample) {
  return sample && input.full_size_samples ? std::nullopt : std::optional(input.image_size);
}

ThreadPool::ThreadPool(std::int64_t threads) {
  for (std::int64_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { work(); });
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    tasks_.clear();
  }
  changed_.notify_all();
  for (auto& thread : threads_) {
    thread.join();
  }
}

void ThreadPool::push(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_one();
}

void ThreadPool::work() {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closing_ || !tasks_.empty(); });
      if (closing_) {
        return;
      }
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();  // a packaged task keeps its exception for the future
  }
}

// Arrays of a batch, filled by a loader thread.
struct BatchSequence::HostBatch {
  std::vector<std::int64_t> ids;
  std::vector<float> images;  // [B, 3, S, S]
  struct Field {
    std::vector<std::int64_t> shape;  // of one sample
    std::vector<float> values;        // [B, ...]
  };
  std::map<std::string, Field> fields;
};

BatchSequence::BatchSequence(const ImageStore& images,
                             const InputSpec& input,
                             SampleFunction sample,
                             std::string stream,
                             const TexturePool* textures,
                             const Streams& streams,
                             ThreadPool& pool,
                             std::vector<BatchRequest> requests)
    : images_(images),
      input_(input),
      sample_(std::move(sample)),
      stream_(std::move(stream)),
      textures_(textures),
      streams_(streams),
      pool_(pool),
      requests_(std::move(requests)) {
  fill_queue();
}

BatchSequence::~BatchSequence() {
  for (auto& batch : ahead_) {
    if (batch.valid()) {
      batch.wait();
    }
  }
}

void BatchSequence::fill_queue() {
  constexpr std::size_t kAhead = 4;
  while (submitted_ < requests_.size() && ahead_.size() < kAhead) {
    ahead_.push_back(pool_.submit([this, i = submitted_] { return make(requests_[i]); }));
    ++submitted_;
  }
}

std::shared_ptr<BatchSequence::HostBatch> BatchSequence::make(const BatchRequest& request) const {
  auto batch = std::make_shared<HostBatch>();
  batch->ids = request.ids;
  if (!request.pixels) {
    return batch;
  }
  const auto plane = static_cast<std::size_t>(input_.image_size * input_.image_size);
  batch->images.resize(request.ids.size() * 3 * plane);
  for (std::size_t i = 0; i < request.ids.size(); ++i) {
    const auto image = images_.image(request.ids[i]);
    const std::span<float> planes(batch->images.data() + i * 3 * plane, 3 * plane);
    bool replaced = false;
    if (sample_) {
      Stream random = streams_.named(
          stream_, request.epoch, request.first_position + static_cast<std::int64_t>(i));
      for (auto& field : sample_(*image, random, textures_)) {
        if (field.name == "image") {
          ADB_ASSERT(field.values.size() == planes.size());
          std::copy(field.values.begin(), field.values.end(), planes.begin());
          replaced = true;
          continue;
        }
        auto& into = batch->fields[field.name];
        into.shape = field.shape;
        into.values.insert(into.values.end(), field.values.begin(), field.values.end());
      }
    }
    if (!replaced) {
      normalise_planes(*image, input_.mean, input_.std, planes);
    }
  }
  return batch;
}

Batch BatchSequence::next() {
  ADB_ASSERT(!ahead_.empty());
  const auto host = ahead_.front().get();
  ahead_.pop_front();
  fill_queue();
  const auto b = static_cast<std::int64_t>(host->ids.size());
  const auto tensor = [](std::vector<float>& values, std::vector<std::int64_t> shape) {
    return at::from_blob(values.data(), shape, at::kFloat).clone();
  };
  Batch batch;
  batch.ids = host->ids;
  batch.images = host->images.empty()
                     ? at::empty({b, 0}, at::kFloat)
                     : tensor(host->images, {b, 3, input_.image_size, input_.image_size});
  for (auto& [name, field] : host->fields) {
    auto shape = field.shape;
    shape.insert(shape.begin(), b);
    batch.fields[name] = tensor(field.values, shape);
  }
  return batch;
}

void to_device(Batch* batch, const at::Device& device) {
  batch->images = batch->images.to(device);
  for (auto& [name, field] : batch->fields) {
    field = field.to(device);
  }
  for (auto& feature : batch->features) {
    feature = feature.to(device);
  }
}

}  // namespace adb
