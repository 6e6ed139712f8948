// tokenizer.json, read and checked: what each part of a tokenizer is to do. text/ does it.
//
// Fields are named as in the file. A struct holds the fields of every kind of its part; those
// of other kinds keep their defaults.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace polymath {

namespace spec {

struct Pattern {
  bool is_regex = false;
  std::string text;
};

enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };
enum class PrependScheme { kAlways, kNever, kFirst };

struct Normalizer {
  enum Kind { kSequence, kBert, kStrip, kStripAccents, kNfc, kNfd, kNfkc, kNfkd, kLowercase, kNmt, kPrecompiled, kReplace, kPrepend, kByteLevel };
  Kind kind = kSequence;
  std::vector<Normalizer> normalizers;  // Sequence
  bool clean_text = true, handle_chinese_chars = true, lowercase = true;  // Bert
  std::optional<bool> strip_accents;
  bool strip_left = true, strip_right = true;  // Strip
  std::string precompiled_charsmap;            // Precompiled: bytes
  Pattern pattern;                             // Replace
  std::string content;                         // Replace, Prepend
};

struct PreTokenizer {
  enum Kind { kSequence, kBert, kByteLevel, kMetaspace, kWhitespace, kWhitespaceSplit, kSplit, kPunctuation, kDigits, kCharDelimiterSplit, kUnicodeScripts, kFixedLength };
  Kind kind = kSequence;
  std::vector<PreTokenizer> pretokenizers;                                // Sequence
  bool add_prefix_space = true, trim_offsets = true, use_regex = true;    // ByteLevel
  char32_t replacement = 0x2581;                                          // Metaspace
  PrependScheme prepend_scheme = PrependScheme::kAlways;
  bool split = true;
  Pattern pattern;                                                        // Split
  SplitBehavior behavior = SplitBehavior::kIsolated;                      // Split, Punctuation
  bool invert = false;
  bool individual_digits = false;                                         // Digits
  char32_t delimiter = ' ';                                               // CharDelimiterSplit
  std::uint32_t length = 5;                                               // FixedLength
};

struct TemplatePiece {
  int sequence = -1;             // 0: A, 1: B; -1: a special token
  std::size_t special_token = 0; // index into special_tokens
  std::int32_t type_id = 0;
};

struct SpecialToken {
  std::string id;
  std::vector<std::int32_t> ids;
  std::vector<std::string> tokens;
};

struct PostProcessor {
  enum Kind { kSequence, kTemplate, kBert, kRoberta, kByteLevel };
  Kind kind = kSequence;
  std::vector<PostProcessor> processors;                // Sequence
  std::vector<TemplatePiece> single, pair;              // TemplateProcessing
  std::vector<SpecialToken> special_tokens;
  std::pair<std::string, std::int32_t> sep, cls;        // Bert, Roberta
  bool trim_offsets = true, add_prefix_space = true;    // Roberta, ByteLevel
};

struct Decoder {
  enum Kind { kSequence, kWordPiece, kByteLevel, kMetaspace, kBpe, kByteFallback, kFuse, kReplace, kStrip, kCtc };
  Kind kind = kSequence;
  std::vector<Decoder> decoders;                          // Sequence
  std::string prefix = "##";                              // WordPiece
  bool cleanup = true;                                    // WordPiece, CTC
  char32_t replacement = 0x2581;                          // Metaspace
  PrependScheme prepend_scheme = PrependScheme::kAlways;
  std::string suffix = "</w>";                            // BPEDecoder
  Pattern pattern;                                        // Replace
  std::string content;                                    // Replace; Strip's single character
  std::uint32_t start = 0, stop = 0;                      // Strip
  std::string pad_token = "<pad>", word_delimiter_token = "|";  // CTC
};

struct Model {
  enum Kind { kWordPiece, kBpe, kUnigram, kWordLevel };
  Kind kind = kWordPiece;
  std::vector<std::pair<std::string_view, std::int32_t>> vocab;             // of Unigram: in the order of ids
  std::vector<double> scores;                                               // Unigram
  std::vector<std::pair<std::string_view, std::string_view>> merges;        // BPE
  std::optional<std::string> unk_token;                                     // all but Unigram
  std::optional<std::int32_t> unk_id;                                       // Unigram
  std::optional<std::string> continuing_subword_prefix, end_of_word_suffix;
  std::uint32_t max_input_chars_per_word = 100;                             // WordPiece
  bool fuse_unk = false, byte_fallback = false, ignore_merges = false;
};

struct AddedToken {
  std::int32_t id = 0;
  std::string content;
  bool single_word = false, lstrip = false, rstrip = false, normalized = true, special = false;
};

}  // namespace spec

struct TokenizerSpec {
  std::string where;  // the file, for errors
  std::vector<spec::AddedToken> added_tokens;
  std::optional<spec::Normalizer> normalizer;
  std::optional<spec::PreTokenizer> pre_tokenizer;
  std::optional<spec::PostProcessor> post_processor;
  std::optional<spec::Decoder> decoder;
  spec::Model model;
  // The truncation and padding sections do not change what a tokenizer gives; Transformers takes these from them.
  bool truncates_left = false;
  struct PaddingSection {
    bool left = false;
    std::string pad_token;
    std::int32_t pad_type_id = 0;
  };
  std::optional<PaddingSection> padding;
  std::shared_ptr<const void> storage;  // owns what the string_views of `model` point to
};

// Limits, so that a file cannot ask for unbounded memory.
inline constexpr std::size_t kMaxVocabulary = 2'000'000;
inline constexpr int kMaxSequenceDepth = 32;
inline constexpr int kMaxTemplateSequences = 16;

// Throw Error{kBadFile}; a message names `where` and the field, as "tokenizer.json: model.vocab.foo".
TokenizerSpec parse_tokenizer_json(std::string_view json, const std::string& where);
TokenizerSpec read_tokenizer_json(const std::string& path);

// The bytes that base64 text stands for. Throws Error{kBadFile} naming `where`.
std::string decode_base64(std::string_view text, const std::string& where);

}  // namespace polymath
