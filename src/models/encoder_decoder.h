// The usual model of an encoder-decoder, and what their classes share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/heads.h"

namespace polymath {

using TargetFunction = std::function<Step(const Step& source)>;

// All columns of the source as a target, its first id put before the others and the last one left out.
// `first`: of one sequence's ids.
Step shifted_right(const Step& source, const std::function<std::int32_t(std::span<const std::int32_t> ids)>& first);

// Of a class that wants decoder_input_ids.
Step no_missing_target(const Step& source);

// The first of these names that has a weight, or the first one: embedding tables are saved once under any of their names.
Scope first_with_weight(const std::vector<Scope>& names);

// lm_head under the first of these names that has a weight, with final_logits_bias where there is one -> {"logits": [rows of
// the head, vocabulary]}
HeadFunction generation_head(const Scope& scope, const std::vector<Scope>& names, std::int64_t d);

// out_proj(tanh(dense(the target's row at the source's last eos token))) -> {"logits": [sequences, labels]}
HeadFunction last_eos_classification_head(const Config& config, const Scope& scope, std::int64_t d, std::int64_t missing_eos, float dropped);

// A Body has encode(source) -> [rows, D], remember(encoded, source), decode(target) -> [rows, D] and kv_shape(). The head's Step
// is the decoder's, or the source with its target set.
template <class Body>
class EncoderDecoderModel final : public Model {
 public:
  EncoderDecoderModel(Body body, HeadFunction head, TargetFunction missing_target)
      : body_(std::move(body)), head_(std::move(head)), missing_target_(std::move(missing_target)) {}

  KvShape kv_shape() const override { return body_.kv_shape(); }
  bool is_encoder_decoder() const override { return true; }
  Step missing_target(const Step& source) const override { return missing_target_(source); }
  std::vector<KvCache> remember(const Step& source) const override { return body_.remember(body_.encode(source), source); }

  std::vector<Output> forward(const Step& step) const override {
    if (!step.memory.empty()) return head_(body_.decode(step), step);
    Step target = step.target ? *step.target : missing_target_(step);
    if (target.sequences() != step.sequences()) throw Error(ErrorCode::kInvalidArgument, "has another batch size than input_ids", "decoder_input_ids");
    const Tensor encoded = body_.encode(step);
    const auto memory = std::make_shared<std::vector<KvCache>>(body_.remember(encoded, step));
    for (KvCache& m : *memory) target.memory.push_back(&m);
    target.memory_owner = memory;
    Step whole = step;
    whole.target = &target;
    std::vector<Output> outputs = head_(body_.decode(target), whole);
    for (Output& output : outputs) output.of_target = output.per_row;
    outputs.push_back({"encoder_last_hidden_state", encoded, true});
    return outputs;
  }

 private:
  Body body_;
  HeadFunction head_;
  TargetFunction missing_target_;
};

template <class Body>
std::unique_ptr<Model> encoder_decoder_model(Body body, HeadFunction head, TargetFunction missing_target = no_missing_target) {
  return std::make_unique<EncoderDecoderModel<Body>>(std::move(body), std::move(head), std::move(missing_target));
}

}  // namespace polymath
