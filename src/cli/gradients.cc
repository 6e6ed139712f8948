// polymath gradients DIR IN.safetensors -o OUT.safetensors
#include <algorithm>
#include <iostream>

#include "cli/cli.h"
#include "cli/model_inputs.h"
#include "polymath/error.h"
#include "tensor/tape.h"
#include "train/objective.h"

namespace polymath::cli {
namespace {

bool answers_for_rows(Head head) {
  return head == Head::kMaskedLm || head == Head::kCausalLm || head == Head::kConditionalGeneration || head == Head::kTokenClassification ||
         head == Head::kPreTraining;
}

bool whole_numbers(DType dtype) { return dtype != DType::kF64 && dtype != DType::kF32 && dtype != DType::kF16 && dtype != DType::kBf16; }

// A label for each token: [sequences, columns].
struct TokenLabels {
  std::vector<std::int32_t> values;
  std::int64_t columns = 0;

  TokenLabels(const ModelInputs& inputs, bool next) {
    const auto read = inputs.ids("labels");
    if (!read || read->shape.size() != 2 || read->values.empty()) throw Error(ErrorCode::kInvalidArgument, "must be there as [batch, tokens] for this class", inputs.path() + ": labels");
    if (!whole_numbers(inputs.find("labels")->dtype)) throw Error(ErrorCode::kInvalidArgument, "must be whole numbers for this class", inputs.path() + ": labels");
    values = read->values;
    columns = read->shape[1];
    for (auto row = values.begin(); next && row != values.end(); row += columns) {  // a causal model's row predicts the token that follows
      std::copy(row + 1, row + columns, row);
      row[columns - 1] = kIgnored;
    }
  }

