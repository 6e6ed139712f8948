// What the pipelines that write text share: which parameters hold, and their way through generate().
#pragma once

#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "generate/generate.h"
#include "tasks/task.h"

namespace polymath {

class Generation {
 public:
  // defaults: the pipeline's own; task: under which task_specific_params of config.json are looked for.
  Generation(std::shared_ptr<const TextModel> model, const Json& defaults, const std::string& task);

  // What config.json says goes before every text: task_specific_params' prefix, else its own; may be empty.
  const std::string& prefix() const { return prefix_; }

  // The values that hold without a call's parameters.
  Json fields() const { return defaults_.call(Json::object()); }

  // The parameters of generation among a call's, which are all but `others` and those that every pipeline takes.
  static Json generation_parameters(const Json& parameters, std::initializer_list<const char*> others);

  // generate() with these parameters of a call. Two are our own: seed, and assistant_model, the folder of a smaller model
  // whose guesses are checked. log_probabilities: as in GenerateOptions. Throws Error naming the parameter.
  std::vector<Sequences> operator()(const std::vector<Prompt>& prompts, Json parameters,
                                    std::vector<std::vector<std::vector<float>>>* log_probabilities = nullptr) const;

 private:
  std::shared_ptr<const TextModel> model_;
  GenerationDefaults defaults_;
  std::string prefix_;

  // The draft model of the last call that named one.
  struct Draft {
    std::mutex mutex;
    std::string folder;
    std::shared_ptr<const LoadedModel> model;
  };
  std::shared_ptr<const LoadedModel> draft_of(const std::string& folder) const;
  std::unique_ptr<Draft> draft_ = std::make_unique<Draft>();
};

// Pads each `batch_size` prompts to one length, as Transformers does with a batch.
void pad_prompts(std::vector<Prompt>& prompts, const PretrainedTokenizer& tokenizer, std::int64_t batch_size);

// config.json's max_position_embeddings or n_positions; 0 where it has neither.
std::int64_t max_positions_of(const Config& config);

// The ids of stop_sequence, which stand for eos_token_id. Throws Error where it gives none.
std::vector<std::int32_t> stop_sequence_ids(const PretrainedTokenizer& tokenizer, const Json& parameters);

}  // namespace polymath
