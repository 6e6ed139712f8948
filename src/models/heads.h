// The heads that architectures share. Each is a HeadFunction made from its tensors.
#pragma once

#include <memory>
#include <string>

#include "models/model.h"

namespace polymath {

// {"last_hidden_state"} and, given a pooler, {"pooler_output"}.
HeadFunction base_head(std::function<Tensor(const Tensor& hidden, const Step&)> pooler = {});

// classifier(hidden) -> {"logits": [rows, labels]}
HeadFunction token_classification_head(Linear classifier);

// qa_outputs(hidden) -> {"start_logits", "end_logits"}: [rows]
HeadFunction question_answering_head(Linear qa_outputs);

// pooled(hidden) -> classifier -> {"logits": [sequences, labels]}
HeadFunction sequence_classification_head(std::function<Tensor(const Tensor& hidden, const Step&)> pool, Linear classifier);

// pooled(hidden) -> one logit for each choice: {"logits": [sequences, 1]}, which forward.cc shapes to [batch, choices]
HeadFunction multiple_choice_head(std::function<Tensor(const Tensor& hidden, const Step&)> pool, const Scope& classifier, std::int64_t d);

// decoder(norm(act(dense(hidden)))) -> [rows, vocabulary]
struct MaskedLmHead {
  Linear dense;
  Activation act = Activation::kGelu;
  LayerNorm norm;
  Linear decoder;

  Tensor operator()(const Tensor& hidden, const Step& step) const;
};
HeadFunction masked_lm_head(MaskedLmHead head);

// The decoder of a masked LM: `own` (its weight, if the checkpoint has one and it is not tied) or the
// embedding table, with the bias under whichever of these names exists.
// `tied` is the class's default for tie_word_embeddings.
Linear tied_decoder(const Config& config, const Scope& scope, const std::string& own, const std::string& embeddings,
                    const std::vector<std::string>& bias_names, bool tied = true);

// decoder(hidden) -> {"logits": [rows of the head, vocabulary]}; `tied` is the class's default for tie_word_embeddings.
HeadFunction causal_lm_head(const Config& config, const Scope& scope, const std::string& own, const std::string& embeddings, bool tied);

// score(hidden of each sequence's last token that is not pad_token_id) -> {"logits": [sequences, labels]}
HeadFunction last_token_classification_head(const Config& config, Linear score);

// The heads of decoders: lm_head (of its own weight or of the table `embeddings`; `tied` as in causal_lm_head), score, qa_outputs,
// and for tokens `token_classifier`. d: of the hidden states.
HeadFunction decoder_head(const Config& config, Head head, const Scope& scope, std::int64_t d, const std::string& embeddings, bool tied,
                          const std::string& token_classifier);

// tanh(dense(first row)), as BERT's pooler.
std::function<Tensor(const Tensor& hidden, const Step&)> first_token_pooler(Linear dense, Activation activation);

// The head is not one of this architecture's.
[[noreturn]] void no_such_head(const Config& config);

}  // namespace polymath
