#include "runners/worker/train.h"

#define AT_PER_OPERATOR_HEADERS
#include <algorithm>
#include <chrono>
#include <cmath>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "core/files.h"
#include "core/hash.h"
#include "formats/report_files.h"
#include "methods/optional.h"
#include "nn/shared_batch.h"
#include "runners/worker/checkpoint.h"
#include "runners/worker/efficiency.h"
#include "runners/worker/energy.h"
#include "runners/worker/evaluate.h"
#include "runners/worker/features.h"
#include "runners/worker/loader.h"
#include "runners/worker/speed.h"
#include "runners/worker/textures.h"
#include "tensor/device.h"
#include "tensor/state.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Everything that a checkpoint must bring back beside the tensors.
struct Progress {
  std::int64_t epoch = 0;                  // completed epochs
  std::int64_t step = 0;                   // completed steps of the epoch under way
  std::map<std::string, double> sums;      // of losses, rates and times over those steps
  double train_s = 0;                      // over all epochs
  std::optional<double> train_energy_j;    // likewise; absent where a part was not measured
  std::optional<std::int64_t> best_epoch;  // by class-mean pixel AUROC, first on ties
  double best_auroc = 0;
};

class Trainer {
 public:
  Trainer(const wire::Job& job, const MethodEntry& entry, Channel& channel, const Ranks& ranks)
      : job_(job),
        channel_(channel),
        ranks_(ranks),
        entry_(entry),
        streams_(job.seed),
        device_(job.device),
        energy_(device_),
        method_(entry.make(job.options, Context{at::kFloat, device_, streams_})),
        input_(method_->input()),
        textures_(input_.needs_textures ? open_textures(job.textures, job.seed, job.cache_bytes / 8)
                                        : nullptr),
        images_(paths(job.train), kept_side(input_, input_.sample), job.cache_bytes / 8),
        features_(input_.sample ? "off" : job.feature_cache,
                  static_cast<std::int64_t>(job.train.size()),
                  job.cache_bytes / 2,
                  job.folder / fmt::format("train-features-{}.cache", ranks.rank())),
        pool_(1),
        evaluator_(job, entry, *method_, job.cache_bytes / 8 * 3, pool_, ranks) {
    steps_per_epoch_ = static_cast<std::int64_t>(job.train.size()) / input_.batch;
    ADB_CHECK(steps_per_epoch_ > 0,
              ErrorKind::kData,
              "{} training images do not fill one batch of {}",
              job.train.size(),
              input_.batch);
    ADB_CHECK(input_.batch % ranks.size() == 0,
              ErrorKind::kUsage,
              "{} ranks cannot share batches of {} images evenly",
              ranks.size(),
              input_.batch);
    if (ranks.size() > 1) {
      share_batches(ranks.size(), [this](const at::Tensor& tensor) { ranks_.sum({tensor}); });
    }
    if (!job.weights.empty()) {
      method_->load_pretrained(read_checkpoint(job.weights, ErrorKind::kWeights),
                               job.weights.filename().string());
    }
  }

  void run() {
    if (!resume()) {
      progress_.train_energy_j = 0;
      calibrate();
    }
    channel_.send(wire::kStarted,
                  {{"epochs", epochs()},
                   {"steps_per_epoch", steps_per_epoch_},
                   {"resumed_epoch", progress_.epoch},
                   {"resumed_step", progress_.step}});
    saved_at_ = seconds();
    while (progress_.epoch < epochs()) {
      train_epoch();
      if (std::binary_search(job_.tests.begin(), job_.tests.end(), progress_.epoch)) {
        test();
      }
      if (progress_.epoch < epochs() && seconds() - saved_at_ >= job_.checkpoint_every_s) {
        save();
      }
      stop_if_asked();
    }
    if (!ranks_.lead()) {
      return;
    }
    measure();
    send_artifacts();
    channel_.send(wire::kFinished,
                  {{"reported_epoch", reported_epoch()}, {"last_epoch", epochs()}});
    channel_.wait_until_stored();  // a crash before that must not cost the whole training
    remove_checkpoints(job_.folder);
  }

 private:
  std::int64_t epochs() const { return job_.tests.back(); }

  std::int64_t reported_epoch() const {
    return job_.epoch_rule == "best_pixel_auroc" ? progress_.best_epoch.value_or(epochs())
                                                 : epochs();
  }

  static std::vector<fs::path> paths(const std::vector<wire::JobSample>& samples) {
    std::vector<fs::path> files;
    for (const auto& sample : samples) {
      files.push_back(sample.image);
    }
    return files;
  }

