#include "train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <optional>
#include <set>

#include "base/printable.h"
#include "nn/scalar_math.h"
#include "polymath/error.h"
#include "tensor/dropout.h"
#include "tensor/tape.h"
#include "train/carried_state.h"

namespace polymath {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// What a step reads: the batches of `accumulate` forward passes, and the epoch that they are of.
struct PlannedStep {
  std::uint64_t epoch = 0;
  bool begins_epoch = false, ends_epoch = false;
  std::vector<std::vector<std::size_t>> batches;
};

// The batches of all epochs, one epoch in memory at a time.
class Plan {
 public:
  Plan(const TrainingSet& set, const TrainerOptions& options) : set_(set), options_(options) {
    for (std::int64_t epoch = 0; options.steps > 0 ? total_ < options.steps : epoch < options.epochs; ++epoch) {
      first_.push_back(total_);
      total_ += steps_in(batches_of(set, options.batches, static_cast<std::uint64_t>(epoch)).size());
    }
    if (options.steps > 0) total_ = options.steps;
  }

  std::int64_t steps() const { return total_; }

  PlannedStep at(std::int64_t step) {
    const auto epoch = static_cast<std::uint64_t>(std::upper_bound(first_.begin(), first_.end(), step) - first_.begin() - 1);
    if (batches_.empty() || epoch != epoch_) batches_ = batches_of(set_, options_.batches, epoch);
    epoch_ = epoch;
    const auto begin = static_cast<std::size_t>((step - first_[epoch]) * options_.accumulate);
    const std::size_t end = std::min(batches_.size(), begin + static_cast<std::size_t>(options_.accumulate));
    PlannedStep planned{.epoch = epoch, .begins_epoch = begin == 0, .ends_epoch = end == batches_.size(), .batches = {}};
    planned.batches.assign(batches_.begin() + static_cast<std::ptrdiff_t>(begin), batches_.begin() + static_cast<std::ptrdiff_t>(end));
    return planned;
  }

 private:
  std::int64_t steps_in(std::size_t batches) const { return (static_cast<std::int64_t>(batches) + options_.accumulate - 1) / options_.accumulate; }

