#include "text/incremental_decoder.h"

#include <algorithm>

namespace polymath {
namespace {

constexpr std::size_t kBefore = 6;  // tokens that a decoder may look back at

}  // namespace

IncrementalDecoder::IncrementalDecoder(const PretrainedTokenizer& tokenizer, bool skip_special_tokens, std::vector<std::int32_t> after)
    : tokenizer_(tokenizer), skip_special_tokens_(skip_special_tokens), ids_(std::move(after)) {
  ids_.erase(ids_.begin(), ids_.end() - static_cast<std::ptrdiff_t>(std::min(ids_.size(), kBefore)));
  read_ = ids_.size();
}

std::string IncrementalDecoder::text(std::size_t end) const {
  return tokenizer_.decode({ids_.data() + begin_, end - begin_}, skip_special_tokens_, /*clean_up=*/false);
}

std::string IncrementalDecoder::add(std::int32_t id) {
  ids_.push_back(id);
  const std::string before = text(read_), now = text(ids_.size());
  const bool whole = !now.ends_with("\xEF\xBF\xBD") || ids_.size() - read_ >= 4 + kBefore;  // a character has four bytes at most
  if (now.size() <= before.size() || !whole) return "";
  begin_ = read_;
  read_ = ids_.size();
  return now.substr(before.size());
}

std::string IncrementalDecoder::finish() {
  const std::string before = text(read_), now = text(ids_.size());
  read_ = ids_.size();
  return now.size() > before.size() ? now.substr(before.size()) : "";
}

}  // namespace polymath
