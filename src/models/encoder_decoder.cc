#include "models/encoder_decoder.h"

#include <algorithm>

#include "polymath/error.h"

namespace polymath {
namespace {

// What the columns of a sequence hold, hidden ones included.
std::span<const std::int32_t> ids_of(const Step& source, int sequence) {
  const auto at = static_cast<std::size_t>(sequence), columns = static_cast<std::size_t>(source.columns);
  if (!source.padded_ids.empty()) return std::span(source.padded_ids).subspan(at * columns, columns);
  const auto begin = static_cast<std::size_t>(source.begin[at]);
  return std::span(source.ids).subspan(begin, static_cast<std::size_t>(source.begin[at + 1]) - begin);
}

// The hidden state of each sequence's last eos token.
Tensor last_eos_rows(const Tensor& hidden, const Step& source, std::int64_t eos) {
  if (!source.target) throw Error(ErrorCode::kInvalidArgument, "this class answers for a whole source only", "decoder_input_ids");
  const Step& target = *source.target;
  std::vector<std::int32_t> rows;
  std::int64_t most = 0;
  for (int s = 0; s < source.sequences(); ++s) {
    const auto at = static_cast<std::size_t>(s);
    const auto ids = ids_of(source, s);
    const auto length = static_cast<std::size_t>(target.begin[at + 1] - target.begin[at]);
    if (length != ids.size()) throw Error(ErrorCode::kInvalidArgument, "must be as long as input_ids for this class", "decoder_input_ids");
    const std::int64_t count = std::count(ids.begin(), ids.end(), eos);
    if (count == 0) throw Error(ErrorCode::kInvalidArgument, "each sequence must hold the eos token " + std::to_string(eos), "input_ids");
    if (s > 0 && source.columns > 0 && count != most) {
      throw Error(ErrorCode::kInvalidArgument, "all sequences must hold the same number of eos tokens", "input_ids");
    }
    most = count;
    const auto last = std::find(ids.rbegin(), ids.rend(), eos);
    rows.push_back(target.begin[at] + static_cast<std::int32_t>(ids.rend() - last) - 1);
  }
  return take_rows(hidden, rows);
}

}  // namespace

Step shifted_right(const Step& source, const std::function<std::int32_t(std::span<const std::int32_t> ids)>& first) {
  Step target;
  for (int s = 0; s < source.sequences(); ++s) {
    const auto ids = ids_of(source, s);
    if (ids.empty()) throw Error(ErrorCode::kInvalidArgument, "holds no tokens", "input_ids");
    std::vector<std::int32_t> shifted{first(ids)};
    shifted.insert(shifted.end(), ids.begin(), ids.end() - 1);
    target.add_sequence(shifted);
  }
  target.columns = source.columns;
  if (source.columns > 0) target.padded_ids = target.ids;
  return target;
}

Step no_missing_target(const Step&) {
  throw Error(ErrorCode::kInvalidArgument, "the tensor is missing, and this class does not derive it", "decoder_input_ids");
}

Scope first_with_weight(const std::vector<Scope>& names) {
  for (const Scope& name : names) {
    if (name.find("weight")) return name;
  }
  return names.front();
}

HeadFunction generation_head(const Scope& w, const std::vector<Scope>& names, std::int64_t d) {
  const Scope table = first_with_weight(names);
  const auto& shape = table.tensor("weight").shape;
  const TensorView& weight = table.tensor("weight", {shape.empty() ? 0 : shape[0], d});
  const TensorView* bias = w.find("final_logits_bias");
  if (bias) freeze(*bias);  // no parameter in Transformers
  return lm_head(Linear(weight, bias, type_of_head(w.weights->type())));
}

HeadFunction last_eos_classification_head(const Config& c, const Scope& w, std::int64_t d, std::int64_t missing_eos, float dropped) {
  return sequence_classification_head(
      [dense = Linear(w / "dense", d, d), eos = c.opt("eos_token_id", missing_eos), dropped](const Tensor& hidden, const Step& step) {
        return dense(dropout(last_eos_rows(hidden, step, eos), dropped), Activation::kTanh);
      },
      Linear(w / "out_proj", d, c.num_labels()), dropped);
}

}  // namespace polymath
