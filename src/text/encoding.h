// What a tokenizer makes of a text: token ids and where each token came from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace polymath {

enum class Side { kLeft, kRight };

enum class TruncationStrategy { kLongestFirst, kOnlyFirst, kOnlySecond };

struct Truncation {
  int max_length = 512;  // special tokens counted
  TruncationStrategy strategy = TruncationStrategy::kLongestFirst;
  int stride = 0;                  // tokens that a part in `overflowing` shares with the one before
  Side direction = Side::kRight;   // the side that is cut
  bool keeps_overflow = true;      // false: `overflowing` stays empty
};

struct Padding {
  std::optional<int> length;              // absent: as long as the longest of the batch
  std::optional<int> pad_to_multiple_of;  // then rounded up
  Side direction = Side::kRight;          // the side that is filled
  std::int32_t pad_id = 0;
  std::int32_t pad_type_id = 0;
  std::string pad_token = "[PAD]";
};

using Span = std::array<std::uint32_t, 2>;  // [begin, end)

// All vectors have one item per token. Positions that a query does not hit give no value.
struct Encoding {
  std::vector<std::int32_t> ids, type_ids;
  std::vector<std::string> tokens;
  std::vector<Span> offsets;               // code points of the sequence the token came from; {0, 0} for special tokens
  std::vector<std::int32_t> word_ids;      // index of the word within its sequence; -1: none
  std::vector<std::int32_t> sequence_ids;  // 0: first text, 1: second; -1: neither
  std::vector<std::uint8_t> special_tokens_mask, attention_mask;
  std::vector<Encoding> overflowing;       // the parts that truncation cut off, each as long as this one

  std::size_t size() const { return ids.size(); }

  // [first, last) tokens of a sequence.
  std::optional<std::pair<std::size_t, std::size_t>> sequence_range(int sequence) const;
  std::optional<int> token_to_sequence(std::size_t token) const;
  std::optional<int> token_to_word(std::size_t token) const;
  // [begin, end) code points from the first to the last token of a word.
  std::optional<Span> word_to_chars(int word, int sequence = 0) const;
  // [first, last) tokens of a word.
  std::optional<std::pair<std::size_t, std::size_t>> word_to_tokens(int word, int sequence = 0) const;
  std::optional<std::size_t> char_to_token(std::uint32_t position, int sequence = 0) const;
  std::optional<int> char_to_word(std::uint32_t position, int sequence = 0) const;

  void pad(std::size_t length, const Padding& padding);  // and its overflowing parts

  // Below: for those who make encodings.

  // The tokens of each sequence, special tokens not counted; absent where not known, as after truncation.
  // Without any, all tokens count as those of sequence 0.
  std::array<std::optional<std::pair<std::size_t, std::size_t>>, 2> ranges;

  void add(std::int32_t id, std::string token, Span offset, std::int32_t word, bool special, std::int32_t type_id);
  void set_sequence(int sequence) { ranges[static_cast<std::size_t>(sequence)] = {0, size()}; }
  // Keeps the first (last, from the left) `length` tokens; the rest goes into `overflowing` in parts of that length
  // that share `stride` tokens, if asked for. Throws Error{kInvalidArgument} where stride is not below length.
  void truncate(std::size_t length, std::size_t stride, Side direction, bool keeps_overflow = true);
  // Appends another encoding; every overflowing part is combined with the other's text and parts. Throws Error{kResource} where
  // those pairs would hold more than 131,072 tokens.
  void merge(const Encoding& other);
  void set_sequence_ids();  // from `ranges`; of the overflowing parts too

 private:
  void merge(const Encoding& other, std::size_t& room);  // tokens that the parts made may still have
};

// Pads all to one length: the fixed one, or that of the longest.
void pad_encodings(std::vector<Encoding>& encodings, const Padding& padding);

// Truncates one or two sequences so that, with `special` tokens added later, they have at most max_length tokens. As the
// crate does, nothing is cut where max_length is below `special`. Throws Error{kInvalidArgument} where the strategy's
// sequence is too short or missing.
void truncate_sequences(std::vector<Encoding>& sequences, const Truncation& truncation, int special);

}  // namespace polymath
