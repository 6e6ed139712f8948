// Many inputs through a model in few forward passes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/model.h"
#include "text/pretrained_tokenizer.h"

namespace polymath {

// Which inputs beside input_ids a tokenizer gives a model.
struct ModelInputs {
  bool token_type_ids = false, attention_mask = true;
};
ModelInputs model_inputs_of(const PretrainedTokenizer& tokenizer);  // its model_input_names

// One sequence for the model.
struct ModelInput {
  std::vector<std::int32_t> ids, type_ids;
  std::vector<std::uint8_t> mask;       // 0: padding; empty: there is none
  std::vector<std::int32_t> head_rows;  // of this sequence; empty: all
  bool masked = true;                   // false: padding counts as text
};

ModelInput model_input(const Encoding& encoding, ModelInputs gives);

// Pads each `batch_size` inputs to one length, as Transformers does with a batch: what comes out has rows for the
// padding too, and padding on the left moves positions.
void pad_batches(std::vector<ModelInput>& inputs, const PretrainedTokenizer& tokenizer, std::int64_t batch_size);

// The part of an output that belongs to one sequence: [rows, d].
struct SequenceOutput {
  const float* data = nullptr;
  std::int64_t rows = 0, d = 0;

  const float* row(std::int64_t i) const { return data + i * d; }
};

// All outputs of one sequence.
class SequenceOutputs {
 public:
  SequenceOutputs(const std::vector<Output>& outputs, const Step& step, int sequence, std::int64_t first_row, std::int64_t rows)
      : outputs_(outputs), step_(step), sequence_(sequence), first_row_(first_row), rows_(rows) {}
  SequenceOutput operator[](const std::string& name) const;
  SequenceOutput first() const;

 private:
  SequenceOutput of(const Output& output) const;

  const std::vector<Output>& outputs_;
  const Step& step_;
  int sequence_;
  std::int64_t first_row_, rows_;
};

// Runs the inputs, several to a pass up to a bounded number of tokens, and calls done(index, outputs) for each in
// order. A sequence's result does not depend on those it shares a pass with. An input without tokens is an error, or with
// `empty_too` gives outputs without rows.
void run_batch(const Model& model, const std::vector<ModelInput>& inputs,
               const std::function<void(std::size_t index, const SequenceOutputs& outputs)>& done, bool empty_too = false);

}  // namespace polymath
