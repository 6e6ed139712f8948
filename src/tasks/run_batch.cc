#include "tasks/run_batch.h"

#include <algorithm>

#include "polymath/error.h"

namespace polymath {
namespace {

// Enough rows to keep the kernels busy; more would only use more memory.
constexpr std::size_t kTokensPerPass = 512;
// Attention over more would take days; refused before anything is computed.
constexpr std::size_t kMostTokens = std::size_t{1} << 20;

}  // namespace

ModelInputs model_inputs_of(const PretrainedTokenizer& tokenizer) {
  const auto& names = tokenizer.settings().model_input_names;
  const auto has = [&](const char* name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  return {.token_type_ids = has("token_type_ids"), .attention_mask = has("attention_mask")};
}

ModelInput model_input(const Encoding& encoding, ModelInputs gives) {
  ModelInput input{.ids = encoding.ids, .masked = gives.attention_mask};
  if (gives.token_type_ids) input.type_ids = encoding.type_ids;
  const bool padded = std::find(encoding.attention_mask.begin(), encoding.attention_mask.end(), 0) != encoding.attention_mask.end();
  if (padded && gives.attention_mask) input.mask = encoding.attention_mask;
  return input;
}

void pad_batches(std::vector<ModelInput>& inputs, const PretrainedTokenizer& tokenizer, std::int64_t batch_size) {
  if (batch_size < 2 || inputs.size() < 2) return;
  if (!tokenizer.pad_id()) throw Error(ErrorCode::kInvalidArgument, "needs a tokenizer with a pad_token", "parameters: batch_size");
  const bool left = tokenizer.settings().padding_side == Side::kLeft;
  const auto size = static_cast<std::size_t>(batch_size);
  for (std::size_t begin = 0; begin < inputs.size(); begin += size) {
    const std::size_t end = std::min(inputs.size(), begin + size);
    std::size_t longest = 0;
    for (std::size_t i = begin; i < end; ++i) longest = std::max(longest, inputs[i].ids.size());
    for (std::size_t i = begin; i < end; ++i) {
      ModelInput& input = inputs[i];
      const std::size_t missing = longest - input.ids.size();
      if (missing == 0) continue;
      if (input.mask.empty() && input.masked) input.mask.assign(input.ids.size(), 1);
      const auto pad = [&](auto& values, auto value) { values.insert(left ? values.begin() : values.end(), missing, value); };
      pad(input.ids, *tokenizer.pad_id());
      if (!input.type_ids.empty()) pad(input.type_ids, 0);
      if (input.masked) pad(input.mask, std::uint8_t{0});
    }
  }
}

SequenceOutput SequenceOutputs::first() const { return rows_ == 0 ? SequenceOutput{} : of(outputs_[0]); }

SequenceOutput SequenceOutputs::of(const Output& output) const {
  const Tensor& t = output.value;
  const std::int64_t rows = output.per_row ? rows_ : 1;
  const std::int64_t first = output.per_row ? first_row_ : sequence_;
  const std::int64_t d = t.dim(0) == 0 ? 0 : t.size() / t.dim(0);
  return {t.data() + first * d, rows, d};
}

SequenceOutput SequenceOutputs::operator[](const std::string& name) const {
  if (rows_ == 0) return {};
  for (const Output& output : outputs_) {
    if (output.name == name) return of(output);
  }
  throw Error(ErrorCode::kInvalidArgument, "the model has no output of this name", name);
}

void run_batch(const Model& model, const std::vector<ModelInput>& inputs,
               const std::function<void(std::size_t, const SequenceOutputs&)>& done, bool empty_too) {
  for (std::size_t begin = 0; begin < inputs.size();) {
    Step step;
    if (inputs[begin].ids.empty()) {
      if (!empty_too) throw Error(ErrorCode::kInvalidArgument, "gives no tokens", "inputs");
      done(begin++, SequenceOutputs({}, step, 0, 0, 0));
      continue;
    }
    std::size_t end = begin;
    bool some_rows = false;
    while (end < inputs.size() && !inputs[end].ids.empty() && (end == begin || step.ids.size() + inputs[end].ids.size() <= kTokensPerPass)) {
      const std::size_t tokens = inputs[end].ids.size();
      if (tokens > kMostTokens) throw Error(ErrorCode::kResource, "gives " + std::to_string(tokens) + " tokens; the limit is " + std::to_string(kMostTokens), "inputs");
      for (std::int32_t row : inputs[end].head_rows) step.head_rows.push_back(static_cast<std::int32_t>(step.ids.size()) + row);
      some_rows |= !inputs[end].head_rows.empty();
      step.add_sequence(inputs[end].ids, inputs[end].type_ids, inputs[end].mask);
      ++end;
    }
    const auto outputs = model.forward(step);
    std::int64_t first_row = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const auto rows = static_cast<std::int64_t>(some_rows ? inputs[i].head_rows.size() : inputs[i].ids.size());
      done(i, SequenceOutputs(outputs, step, static_cast<int>(i - begin), first_row, rows));
      first_row += rows;
    }
    begin = end;
  }
}

}  // namespace polymath
