// Pre-training of encoder-decoders on plain text: they write what was taken out of it, or the whole of what was damaged.
#include <algorithm>

#include "polymath/error.h"
#include "tasks/training_parts.h"
#include "train/denoising.h"

namespace polymath {
namespace {

constexpr std::uint64_t kStream = 0x64656e6f697365;  // another one than that of orders and masks

class Reader {
 public:
  explicit Reader(const TaskTraining& t) : t_(t), config_(writing_config(t)) {
    // The tokens that every text gets before and behind it.
    const std::vector<std::int32_t> framed = t.tokenizer.encode("a").ids;
    const auto special = [&](std::int32_t id) { return std::find(t.tokenizer.all_special_ids().begin(), t.tokenizer.all_special_ids().end(), id) != t.tokenizer.all_special_ids().end(); };
    const auto first = std::find_if_not(framed.begin(), framed.end(), special);
    const auto behind = std::find_if_not(framed.rbegin(), std::make_reverse_iterator(first), special).base();
    prefix_.assign(framed.begin(), first);
    suffix_.assign(behind, framed.end());
    const auto frame = static_cast<std::int64_t>(prefix_.size() + suffix_.size());
    if (t.max_length < frame + 2) throw Error(ErrorCode::kInvalidArgument, "must be at least " + std::to_string(frame + 2), "--max-length");
    most_ = static_cast<std::size_t>(t.max_length - frame);
    for (int i = 0; i < 1000; ++i) {
      const std::string name = "<extra_id_" + std::to_string(i) + ">";
      const auto id = t.tokenizer.token_to_id(name);
      if (!id || t.tokenizer.id_to_token(*id) != name) break;
      sentinels_.push_back(*id);
    }
    if (sentinels_.empty() && !t.tokenizer.mask_id()) {
      throw Error(ErrorCode::kInvalidArgument, "its tokenizer has neither <extra_id_0>, as T5's, nor a mask_token, as BART's", t.options.model);
    }
  }

  TrainingSet operator()(const std::vector<TextExample>& texts) const {
    std::vector<TrainingExample> all;
    std::vector<std::vector<std::size_t>> begins;  // of each example's sentences
    for (const TextExample& x : texts) {
      const Pieces pieces = pieces_of(x.text);
      for (std::size_t begin = 0; begin + 2 <= pieces.ids.size(); begin += most_) {
        const std::size_t end = std::min(pieces.ids.size(), begin + most_);
        if (end - begin < 2) break;
        TrainingExample e;
        e.ids.assign(pieces.ids.begin() + static_cast<std::ptrdiff_t>(begin), pieces.ids.begin() + static_cast<std::ptrdiff_t>(end));
        begins.emplace_back();
        for (const std::size_t b : pieces.begins) {
          if (b > begin && b < end) begins.back().push_back(b - begin);
        }
        begins.back().insert(begins.back().begin(), 0);
        if (sentinels_.empty()) {
          e.of_rows = framed(e.ids);
          e.target = shifted_labels(config_, e.of_rows, static_cast<std::int64_t>(e.of_rows.size()));
        }
        all.push_back(std::move(e));
      }
    }
    TrainingSet set(std::move(all), LabelKind::kRows);
    set.damage([*this, begins = std::move(begins), seed = t_.options.trainer.batches.seed ^ kStream](const TrainingExample& e, std::size_t i, std::uint64_t draw) {
      Draws draws(seed, i, draw);
      return damaged(e, begins[i], draws);
    });
    return set;
  }

 private:
  struct Pieces {
    std::vector<std::int32_t> ids;
    std::vector<std::size_t> begins;
  };

  // The tokens of a text: where sentences change places each one's by themselves, so that it is known which is whose.
  Pieces pieces_of(const std::string& text) const {
    Pieces pieces;
    EncodeOptions options;
    options.add_special_tokens = false;
    const auto begins = sentinels_.empty() ? sentence_begins(text) : std::vector<std::size_t>{0};
    for (std::size_t s = 0; s < begins.size(); ++s) {
      const std::size_t end = s + 1 < begins.size() ? begins[s + 1] : text.size();
      const auto ids = t_.tokenizer.encode(text.substr(begins[s], end - begins[s]), options).ids;
      if (!ids.empty()) pieces.begins.push_back(pieces.ids.size());
      pieces.ids.insert(pieces.ids.end(), ids.begin(), ids.end());
    }
    return pieces;
  }

  std::vector<std::int32_t> framed(const std::vector<std::int32_t>& ids) const {
    std::vector<std::int32_t> all = prefix_;
    all.insert(all.end(), ids.begin(), ids.end());
    all.insert(all.end(), suffix_.begin(), suffix_.end());
    return all;
  }

  TrainingExample damaged(const TrainingExample& whole, const std::vector<std::size_t>& begins, Draws& draws) const {
    const TrainOptions& o = t_.options;
    const double share = o.noise_share > 0 ? o.noise_share : sentinels_.empty() ? 0.3 : 0.15;
    TrainingExample e;
    if (!sentinels_.empty()) {
      const SpanCorruption c = corrupt_spans(whole.ids, sentinels_, share, o.span_length, draws);
      e.ids = framed(c.source);
      e.of_rows = framed(c.target);
      e.target = shifted_labels(config_, e.of_rows, static_cast<std::int64_t>(e.of_rows.size()));
      return e;
    }
    e = whole;
    e.ids = framed(infill(permute_sentences(whole.ids, begins, draws), *t_.tokenizer.mask_id(), share, o.span_length, draws));
    return e;
  }

  const TaskTraining& t_;
  Config config_;
  std::vector<std::int32_t> prefix_, suffix_, sentinels_;
  std::size_t most_ = 0;  // tokens of a text, without those before and behind it
};

}  // namespace

void prepare_denoising(TaskTraining& t) {
  const auto texts = read_examples<TextExample>(t, [&](const std::vector<std::string>& files, const std::function<void(TextExample&&)>& take) {
    return read_texts(files, t.options.data, LabelColumn::kUnused, take);
  });
  const Reader read(t);
  t.training = read(texts.training);
  t.validation = read(texts.validation);
  t.figures = add_perplexity;
}

}  // namespace polymath