  std::vector<std::int32_t> of_rows(const Step& step, const std::string& where) const {
    if (columns != step.columns || static_cast<std::int64_t>(values.size()) != step.sequences() * columns) {
      throw Error(ErrorCode::kInvalidArgument, "must have the shape of the tokens that the class answers for", where + ": labels");
    }
    std::vector<std::int32_t> rows;
    for (int s = 0; s < step.sequences(); ++s) {
      for (std::int32_t r = step.begin[static_cast<std::size_t>(s)]; r < step.begin[static_cast<std::size_t>(s) + 1]; ++r) {
        rows.push_back(values[static_cast<std::size_t>(s * columns + step.column[static_cast<std::size_t>(r)])]);
      }
    }
    return rows;
  }
};

// Positions beyond the tokens do not count, those before them are the first, as in Transformers.
std::vector<std::int32_t> positions(const ModelInputs& inputs, const char* name, std::int64_t columns) {
  std::vector<std::int32_t> positions = inputs.integers(name);
  for (std::int32_t& p : positions) p = p >= columns ? kIgnored : std::max(p, 0);
  return positions;
}

int gradients(const std::string& folder, const std::string& in, const std::string& out, bool recompute, bool json) {
  const ModelInputs inputs(in);
  const LoadedModel loaded = LoadedModel::load_to_train(folder);
  const Model& model = loaded.model();
  const Head head = loaded.head();
  inputs.check_axes(head);
  const bool two_sides = model.is_encoder_decoder(), electra = loaded.config().model_type() == "electra" && head == Head::kPreTraining;
  const PaddedBatch& batch = inputs.batch();

  Labels labels;
  std::optional<TokenLabels> of_tokens;
  if (answers_for_rows(head)) of_tokens.emplace(inputs, head == Head::kCausalLm);
  // What the mask hides counts where a label, or the softmax over all columns, says so.
  bool keep = head == Head::kQuestionAnswering || head == Head::kMultipleChoice;
  if (of_tokens && !two_sides && !electra && of_tokens->values.size() == batch.mask.size()) {
    for (std::size_t i = 0; i < batch.mask.size(); ++i) keep |= batch.mask[i] == 0 && of_tokens->values[i] != kIgnored;
  }
  Step step = unpad(batch, keep && !two_sides ? Hidden::kKeep : model.is_decoder() && !two_sides ? Hidden::kDrop : Hidden::kKeepBehind);
  const auto missing = [&] {
    if (head == Head::kConditionalGeneration || head == Head::kMaskedLm) {
      return IdMatrix{shifted_labels(loaded.config(), of_tokens->values, of_tokens->columns),
                      {static_cast<std::int64_t>(of_tokens->values.size()) / of_tokens->columns, of_tokens->columns}};
    }
    Step derived = model.missing_target(step);
    return IdMatrix{std::move(derived.padded_ids), {derived.sequences(), derived.columns}};
  };
  const Step target = two_sides ? inputs.target(step, missing) : Step();
  if (two_sides) step.target = &target;
  const Step& answered = two_sides ? target : step;

  Problem problem = Problem::kOneClass;
  if (of_tokens) labels.of_rows = of_tokens->of_rows(answered, in);
  for (std::size_t r = 0; electra && r < step.is_key.size(); ++r) {
    if (!step.is_key[r]) labels.of_rows[r] = kIgnored;
  }
  if (head == Head::kPreTraining) {
    labels.of_sequences = inputs.integers(loaded.config().model_type() == "albert" ? "sentence_order_label" : "next_sentence_label");
  } else if (head == Head::kQuestionAnswering) {
    labels.start = positions(inputs, "start_positions", answered.columns);
    labels.end = positions(inputs, "end_positions", answered.columns);
  } else if (const TensorView* given = inputs.find("labels"); given && !of_tokens) {
    const std::int64_t of_sequence = given->elements() / std::max<std::int64_t>(1, step.sequences());
    if (head == Head::kSequenceClassification) problem = problem_of(loaded.config(), whole_numbers(given->dtype), of_sequence);
    if (problem == Problem::kOneClass) labels.of_sequences = inputs.integers("labels");
    else labels.values = inputs.numbers("labels");
  }

  Tape tape(recompute);
  const Tape::Recording recording(&tape);
  Tensor loss;
  try {
    loss = loss_of(loaded, step, labels, {.problem = problem});
  } catch (const Error& e) {
    if (e.where.find("label") == std::string::npos && e.where.find("_positions") == std::string::npos) throw;
    throw Error(e.code, e.reason, in + ": " + e.where);
  }
  tape.backward(loss);

  const auto bytes = [](const float* values, std::size_t count) { return Bytes(reinterpret_cast<const std::uint8_t*>(values), count * sizeof(float)); };
  std::vector<NamedArray> arrays{{"loss", DType::kF32, {}, bytes(loss.data(), 1)}};
  for (const Parameter* p : loaded.parameters().all()) {
    if (p->trained) arrays.push_back({p->name, DType::kF32, p->shape, bytes(p->gradient.data(), p->gradient.size())});
  }
  write_safetensors(out, arrays);
  if (json) std::cout << dump_json({{"loss", static_cast<double>(loss.data()[0])}, {"gradients", arrays.size() - 1}}) << '\n';
  return 0;
}

}  // namespace

void add_gradients(CLI::App& app, Common& common, Action& action) {
  auto* verb = app.add_subcommand("gradients", "the loss of a model on labelled tensors, and the gradient of every parameter");
  struct Arguments {
    std::string folder, in, out;
    bool json = false, recompute = false;
  };
  auto arguments = std::make_shared<Arguments>();
  add_model(*verb, "DIR", arguments->folder, "checkpoint folder")->required();
  verb->add_option("IN.safetensors", arguments->in, "what forward takes, and labels (or start_positions and end_positions)")->required();
  verb->add_option("-o,--output", arguments->out, "where loss and gradients go, under the checkpoint's names, in float32")->required();
  verb->add_flag("--recompute", arguments->recompute, "keep less memory: compute the inside of each layer anew on the way back");
  verb->add_flag("--json", arguments->json, "also print the loss, as JSON");
  add_common(*verb, common);
  verb->callback([=, &action] { action = [=] { return gradients(arguments->folder, arguments->in, arguments->out, arguments->recompute, arguments->json); }; });
}

}  // namespace polymath::cli
