// Pipelines: tasks on texts, answered as Transformers' pipeline() answers.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "polymath/error.h"

namespace polymath {

// The value of a parameter: text, number, truth or a list of texts.
class Value {
 public:
  Value(const char* text) : kind_(Kind::kText), text_(text) {}
  Value(std::string text) : kind_(Kind::kText), text_(std::move(text)) {}
  Value(bool value) : kind_(Kind::kBool), number_(value) {}
  Value(int value) : kind_(Kind::kInt), number_(value) {}
  Value(std::int64_t value) : kind_(Kind::kInt), number_(static_cast<double>(value)) {}
  Value(double value) : kind_(Kind::kNumber), number_(value) {}
  Value(std::vector<std::string> list) : kind_(Kind::kList), list_(std::move(list)) {}

  enum class Kind { kText, kBool, kInt, kNumber, kList };
  Kind kind() const { return kind_; }
  const std::string& text() const { return text_; }
  double number() const { return number_; }
  const std::vector<std::string>& list() const { return list_; }

 private:
  Kind kind_;
  std::string text_;
  double number_ = 0;
  std::vector<std::string> list_;
};

// Parameters of a pipeline by the names of docs/tasks.md: {{"aggregation_strategy", "simple"}, {"top_k", 3}}.
using Parameters = std::map<std::string, Value>;

// One label, entity, answer or filling. Members that a task does not give stay empty.
struct Result {
  double score = 0;
  std::string label;         // text-classification, zero-shot-classification
  std::string entity;        // token-classification without aggregation
  std::string entity_group;  // token-classification with aggregation
  std::string word;          // token-classification
  std::string answer;        // question-answering
  std::string token_str;     // fill-mask
  std::string sequence;      // fill-mask
  std::string text;          // text-generation, text2text-generation, summarization, translation
  std::int64_t token = -1;   // fill-mask: the token's id
  std::int64_t index = -1;   // token-classification: the token's place
  std::int64_t start = -1, end = -1;  // code points of the text, [start, end)
};

// A loaded model with its tokenizer and task. Copies share it. Const use from many threads is safe.
class Pipeline {
 public:
  // The results for one text, best first; in question answering the question comes first.
  // Throws Error naming the parameter or input at fault.
  std::vector<Result> operator()(std::string_view text, const Parameters& parameters = {}) const;
  std::vector<Result> operator()(std::string_view question, std::string_view context, const Parameters& parameters = {}) const;

  // feature-extraction: [tokens][hidden size].
  std::vector<std::vector<float>> features(std::string_view text, const Parameters& parameters = {}) const;

  // A body {"inputs": ..., "parameters": {...}} of the Hugging Face inference API in, the pipeline's result out.
  std::string run_json(std::string_view body) const;

  const std::string& task() const;

 private:
  friend Pipeline pipeline(const std::string&, const std::string&, const Parameters&);
  struct State;
  explicit Pipeline(std::shared_ptr<const State> state);
  std::shared_ptr<const State> state_;
};

// Loads a model for a task: a checkpoint folder, a PEFT adapter's folder or a shipped model's name; none: the model that is
// shipped for the task. Tasks: "feature-extraction", "fill-mask", "ner" (or "token-classification"),
// "question-answering", "sentiment-analysis" (or "text-classification"), "summarization", "text2text-generation",
// "text-generation", "translation" (or "translation_XX_to_YY"), "zero-shot-classification". The parameters hold for every
// call that does not name them itself; "dtype" ("auto", "f32", "bf16", "q8", "q4") says how weights are kept, and
// "share_base" (true) lets pipelines of adapters of one base keep its layers in memory once.
// Throws Error naming the file, tensor or field at fault.
Pipeline pipeline(const std::string& task, const std::string& model = "", const Parameters& parameters = {});

}  // namespace polymath
