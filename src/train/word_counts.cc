#include "train/word_counts.h"

#include <algorithm>

#include "base/threads.h"
#include "polymath/error.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"

namespace polymath {
namespace {

constexpr std::size_t kBytesAtOnce = std::size_t{8} << 20;
constexpr std::size_t kMostBytes = std::size_t{1} << 28;  // of a text: positions in it are 32-bit, and a byte may become several

}  // namespace

WordCounter::WordCounter(const TokenizerSpec& spec)
    : normalizer_(spec.normalizer ? make_normalizer(*spec.normalizer, spec.where) : nullptr),
      pre_tokenizer_(spec.pre_tokenizer ? make_pre_tokenizer(*spec.pre_tokenizer, spec.where) : nullptr),
      counts_(static_cast<std::size_t>(ThreadPool::global().size())) {}

void WordCounter::add(std::string text) {
  if (text.size() > kMostBytes) {
    throw Error(ErrorCode::kResource, "a text has " + std::to_string(text.size() >> 20) + " MiB; the limit is 256: let --format lines or paragraphs cut it");
  }
  bytes_ += text.size();
  waiting_bytes_ += text.size();
  waiting_.push_back(std::move(text));
  if (waiting_bytes_ > kBytesAtOnce) count();
}

void WordCounter::count() {
  ThreadPool::global().parallel_for(counts_.size(), [&](std::size_t slice) {
    Counts& counts = counts_[slice];
    for (std::size_t i = slice; i < waiting_.size(); i += counts_.size()) {
      NormalizedString s = NormalizedString::of(waiting_[i], /*tracked=*/false);
      if (normalizer_) (*normalizer_)(s);
      Pieces pieces(/*tracked=*/false);
      pieces.append(std::move(s), -1);
      if (pre_tokenizer_) (*pre_tokenizer_)(pieces);
      for (const Piece& piece : pieces.list()) ++counts[std::string(pieces.text_of(piece))];
    }
  });
  waiting_.clear();
  waiting_bytes_ = 0;
}

WordCounts WordCounter::take() {
  count();
  Counts all = std::move(counts_[0]);
  for (std::size_t i = 1; i < counts_.size(); ++i) {
    for (const auto& [word, n] : counts_[i]) all[word] += n;
    counts_[i].clear();
  }
  WordCounts words(all.begin(), all.end());
  std::sort(words.begin(), words.end());
  return words;
}

}  // namespace polymath