  // --- checkpoints

  NamedTensors full_state() const {
    auto state = method_->state();
    const auto moments = method_->optimiser_state();
    state.insert(state.end(), moments.begin(), moments.end());
    return state;
  }

  // Whether there was a checkpoint to go on from.
  bool resume() {
    std::vector<std::string> notes;
    const auto found = find_checkpoint(job_.folder, &notes);
    for (const auto& note : notes) {
      channel_.send(wire::kNote, {{"text", note}});
    }
    if (!found) {
      return false;
    }
    const auto& state = found->state;
    constexpr auto kKind = ErrorKind::kData;
    const auto where = (found->folder / "state.json").string();
    ADB_CHECK(json_at(state, "key", where, kKind) == job_.key, kKind, "{}: of another cell", where);
    const auto threads = json_int(json_at(state, "threads", where, kKind), where, kKind);
    ADB_CHECK(threads == job_.threads,
              ErrorKind::kUsage,
              "the run was started with {} threads a worker and cannot go on with {} (results "
              "would differ); "
              "use the same number, or --fresh",
              threads,
              job_.threads);
    const auto ranks = json_int(json_at(state, "ranks", where, kKind), where, kKind);
    ADB_CHECK(ranks == ranks_.size(),
              ErrorKind::kUsage,
              "the run was started with {} ranks and cannot go on with {} (results would differ); "
              "use the same number, or --fresh",
              ranks,
              ranks_.size());
    restore_tensors(
        full_state(), read_tensors(found->folder / "state.safetensors", kKind), where, kKind);
    progress_.epoch = json_int(json_at(state, "epoch", where, kKind), where, kKind);
    progress_.step = json_int(json_at(state, "step", where, kKind), where, kKind);
    progress_.train_s = json_number(json_at(state, "train_s", where, kKind), where, kKind);
    if (const auto energy = state.find("train_energy_j");
        energy != state.end() && energy->is_number()) {
      progress_.train_energy_j = energy->get<double>();
    }
    progress_.sums = json_at(state, "sums", where, kKind).get<std::map<std::string, double>>();
    if (const auto& best = json_at(state, "best_epoch", where, kKind); !best.is_null()) {
      progress_.best_epoch = json_int(best, where, kKind);
      progress_.best_auroc = json_number(json_at(state, "best_auroc", where, kKind), where, kKind);
    }
    return true;
  }

  void save() {
    if (!ranks_.lead()) {
      return;
    }
    const Json state = {
        {"key", job_.key},
        {"threads", job_.threads},
        {"ranks", ranks_.size()},
        {"epoch", progress_.epoch},
        {"step", progress_.step},
        {"train_s", progress_.train_s},
        {"train_energy_j",
         progress_.train_energy_j ? Json(*progress_.train_energy_j) : Json(nullptr)},
        {"sums", progress_.sums},
        {"best_epoch", progress_.best_epoch ? Json(*progress_.best_epoch) : Json(nullptr)},
        {"best_auroc", progress_.best_auroc}};
    save_checkpoint(job_.folder, progress_.epoch, progress_.step, state, full_state(), [this] {
      channel_.wait_until_stored();  // a checkpoint must never be ahead of the store
    });
    channel_.send(wire::kCheckpoint, {{"epoch", progress_.epoch}, {"step", progress_.step}});
    saved_at_ = seconds();
  }

  void stop_if_asked() {
    if (!stop_ || progress_.epoch == epochs()) {
      return;
    }
    save();
    throw Error(ErrorKind::kInterrupted,
                fmt::format("stopped after epoch {}, step {}", progress_.epoch, progress_.step));
  }

  // --- training

  // The images of the epoch's steps from `first` on, in order.
  std::vector<BatchRequest> requests(std::int64_t epoch, std::int64_t first) const {
    const auto n = static_cast<std::int64_t>(job_.train.size());
    const auto places = steps_per_epoch_ * input_.batch;
    Stream random = streams_.named("order", epoch);
    std::vector<std::int64_t> order;
    if (input_.order == InputSpec::Order::kPermutation) {
      order = random.permutation(n);
    } else {
      for (std::int64_t i = 0; i < places; ++i) {
        order.push_back(random.below(n));
      }
    }
    std::vector<BatchRequest> list;
    for (std::int64_t step = first; step < steps_per_epoch_; ++step) {
      BatchRequest request;
      // This rank's part of the batch.
      const auto part = input_.batch / ranks_.size();
      request.first_position = step * input_.batch + ranks_.rank() * part;
      const auto begin = order.begin() + request.first_position;
      request.ids.assign(begin, begin + part);
      request.epoch = epoch;
      request.pixels = !(input_.features_suffice && features_.has(request.ids));
      list.push_back(std::move(request));
    }
    return list;
  }

