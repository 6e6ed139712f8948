#include "text/encoding.h"

#include <algorithm>

#include "polymath/error.h"

namespace polymath {
namespace {

constexpr std::size_t kMostPairTokens = std::size_t{1} << 17;  // in all the pairs of overflowing parts

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

Encoding part_of(const Encoding& e, std::size_t begin, std::size_t end) {
  auto cut = [&](const auto& values) {
    return std::decay_t<decltype(values)>(values.begin() + static_cast<std::ptrdiff_t>(begin), values.begin() + static_cast<std::ptrdiff_t>(end));
  };
  Encoding out;
  out.ids = cut(e.ids);
  out.type_ids = cut(e.type_ids);
  out.tokens = cut(e.tokens);
  out.offsets = cut(e.offsets);
  out.word_ids = cut(e.word_ids);
  out.special_tokens_mask = cut(e.special_tokens_mask);
  out.attention_mask = cut(e.attention_mask);
  return out;
}

}  // namespace

std::optional<std::pair<std::size_t, std::size_t>> Encoding::sequence_range(int sequence) const {
  if (sequence == 0 || sequence == 1) {
    if (const auto& range = ranges[static_cast<std::size_t>(sequence)]) return range;
  }
  return std::pair<std::size_t, std::size_t>{0, size()};
}

std::optional<int> Encoding::token_to_sequence(std::size_t token) const {
  if (token > size()) return std::nullopt;
  if (!ranges[0] && !ranges[1]) return 0;
  for (int sequence = 0; sequence < 2; ++sequence) {
    const auto& range = ranges[static_cast<std::size_t>(sequence)];
    if (range && token >= range->first && token < range->second) return sequence;
  }
  return std::nullopt;
}

std::optional<int> Encoding::token_to_word(std::size_t token) const {
  if (token >= size() || !token_to_sequence(token) || word_ids[token] < 0) return std::nullopt;
  return word_ids[token];
}

std::optional<std::pair<std::size_t, std::size_t>> Encoding::word_to_tokens(int word, int sequence) const {
  const auto range = *sequence_range(sequence);
  std::optional<std::size_t> first, last;
  for (std::size_t i = range.first; i < range.second; ++i) {
    if (word_ids[i] > word) break;  // words ascend
    if (word_ids[i] != word || word < 0) continue;
    if (!first) first = i;
    last = i + 1;
  }
  if (!first) return std::nullopt;
  return std::pair{*first, *last};
}

std::optional<Span> Encoding::word_to_chars(int word, int sequence) const {
  const auto tokens_of_word = word_to_tokens(word, sequence);
  if (!tokens_of_word) return std::nullopt;
  return Span{offsets[tokens_of_word->first][0], offsets[tokens_of_word->second - 1][1]};
}

std::optional<std::size_t> Encoding::char_to_token(std::uint32_t position, int sequence) const {
  const auto range = *sequence_range(sequence);
  for (std::size_t i = range.first; i < range.second; ++i) {
    if (position >= offsets[i][0] && position < offsets[i][1]) return i;
  }
  return std::nullopt;
}

std::optional<int> Encoding::char_to_word(std::uint32_t position, int sequence) const {
  const auto token = char_to_token(position, sequence);
  return token ? token_to_word(*token) : std::nullopt;
}

void Encoding::add(std::int32_t id, std::string token, Span offset, std::int32_t word, bool special, std::int32_t type_id) {
  ids.push_back(id);
  type_ids.push_back(type_id);
  tokens.push_back(std::move(token));
  offsets.push_back(offset);
  word_ids.push_back(word);
  special_tokens_mask.push_back(special);
  attention_mask.push_back(1);
}

void Encoding::truncate(std::size_t length, std::size_t stride, Side direction, bool keeps_overflow) {
  const std::size_t whole = size();
  if (length >= whole) return;
  if (length == 0) {
    Encoding all = std::move(*this);
    *this = Encoding{};
    if (keeps_overflow) overflowing.push_back(std::move(all));
    return;
  }
  if (stride >= length) {
    throw Error(ErrorCode::kInvalidArgument, "is " + std::to_string(stride) + ", must be below the " + std::to_string(length) +
                                                 " tokens that truncation leaves for the text", "stride");
  }
  if (!keeps_overflow) {
    *this = direction == Side::kRight ? part_of(*this, 0, length) : part_of(*this, whole - length, whole);
    return;
  }
  std::vector<std::pair<std::size_t, std::size_t>> parts;
  const std::size_t step = length - stride;
  if (direction == Side::kRight) {
    for (std::size_t begin = 0; parts.empty() || parts.back().second < whole; begin += step) parts.emplace_back(begin, std::min(begin + length, whole));
  } else {
    for (std::size_t end = whole; parts.empty() || parts.back().first > 0; end -= step) parts.emplace_back(end > length ? end - length : 0, end);
  }
  Encoding first = part_of(*this, parts[0].first, parts[0].second);
  for (std::size_t i = 1; i < parts.size(); ++i) first.overflowing.push_back(part_of(*this, parts[i].first, parts[i].second));
  *this = std::move(first);
}

void Encoding::merge(const Encoding& other) {
  std::size_t room = overflowing.empty() || other.overflowing.empty() ? SIZE_MAX : kMostPairTokens;
  merge(other, room);
}

void Encoding::merge(const Encoding& other, std::size_t& room) {
  constexpr std::size_t kPart = 32;  // even an empty part has its price
  const std::size_t made = size() + other.size() + kPart;
  if (made > room) {
    throw Error(ErrorCode::kResource, "both sequences overflow, and the pairs of their parts have more than " + std::to_string(kMostPairTokens) + " tokens", "truncation");
  }
  room -= made;
  std::vector<Encoding> parts;
  const auto add = [&](const Encoding& mine, const Encoding& theirs) {
    parts.push_back(mine);
    parts.back().merge(theirs, room);
  };
  for (const Encoding& mine : overflowing) {
    add(mine, other);
    for (const Encoding& theirs : other.overflowing) add(mine, theirs);
  }
  for (const Encoding& theirs : other.overflowing) add(*this, theirs);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (other.ranges[i]) ranges[i] = {size() + other.ranges[i]->first, size() + other.ranges[i]->second};
  }
  append(ids, other.ids);
  append(type_ids, other.type_ids);
  append(tokens, other.tokens);
  append(offsets, other.offsets);
  append(word_ids, other.word_ids);
  append(special_tokens_mask, other.special_tokens_mask);
  append(attention_mask, other.attention_mask);
  overflowing = std::move(parts);
}

