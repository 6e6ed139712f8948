#include "tasks/run_batch.h"

#include <algorithm>

#include "polymath/error.h"

namespace polymath {
namespace {

// Enough rows to keep the kernels busy; more would only use more memory.
constexpr std::size_t kTokensPerPass = 2048;

}  // namespace

ModelInput model_input(const PretrainedTokenizer& tokenizer, const Encoding& encoding) {
  const auto& names = tokenizer.settings().model_input_names;
  const bool gives_type_ids = std::find(names.begin(), names.end(), "token_type_ids") != names.end();
  return {encoding.ids, gives_type_ids ? encoding.type_ids : std::vector<std::int32_t>(), {}};
}

SequenceOutput SequenceOutputs::of(const Output& output) const {
  const Tensor& t = output.value;
  const std::int64_t rows = output.per_row ? rows_ : 1;
  const std::int64_t first = output.per_row ? first_row_ : sequence_;
  const std::int64_t d = t.dim(0) == 0 ? 0 : t.size() / t.dim(0);
  return {t.data() + first * d, rows, d};
}

SequenceOutput SequenceOutputs::operator[](const std::string& name) const {
  for (const Output& output : outputs_) {
    if (output.name == name) return of(output);
  }
  throw Error(ErrorCode::kInvalidArgument, "the model has no output of this name", name);
}

void run_batch(const Model& model, const std::vector<ModelInput>& inputs,
               const std::function<void(std::size_t, const SequenceOutputs&)>& done) {
  for (std::size_t begin = 0; begin < inputs.size();) {
    Step step;
    std::size_t end = begin;
    bool some_rows = false;
    while (end < inputs.size() && (end == begin || step.ids.size() + inputs[end].ids.size() <= kTokensPerPass)) {
      if (inputs[end].ids.empty()) throw Error(ErrorCode::kInvalidArgument, "gives no tokens", "inputs");
      for (std::int32_t row : inputs[end].head_rows) step.head_rows.push_back(static_cast<std::int32_t>(step.ids.size()) + row);
      some_rows |= !inputs[end].head_rows.empty();
      step.add_sequence(inputs[end].ids, inputs[end].type_ids);
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