  const TrainingSet& set_;
  const TrainerOptions& options_;
  std::vector<std::int64_t> first_;  // steps before each epoch
  std::int64_t total_ = 0;
  std::uint64_t epoch_ = 0;
  std::vector<std::vector<std::size_t>> batches_;
};

// How far a training has come; all of it is saved.
struct Position {
  std::int64_t step = 0, best_step = -1, evaluations_since_best = 0;
  bool stopped = false;
  Json best = Json::object();     // the best evaluation's figures
  Json history = Json::array();   // reports of steps and evaluations, without times
  double loss_sum = 0, loss_weight = 0;  // since the last report
};

Json to_json(const Position& p) {
  return {{"step", p.step}, {"best_step", p.best_step}, {"evaluations_since_best", p.evaluations_since_best}, {"stopped", p.stopped},
          {"best", p.best}, {"history", p.history}, {"loss_sum", p.loss_sum}, {"loss_weight", p.loss_weight}};
}

Position position_of(const Json& j) {
  Position p;
  p.step = j.at("step").get<std::int64_t>();
  p.best_step = j.at("best_step").get<std::int64_t>();
  p.evaluations_since_best = j.at("evaluations_since_best").get<std::int64_t>();
  p.stopped = j.at("stopped").get<bool>();
  p.best = j.at("best");
  p.history = j.at("history");
  p.loss_sum = j.at("loss_sum").get<double>();
  p.loss_weight = j.at("loss_weight").get<double>();
  return p;
}

// Throws where a resumed training's options are others than those it began with.
void check_same(const Json& now, const Json& then, const std::string& where) {
  for (const auto& [name, value] : now.items()) {
    const auto found = then.find(name);
    if (found != then.end() && *found == value) continue;
    throw Error(ErrorCode::kInvalidArgument,
                "this training began with " + name + " " + (found == then.end() ? "unset" : printable(dump_json(*found), 100)) + ", not " +
                    printable(dump_json(value), 100) + ": go on with the same, or begin anew without --resume",
                where);
  }
}

bool is_better(const Json& figures, const Json& best, const std::string& score) {
  const auto value = [&](const Json& f, const std::string& name) {
    const auto found = f.find(name);
    return found == f.end() || !found->is_number() ? std::nan("") : found->get<double>();
  };
  if (best.empty()) return true;
  const double loss = value(figures, "loss"), best_loss = value(best, "loss");
  const double a = score == "loss" ? -loss : value(figures, score), b = score == "loss" ? -best_loss : value(best, score);
  if (std::isnan(a) || std::isnan(b)) return std::isnan(b) && (!std::isnan(a) || loss < best_loss);
  return a > b || (a == b && loss < best_loss);
}

// In a state, what the names of the model's own arrays begin with.
constexpr std::string_view kOfModel = "model.";

// Copies what was kept of an array into the array's memory, which must be the caller's to change.
void take_back(const NamedArray& array, const std::vector<TensorView>& kept, const std::string& where) {
  const auto found = std::find_if(kept.begin(), kept.end(), [&](const TensorView& t) { return t.name == array.name; });
  if (found == kept.end() || found->dtype != array.dtype || found->shape != array.shape) {
    const std::string name = array.name.starts_with(kOfModel) ? array.name.substr(kOfModel.size()) : array.name;
    throw Error(ErrorCode::kBadFile, "lacks " + printable(name) + " in the size that this model asks for", where);
  }
  std::memcpy(const_cast<std::uint8_t*>(array.data.data()), found->data.data(), found->data.size());
}

// Which group of layers a parameter of this depth belongs to, the deepest being 0.
std::vector<std::uint64_t> groups_from_top(const std::vector<std::int64_t>& depths) {
  const std::set<std::int64_t, std::greater<>> different(depths.begin(), depths.end());
  std::vector<std::uint64_t> groups;
  for (const std::int64_t d : depths) groups.push_back(static_cast<std::uint64_t>(std::distance(different.begin(), different.find(d))));
  return groups;
}

class Training {
 public:
  Training(const TrainingJob& job, const TrainerOptions& options, const std::string& output, const TrainingReporter& report)
      : job_(job), options_(options), report_(report), state_(output), log_(join_path(output, "training.jsonl")), plan_(*job.set, options),
        optimizer_(options.optimizer, trained(*job.model)) {
    about_ = describe(options);
    about_["examples"] = job.set->size();
    about_["data"] = std::to_string(job.set->fingerprint());
    about_.update(job.about);
    std::int64_t deepest = 0;
    const std::vector<std::int64_t> depths = depths_of(optimizer_.parameters());
    for (const std::int64_t d : depths) deepest = std::max(deepest, d);
    for (const std::int64_t d : depths) factors_.push_back(options.layer_decay == 1 ? 1 : scalar_pow(options.layer_decay, static_cast<double>(deepest - d)));
    if (options.unfreeze == "gradual") groups_ = groups_from_top(depths);
    if (job.set->is_stream()) carried_.emplace(job.model->model(), streams_of(*job.set, options.batches));
  }

