// feature-extraction: the first tensor of the base model's output, with the batch axis.
#include "tasks/run_batch.h"
#include "tasks/task.h"
#include "tasks/text_input.h"

namespace polymath {
namespace {

class FeatureExtraction final : public Task {
 public:
  explicit FeatureExtraction(std::shared_ptr<const TextModel> model) : model_(std::move(model)) {}

  Json run(const Json& inputs, const Json& parameters) const override {
    const PretrainedTokenizer& tokenizer = *model_->tokenizer;
    Json arguments = Json::object();
    if (const Json* given = parameter(parameters, "tokenize_kwargs")) {
      if (!given->is_object()) bad_parameter("tokenize_kwargs", std::string("must be an object, not ") + json_kind(*given));
      arguments = *given;
    }
    if (const Json* truncation = parameter(parameters, "truncation")) {
      if (arguments.contains("truncation")) bad_parameter("truncation", "is given twice: here and in tokenize_kwargs");
      arguments["truncation"] = *truncation;
    }
    if (inputs.is_array() && inputs.empty()) return inputs;
    const TokenizerCall call = tokenizer_call(arguments, *model_, "tokenize_kwargs: ");
    std::vector<ModelInput> batch;
    for (const Json* item : items_of(inputs)) {
      batch.push_back(model_input(encode_truncated(tokenizer, text_of(*item), call.encode), call.gives));
    }
    pad_batches(batch, tokenizer, batch_size_of(inputs, parameters));
    Json results = Json::array();
    run_batch(model_->loaded.model(), batch, [&](std::size_t, const SequenceOutputs& outputs) {
      const SequenceOutput hidden = outputs.first();  // [tokens, D]
      Json rows = Json::array();
      for (std::int64_t r = 0; r < hidden.rows; ++r) rows.push_back(Json(std::vector<double>(hidden.row(r), hidden.row(r) + hidden.d)));
      results.push_back(Json::array({std::move(rows)}));
    }, /*empty_too=*/!has_pooler());
    return inputs.is_array() ? results : results[0];
  }

 private:
  // Poolers look at a first token.
  bool has_pooler() const {
    const std::string type = model_->loaded.config().model_type();
    return type != "deberta-v2" && type != "distilbert" && type != "electra" && type != "modernbert";
  }

  std::shared_ptr<const TextModel> model_;
};

}  // namespace

std::unique_ptr<Task> make_feature_extraction(std::shared_ptr<const TextModel> model) {
  return std::make_unique<FeatureExtraction>(std::move(model));
}

}  // namespace polymath