void Encoding::set_sequence_ids() {
  sequence_ids.assign(size(), -1);
  const int sequences = ranges[0] && ranges[1] ? 2 : 1;
  for (int sequence = 0; sequence < sequences; ++sequence) {
    const auto range = *sequence_range(sequence);
    std::fill(sequence_ids.begin() + static_cast<std::ptrdiff_t>(range.first), sequence_ids.begin() + static_cast<std::ptrdiff_t>(range.second), sequence);
  }
  for (Encoding& part : overflowing) part.set_sequence_ids();
}

void Encoding::pad(std::size_t length, const Padding& padding) {
  for (Encoding& part : overflowing) part.pad(length, padding);
  if (size() < length) {
    const std::size_t missing = length - size();
    const bool left = padding.direction == Side::kLeft;
    auto fill = [&](auto& values, const auto& value) { values.insert(left ? values.begin() : values.end(), missing, value); };
    fill(ids, padding.pad_id);
    fill(type_ids, padding.pad_type_id);
    fill(tokens, padding.pad_token);
    fill(offsets, Span{0, 0});
    fill(word_ids, -1);
    fill(special_tokens_mask, std::uint8_t{1});
    fill(attention_mask, std::uint8_t{0});
    if (left) {
      for (auto& range : ranges) {
        if (range) range = {range->first + missing, range->second + missing};
      }
    }
  }
  set_sequence_ids();
}

void truncate_sequences(std::vector<Encoding>& sequences, const Truncation& truncation, int special) {
  if (truncation.max_length < special) return;
  const auto most = static_cast<std::size_t>(truncation.max_length - special);
  const auto stride = static_cast<std::size_t>(std::max(0, truncation.stride));
  auto cut = [&](Encoding& sequence, std::size_t length) { sequence.truncate(length, stride, truncation.direction, truncation.keeps_overflow); };
  if (most == 0) {
    for (Encoding& sequence : sequences) cut(sequence, 0);
    return;
  }
  std::size_t total = 0;
  for (const Encoding& sequence : sequences) total += sequence.size();
  if (total <= most) return;
  if (truncation.strategy == TruncationStrategy::kLongestFirst) {
    if (sequences.size() == 1) return cut(sequences[0], most);
    // The shorter one stays whole where it can; else both get half, and the longer one the odd token.
    const bool swapped = sequences[0].size() > sequences[1].size();
    std::size_t shorter = std::min(sequences[0].size(), sequences[1].size());
    std::size_t longer = shorter > most ? shorter : std::max(shorter, most - shorter);
    if (shorter + longer > most) {
      shorter = most / 2;
      longer = shorter + most % 2;
    }
    cut(sequences[0], swapped ? longer : shorter);
    cut(sequences[1], swapped ? shorter : longer);
    return;
  }
  const std::size_t index = truncation.strategy == TruncationStrategy::kOnlyFirst ? 0 : 1;
  if (index >= sequences.size()) throw Error(ErrorCode::kInvalidArgument, "Truncation error: Second sequence not provided", "truncation");
  const std::size_t remove = total - most;
  if (sequences[index].size() <= remove) {
    throw Error(ErrorCode::kInvalidArgument, "Truncation error: Sequence to truncate too short to respect the provided max_length", "truncation");
  }
  cut(sequences[index], sequences[index].size() - remove);
}

void pad_encodings(std::vector<Encoding>& encodings, const Padding& padding) {
  std::size_t length = 0;
  if (padding.length) length = static_cast<std::size_t>(std::max(0, *padding.length));
  else {
    for (const Encoding& encoding : encodings) length = std::max(length, encoding.size());
  }
  if (padding.pad_to_multiple_of && *padding.pad_to_multiple_of > 0) {
    const auto multiple = static_cast<std::size_t>(*padding.pad_to_multiple_of);
    length = (length + multiple - 1) / multiple * multiple;
  }
  for (Encoding& encoding : encodings) encoding.pad(length, padding);
}

}  // namespace polymath
