// The loop that trains: batches, losses, steps of the optimizer, evaluations, checkpoints.
//
// Goals: the same bits for the same seed, whatever the threads and however often it was interrupted; nothing lost but the last
// interval where the process is killed; nothing known here of tasks and tokenizers. Non-goals: several machines, mixed
// precision.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "train/batches.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "train/training_state.h"

namespace polymath {

struct TrainerOptions {
  OptimizerOptions optimizer;
  ScheduleOptions schedule;
  BatchOptions batches;             // its seed is that of all that is random
  double rate = 5e-5;               // the highest learning rate
  double layer_decay = 1;           // the rate of a layer is that of the next one times this: 1/2.6 in ULMFiT
  std::string unfreeze = "all";     // gradual: an epoch a layer, from the top (Howard and Ruder 2018, arXiv:1801.06146)
  std::optional<float> dropout;     // the rate at all places that have one; absent: as config.json says
  double clip = 1;                  // the largest norm of all gradients; 0: any
  std::int64_t accumulate = 1;      // batches to a step
  std::int64_t epochs = 3;
  std::int64_t steps = 0;           // end after so many; 0: after the epochs
  std::int64_t evaluate_every = 0;  // steps; 0: each epoch
  std::int64_t save_every = 0;      // steps between resumable checkpoints; 0: at each evaluation
  std::int64_t patience = 0;        // end after so many evaluations without a better one; 0: never
  bool recompute = false;           // less memory for more time
  bool resume = false;
};

// Which options and data decide about the bits: what a resumed training must have in common with its beginning.
Json describe(const TrainerOptions& options);

// One value for a batch, recorded on the calling thread's tape.
using BatchLoss = std::function<Tensor(TrainingBatch&)>;

// That of the model's class (objective.h). An encoder-decoder without a target of the task's own reads what its class derives.
BatchLoss class_loss(const LoadedModel& model, const LossOptions& options);

// What is trained. The trainer reads the set and changes the model's parameters.
struct TrainingJob {
  const LoadedModel* model = nullptr;
  const TrainingSet* set = nullptr;
  BatchLoss loss;                      // what is made smaller
  Json about;                          // further options that a resumed training must share
  std::function<Json()> evaluate;      // figures on data held back, "loss" among them; null: there is none
  std::string score;                   // the figure that says which model is best: the highest; "loss": the lowest
  std::function<void()> save;          // writes the model as it is now
};

// Gets one JSON object for each report: {"event": "step" | "evaluation" | "resumed" | "end", ...}.
using TrainingReporter = std::function<void(const Json&)>;

// Trains, and returns what happened: {"steps", "epochs", "best_step", "history", the best figures}. `output` is there already. Throws Error where
// the loss is no number any more (what was saved before stays), where a resumed training differs from its beginning, or where
// files cannot be written.
Json run_training(const TrainingJob& job, const TrainerOptions& options, const std::string& output, const TrainingReporter& report);

// The mean loss over a set, without training.
double mean_loss(const TrainingSet& set, const BatchLoss& loss, const BatchOptions& batches);

// How deep a parameter lies, by the numbers in its name: 0 for embeddings, then the layers, then what is above them. -> [parameters]
std::vector<std::int64_t> depths_of(const std::vector<Parameter*>& parameters);

}  // namespace polymath