  Json run() {
    state_.clean();
    if (options_.resume && state_.exists()) restore();
    if (plan_.steps() == 0) throw Error(ErrorCode::kInvalidArgument, "gives no step to train", "--epochs");
    report_interval_ = std::max<std::int64_t>(1, plan_.steps() / 500);
    start_ = Clock::now();
    std::int64_t done_here = 0;
    while (at_.step < plan_.steps() && !at_.stopped) {
      const PlannedStep planned = plan_.at(at_.step);
      if (!groups_.empty() && (done_here == 0 || planned.begins_epoch)) unfreeze(planned.epoch);
      if (carried_ && planned.begins_epoch) carried_->clear();
      step(planned);
      ++at_.step;
      ++done_here;
      if (at_.step % report_interval_ == 0 || at_.step == plan_.steps()) report_step(planned, done_here);
      const bool last = at_.step == plan_.steps();
      const bool evaluate = last || (options_.evaluate_every > 0 ? at_.step % options_.evaluate_every == 0 : planned.ends_epoch);
      if (evaluate && job_.evaluate) evaluation(planned);
      if (last && !job_.evaluate) job_.save();
      if (last || at_.stopped || (options_.save_every > 0 ? at_.step % options_.save_every == 0 : evaluate)) save();
    }
    Json summary = {{"steps", at_.step}, {"epochs", at_.step > 0 ? plan_.at(at_.step - 1).epoch + 1 : 0}, {"stopped_early", at_.stopped}};
    if (at_.best_step >= 0) summary["best_step"] = at_.best_step;
    if (!at_.best.empty()) summary["best"] = at_.best;
    summary["seconds"] = seconds_since(start_);
    summary["tokens_per_s"] = tokens_per_second();
    summary["history"] = at_.history;
    return summary;
  }

 private:
  static std::vector<Parameter*> trained(const LoadedModel& model) {
    std::vector<Parameter*> all = model.parameters().all();
    std::erase_if(all, [](const Parameter* p) { return !p->trained; });
    return all;
  }

  // Trains the groups of layers whose turn has come.
  void unfreeze(std::uint64_t epoch) {
    std::size_t trained = 0;
    for (std::size_t i = 0; i < groups_.size(); ++i) trained += optimizer_.parameters()[i]->trained = groups_[i] <= epoch;
    if (epoch <= *std::max_element(groups_.begin(), groups_.end())) {
      report_({{"event", "note"}, {"text", "epoch " + std::to_string(epoch + 1) + " trains " + std::to_string(trained) + " of " + std::to_string(groups_.size()) + " parameters"}});
    }
  }

  void step(const PlannedStep& planned) {
    const auto start = Clock::now();
    job_.model->parameters().zero_gradients();
    std::vector<TrainingBatch> batches;
    double weight = 0, sum = 0;
    for (const auto& which : planned.batches) {
      batches.push_back(job_.set->batch(which, planned.epoch));
      weight += batches.back().weight;
    }
    const Dropping dropping(options_.batches.seed, static_cast<std::uint64_t>(at_.step), options_.dropout);
    for (TrainingBatch& batch : batches) {
      if (batch.weight == 0) continue;
      if (carried_) carried_->attach(batch.step);
      Tape tape(options_.recompute);
      const Tape::Recording recording(&tape);
      const Tensor loss = job_.loss(batch);
      sum += static_cast<double>(loss.data()[0]) * batch.weight;
      Tensor share(loss.shape());
      share.data()[0] = static_cast<float>(batch.weight / weight);
      tape.backward(loss, std::move(share));
      tokens_ += batch.step.rows() + (batch.target ? batch.target->rows() : 0);
    }
    if (weight == 0) return;
    const double norm = optimizer_.gradient_norm();
    if (!std::isfinite(sum) || !std::isfinite(norm)) {
      throw Error(ErrorCode::kInvalidArgument,
                  std::string(std::isfinite(sum) ? "the gradient" : "the loss") + " is no finite number any more at step " + std::to_string(at_.step + 1) +
                      (state_.exists() || at_.best_step >= 0 ? "; what was saved before is kept" : "; nothing had been saved yet") + "; a lower --lr may help",
                  "training");
    }
    if (options_.clip > 0 && norm > options_.clip) optimizer_.scale_gradients(options_.clip / (norm + 1e-6));
    std::vector<double> rates;
    const double highest = rate(at_.step);
    for (const double factor : factors_) rates.push_back(highest * factor);
    optimizer_.step(rates);
    job_.model->parameters().refresh();
    at_.loss_sum += sum;
    at_.loss_weight += weight;
    seconds_ += seconds_since(start);
  }

