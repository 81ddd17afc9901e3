// From image files to batches: decoding and resizing run ahead of training in background threads,
// and decoded images are kept in memory within a budget.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/seed.h"
#include "methods/method.h"

namespace adb {

// Decoded and resized images of one list of files, kept up to a number of bytes. Thread-safe.
class ImageStore {
 public:
  // `side`: of the square that images are resized to; absent: they keep their own size.
  ImageStore(std::vector<std::filesystem::path> files,
             std::optional<std::int64_t> side,
             std::int64_t budget_bytes);
  std::int64_t size() const { return static_cast<std::int64_t>(files_.size()); }
  // Image `index` as 8-bit RGB. throws: Error(kData) naming the file
  std::shared_ptr<const Image> image(std::int64_t index) const;

 private:
  std::vector<std::filesystem::path> files_;
  std::optional<std::int64_t> side_;
  mutable std::int64_t budget_;
  mutable std::mutex mutex_;
  mutable std::vector<std::shared_ptr<const Image>> kept_;
};

// A fixed number of threads that run tasks in order of submission.
class ThreadPool {
 public:
  explicit ThreadPool(std::int64_t threads);
  ~ThreadPool();  // finishes running tasks, drops waiting ones
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  template <class F>
  auto submit(F task) -> std::future<decltype(task())> {
    auto packaged = std::make_shared<std::packaged_task<decltype(task())()>>(std::move(task));
    auto future = packaged->get_future();
    push([packaged] { (*packaged)(); });
    return future;
  }

 private:
  void push(std::function<void()> task);
  void work();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

// What a store keeps for a list that `sample` is applied to: images of the input's size, or of
// their own.
std::optional<std::int64_t> kept_side(const InputSpec& input, const SampleFunction& sample);

// Which images one batch holds, and the streams of their samples.
struct BatchRequest {
  std::vector<std::int64_t> ids;
  std::int64_t epoch = 0;           // key of the streams of the sample function
  std::int64_t first_position = 0;  // position in the epoch of ids[0]
  bool pixels = true;               // false: ids only (the features are known)
};

// Hands out batches in the order of `requests`, each made ahead of its use.
class BatchSequence {
 public:
  // `sample`: what is done to each image, empty for nothing; its draws come from the streams named
  // `stream`. All references must outlive this.
  BatchSequence(const ImageStore& images,
                const InputSpec& input,
                SampleFunction sample,
                std::string stream,
                const TexturePool* textures,
                const Streams& streams,
                ThreadPool& pool,
                std::vector<BatchRequest> requests);
  ~BatchSequence();  // waits for the batches under way
  // The next batch on the CPU. throws: Error(kData) of an image that cannot be read
  Batch next();

 private:
  struct HostBatch;
  std::shared_ptr<HostBatch> make(const BatchRequest& request) const;
  void fill_queue();

  const ImageStore& images_;
  const InputSpec& input_;
  SampleFunction sample_;
  std::string stream_;
  const TexturePool* textures_;
  const Streams& streams_;
  ThreadPool& pool_;
  std::vector<BatchRequest> requests_;
  std::size_t submitted_ = 0;
  std::deque<std::future<std::shared_ptr<HostBatch>>> ahead_;
};

// Moves every tensor of the batch.
void to_device(Batch* batch, const at::Device& device);

}  // namespace adb
