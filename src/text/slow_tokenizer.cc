#include "text/slow_tokenizer.h"

#include <algorithm>
#include <charconv>

#include "base/printable.h"
#include "base/utf8.h"
#include "polymath/error.h"
#include "text/unicode.h"

namespace polymath {
namespace {

constexpr std::int32_t kMostAddedId = 10'000'000;

// str.isspace: Unicode's white space and the four ASCII separators.
bool is_python_space(char32_t c) { return unicode::is_whitespace(c) || (c >= 0x1C && c <= 0x1F); }

std::string_view strip_left(std::string_view text) {
  while (!text.empty()) {
    const Utf8Char c = utf8_decode(text);
    if (!is_python_space(c.code)) break;
    text.remove_prefix(static_cast<std::size_t>(c.length));
  }
  return text;
}

std::string_view strip_right(std::string_view text) {
  while (!text.empty()) {
    std::size_t begin = text.size() - 1;
    while (begin > 0 && (static_cast<std::uint8_t>(text[begin]) & 0xC0) == 0x80) --begin;
    if (!is_python_space(utf8_decode(text.substr(begin)).code)) break;
    text = text.substr(0, begin);
  }
  return text;
}

AddedToken read_token(const Json& value, const std::string& where) {
  AddedToken token;
  if (value.is_string()) token.content = value.get<std::string>();
  else if (value.is_object() && value.contains("content") && value["content"].is_string()) {
    token.content = value["content"].get<std::string>();
    const auto flag = [&](const char* name, bool& into) {
      const auto found = value.find(name);
      if (found == value.end()) return;
      if (!found->is_boolean()) throw Error(ErrorCode::kBadFile, std::string(name) + " must be true or false", where);
      into = found->get<bool>();
    };
    flag("single_word", token.single_word);
    flag("lstrip", token.lstrip);
    flag("rstrip", token.rstrip);
    flag("special", token.special);
    token.normalized = !token.special;
    flag("normalized", token.normalized);
  } else throw Error(ErrorCode::kBadFile, "an added token needs a content", where);
  return token;
}

// The ids that truncation leaves, as truncate_sequences does it for either side of a pair.
void truncate(std::vector<std::int32_t>& first, std::vector<std::int32_t>& second, const Truncation& t, std::size_t special) {
  const std::size_t total = first.size() + second.size() + special;
  const auto most = static_cast<std::size_t>(std::max(t.max_length, 0));
  if (total <= most) return;
  const std::size_t excess = total - most;
  const auto cut = [&](std::vector<std::int32_t>& ids, std::size_t count) {
    count = std::min(count, ids.size());
    if (t.direction == Side::kLeft) ids.erase(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count));
    else ids.resize(ids.size() - count);
  };
  if (t.strategy == TruncationStrategy::kOnlySecond) {
    if (second.size() > excess) cut(second, excess);
  } else if (t.strategy == TruncationStrategy::kOnlyFirst || second.empty()) {
    if (first.size() > excess) cut(first, excess);
  } else {
    const bool first_longer = first.size() > second.size();
    const std::size_t difference = first_longer ? first.size() - second.size() : second.size() - first.size();
    const std::size_t from_longer = std::min(difference, excess), rest = excess - from_longer;
    cut(first, first_longer ? from_longer + rest / 2 : rest / 2);
    cut(second, first_longer ? rest - rest / 2 : from_longer + rest - rest / 2);
  }
}

}  // namespace