  double rate(std::int64_t step) const { return options_.rate * schedule_factor(options_.schedule, step, plan_.steps()); }
  double tokens_per_second() const { return seconds_ > 0 ? static_cast<double>(tokens_) / seconds_ : 0.0; }

  void report_step(const PlannedStep& planned, std::int64_t done_here) {
    Json line = {{"event", "step"}, {"step", at_.step}, {"steps", plan_.steps()}, {"epoch", planned.epoch + 1},
                 {"loss", at_.loss_weight > 0 ? at_.loss_sum / at_.loss_weight : 0.0}, {"lr", rate(at_.step - 1)}};
    at_.loss_sum = at_.loss_weight = 0;
    at_.history.push_back(line);
    line["tokens_per_s"] = tokens_per_second();
    line["seconds_left"] = seconds_since(start_) / static_cast<double>(done_here) * static_cast<double>(plan_.steps() - at_.step);
    report_(line);
  }

  void evaluation(const PlannedStep& planned) {
    Json figures = job_.evaluate();
    Json line = {{"event", "evaluation"}, {"step", at_.step}, {"epoch", planned.epoch + 1}};
    line.update(figures);
    line["best"] = is_better(figures, at_.best, job_.score);
    if (line["best"] == true) {
      job_.save();
      at_.best = std::move(figures);
      at_.best_step = at_.step;
      at_.evaluations_since_best = 0;
    } else if (options_.patience > 0 && ++at_.evaluations_since_best >= options_.patience) {
      at_.stopped = true;
    }
    at_.history.push_back(line);
    report_(line);
  }

  // What training changes, as named arrays over its own memory.
  std::vector<NamedArray> arrays() {
    std::vector<NamedArray> all = optimizer_.state();
    if (carried_) all.push_back(carried_->array());
    for (const Parameter* p : optimizer_.parameters()) {
      all.push_back({std::string(kOfModel) + p->name, DType::kF32, p->shape, Bytes(reinterpret_cast<const std::uint8_t*>(p->values.data()), p->values.size() * sizeof(float))});
    }
    return all;
  }

  void save() {
    state_.write(arrays(), {{"options", about_}, {"position", to_json(at_)}, {"optimizer", optimizer_.counters()}});
    std::string log;
    for (const Json& line : at_.history) log += dump_json(line) + "\n";
    write_file_atomically(log_, log);
  }

  void restore() {
    const TrainingState::Kept kept = state_.read();
    try {
      check_same(about_, kept.progress.at("options"), state_.path());
      at_ = position_of(kept.progress.at("position"));
      optimizer_.set_counters(kept.progress.at("optimizer").get<std::vector<double>>(), state_.path());
    } catch (const Json::exception&) {
      throw Error(ErrorCode::kBadFile, "is not the state of a training", state_.path());
    }
    for (const NamedArray& array : arrays()) take_back(array, kept.tensors, state_.path());
    if (carried_) carried_->restore();
    job_.model->parameters().refresh();
    report_({{"event", "resumed"}, {"step", at_.step}, {"steps", plan_.steps()}});
  }

  const TrainingJob& job_;
  const TrainerOptions& options_;
  const TrainingReporter& report_;
  TrainingState state_;
  std::string log_;
  Plan plan_;
  Optimizer optimizer_;
  Json about_;
  std::vector<double> factors_;  // of the rate, for each parameter
  std::vector<std::uint64_t> groups_;  // of each parameter, counted from the top; empty: all are trained from the beginning
  std::optional<CarriedState> carried_;
  Position at_;
  std::int64_t report_interval_ = 1, tokens_ = 0;
  double seconds_ = 0;  // in steps, evaluations not counted
  Clock::time_point start_;
};

}  // namespace

