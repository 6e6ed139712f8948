// fill-mask: the likeliest tokens for each mask token, over the whole vocabulary or among given targets.
#include <algorithm>
#include <numeric>
#include <set>

#include "kernels/kernels.h"
#include "polymath/error.h"
#include "tasks/run_batch.h"
#include "tasks/task.h"
#include "tasks/text_input.h"

namespace polymath {
namespace {

class FillMask final : public Task {
 public:
  explicit FillMask(std::shared_ptr<const TextModel> model) : model_(std::move(model)) {}

  Json run(const Json& inputs, const Json& parameters) const override {
    check_parameters(parameters, {"top_k", "targets", "tokenizer_kwargs"});
    const PretrainedTokenizer& tokenizer = *model_->tokenizer;
    if (!tokenizer.mask_id()) throw Error(ErrorCode::kInvalidArgument, "its tokenizer does not define a mask_token", model_->folder);
    const Json* arguments = parameter(parameters, "tokenizer_kwargs");
    const Json* targets = parameter(parameters, "targets");
    const auto target_ids = targets ? ids_of(*targets) : std::vector<std::int32_t>();
    const std::int64_t top_k = int_parameter(parameters, "top_k", 5);
    if (top_k < 0) bad_parameter("top_k", "must be at least 0");

    if (inputs.is_array() && inputs.empty()) return inputs;
    if (arguments && !arguments->is_object()) bad_parameter("tokenizer_kwargs", std::string("must be an object, not ") + json_kind(*arguments));
    const TokenizerCall call = tokenizer_call(arguments ? *arguments : Json::object(), *model_, "tokenizer_kwargs: ");
    std::vector<ModelInput> batch;
    for (const Json* item : items_of(inputs)) {
      batch.push_back(model_input(encode_truncated(tokenizer, text_of(*item), call.encode), call.gives));
    }
    pad_batches(batch, tokenizer, batch_size_of(inputs, parameters));
    for (ModelInput& input : batch) {
      for (std::size_t i = 0; i < input.ids.size(); ++i) {
        if (input.ids[i] == *tokenizer.mask_id()) input.head_rows.push_back(static_cast<std::int32_t>(i));
      }
      if (input.head_rows.empty()) {
        bad_input("No mask_token (" + *tokenizer.settings().special.mask_token + ") found on the input");
      }
    }
    Json results = Json::array();
    run_batch(model_->loaded.model(), batch, [&](std::size_t i, const SequenceOutputs& outputs) {
      results.push_back(proposals(batch[i], outputs["logits"], target_ids, targets != nullptr, top_k));
    });
    return inputs.is_array() && results.size() != 1 ? results : results[0];
  }

 private:
  std::vector<std::int32_t> ids_of(const Json& targets) const {
    const PretrainedTokenizer& tokenizer = *model_->tokenizer;
    std::set<std::int32_t> ids;
    for (const Json* target : items_of(targets)) {
      if (!target->is_string()) bad_parameter("targets", std::string("a target must be a string, not ") + json_kind(*target));
      const auto& text = target->get_ref<const std::string&>();
      if (const auto id = tokenizer.backend().token_to_id(text)) {
        ids.insert(*id);
        continue;
      }
      const auto pieces = tokenizer.encode(text, EncodeOptions{.add_special_tokens = false}).ids;
      // The one token that truncation leaves.
      if (!pieces.empty()) ids.insert(tokenizer.settings().truncation_side == Side::kRight ? pieces.front() : pieces.back());
    }
    if (ids.empty()) bad_parameter("targets", "At least one target must be provided when passed.");
    return {ids.begin(), ids.end()};
  }

  // One list of proposals per mask; the list alone where there is one mask.
  Json proposals(const ModelInput& input, const SequenceOutput& logits, const std::vector<std::int32_t>& targets, bool has_targets,
                 std::int64_t top_k) const {
    const PretrainedTokenizer& tokenizer = *model_->tokenizer;
    const bool single_mask = input.head_rows.size() == 1;
    Json all = Json::array();
    for (std::size_t m = 0; m < input.head_rows.size(); ++m) {
      std::vector<float> scores(logits.row(static_cast<std::int64_t>(m)), logits.row(static_cast<std::int64_t>(m)) + logits.d);
      kernels::table().softmax(scores.data(), 1, scores.size(), scores.size());
      std::vector<std::int32_t> candidates = targets;
      if (!has_targets) {
        candidates.resize(scores.size());
        std::iota(candidates.begin(), candidates.end(), 0);
      } else if (candidates.back() >= static_cast<std::int32_t>(scores.size())) {
        bad_parameter("targets", "token " + std::to_string(candidates.back()) + " is outside the model's vocabulary");
      }
      if (!has_targets && top_k > static_cast<std::int64_t>(candidates.size())) {
        bad_parameter("top_k", "is above the vocabulary of " + std::to_string(candidates.size()));
      }
      const auto count = std::min(static_cast<std::size_t>(top_k), candidates.size());
      const auto score = [&](std::int32_t id) { return scores[static_cast<std::size_t>(id)]; };
      std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(count), candidates.end(), [&](std::int32_t a, std::int32_t b) {
        return score(a) != score(b) ? score(a) > score(b) : a < b;
      });
      Json row = Json::array();
      for (std::size_t c = 0; c < count; ++c) {
        const std::int32_t id = candidates[c];
        std::vector<std::int32_t> ids = input.ids;
        ids[static_cast<std::size_t>(input.head_rows[m])] = id;
        if (const auto pad = tokenizer.pad_id()) std::erase(ids, *pad);
        const std::int32_t one[] = {id};
        row.push_back({{"score", static_cast<double>(score(id))},
                       {"token", id},
                       {"token_str", tokenizer.decode(one, /*skip_special_tokens=*/false)},
                       {"sequence", tokenizer.decode(ids, /*skip_special_tokens=*/single_mask)}});
      }
      all.push_back(std::move(row));
    }
    return single_mask ? all[0] : all;
  }

  std::shared_ptr<const TextModel> model_;
};

}  // namespace

std::unique_ptr<Task> make_fill_mask(std::shared_ptr<const TextModel> model) { return std::make_unique<FillMask>(std::move(model)); }

}  // namespace polymath
