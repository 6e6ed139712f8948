// polymath forward DIR IN.safetensors -o OUT.safetensors
#include <algorithm>
#include <cstring>

#include "cli/cli.h"
#include "cli/model_inputs.h"

namespace polymath::cli {
namespace {

// A per-row output [rows, ...] as [sequences, columns, ...], zero where there is no row.
Tensor padded(const Tensor& rows, const Step& step, std::int64_t columns) {
  const std::int64_t d = rows.rank() == 1 ? 1 : rows.dim(-1);
  Tensor y = rows.rank() == 1 ? Tensor({step.sequences(), columns}) : Tensor({step.sequences(), columns, d});
  std::fill_n(y.data(), y.size(), 0.0f);
  for (int s = 0; s < step.sequences(); ++s) {
    for (std::int32_t r = step.begin[static_cast<std::size_t>(s)]; r < step.begin[static_cast<std::size_t>(s) + 1]; ++r) {
      std::memcpy(y.data() + (s * columns + step.column[static_cast<std::size_t>(r)]) * d, rows.data() + r * d, static_cast<std::size_t>(d) * sizeof(float));
    }
  }
  return y;
}

// In an output whose first two axes are the batch's, what the mask hides is 0.
void clear_hidden(Tensor& t, const PaddedBatch& batch) {
  const auto sequences = static_cast<std::int64_t>(batch.ids.size()) / batch.columns;
  if (t.rank() < 2 || t.dim(0) != sequences || t.dim(1) != batch.columns) return;
  const std::int64_t d = t.size() / (t.dim(0) * t.dim(1));
  for (std::size_t i = 0; i < batch.mask.size(); ++i) {
    if (batch.mask[i] == 0) std::fill_n(t.data() + static_cast<std::int64_t>(i) * d, d, 0.0f);
  }
}

int forward(const std::string& folder, const std::string& in, const std::string& out, const Common& common) {
  const ModelInputs inputs(in);
  const LoadedModel model = LoadedModel::load(folder, load_type_named(common.dtype));
  inputs.check_axes(model.head());
  const bool choices = model.head() == Head::kMultipleChoice, two_sides = model.model().is_encoder_decoder();
  // Summaries of choices may look at padding.
  Step step = unpad(inputs.batch(), model.model().is_decoder() && !two_sides ? Hidden::kDrop : choices ? Hidden::kKeep : Hidden::kKeepBehind);
  const auto missing = [&] {
    Step derived = model.model().missing_target(step);
    return IdMatrix{std::move(derived.padded_ids), {derived.sequences(), derived.columns}};
  };
  const Step target = two_sides ? inputs.target(step, missing) : Step();
  if (two_sides) step.target = &target;
  const auto outputs = model.model().forward(step);

  std::vector<Tensor> values;  // keeps what the arrays point to
  std::vector<NamedArray> arrays;
  for (const Output& output : outputs) {
    const Step& rows = output.of_target ? target : step;
    values.push_back(output.per_row ? padded(output.value, rows, rows.columns) : output.value);
    Tensor& t = values.back();
    if (choices) t = t.reshaped({inputs.shape()[0], inputs.shape()[1]});
    else clear_hidden(t, inputs.batch());
    arrays.push_back({output.name, DType::kF32, {t.shape().begin(), t.shape().end()},
                      {reinterpret_cast<const std::uint8_t*>(t.data()), static_cast<std::size_t>(t.size()) * sizeof(float)}});
  }
  write_safetensors(out, arrays);
  return 0;
}

}  // namespace

void add_forward(CLI::App& app, Common& common, Action& action) {
  auto* verb = app.add_subcommand("forward", "run a model once on named tensors");
  struct Arguments {
    std::string folder, in, out;
  };
  auto arguments = std::make_shared<Arguments>();
  add_model(*verb, "DIR", arguments->folder, "checkpoint folder")->required();
  verb->add_option("IN.safetensors", arguments->in, "input_ids, attention_mask, token_type_ids, position_ids, decoder_input_ids, decoder_attention_mask")->required();
  verb->add_option("-o,--output", arguments->out, "where the outputs go, under Transformers' names, in float32")->required();
  add_common(*verb, common);
  verb->callback([=, &common, &action] {
    action = [=, &common] { return forward(arguments->folder, arguments->in, arguments->out, common); };
  });
}

}  // namespace polymath::cli
