// The heads that architectures share. Each is a HeadFunction made from its tensors.
#pragma once

#include <memory>
#include <string>

#include "models/model.h"

namespace polymath {

// {"last_hidden_state"} and, given a pooler, {"pooler_output"}.
HeadFunction base_head(std::function<Tensor(const Tensor& hidden, const Step&)> pooler = {});

// In all of them, dropped is the rate of dropout on what the classifier reads.

// classifier(hidden) -> {"logits": [rows, labels]}
HeadFunction token_classification_head(Linear classifier, float dropped);

// qa_outputs(hidden) -> {"start_logits", "end_logits"}: [rows]
HeadFunction question_answering_head(Linear qa_outputs, float dropped = 0);

// pooled(hidden) -> classifier -> {"logits": [sequences, labels]}
HeadFunction sequence_classification_head(std::function<Tensor(const Tensor& hidden, const Step&)> pool, Linear classifier, float dropped);

// pooled(hidden) -> one logit for each choice: {"logits": [sequences, 1]}, which forward.cc shapes to [batch, choices]
HeadFunction multiple_choice_head(std::function<Tensor(const Tensor& hidden, const Step&)> pool, const Scope& classifier, std::int64_t d, float dropped);

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

// The hidden states that a head of rows answers for: Step::head_rows, or all.
Tensor head_rows(const Tensor& hidden, const Step& step);

// decoder(hidden) -> {"logits": [rows of the head, vocabulary]}
HeadFunction lm_head(Linear decoder);

// The same with the decoder that config and checkpoint name; `tied` is the class's default for tie_word_embeddings.
HeadFunction causal_lm_head(const Config& config, const Scope& scope, const std::string& own, const std::string& embeddings, bool tied);

// Where a decoder's classes find what they need. d: of the hidden states.
struct DecoderHead {
  std::int64_t d;
  std::string embeddings;  // the table that lm_head may be tied to
  bool tied;               // whether it is where config.json says nothing
  std::string token_classifier = "score";
  std::string lm_head = "lm_head.weight";
};

// The heads of decoders that read each row by itself: lm_head, qa_outputs, and the one for tokens.
HeadFunction decoder_head(const Config& config, Head head, const Scope& scope, const DecoderHead& names);

// The last token of each sequence that is not pad_token_id, which may be one that the mask hides: what has to be computed to
// know it, and its rows there.
struct LastTokens {
  Step step;
  std::vector<std::int32_t> rows;  // [sequences]

  LastTokens(const Step& asked, std::int64_t pad_token_id);
};

// score(hidden of the last token) -> {"logits": [sequences, labels]}
template <class Decoder>
class LastTokenModel final : public Model {
 public:
  LastTokenModel(Decoder decoder, Linear score, std::int64_t pad_token_id)
      : decoder_(std::move(decoder)), score_(std::move(score)), pad_token_id_(pad_token_id) {}
  KvShape kv_shape() const override { return decoder_.kv_shape(); }

  std::vector<Output> forward(const Step& step) const override {
    const LastTokens last(step, pad_token_id_);
    return {{"logits", score_(take_rows(decoder_(last.step), last.rows)), false}};
  }

 private:
  Decoder decoder_;
  Linear score_;
  std::int64_t pad_token_id_;
};

// A decoder under the head that its class names.
template <class Decoder>
std::unique_ptr<Model> decoder_class(Decoder decoder, const Config& c, Head head, const Scope& w, const DecoderHead& names) {
  if (head != Head::kSequenceClassification) return decoder_model(std::move(decoder), decoder_head(c, head, w, names));
  return std::make_unique<LastTokenModel<Decoder>>(std::move(decoder), Linear(w / "score", names.d, c.num_labels()), c.opt<std::int64_t>("pad_token_id", -1));
}

// tanh(dense(first row)), as BERT's pooler. dropped: on the first row
std::function<Tensor(const Tensor& hidden, const Step&)> first_token_pooler(Linear dense, Activation activation, float dropped = 0);

// The head is not one of this architecture's.
[[noreturn]] void no_such_head(const Config& config);

}  // namespace polymath
