// zero-shot-classification: every label as a hypothesis for a natural-language-inference model.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/printable.h"
#include "polymath/error.h"
#include "tasks/python_format.h"
#include "tasks/run_batch.h"
#include "tasks/task.h"
#include "tasks/text_input.h"

namespace polymath {
namespace {

constexpr const char* kTemplate = "parameters: hypothesis_template";

std::string stripped(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\n\r\f\v");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t\n\r\f\v") - begin + 1);
}

class ZeroShotClassification final : public Task {
 public:
  explicit ZeroShotClassification(std::shared_ptr<const TextModel> model) : model_(std::move(model)) {
    for (const auto& [label, id] : model_->loaded.config().label2id()) {
      std::string lower = label;
      std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (lower.starts_with("entail")) {
        entailment_ = id;
        break;
      }
    }
    const auto labels = model_->loaded.config().num_labels();
    if (entailment_ < -1 || entailment_ >= labels) {
      throw Error(ErrorCode::kBadFile, "the entailment label " + std::to_string(entailment_) + " is not one of " + std::to_string(labels),
                  model_->loaded.config().path() + ": label2id");
    }
  }

  Json run(const Json& inputs, const Json& parameters) const override {
    if (inputs.is_array() && inputs.empty()) return inputs;
    const auto labels = labels_of(parameters);
    if (const auto given = parameters.find("hypothesis_template"); given != parameters.end() && given->is_null()) bad_parameter("hypothesis_template", "must be a string, not null");
    const std::string hypothesis = string_parameter(parameters, "hypothesis_template", "This example is {}.");
    const bool multi_label = parameter(parameters, "multi_class") ? bool_parameter(parameters, "multi_class", false)
                                                                  : bool_parameter(parameters, "multi_label", false);
    if (labels.empty() || (inputs.is_string() && inputs.get_ref<const std::string&>().empty())) {
      bad_input("You must include at least one label and at least one sequence.");
    }
    if (python_format(hypothesis, text_of_label(labels[0]), kTemplate) == hypothesis) {
      bad_parameter("hypothesis_template", "\"" + printable(hypothesis) + "\" was not able to be formatted with the target labels: it needs a {} where the label should go");
    }
    check_model_takes(*model_, model_inputs_of(*model_->tokenizer));
    if (!model_->tokenizer->pad_id() && !model_->tokenizer->eos_id()) throw Error(ErrorCode::kInvalidArgument, "its tokenizer has no pad_token", model_->folder);
    std::vector<ModelInput> batch;
    std::vector<std::string> sequences;
    for (const Json* item : items_of(inputs)) {
      sequences.push_back(text_of(*item));
      if (sequences.back().empty()) bad_input("You must include at least one label and at least one sequence.");
      for (const Json& label : labels) batch.push_back(encode(sequences.back(), python_format(hypothesis, text_of_label(label), kTemplate)));
    }
    pad_batches(batch, *model_->tokenizer, int_parameter(parameters, "batch_size", 1));
    std::vector<std::vector<float>> logits;
    Json results = Json::array();
    run_batch(model_->loaded.model(), batch, [&](std::size_t, const SequenceOutputs& outputs) {
      const SequenceOutput row = outputs["logits"];
      logits.emplace_back(row.data, row.data + row.d);
      if (logits.size() < labels.size()) return;
      results.push_back(result_of(sequences[results.size()], labels, logits, multi_label));
      logits.clear();
    });
    return inputs.is_array() ? results : results[0];
  }

 private:
  // A label as str.format writes it.
  static std::string text_of_label(const Json& label) {
    if (label.is_string()) return label.get<std::string>();
    if (label.is_null()) return "None";
    if (label.is_boolean()) return label.get<bool>() ? "True" : "False";
    if (label.is_number()) return label.dump();
    bad_parameter("candidate_labels", std::string("a label must be a string, not ") + json_kind(label));
  }

  static std::vector<Json> labels_of(const Json& parameters) {
    const Json* given = parameter(parameters, "candidate_labels");
    if (!given) bad_parameter("candidate_labels", "is missing: name the labels to choose from");
    std::vector<Json> labels;
    if (given->is_string()) {
      const auto& text = given->get_ref<const std::string&>();
      for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t comma = std::min(text.find(',', begin), text.size());
        if (const std::string label = stripped(text.substr(begin, comma - begin)); !label.empty()) labels.push_back(label);
        begin = comma + 1;
      }
      return labels;
    }
    if (!given->is_array()) bad_parameter("candidate_labels", std::string("must be a list or a string, not ") + json_kind(*given));
    return {given->begin(), given->end()};
  }

  // Only the sequence is cut; where even that does not make room nothing is.
  ModelInput encode(const std::string& sequence, const std::string& hypothesis) const {
    const PretrainedTokenizer& tokenizer = *model_->tokenizer;
    EncodeOptions call{.truncation = truncation_to_model(tokenizer, TruncationStrategy::kOnlyFirst)};
    if (call.truncation) call.truncation->keeps_overflow = false;
    try {
      return model_input(tokenizer.encode(sequence, hypothesis, call), model_inputs_of(tokenizer));
    } catch (const Error& e) {
      if (!call.truncation || e.reason.find("too short") == std::string::npos) throw;
      return model_input(tokenizer.encode(sequence, hypothesis), model_inputs_of(tokenizer));
    }
  }

  Json result_of(const std::string& sequence, const std::vector<Json>& labels, const std::vector<std::vector<float>>& logits, bool multi_label) const {
    // A negative id counts from the end, as in Python.
    const auto at = [](const std::vector<float>& row, std::int64_t id) {
      return std::exp(static_cast<double>(row[static_cast<std::size_t>(id < 0 ? static_cast<std::int64_t>(row.size()) + id : id)]));
    };
    std::vector<float> scores;
    if (multi_label || labels.size() == 1) {
      const std::int64_t contradiction = entailment_ == 0 ? -1 : 0;
      for (const auto& row : logits) {
        const double yes = at(row, entailment_), no = at(row, contradiction);
        scores.push_back(static_cast<float>(yes / (no + yes)));
      }
    } else {
      double sum = 0;
      for (const auto& row : logits) sum += at(row, entailment_);
      for (const auto& row : logits) scores.push_back(static_cast<float>(at(row, entailment_) / sum));
    }
    std::vector<std::size_t> order(labels.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
    std::reverse(order.begin(), order.end());
    Json sorted_labels = Json::array(), sorted_scores = Json::array();
    for (std::size_t i : order) {
      sorted_labels.push_back(labels[i]);
      sorted_scores.push_back(static_cast<double>(scores[i]));
    }
    return {{"sequence", sequence}, {"labels", sorted_labels}, {"scores", sorted_scores}};
  }

  std::shared_ptr<const TextModel> model_;
  std::int64_t entailment_ = -1;
};

}  // namespace

std::unique_ptr<Task> make_zero_shot_classification(std::shared_ptr<const TextModel> model) {
  return std::make_unique<ZeroShotClassification>(std::move(model));
}

}  // namespace polymath
