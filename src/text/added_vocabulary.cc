#include "text/added_vocabulary.h"

#include <algorithm>

#include "base/printable.h"
#include "polymath/error.h"
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
  out.most = growth_limit(out.text.size());
  if (s.tracked && begin < end) {
    out.align.assign(s.align.begin() + static_cast<std::ptrdiff_t>(begin), s.align.begin() + static_cast<std::ptrdiff_t>(end));
    out.original_begin = out.align.front()[0];
    out.original_end = out.align.back()[1];
  }
  return out;
}

}  // namespace

StringFinder::StringFinder(std::vector<std::pair<std::string, std::int32_t>> texts) {
  auto kept = std::make_shared<const std::vector<std::pair<std::string, std::int32_t>>>(std::move(texts));
  std::vector<std::pair<std::string_view, std::int32_t>> views;
  std::unordered_set<std::string_view> seen;
  for (const auto& [text, id] : *kept) {
    if (text.empty() || !seen.insert(text).second) continue;
    views.emplace_back(text, id);
    lengths_[static_cast<std::uint8_t>(text[0])].push_back(static_cast<std::uint32_t>(text.size()));
  }
  for (auto& lengths : lengths_) {
    std::sort(lengths.begin(), lengths.end());
    lengths.erase(std::unique(lengths.begin(), lengths.end()), lengths.end());
  }
  texts_ = Vocabulary(views, kept);
}

std::optional<StringFinder::Found> StringFinder::find(std::string_view text, std::size_t from) const {
  for (std::size_t begin = from; begin < text.size(); ++begin) {
    const auto& lengths = lengths_[static_cast<std::uint8_t>(text[begin])];
    std::optional<Found> longest;
    RunningHash hash;
    std::size_t hashed = 0;
    for (const std::size_t length : lengths) {
      if (length > text.size() - begin) break;
      while (hashed < length) hash.add(text[begin + hashed++]);
      const std::int32_t id = texts_.find(text.substr(begin, length), hash.value());
      if (id >= 0) longest = Found{begin, begin + length, id};
    }
    if (longest) return longest;
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
    else if (next < INT32_MAX) id = next++;
    else throw Error(ErrorCode::kBadFile, "there is no id left for the token \"" + printable(token.content) + "\"", "added_tokens");
    if (token.normalized && normalizer) {
      NormalizedString s = NormalizedString::of(token.content, /*tracked=*/false);
      (*normalizer)(s);
      if (s.text != token.content) normalized_[id] = s.text;
    }
    ids_[token.content] = id;
    if (token.special) special_.insert(token.content);
    tokens_[id] = token;
  }
  std::vector<std::pair<std::string, std::int32_t>> plain, in_normalized;
  for (const auto& [id, token] : tokens_) {
    const auto normalized = normalized_.find(id);
    if (!token.normalized) plain.emplace_back(token.content, id);
    else in_normalized.emplace_back(normalized == normalized_.end() ? token.content : normalized->second, id);
  }
  plain_ = std::make_shared<const StringFinder>(std::move(plain));
  in_normalized_ = std::make_shared<const StringFinder>(std::move(in_normalized));
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

void AddedVocabulary::split(NormalizedString&& s, const StringFinder* finder, bool split_special, std::vector<std::pair<NormalizedString, std::int32_t>>& out) const {
  const std::string_view text = s.text;
  std::size_t done = 0;  // what lies before is in `out`
  std::size_t made = 0;  // bytes in `out`: tokens that take the same spaces repeat them, as in the crate
  std::size_t space_begin = 0, space_end = 0;  // white space that was taken last
  bool whole = true;
  if (finder && !finder->empty()) {
    for (std::size_t from = 0; auto found = finder->find(text, from);) {
      from = found->end;
      const AddedToken& token = tokens_.find(found->id)->second;
      if (split_special && is_special(token.content)) continue;
      if (token.single_word && (ends_with_word(text.substr(0, found->begin)) || starts_with_word(text.substr(found->end)))) continue;
      std::size_t begin = found->begin, end = found->end;
      if (token.lstrip) begin = begin > done ? done + without_trailing_space(text.substr(done, begin - done)) : done;
      if (token.rstrip) {
        if (end < space_begin || end > space_end) {
          space_begin = end;
          space_end = end + leading_space(text.substr(end));
        }
        end = space_end;
      }
      end = std::max(begin, end);
      made += end - begin;
      if (made > growth_limit(text.size())) fail_growth("added_tokens", text.size());
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
  split(NormalizedString::of(text, out.tracked()), plain_.get(), split_special, plain);
  for (auto& [s, id] : plain) {
    if (id >= 0) {
      parts.emplace_back(std::move(s), id);
      continue;
    }
    if (normalizer && !s.text.empty()) (*normalizer)(s);
    split(std::move(s), in_normalized_.get(), split_special, parts);
  }
  for (auto& [s, id] : parts) out.append(std::move(s), id);
}

}  // namespace polymath
