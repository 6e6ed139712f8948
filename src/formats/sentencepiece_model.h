// A sentencepiece .model: the protocol buffer ModelProto, read by hand.
// Source: sentencepiece_model.proto of the sentencepiece repository; protobuf.dev's "Encoding" for the wire format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace polymath {

enum class PieceType : std::uint8_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

struct SentencePieceEntry {
  std::string piece;  // valid UTF-8, not empty
  float score = 0;
  PieceType type = PieceType::kNormal;
};

// Fields are named as in the file.
struct SentencePieceModel {
  enum Type { kUnigram = 1, kBpe = 2, kWord = 3, kChar = 4 };

  std::vector<SentencePieceEntry> pieces;  // by id; no piece comes twice among those of a kind (see parse)
  Type model_type = kUnigram;
  int unk_id = 0;                          // the one piece of the type kUnknown
  int trainer_unk_id = 0, bos_id = 1, eos_id = 2, pad_id = -1;  // as trainer_spec says; -1: none
  std::string unk_surface = " \xE2\x81\x87 ", unk_piece = "<unk>";
  bool byte_fallback = false, treat_whitespace_as_suffix = false;
  std::string normalizer_name, precompiled_charsmap, denormalizer_charsmap;
  bool add_dummy_prefix = true, remove_extra_whitespaces = true, escape_whitespaces = true;
};

// Throws Error naming `where` and the piece or field at fault. Refused: more than 2 million pieces, a piece that is
// empty, longer than 4,096 bytes, not UTF-8 or there twice, no unknown piece or several, byte pieces that are
// incomplete, a score that is not finite, a charsmap whose parts do not fit.
SentencePieceModel parse_sentencepiece_model(Bytes file, const std::string& where);
SentencePieceModel read_sentencepiece_model(const std::string& path);

// "<0x41>" -> 0x41; -1 where the text is no byte piece.
int byte_of_piece(std::string_view piece);

// Rules of replacement, as sentencepiece compiles them: the units of a double-array trie over UTF-8, and the replacing texts.
// Source: the comments of Darts-clone (darts.h) for the layout of a unit.
class NormalizationRules {
 public:
  NormalizationRules() = default;
  // Throws Error naming `where`. Keeps a copy.
  NormalizationRules(std::string_view precompiled, const std::string& where);

  bool empty() const { return units_.empty(); }
  // The longest rule that `text` begins with: its length (0: none), and what replaces it.
  std::size_t longest_match(std::string_view text, std::string_view& replacement) const;

 private:
  std::vector<std::uint32_t> units_;
  std::string texts_;  // each ends with a zero byte
};

}  // namespace polymath