std::map<std::int32_t, AddedToken> read_added_tokens(const TokenizerSettings& settings) {
  std::map<std::int32_t, AddedToken> tokens;
  const auto add = [&](std::int64_t id, AddedToken token, const std::string& where) {
    if (id < 0 || id > kMostAddedId) throw Error(ErrorCode::kBadFile, "the id " + std::to_string(id) + " is out of range", where);
    if (!token.content.empty()) tokens[static_cast<std::int32_t>(id)] = std::move(token);
  };
  const auto decoder = settings.tokenizer_config.find("added_tokens_decoder");
  if (decoder != settings.tokenizer_config.end() && decoder->is_object()) {
    const std::string where = settings.folder + "/tokenizer_config.json: added_tokens_decoder";
    for (const auto& [key, value] : decoder->items()) {
      std::int64_t id = -1;
      const auto parsed = std::from_chars(key.data(), key.data() + key.size(), id);
      if (parsed.ec != std::errc() || parsed.ptr != key.data() + key.size()) throw Error(ErrorCode::kBadFile, "\"" + printable(key) + "\" is not an id", where);
      add(id, read_token(value, where + ": " + printable(key)), where);
    }
    return tokens;
  }
  const auto special = all_special_tokens(settings.special);
  for (const auto& [content, id] : settings.added_tokens.items()) {
    const std::string where = settings.folder + "/added_tokens.json: " + printable(content);
    if (!id.is_number_integer()) throw Error(ErrorCode::kBadFile, "its id must be a whole number", where);
    const bool is_special = std::find(special.begin(), special.end(), content) != special.end();
    add(id.get<std::int64_t>(), {content, false, false, false, !is_special, is_special}, where);
  }
  return tokens;
}

std::string python_strip(std::string_view text) { return std::string(strip_left(strip_right(text))); }

std::vector<std::string> all_special_tokens(const SpecialTokens& s) {
  std::vector<std::string> tokens;
  const auto add = [&](const std::string& token) {
    if (!token.empty() && std::find(tokens.begin(), tokens.end(), token) == tokens.end()) tokens.push_back(token);
  };
  for (const auto* token : {&s.bos_token, &s.eos_token, &s.unk_token, &s.sep_token, &s.pad_token, &s.cls_token, &s.mask_token}) {
    if (*token) add(**token);
  }
  for (const std::string& token : s.additional_special_tokens) add(token);
  return tokens;
}

SlowTokenizer::SlowTokenizer(const TokenizerSettings& settings) : special_(settings.special), special_order_(all_special_tokens(special_)) {
  special_tokens_.insert(special_order_.begin(), special_order_.end());
  for (auto& [id, token] : read_added_tokens(settings)) add(id, token);
}

void SlowTokenizer::add(std::int32_t id, AddedToken token) {
  added_ids_[token.content] = id;
  trie_.add(token.content, id);
  added_[id] = std::move(token);
}

void SlowTokenizer::add_special_tokens() {
  auto next = static_cast<std::int32_t>(vocab_size(true));
  for (const std::string& token : special_order_) {
    if (added_ids_.contains(token)) continue;
    const auto known = find_in_vocabulary(token);
    add(known ? *known : next++, {token, false, false, false, false, true});
  }
}

int SlowTokenizer::vocab_size(bool with_added_tokens) const {
  int count = size();
  if (!with_added_tokens) return count;
  for (const auto& [token, id] : added_ids_) count += !find_in_vocabulary(token);
  return count;
}

std::int32_t SlowTokenizer::id_of(std::string_view token) const {
  if (const auto id = token_to_id(token)) return *id;
  const auto unknown = special_.unk_token ? token_to_id(*special_.unk_token) : std::nullopt;
  return unknown.value_or(0);
}

std::optional<std::int32_t> SlowTokenizer::token_to_id(std::string_view token) const {
  const auto found = added_ids_.find(std::string(token));
  return found != added_ids_.end() ? found->second : find(token);
}

std::optional<std::string> SlowTokenizer::id_to_token(std::int32_t id) const {
  const auto found = added_.find(id);
  return found != added_.end() ? found->second.content : find(id);
}

int SlowTokenizer::num_special_tokens_to_add(bool) const { return static_cast<int>(prefix().size() + suffix().size()); }

