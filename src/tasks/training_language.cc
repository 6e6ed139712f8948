// Training of language models on plain text: what comes next, or what stands where a token is hidden.
#include <algorithm>

#include "polymath/error.h"
#include "tasks/training_parts.h"

namespace polymath {
namespace {

Examples<TextExample> texts_of(TaskTraining& t) {
  return read_examples<TextExample>(t, [&](const std::vector<std::string>& files, const std::function<void(TextExample&&)>& take) {
    return read_texts(files, t.options.data, LabelColumn::kUnused, take);
  });
}

// Each text on its own, in parts of max_length tokens, with an end where the tokenizer has one.
TrainingSet following(const TaskTraining& t, const std::vector<TextExample>& texts) {
  std::vector<TrainingExample> all;
  const auto eos = t.tokenizer.eos_id();
  for (const TextExample& x : texts) {
    std::vector<std::int32_t> ids = t.tokenizer.encode(x.text).ids;
    if (eos && (ids.empty() || ids.back() != *eos)) ids.push_back(*eos);
    for (std::size_t begin = 0; begin + 1 < ids.size(); begin += static_cast<std::size_t>(t.max_length)) {
      const std::size_t end = std::min(ids.size(), begin + static_cast<std::size_t>(t.max_length));
      TrainingExample e;
      e.ids.assign(ids.begin() + static_cast<std::ptrdiff_t>(begin), ids.begin() + static_cast<std::ptrdiff_t>(end));
      if (e.ids.size() < 2) continue;
      e.of_rows.assign(e.ids.begin() + 1, e.ids.end());
      e.of_rows.push_back(kIgnored);
      all.push_back(std::move(e));
    }
  }
  return TrainingSet(std::move(all), LabelKind::kRows);
}

// All texts as one, each with its end, in pieces of `length` tokens that predict the beginning of the next.
TrainingSet stream(const TaskTraining& t, const std::vector<TextExample>& texts, std::int64_t length) {
  std::vector<std::int32_t> ids;
  const auto eos = t.tokenizer.eos_id();
  for (const TextExample& x : texts) {
    const auto more = t.tokenizer.encode(x.text).ids;
    ids.insert(ids.end(), more.begin(), more.end());
    if (eos && (more.empty() || more.back() != *eos)) ids.push_back(*eos);
  }
  std::vector<TrainingExample> pieces;
  for (std::size_t begin = 0; begin + 1 < ids.size(); begin += static_cast<std::size_t>(length)) {
    const auto first = ids.begin() + static_cast<std::ptrdiff_t>(begin), last = ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size() - 1, begin + static_cast<std::size_t>(length)));
    TrainingExample& e = pieces.emplace_back();
    e.ids.assign(first, last);
    e.of_rows.assign(first + 1, last + 1);
  }
  TrainingSet set(std::move(pieces), LabelKind::kRows);
  set.read_as_stream();
  return set;
}

TrainingSet hidden(const TaskTraining& t, const std::vector<TextExample>& texts) {
  std::vector<TrainingExample> all;
  std::vector<std::vector<std::int32_t>> words;
  Masking masking{.share = t.options.mask_share,
                  .mask = *t.tokenizer.mask_id(),
                  .vocabulary = static_cast<std::int32_t>(t.config.req<int>("vocab_size")),
                  .never = t.tokenizer.all_special_ids(),
                  .seed = t.options.trainer.batches.seed};
  std::sort(masking.never.begin(), masking.never.end());
  EncodeOptions options = t.encode_options();
  options.truncation->keeps_overflow = true;
  const auto add = [&](const Encoding& encoding) {
    TrainingExample e = t.example(encoding);
    const bool some = std::any_of(e.ids.begin(), e.ids.end(), [&](std::int32_t id) { return !std::binary_search(masking.never.begin(), masking.never.end(), id); });
    if (!some) return;
    all.push_back(std::move(e));
    if (t.options.whole_words) words.push_back(encoding.word_ids);
  };
  for (const TextExample& x : texts) {
    const Encoding first = t.tokenizer.encode(x.text, options);
    add(first);
    for (const Encoding& more : first.overflowing) add(more);
  }
  TrainingSet set(std::move(all), LabelKind::kRows);
  set.mask(std::move(masking), std::move(words));
  return set;
}

}  // namespace

void prepare_causal_language_model(TaskTraining& t) {
  const auto texts = texts_of(t);
  constexpr std::int64_t kPiece = 70;  // tokens that gradients flow back through, as in Merity et al. 2017
  t.training = architecture_of(t.config).recurrent ? stream(t, texts.training, t.options.max_length > 0 ? t.max_length : kPiece) : following(t, texts.training);
  t.validation = following(t, texts.validation);
  t.figures = add_perplexity;
}

void prepare_masked_language_model(TaskTraining& t) {
  if (!t.tokenizer.mask_id()) throw Error(ErrorCode::kInvalidArgument, "its tokenizer has no mask_token", t.options.model);
  if (!(t.options.mask_share > 0 && t.options.mask_share < 1)) throw Error(ErrorCode::kInvalidArgument, "must be between 0 and 1", "--mask-share");
  if (t.options.whole_words && !t.tokenizer.is_fast()) throw Error(ErrorCode::kUnsupported, "its tokenizer does not say which token is of which word", t.options.model);
  const auto texts = texts_of(t);
  t.training = hidden(t, texts.training);
  t.validation = hidden(t, texts.validation);
  t.figures = add_perplexity;
}

}  // namespace polymath
