// text-classification (sentiment-analysis): labels with scores for a text or a pair.
#include <algorithm>
#include <optional>

#include "base/printable.h"
#include "tasks/run_batch.h"
#include "tasks/scores.h"
#include "tasks/task.h"
#include "tasks/text_input.h"

namespace polymath {
namespace {

enum class Function { kNone, kSigmoid, kSoftmax };

class TextClassification final : public Task {
 public:
  explicit TextClassification(std::shared_ptr<const TextModel> model) : model_(std::move(model)) {}

  Json run(const Json& inputs, const Json& parameters) const override {
    const Options options = options_of(parameters);
    const PretrainedTokenizer& tokenizer = *model_->tokenizer;
    if (inputs.is_array() && inputs.empty()) return inputs;
    Json arguments = parameters;
    for (const char* own : {"top_k", "function_to_apply", "return_all_scores", "batch_size"}) arguments.erase(own);
    const TokenizerCall call = tokenizer_call(arguments, *model_, "", {"text_pair"});
    std::vector<ModelInput> batch;
    for (const Json* item : items_of(inputs)) batch.push_back(input_of(*item, arguments, call));
    pad_batches(batch, tokenizer, batch_size_of(inputs, parameters));
    Json results = Json::array();
    run_batch(model_->loaded.model(), batch, [&](std::size_t, const SequenceOutputs& outputs) {
      const SequenceOutput logits = outputs["logits"];
      results.push_back(result_of({logits.data, static_cast<std::size_t>(logits.d)}, options));
    });
    // A text alone comes back as a list, unless the call names top_k; a dict comes back bare.
    if (inputs.is_array() || (inputs.is_string() && !parameters.contains("top_k"))) return results;
    return results[0];
  }

 private:
  struct Options {
    Function function;
    bool legacy = true;
    std::optional<std::int64_t> top_k = 1;  // absent: all
  };

  Options options_of(const Json& parameters) const {
    const Config& config = model_->loaded.config();
    Options o{.function = default_function(config)};
    if (const Json* f = parameter(parameters, "function_to_apply")) o.function = function_named(*f);
    // top_k as a number or null ends the legacy form and outrules return_all_scores; as anything else it is ignored.
    const auto top_k = parameters.find("top_k");
    if (top_k != parameters.end() && (top_k->is_null() || top_k->is_number_integer() || top_k->is_boolean())) {
      o.legacy = false;
      if (top_k->is_null()) o.top_k.reset();
      else o.top_k = top_k->is_boolean() ? top_k->get<bool>() : int_parameter(parameters, "top_k", 1);
    } else if (bool_parameter(parameters, "return_all_scores", config.opt("return_all_scores", false))) {
      o.top_k.reset();
    }
    return o;
  }

  static Function function_named(const Json& value) {
    std::string name = value.is_string() ? value.get<std::string>() : json_kind(value);
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (lower == "none") return Function::kNone;
    if (lower == "sigmoid") return Function::kSigmoid;
    if (lower == "softmax") return Function::kSoftmax;
    bad_parameter("function_to_apply", "\"" + printable(name) + "\" is not one of none, sigmoid, softmax");
  }

  static Function default_function(const Config& config) {
    const auto problem = config.opt<std::string>("problem_type", "");
    const auto labels = config.num_labels();
    if (problem == "regression") return Function::kNone;
    if (problem == "multi_label_classification" || labels == 1) return Function::kSigmoid;
    if (problem == "single_label_classification" || labels > 1) return Function::kSoftmax;
    return Function::kNone;
  }

  ModelInput input_of(const Json& item, const Json& arguments, const TokenizerCall& call) const {
    const PretrainedTokenizer& tokenizer = *model_->tokenizer;
    const auto encode = [&](const Json& text, const Json* pair, const TokenizerCall& c) {
      // An empty second text counts as none.
      if (!pair || pair->is_null() || *pair == "") return model_input(encode_truncated(tokenizer, text_of(text), c.encode), c.gives);
      return model_input(tokenizer.encode(text_of(text), text_of(*pair), c.encode), c.gives);
    };
    if (item.is_object()) {  // the tokenizer's own arguments may stand beside the texts
      const auto text = item.find("text");
      if (text == item.end()) bad_input("a dictionary needs the key \"text\"");
      Json all = arguments;
      for (const auto& [key, value] : item.items()) {
        if (arguments.contains(key)) bad_parameter(key, "is given twice: here and in the inputs");
        if (key != "text") all[key] = value;
      }
      const auto pair = all.find("text_pair");
      return encode(*text, pair == all.end() ? nullptr : &*pair, tokenizer_call(all, *model_, "", {"text_pair"}));
    }
    // The old form of a pair: [["a", "b"]].
    const auto pair = arguments.find("text_pair");
    if (item.is_array() && item.size() == 1 && item[0].is_array() && item[0].size() == 2) {
      if (pair != arguments.end()) bad_parameter("text_pair", "is given twice: here and in the inputs");
      return encode(item[0][0], &item[0][1], call);
    }
    if (item.is_array()) {
      bad_input("The pipeline received invalid inputs, if you are trying to send text pairs, you can try to send a dictionary "
                "{\"text\": \"My text\", \"text_pair\": \"My pair\"}");
    }
    return encode(item, pair == arguments.end() ? nullptr : &*pair, call);
  }

  Json result_of(std::span<const float> logits, const Options& o) const {
    std::vector<float> scores(logits.begin(), logits.end());
    if (o.function == Function::kSoftmax) scores = softmax_of(logits);
    else if (o.function == Function::kSigmoid) std::transform(scores.begin(), scores.end(), scores.begin(), sigmoid_of);
    const auto& labels = model_->loaded.config().id2label();
    const auto entry = [&](std::size_t i) { return Json{{"label", labels[i]}, {"score", static_cast<double>(scores[i])}}; };
    if (o.top_k == 1 && o.legacy) return entry(argmax_of(scores));
    std::vector<std::size_t> order(scores.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    if (!o.legacy) {
      std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
      // Python's slice [:top_k], negative numbers included.
      const auto n = static_cast<std::int64_t>(order.size());
      if (o.top_k) order.resize(static_cast<std::size_t>(*o.top_k >= 0 ? std::min(*o.top_k, n) : std::max<std::int64_t>(n + *o.top_k, 0)));
    }
    Json all = Json::array();
    for (std::size_t i : order) all.push_back(entry(i));
    return all;
  }

  std::shared_ptr<const TextModel> model_;
};

}  // namespace

std::unique_ptr<Task> make_text_classification(std::shared_ptr<const TextModel> model) {
  return std::make_unique<TextClassification>(std::move(model));
}

}  // namespace polymath