  void add_features(Batch* batch) {
    to_device(batch, device_);
    if (input_.sample || features_.mode() == "off") {
      return;
    }
    if (features_.has(batch->ids)) {
      batch->features = features_.get(batch->ids);
      to_device(batch, device_);
      return;
    }
    batch->features = method_->features(batch->images);
    features_.put(batch->ids, batch->features);
  }

  // Shows the first training images to a method that asks for them.
  void calibrate() {
    auto* method = dynamic_cast<NeedsCalibration*>(method_.get());
    const auto wanted = method == nullptr ? 0 : method->calibration_images();
    const auto n = std::min(wanted, static_cast<std::int64_t>(job_.train.size()));
    if (n == 0) {
      return;
    }
    std::vector<BatchRequest> list;
    for (std::int64_t i = 0; i < n; ++i) {
      list.push_back({{i}, 0, i, true});
    }
    BatchSequence batches(images_, input_, {}, "", nullptr, streams_, pool_, list);
    method->calibrate(n, [&] {
      auto batch = batches.next();
      add_features(&batch);
      return batch.features.empty() ? method_->features(batch.images) : batch.features;
    });
  }

  void train_epoch() {
    const std::int64_t epoch = progress_.epoch + 1;
    BatchSequence batches(images_,
                          input_,
                          input_.sample,
                          "sample",
                          textures_.get(),
                          streams_,
                          pool_,
                          requests(epoch, progress_.step));
    double told_at = seconds();
    energy_.take();  // of tests and other things before
    while (progress_.step < steps_per_epoch_) {
      const double started = seconds();
      Batch batch = batches.next();
      add_features(&batch);
      StepPlan plan;
      plan.step = (epoch - 1) * steps_per_epoch_ + progress_.step;
      plan.steps_per_epoch = steps_per_epoch_;
      plan.epochs = epochs();
      Reduction reduction = Reduction::kMean;  // of the gradients, and so of the losses
      if (ranks_.size() > 1) {
        plan.reduce = [&](const std::vector<at::Tensor>& parameters, Reduction how) {
          reduction = how;
          combine_gradients(parameters, how);
        };
      }
      const auto result = method_->step(batch, plan);
      const auto losses = combined_losses(result, reduction);
      const double loss = losses[0];
      ADB_CHECK(std::isfinite(loss),
                ErrorKind::kNumeric,
                "the loss became {} in epoch {}, step {}",
                loss,
                epoch,
                progress_.step + 1);
      progress_.sums["loss"] += loss;
      for (std::size_t i = 0; i < result.parts.size(); ++i) {
        progress_.sums["loss." + result.parts[i].first] += losses[i + 1];
      }
      for (const auto& [name, rate] : result.rates) {
        progress_.sums[result.rates.size() == 1 ? "lr" : "lr." + name] += rate;
      }
      const double took = seconds() - started;
      progress_.sums["train_s"] += took;
      progress_.train_s += took;
      if (progress_.train_energy_j && energy_.available()) {
        const double joules = energy_.take();
        progress_.sums["train_energy_j"] += joules;
        *progress_.train_energy_j += joules;
      } else {
        progress_.train_energy_j.reset();
      }
      ++progress_.step;
      if (seconds() - told_at >= 1 || progress_.step == steps_per_epoch_) {
        told_at = seconds();
        channel_.send(wire::kProgress,
                      {{"epoch", epoch},
                       {"epochs", epochs()},
                       {"step", progress_.step},
                       {"steps", steps_per_epoch_},
                       {"loss", progress_.sums["loss"] / static_cast<double>(progress_.step)},
                       {"images_per_s", static_cast<double>(input_.batch) / took}});
      }
      if (progress_.step < steps_per_epoch_) {
        stop_if_asked();
      }
    }
    send_curves(epoch);
    progress_.epoch = epoch;
    progress_.step = 0;
    progress_.sums.clear();
  }

  void combine_gradients(const std::vector<at::Tensor>& parameters, Reduction how) {
    const double started = seconds();
    std::vector<at::Tensor> gradients;
    for (const auto& parameter : parameters) {
      if (parameter.grad().defined()) {
        gradients.push_back(parameter.grad());
      }
    }
    ranks_.sum(gradients);
    if (how == Reduction::kMean) {
      for (auto& gradient : gradients) {
        gradient.div_(static_cast<double>(ranks_.size()));
      }
    }
    progress_.sums["reduce_s"] += seconds() - started;
  }

