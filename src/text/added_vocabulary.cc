#include "text/added_vocabulary.h"

#include <algorithm>

#include "text/unicode.h"

namespace polymath {
namespace {

bool is_word(char32_t c) { return unicode::has(c, unicode::kWord); }

bool ends_with_word(std::string_view text) {
  if (text.empty()) return false;
  std::size_t begin = text.size() - 1;
  while (begin > 0 && (static_cast<std::uint8_t>(text[begin]) & 0xC0) == 0x80) --begin;
  return is_word(utf8_decode(text.substr(begin)).code);
}

bool starts_with_word(std::string_view text) { return !text.empty() && is_word(utf8_decode(text).code); }

std::size_t without_trailing_space(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0) {
    std::size_t begin = end - 1;
    while (begin > 0 && (static_cast<std::uint8_t>(text[begin]) & 0xC0) == 0x80) --begin;
    if (!unicode::is_whitespace(utf8_decode(text.substr(begin)).code)) break;
    end = begin;
  }
  return end;
}

std::size_t leading_space(std::string_view text) {
  CodePoints points(text);
  std::size_t end = 0;
  while (!points.done() && unicode::is_whitespace(points.next())) end = points.position();
  return end;
}

NormalizedString slice(const NormalizedString& s, std::size_t begin, std::size_t end) {
  NormalizedString out;
  out.text = s.text.substr(begin, end - begin);
  out.tracked = s.tracked;
  out.original_begin = s.original_begin;
  if (s.tracked && begin < end) {
    out.align.assign(s.align.begin() + static_cast<std::ptrdiff_t>(begin), s.align.begin() + static_cast<std::ptrdiff_t>(end));
    out.original_begin = out.align.front()[0];
    out.original_end = out.align.back()[1];
  }
  return out;
}

}  // namespace

void StringFinder::add(const std::string& text, std::int32_t id) {
  if (text.empty() || ids_.contains(text)) return;
  texts_.push_back(std::make_unique<const std::string>(text));
  ids_.emplace(*texts_.back(), id);
  auto& lengths = lengths_[static_cast<std::uint8_t>(text[0])];
  const auto at = std::lower_bound(lengths.begin(), lengths.end(), text.size(), std::greater<>());
  if (at == lengths.end() || *at != text.size()) lengths.insert(at, static_cast<std::uint32_t>(text.size()));
}

std::optional<StringFinder::Found> StringFinder::find(std::string_view text, std::size_t from) const {
  for (std::size_t begin = from; begin < text.size(); ++begin) {
    for (const std::size_t length : lengths_[static_cast<std::uint8_t>(text[begin])]) {
      if (length > text.size() - begin) continue;
      const auto found = ids_.find(text.substr(begin, length));
      if (found != ids_.end()) return Found{begin, begin + length, found->second};
    }
  }
  return std::nullopt;
}

void AddedVocabulary::add(const std::vector<AddedToken>& tokens, const TokenizerModel& model, const Normalizer* normalizer) {
  const auto size = static_cast<std::int32_t>(model.vocabulary_size());
  std::int32_t next = size;
  if (!tokens_.empty() && (tokens_.rbegin()->first >= size || size == 0)) next = tokens_.rbegin()->first + 1;
  for (const AddedToken& token : tokens) {
    if (token.content.empty()) continue;
    std::int32_t id = -1;
    if (const auto known = ids_.find(token.content); known != ids_.end()) id = known->second;
    else if (const std::int32_t in_model = model.vocabulary().find(token.content); in_model >= 0) id = in_model;
    else id = next++;
    if (token.normalized && normalizer) {
      NormalizedString s = NormalizedString::of(token.content, /*tracked=*/false);
      (*normalizer)(s);
      if (s.text != token.content) normalized_[id] = s.text;
    }
    ids_[token.content] = id;
    if (token.special) special_.insert(token.content);
    tokens_[id] = token;
  }
  auto plain = std::make_shared<StringFinder>(), in_normalized = std::make_shared<StringFinder>();
  for (const auto& [id, token] : tokens_) {
    const auto normalized = normalized_.find(id);
    if (!token.normalized) plain->add(token.content, id);
    else in_normalized->add(normalized == normalized_.end() ? token.content : normalized->second, id);
  }
  plain_ = std::move(plain);
  in_normalized_ = std::move(in_normalized);
}

std::optional<std::int32_t> AddedVocabulary::find(const std::string& token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

const AddedToken* AddedVocabulary::token(std::int32_t id) const {
  const auto found = tokens_.find(id);
  return found == tokens_.end() ? nullptr : &found->second;
}

const std::string* AddedVocabulary::decoded(std::int32_t id) const {
  if (const auto normalized = normalized_.find(id); !as_written_ && normalized != normalized_.end() && token(id)) return &normalized->second;
  const AddedToken* found = token(id);
  return found ? &found->content : nullptr;
}

void AddedVocabulary::split(NormalizedString&& s, const StringFinder& finder, bool split_special, std::vector<std::pair<NormalizedString, std::int32_t>>& out) const {
  const std::string_view text = s.text;
  std::size_t done = 0;  // what lies before is in `out`
  bool whole = true;
  if (!finder.empty()) {
    for (std::size_t from = 0; auto found = finder.find(text, from);) {
      from = found->end;
      const AddedToken& token = tokens_.find(found->id)->second;
      if (split_special && is_special(token.content)) continue;
      if (token.single_word && (ends_with_word(text.substr(0, found->begin)) || starts_with_word(text.substr(found->end)))) continue;
      std::size_t begin = found->begin, end = found->end;
      if (token.lstrip) begin = std::max(without_trailing_space(text.substr(0, begin)), done);
      if (token.rstrip) end += leading_space(text.substr(end));
      end = std::max(begin, end);
      if (done < begin) out.emplace_back(slice(s, done, begin), -1);
      out.emplace_back(slice(s, begin, end), found->id);
      done = end;
      whole = false;
    }
  }
  if (whole) out.emplace_back(std::move(s), -1);
  else if (done < text.size()) out.emplace_back(slice(s, done, text.size()), -1);
}

void AddedVocabulary::extract(std::string_view text, const Normalizer* normalizer, bool split_special, Pieces& out) const {
  std::vector<std::pair<NormalizedString, std::int32_t>> plain, parts;
  split(NormalizedString::of(text, out.tracked()), *plain_, split_special, plain);
  for (auto& [s, id] : plain) {
    if (id >= 0) {
      parts.emplace_back(std::move(s), id);
      continue;
    }
    if (normalizer && !s.text.empty()) (*normalizer)(s);
    split(std::move(s), *in_normalized_, split_special, parts);
  }
  for (auto& [s, id] : parts) out.append(std::move(s), id);
}

}  // namespace polymath