Json describe(const TrainerOptions& o) {
  return {{"--optimizer", o.optimizer.kind}, {"--beta1", o.optimizer.beta1}, {"--beta2", o.optimizer.beta2}, {"--epsilon", o.optimizer.eps},
          {"--weight-decay", o.optimizer.weight_decay}, {"--momentum", o.optimizer.momentum}, {"--schedule", o.schedule.kind}, {"--warmup", o.schedule.warmup},
          {"--batch-tokens", o.batches.tokens}, {"--batch-size", o.batches.sequences}, {"--seed", o.batches.seed}, {"--lr", o.rate},
          {"--layer-decay", o.layer_decay}, {"--unfreeze", o.unfreeze}, {"--dropout", o.dropout ? Json(*o.dropout) : Json("config")}, {"--clip", o.clip}, {"--accumulate", o.accumulate}, {"--epochs", o.epochs}, {"--steps", o.steps},
          {"--evaluate-every", o.evaluate_every}, {"--patience", o.patience}};
}

Json run_training(const TrainingJob& job, const TrainerOptions& options, const std::string& output, const TrainingReporter& report) {
  check_schedule(options.schedule);
  if (options.unfreeze != "all" && options.unfreeze != "gradual") {
    throw Error(ErrorCode::kInvalidArgument, "\"" + printable(options.unfreeze, 40) + "\" is not one of all, gradual", "--unfreeze");
  }
  return Training(job, options, output, report).run();
}

BatchLoss class_loss(const LoadedModel& model, const LossOptions& options) {
  return [&model, options](TrainingBatch& batch) {
    if (model.model().is_encoder_decoder() && !batch.target) {
      batch.target = std::make_unique<Step>(model.model().missing_target(batch.step));
      batch.step.target = batch.target.get();
    }
    return loss_of(model, batch.step, batch.labels, options);
  };
}

double mean_loss(const TrainingSet& set, const BatchLoss& loss, const BatchOptions& batches) {
  double sum = 0, weight = 0;
  for (const auto& which : batches_in_order(set, batches)) {
    TrainingBatch batch = set.batch(which, 0);
    if (batch.weight == 0) continue;
    sum += batch.weight * static_cast<double>(loss(batch).data()[0]);
    weight += batch.weight;
  }
  return weight > 0 ? sum / weight : std::nan("");
}

std::vector<std::int64_t> depths_of(const std::vector<Parameter*>& parameters) {
  // The first number in a name is that of its layer; an encoder-decoder's decoder lies above its encoder.
  std::vector<std::int64_t> depths;
  std::int64_t encoder = -1, deepest = -1;
  const auto layer_of = [](const std::string& name) -> std::int64_t {
    for (std::size_t begin = 0; begin < name.size();) {
      const std::size_t end = std::min(name.find('.', begin), name.size());
      const std::string part = name.substr(begin, end - begin);
      if (!part.empty() && part.size() < 6 && part.find_first_not_of("0123456789") == std::string::npos) return std::stoll(part);
      begin = end + 1;
    }
    return -1;
  };
  const auto of_decoder = [](const std::string& name) { return name.find("decoder.") != std::string::npos && name.find("predictions") == std::string::npos; };
  for (const Parameter* p : parameters) {
    if (!of_decoder(p->name)) encoder = std::max(encoder, layer_of(p->name));
  }
  for (const Parameter* p : parameters) {
    const std::int64_t layer = layer_of(p->name);
    depths.push_back(layer < 0 ? -1 : layer + 1 + (of_decoder(p->name) ? encoder + 1 : 0));
    deepest = std::max(deepest, depths.back());
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (depths[i] >= 0) continue;
    const std::string& name = parameters[i]->name;
    const bool table = name.find("embed") != std::string::npos || name.find("wte") != std::string::npos || name.find("wpe") != std::string::npos ||
                       name.find("shared") != std::string::npos;
    depths[i] = table ? 0 : deepest + 1;
  }
  return depths;
}

}  // namespace polymath