  // The loss and its parts over all ranks. Also agrees on whether to stop.
  std::vector<double> combined_losses(const StepResult& result, Reduction how) {
    std::vector<double> values = {result.loss.item<double>()};
    for (const auto& [name, part] : result.parts) {
      values.push_back(part.item<double>());
    }
    values.push_back(channel_.stop_requested() ? 1 : 0);
    ranks_.sum(values);
    stop_ = values.back() > 0;
    values.pop_back();
    if (how == Reduction::kMean) {
      for (auto& value : values) {
        value /= static_cast<double>(ranks_.size());
      }
    }
    return values;
  }

  void send_curves(std::int64_t epoch) {
    Json curves = Json::object();
    for (const auto& [name, sum] : progress_.sums) {
      curves[name] = name == "train_s" || name == "train_energy_j" || name == "reduce_s"
                         ? sum
                         : sum / static_cast<double>(steps_per_epoch_);
    }
    curves["images_per_s"] = static_cast<double>(steps_per_epoch_ * input_.batch) /
                             std::max(progress_.sums["train_s"], 1e-9);
    channel_.send(wire::kEpoch, {{"epoch", epoch}, {"curves", curves}});
  }

  // --- testing

  fs::path file_of(const std::string& name) const { return job_.folder / name; }
  fs::path weights_file(std::int64_t epoch) const {
    return job_.folder / fmt::format("weights-{:06}.safetensors", epoch);
  }
  fs::path maps_file(std::int64_t epoch) const {
    return job_.folder / fmt::format("maps-{:06}.safetensors", epoch);
  }

  void test() {
    const std::int64_t epoch = progress_.epoch;
    const double started = seconds();
    const bool selecting = job_.epoch_rule == "best_pixel_auroc";
    auto evaluation = evaluator_.run(*method_, epoch, /*keep=*/selecting || epoch == epochs());
    if (!ranks_.lead()) {
      return;
    }
    const double took = seconds() - started;
    const bool better =
        evaluation.mean_pixel_auroc &&
        (!progress_.best_epoch || *evaluation.mean_pixel_auroc > progress_.best_auroc);
    const auto previous = progress_.best_epoch;
    if (better) {
      progress_.best_epoch = epoch;
      progress_.best_auroc = *evaluation.mean_pixel_auroc;
    }
    test_images_s_ = took;
    evaluation.event["epoch"] = epoch;
    evaluation.event["curves"] = {{"test_s", took}};
    channel_.send(wire::kEvaluation, std::move(evaluation.event));
    if (epoch == epochs() || (selecting && better)) {
      write_tensors(weights_file(epoch), method_->state());
      if (!evaluation.maps.empty()) {
        write_maps(epoch, evaluation);
      }
      write_curves(file_of(curves_file_name(epoch)), {epoch, evaluation.curves});
      write_thumbnails(file_of(thumbnails_file_name(epoch)), epoch, evaluation.thumbnails);
      if (selecting && better && previous) {
        for (const auto& [kind, file] : kept_files(*previous)) {
          fs::remove(file);
        }
      }
    }
  }

