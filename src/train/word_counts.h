// The words of a corpus with how often each occurs: what tokenizers are trained on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "formats/tokenizer_json.h"

namespace polymath {

class Normalizer;
class PreTokenizer;

// By text, so that the order of the corpus and the number of threads change nothing.
using WordCounts = std::vector<std::pair<std::string, std::uint64_t>>;

// Counts what normalizer and pre-tokenizer make of texts. Not thread safe; uses all threads by itself.
class WordCounter {
 public:
  explicit WordCounter(const TokenizerSpec& spec);

  void add(std::string text);
  std::uint64_t bytes() const { return bytes_; }  // of the texts added
  WordCounts take();

 private:
  using Counts = std::unordered_map<std::string, std::uint64_t>;
  void count();  // the texts that wait

  std::shared_ptr<const Normalizer> normalizer_;
  std::shared_ptr<const PreTokenizer> pre_tokenizer_;
  std::vector<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t bytes_ = 0;
  std::vector<Counts> counts_;  // of each slice of the work
};

}  // namespace polymath
