// The loss that a class of Transformers computes when it is given labels.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/model.h"
#include "train/losses.h"

namespace polymath {

// The labels of a step. Which of them count hangs on the class; the others stay empty.
struct Labels {
  // [rows] of the step, of the target's where there is one. Language models: the token that a row is to predict (a causal
  // one's is the token that follows); classifiers of tokens: the class. kIgnored where there is none.
  std::vector<std::int32_t> of_rows;
  // [sequences]: the class. Multiple choice: [examples], the right one of an example's sequences.
  std::vector<std::int32_t> of_sequences;
  // [sequences, n]: numbers, for regression and where several classes can be right.
  std::vector<float> values;
  // [sequences]: an answer's first and last row, counted from the sequence's first; kIgnored: none.
  std::vector<std::int32_t> start, end;
};

// How Transformers understands labels of sequences: config.json's problem_type, or what the labels are.
enum class Problem { kRegression, kOneClass, kSeveralClasses, kDistribution };
// By the name that problem_type has for it; kDistribution has none.
std::optional<Problem> problem_named(const std::string& name);
// integer: the labels are whole numbers; per_sequence: how many each sequence has. Throws Error naming problem_type.
Problem problem_of(const Config& config, bool integer, std::int64_t per_sequence);

// What else a loss hangs on.
struct LossOptions {
  Problem problem = Problem::kOneClass;  // of classes of sequences
  double label_smoothing = 0;            // of models that write tokens
  // Where there is one, the loss is alpha times what the teacher's logits say, plus 1 - alpha times what the labels do; for classes of
  // sequences (one is right) and of tokens, and for language models. Its classes or vocabulary must be the model's.
  const Model* teacher = nullptr;
  double temperature = 2, alpha = 0.5;
};

// Whether loss_of takes a teacher for this head.
bool can_be_taught(Head head);

// Runs the model and returns its loss, one value, recorded on the calling thread's tape. Throws Error where the class has no loss, or
// lacks labels.
Tensor loss_of(const LoadedModel& model, const Step& step, const Labels& labels, const LossOptions& options = {});

// The decoder's input that goes with these labels, as Transformers derives it: shifted right behind the first token, ignored
// labels as padding.  labels: [sequences, columns]
std::vector<std::int32_t> shifted_labels(const Config& config, std::vector<std::int32_t> labels, std::int64_t columns);

}  // namespace polymath