// The text between added tokens; an added token may take spaces from its neighbours, or refuse to stand inside of a word.
void SlowTokenizer::append_tokens(std::string_view text, std::vector<std::string>& tokens) const {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = trie_.longest_match(text.substr(at));
    if (length == 0) {
      ++at;
      continue;
    }
    if (at > begin) parts.emplace_back(text.substr(begin, at - begin));
    parts.emplace_back(text.substr(at, length));
    begin = at += length;
  }
  if (begin < text.size()) parts.emplace_back(text.substr(begin));

  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto id = added_ids_.find(parts[i]);
    if (id == added_ids_.end()) continue;
    const AddedToken& token = added_.at(id->second);
    const std::string left = i > 0 ? parts[i - 1] : "", right = i + 1 < parts.size() ? parts[i + 1] : "";
    if (token.rstrip && !right.empty()) parts[i + 1] = strip_left(right);
    if (token.lstrip && !left.empty()) parts[i - 1] = strip_right(left);
    if (token.single_word && !left.empty() && left.back() != ' ') {
      parts[i - 1] += token.content;
      parts[i].clear();
    } else if (token.single_word && !right.empty() && right.front() != ' ') {
      parts[i + 1] = token.content + parts[i + 1];
      parts[i].clear();
    }
  }
  for (std::string& part : parts) {
    if (part.empty()) continue;
    if (added_ids_.contains(part)) tokens.push_back(std::move(part));
    else {
      for (std::string& token : tokenize(part)) tokens.push_back(std::move(token));
    }
  }
}

std::vector<std::int32_t> SlowTokenizer::ids_of(const TextInput& input) const {
  std::vector<std::string> tokens;
  if (input.split) {
    for (const std::string& word : input.words) append_tokens(utf8_lossy(word), tokens);
  } else append_tokens(utf8_lossy(input.text), tokens);
  std::vector<std::int32_t> ids;
  ids.reserve(tokens.size());
  for (const std::string& token : tokens) ids.push_back(id_of(token));
  return ids;
}

Encoding SlowTokenizer::encode(const TextInput& text, const TextInput* pair, const EncodeOptions& options) const {
  std::vector<std::int32_t> first = ids_of(text), second = pair ? ids_of(*pair) : std::vector<std::int32_t>();
  const auto before = options.add_special_tokens ? prefix() : std::vector<std::int32_t>();
  const auto after = options.add_special_tokens ? suffix() : std::vector<std::int32_t>();
  if (options.truncation) truncate(first, second, *options.truncation, before.size() + after.size());
  Encoding out;
  const auto append = [&](const std::vector<std::int32_t>& ids, int sequence) {
    for (std::int32_t id : ids) {
      out.ids.push_back(id);
      out.type_ids.push_back(0);
      out.tokens.push_back(id_to_token(id).value_or(special_.unk_token.value_or("")));
      out.offsets.push_back({0, 0});
      out.word_ids.push_back(-1);
      out.sequence_ids.push_back(sequence);
      out.special_tokens_mask.push_back(sequence < 0 || (options.add_special_tokens && marks_special(id)));
      out.attention_mask.push_back(1);
    }
  };
  append(before, -1);
  append(first, 0);
  append(second, 1);
  append(after, -1);
  if (options.padding) {
    std::vector<Encoding> one = {std::move(out)};
    pad_encodings(one, *options.padding);
    return std::move(one[0]);
  }
  return out;
}

std::string SlowTokenizer::decode(std::span<const std::int32_t> ids, bool skip_special_tokens) const {
  // Added tokens that are not special, and additional ones outside of the vocabulary, stand alone between spaces.
  const auto stands_alone = [&](const std::string& token) {
    if (added_ids_.contains(token) && !is_special(token)) return true;
    const auto& more = special_.additional_special_tokens;
    return std::find(more.begin(), more.end(), token) != more.end() && id_of(token) >= size();
  };
  std::vector<std::string> texts, run;
  const auto flush = [&](bool even_if_empty) {
    if (run.empty()) return;
    std::string text = convert_tokens_to_string(run);
    if (even_if_empty || !text.empty()) texts.push_back(std::move(text));
    run.clear();
  };
  for (std::int32_t id : ids) {
    std::string token = id_to_token(id).value_or(special_.unk_token.value_or(""));
    if (skip_special_tokens && is_special(token)) continue;
    if (stands_alone(token)) {
      flush(false);
      texts.push_back(std::move(token));
    } else run.push_back(std::move(token));
  }
  flush(true);
  std::string out;
  for (std::size_t i = 0; i < texts.size(); ++i) out += (i > 0 ? " " : "") + texts[i];
  return out;
}

}  // namespace polymath
