// The vocabulary files from before tokenizer.json: vocab.txt, vocab.json, merges.txt.
// Source: load_vocab and __init__ of Transformers' tokenization_bert.py, tokenization_gpt2.py and tokenization_qwen2.py.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace polymath {

// Views into `storage`. Where a token comes twice its last id counts and its first place is kept, as in a Python dict.
struct VocabFile {
  std::vector<std::pair<std::string_view, std::int32_t>> tokens;
  std::shared_ptr<const void> storage;
};

struct MergesFile {
  std::vector<std::pair<std::string_view, std::string_view>> merges;
  std::shared_ptr<const void> storage;
};

// How a tokenizer's class reads merges.txt.
enum class MergesStyle {
  kBetweenFirstAndLast,  // the lines but the first and the last: GPT-2, RoBERTa and most
  kSkippingHeader,       // all lines but a "#version:" and empty ones: Qwen2
  kClip,                 // at most 48,894 lines after the first
};

// Throw Error{kBadFile, kNotFound, kIo, kResource} naming the file and the line or token. Limits: 256 MB, 2 million tokens or merges.
VocabFile read_vocab_txt(const std::string& path);   // a line is a token, its number the id
VocabFile read_vocab_json(const std::string& path);  // {token: id}
MergesFile read_merges(const std::string& path, MergesStyle style);

// The same of a text in memory.
VocabFile parse_vocab_txt(std::string text, const std::string& where);
VocabFile parse_vocab_json(std::string_view json, const std::string& where);
MergesFile parse_merges(std::string text, MergesStyle style, const std::string& where);

}  // namespace polymath