  // One tensor [N, S, S] per category; the metadata names the samples.
  void write_maps(std::int64_t epoch, const Evaluation& evaluation) {
    NamedTensors tensors;
    const auto side = input_.image_size;
    for (const auto& [category, values] : evaluation.maps) {
      auto tensor = at::empty(
          {static_cast<std::int64_t>(values.size()) / (side * side), side, side}, at::kFloat);
      std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<float>());
      tensors.emplace_back(category, tensor);
    }
    write_tensors(maps_file(epoch), tensors, {{"samples", canonical_json(evaluation.map_samples)}});
  }

  // What a test may leave, with its kind.
  std::vector<std::pair<std::string, fs::path>> kept_files(std::int64_t epoch) const {
    return {{"weights", weights_file(epoch)},
            {"maps", maps_file(epoch)},
            {kCurvesKind, file_of(curves_file_name(epoch))},
            {kThumbnailsKind, file_of(thumbnails_file_name(epoch))}};
  }

  void send_artifacts() {
    for (const auto epoch : {reported_epoch(), epochs()}) {
      for (const auto& [kind, file] : kept_files(epoch)) {
        if (fs::exists(file)) {
          channel_.send(wire::kArtifact,
                        {{"kind", kind},
                         {"epoch", epoch},
                         {"category", ""},
                         {"path", file.filename().string()},
                         {"sha256", sha256_file(file, ErrorKind::kData)},
                         {"bytes", static_cast<std::int64_t>(fs::file_size(file))}});
        }
      }
      if (reported_epoch() == epochs()) {
        break;
      }
    }
  }

  // --- efficiency

  void measure() {
    const auto peak = peak_memory_bytes();
    const auto device_peak = peak_device_memory(device_);
    const auto parameters = count_parameters(*method_);
    const auto macs = count_macs(*method_, device_);
    Json figures = Json::array();
    const auto add = [&](const char* key, Json value, const char* unit, std::string note = "") {
      figures.push_back(
          {{"key", key}, {"value", std::move(value)}, {"unit", unit}, {"note", std::move(note)}});
    };
    add("parameters", parameters.total, "1");
    add("trainable_parameters", parameters.trainable, "1");
    add("macs", macs.macs, "1");
    add("macs_with_norms", macs.with_norms, "1");
    add("train_s", progress_.train_s, "s");
    if (progress_.train_energy_j) {
      add("train_energy_j", *progress_.train_energy_j, "J", energy_.sources() + ", whatever runs");
    }
    add("time_per_image_ms",
        test_images_s_ * 1000 / static_cast<double>(job_.test.size()),
        "ms",
        "last test: prediction and figures, feature cache " + evaluator_.features().mode());
    add("peak_memory_bytes", peak, "B", "whole worker");
    if (device_peak) {
      add("peak_device_memory_bytes", *device_peak, "B", "tensors of training and tests");
    }
    add_predictions(add);
    add("model_file_bytes",
        static_cast<std::int64_t>(fs::file_size(weights_file(epochs()))),
        "B",
        "all parameters and buffers");
    channel_.send(wire::kEfficiency, {{"figures", figures}});
  }

  // Latency and throughput of the trained model, without decoding and resizing.
  template <class Add>
  void add_predictions(const Add& add) {
    SpeedPlan plan;
    plan.seconds = 1;
    plan.max_samples = 30;
    plan.warm_up = 1;
    plan.batches = {1, input_.batch};
    reset_peak_memory();
    reset_peak_device_memory(device_);
    const auto image = at::zeros({1, 3, input_.image_size, input_.image_size},
                                 at::TensorOptions().dtype(at::kFloat).device(job_.device));
    const auto series = measure_predictions(*method_, image, plan);
    auto one = series.at("predict_1");
    std::sort(one.begin(), one.end());
    const auto percentile = [&](std::size_t percent) {
      return 1000 * one[std::min(one.size() - 1, one.size() * percent / 100)];
    };
    const auto note = fmt::format("one image, {} samples", one.size());
    add("latency_p50_ms", percentile(50), "ms", note);
    add("latency_p90_ms", percentile(90), "ms", note);
    add("latency_p99_ms", percentile(99), "ms", note);
    auto many = series.at(fmt::format("predict_{}", input_.batch));
    std::sort(many.begin(), many.end());
    add("throughput_images_per_s",
        static_cast<double>(input_.batch) / many[many.size() / 2],
        "1/s",
        fmt::format("{} images at a time", input_.batch));
    add("peak_predict_memory_bytes", peak_memory_bytes(), "B", "whole worker, which keeps more");
    if (const auto bytes = peak_device_memory(device_)) {
      add("peak_predict_device_memory_bytes", *bytes, "B", "tensors, those of training included");
    }
  }

  const wire::Job& job_;
  Channel& channel_;
  const Ranks& ranks_;
  const MethodEntry& entry_;
  Streams streams_;
  at::Device device_;
  EnergyMeter energy_;
  std::unique_ptr<Method> method_;
  InputSpec input_;
  std::unique_ptr<TexturePool> textures_;
  ImageStore images_;
  FeatureCache features_;
  ThreadPool pool_;  // after what its tasks read, so that it ends before them
  Evaluator evaluator_;
  std::int64_t steps_per_epoch_ = 0;
  Progress progress_;
  bool stop_ = false;  // all ranks know that the run shall stop
  double saved_at_ = 0;
  double test_images_s_ = 0;
};

}  // namespace

void run_job(const wire::Job& job,
             const Registry<MethodEntry>& methods,
             Channel& channel,
             const Ranks& ranks) {
  at::set_num_threads(static_cast<int>(job.threads));
  make_deterministic(at::Device(job.device));
  make_folder(job.folder);
  Trainer(job, methods.at(job.method), channel, ranks).run();
}

}  // namespace adb
