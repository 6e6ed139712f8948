#include "train/objective.h"

#include <algorithm>
#include <cmath>

#include "polymath/error.h"
#include "tensor/dropout.h"
#include "tensor/ops.h"
#include "tensor/tape.h"

namespace polymath {
namespace {

Error missing(const char* what) { return Error(ErrorCode::kInvalidArgument, "is missing, which this class needs for its loss", what); }

void expect_size(std::size_t size, std::int64_t expected, const char* what) {
  if (size == 0 && expected > 0) throw missing(what);
  if (static_cast<std::int64_t>(size) != expected) {
    throw Error(ErrorCode::kInvalidArgument, "holds " + std::to_string(size) + " labels where " + std::to_string(expected) + " are asked for", what);
  }
}

Tensor mean_of_two(const Tensor& a, const Tensor& b) { return scaled(add(a, b), 0.5f); }

Tensor sequence_loss(const Tensor& logits, const Labels& labels, Problem problem) {
  switch (problem) {
    case Problem::kOneClass: expect_size(labels.of_sequences.size(), logits.rows(), "labels"); return cross_entropy(logits, labels.of_sequences, "labels");
    case Problem::kRegression: expect_size(labels.values.size(), logits.size(), "labels"); return mean_squared_error(logits, labels.values);
    case Problem::kSeveralClasses: expect_size(labels.values.size(), logits.size(), "labels"); return binary_cross_entropy(logits, labels.values);
    case Problem::kDistribution: break;
  }
  expect_size(labels.values.size(), logits.size(), "labels");
  return soft_cross_entropy(logits, labels.values);
}

// Heads that read rows one by one answer for the labelled ones only.
Tensor rows_loss(const Tensor& logits, const Step& step, const Labels& labels, double smoothing) {
  std::vector<std::int32_t> of_head;
  for (const std::int32_t row : step.head_rows) of_head.push_back(labels.of_rows[static_cast<std::size_t>(row)]);
  return cross_entropy(logits, of_head, "labels", smoothing);
}

// The teacher's logits; nothing of it is recorded or dropped.
Tensor logits_of(const Model& teacher, const Step& step) {
  const Tape::Recording off(nullptr);
  const Dropping nothing(std::nullopt);
  return output_named(teacher.forward(step), "logits");
}

// A loss with what the teacher, if there is one, says of the rows that count.
Tensor with_teacher(Tensor loss, Tensor logits, const Step& step, const Labels& labels, const LossOptions& o, Head head) {
  if (!o.teacher) return loss;
  Tensor taught = logits_of(*o.teacher, step);
  if (!std::ranges::equal(taught.shape(), logits.shape())) {
    throw Error(ErrorCode::kInvalidArgument, "answers with " + std::to_string(taught.dim(-1)) + " numbers where the model has " + std::to_string(logits.dim(-1)), "--teacher");
  }
  if (head == Head::kTokenClassification) {
    std::vector<std::int32_t> labelled;
    for (std::size_t r = 0; r < labels.of_rows.size(); ++r) {
      if (labels.of_rows[r] != kIgnored) labelled.push_back(static_cast<std::int32_t>(r));
    }
    logits = take_rows(logits, labelled);
    taught = take_rows(taught, labelled);
  }
  return add(scaled(loss, static_cast<float>(1 - o.alpha)), scaled(distillation_loss(logits, taught, o.temperature), static_cast<float>(o.alpha)));
}

bool predicts_tokens(Head head, const Config& config) {
  return head == Head::kMaskedLm || head == Head::kCausalLm || head == Head::kConditionalGeneration ||
         (head == Head::kPreTraining && config.model_type() != "electra");
}

}  // namespace

std::optional<Problem> problem_named(const std::string& name) {
  if (name == "regression") return Problem::kRegression;
  if (name == "single_label_classification") return Problem::kOneClass;
  if (name == "multi_label_classification") return Problem::kSeveralClasses;
  return std::nullopt;
}

Problem problem_of(const Config& c, bool integer, std::int64_t per_sequence) {
  const auto type = c.opt<std::string>("problem_type", "");
  if (const auto problem = problem_named(type)) return *problem;
  if (!type.empty()) {
    throw Error(ErrorCode::kUnsupported, "\"" + type + "\" is none of regression, single_label_classification, multi_label_classification",
                c.path() + ": problem_type");
  }
  if (c.num_labels() == 1) return Problem::kRegression;
  if (c.model_type() == "deberta-v2") return per_sequence == 1 ? Problem::kOneClass : Problem::kDistribution;
  return integer ? Problem::kOneClass : Problem::kSeveralClasses;
}

bool can_be_taught(Head head) {
  return head == Head::kMaskedLm || head == Head::kCausalLm || head == Head::kConditionalGeneration || head == Head::kTokenClassification || head == Head::kSequenceClassification;
}

Tensor loss_of(const LoadedModel& model, const Step& asked, const Labels& labels, const LossOptions& options) {
  const Head head = model.head();
  Step step = asked;
  if (predicts_tokens(head, model.config())) {
    expect_size(labels.of_rows.size(), (step.target ? *step.target : step).rows(), "labels");
    for (std::size_t r = 0; r < labels.of_rows.size(); ++r) {
      if (labels.of_rows[r] != kIgnored) step.head_rows.push_back(static_cast<std::int32_t>(r));
    }
    if (step.head_rows.empty()) throw Error(ErrorCode::kInvalidArgument, "holds no label that counts", "labels");
  }
  const std::vector<Output> outputs = model.model().forward(step);
  const auto output = [&](const char* name) -> const Tensor& { return output_named(outputs, name); };
  const auto taught = [&](Tensor loss) { return with_teacher(std::move(loss), output("logits"), step, labels, options, head); };
  switch (head) {
    case Head::kMaskedLm:
    case Head::kCausalLm:
    case Head::kConditionalGeneration: return taught(rows_loss(output("logits"), step, labels, options.label_smoothing));
    case Head::kTokenClassification:
      expect_size(labels.of_rows.size(), output("logits").rows(), "labels");
      return taught(cross_entropy(output("logits"), labels.of_rows, "labels"));
    case Head::kSequenceClassification: return taught(sequence_loss(output("logits"), labels, options.problem));
    case Head::kNextSentencePrediction: return sequence_loss(output("logits"), labels, Problem::kOneClass);
    case Head::kMultipleChoice: {
      const auto examples = static_cast<std::int64_t>(labels.of_sequences.size());
      if (examples == 0) throw missing("labels");
      if (step.sequences() % examples != 0) throw Error(ErrorCode::kInvalidArgument, "must hold one label for each example", "labels");
      return cross_entropy(output("logits").reshaped({examples, step.sequences() / examples}), labels.of_sequences, "labels");
    }
    case Head::kQuestionAnswering: {
      const std::vector<std::int32_t>& begin = outputs[0].of_target ? step.target->begin : step.begin;
      expect_size(labels.start.size(), step.sequences(), "start_positions");
      expect_size(labels.end.size(), step.sequences(), "end_positions");
      return mean_of_two(span_cross_entropy(output("start_logits"), begin, labels.start, "start_positions"),
                         span_cross_entropy(output("end_logits"), begin, labels.end, "end_positions"));
    }
    case Head::kPreTraining: {
      if (model.config().model_type() == "electra") {  // whether each token was replaced
        expect_size(labels.of_rows.size(), output("logits").size(), "labels");
        std::vector<float> replaced;
        for (const std::int32_t label : labels.of_rows) replaced.push_back(label == kIgnored ? NAN : static_cast<float>(label));
        return binary_cross_entropy(output("logits"), replaced);
      }
      const bool albert = model.config().model_type() == "albert";
      const char* name = albert ? "sentence_order_label" : "next_sentence_label";
      const Tensor& pairs = output(albert ? "sop_logits" : "seq_relationship_logits");
      expect_size(labels.of_sequences.size(), pairs.rows(), name);
      return add(rows_loss(output("prediction_logits"), step, labels, 0), cross_entropy(pairs, labels.of_sequences, name));
    }
    case Head::kBase:
    case Head::kEncoder: break;
  }
  throw Error(ErrorCode::kUnsupported, "has no loss: it is a base model", "the class " + model.config().architecture());
}

std::vector<std::int32_t> shifted_labels(const Config& c, std::vector<std::int32_t> labels, std::int64_t columns) {
  const auto pad = c.opt<std::int64_t>("pad_token_id", -1), start = c.opt<std::int64_t>("decoder_start_token_id", -1);
  if (pad < 0 || pad > INT32_MAX) throw Error(ErrorCode::kBadFile, "is no token, and decoder_input_ids are missing", c.path() + ": pad_token_id");
  const bool by_language = c.model_type() == "mbart";  // begins with its last token
  if (!by_language && (start < 0 || start > INT32_MAX)) {
    throw Error(ErrorCode::kBadFile, "is no token, and decoder_input_ids are missing", c.path() + ": decoder_start_token_id");
  }
  std::replace(labels.begin(), labels.end(), kIgnored, static_cast<std::int32_t>(pad));
  for (auto row = labels.begin(); row != labels.end(); row += columns) {
    auto first = static_cast<std::int32_t>(start);
    if (by_language) {
      const auto count = std::count_if(row, row + columns, [&](std::int32_t id) { return id != pad; });
      if (count == 0) throw Error(ErrorCode::kInvalidArgument, "a sequence is padding only", "labels");
      first = row[count - 1];
    }
    std::copy_backward(row, row + columns - 1, row + columns);
    *row = first;
  }
  return labels;
}

}  // namespace polymath
