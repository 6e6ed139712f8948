// polymath forward DIR IN.safetensors -o OUT.safetensors
#include <algorithm>
#include <cstring>
#include <optional>

#include "cli/cli.h"

namespace polymath::cli {
namespace {

// The named input as int32 [sequences, columns]; multiple choice has [batch, choices, columns].
struct IdMatrix {
  std::vector<std::int32_t> values;
  std::vector<std::int64_t> shape;
};

std::optional<IdMatrix> read_ids(const std::vector<TensorView>& tensors, const std::string& name, const std::string& path) {
  auto found = std::find_if(tensors.begin(), tensors.end(), [&](const TensorView& t) { return t.name == name; });
  if (found == tensors.end()) return std::nullopt;
  if (found->shape.size() != 2 && found->shape.size() != 3) {
    throw Error(ErrorCode::kInvalidArgument, "has " + std::to_string(found->shape.size()) + " axes instead of 2 or 3", path + ": " + name);
  }
  IdMatrix ids{.values = {}, .shape = found->shape};
  const std::size_t size = dtype_size(found->dtype);
  ids.values.reserve(static_cast<std::size_t>(found->elements()));
  for (std::size_t at = 0; at < found->data.size(); at += size) {
    const std::int64_t value = element_to_i64(found->dtype, found->data.data() + at);
    if (value < INT32_MIN || value > INT32_MAX) throw Error(ErrorCode::kInvalidArgument, std::to_string(value) + " is out of range", path + ": " + name);
    ids.values.push_back(static_cast<std::int32_t>(value));
  }
  return ids;
}

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

// The decoder's rows: all columns, since what a mask hides is answered for too.
Step target_of(const std::vector<TensorView>& tensors, const std::string& in, const Step& source, const Model& model) {
  const auto ids = read_ids(tensors, "decoder_input_ids", in), mask = read_ids(tensors, "decoder_attention_mask", in);
  if (ids && (ids->shape.size() != 2 || ids->shape[0] != source.sequences() || ids->values.empty())) {
    throw Error(ErrorCode::kInvalidArgument, "must be [batch, tokens] with the batch of input_ids", in + ": decoder_input_ids");
  }
  const Step derived = ids ? Step() : model.missing_target(source);
  const std::vector<std::int64_t> shape = ids ? ids->shape : std::vector<std::int64_t>{derived.sequences(), derived.columns};
  if (mask && mask->shape != shape) {
    throw Error(ErrorCode::kInvalidArgument, "has another shape than decoder_input_ids", in + ": decoder_attention_mask");
  }
  PaddedBatch batch{.ids = ids ? ids->values : derived.padded_ids, .columns = shape[1]};
  if (mask) batch.mask = mask->values;
  return unpad(batch, Hidden::kKeep);
}

int forward(const std::string& folder, const std::string& in, const std::string& out, const Common& common) {
  const MappedFile file(in);
  const auto tensors = parse_safetensors(file.bytes(), in);
  const auto ids = read_ids(tensors, "input_ids", in);
  if (!ids) throw Error(ErrorCode::kInvalidArgument, "the tensor is missing", in + ": input_ids");
  if (ids->values.empty()) throw Error(ErrorCode::kInvalidArgument, "holds no tokens", in + ": input_ids");
  const auto same_shape = [&](const char* name) {
    auto other = read_ids(tensors, name, in);
    if (other && other->shape != ids->shape) {
      throw Error(ErrorCode::kInvalidArgument, "has another shape than input_ids", in + ": " + name);
    }
    return other ? std::move(other->values) : std::vector<std::int32_t>();
  };
  const PaddedBatch batch{.ids = ids->values, .type_ids = same_shape("token_type_ids"), .mask = same_shape("attention_mask"),
                          .position_ids = same_shape("position_ids"), .columns = ids->shape.back()};

  const LoadedModel model = LoadedModel::load(folder, load_type_named(common.dtype));
  const bool choices = model.head() == Head::kMultipleChoice;
  if (choices != (ids->shape.size() == 3)) {
    throw Error(ErrorCode::kInvalidArgument, choices ? "must be [batch, choices, tokens] for this class" : "must be [batch, tokens] for this class", in + ": input_ids");
  }
  // Summaries of choices may look at padding.
  const bool two_sides = model.model().is_encoder_decoder();
  Step step = unpad(batch, model.model().is_decoder() && !two_sides ? Hidden::kDrop : choices ? Hidden::kKeep : Hidden::kKeepBehind);
  const Step target = two_sides ? target_of(tensors, in, step, model.model()) : Step();
  if (two_sides) step.target = &target;
  const auto outputs = model.model().forward(step);

  std::vector<Tensor> values;  // keeps what the arrays point to
  std::vector<NamedArray> arrays;
  for (const Output& output : outputs) {
    const Step& rows = output.of_target ? target : step;
    values.push_back(output.per_row ? padded(output.value, rows, rows.columns) : output.value);
    Tensor& t = values.back();
    if (choices) t = t.reshaped({ids->shape[0], ids->shape[1]});
    else clear_hidden(t, batch);
    arrays.push_back({output.name, DType::kF32, t.shape(),
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
  verb->add_option("DIR", arguments->folder, "checkpoint folder")->required();
  verb->add_option("IN.safetensors", arguments->in, "input_ids, attention_mask, token_type_ids, position_ids, decoder_input_ids, decoder_attention_mask")->required();
  verb->add_option("-o,--output", arguments->out, "where the outputs go, under Transformers' names, in float32")->required();
  add_common(*verb, common);
  verb->callback([=, &common, &action] {
    action = [=, &common] { return forward(arguments->folder, arguments->in, arguments->out, common); };
  });
}

}  // namespace polymath::cli
