// Text from tokens that come one at a time, in pieces that are whole UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/pretrained_tokenizer.h"

namespace polymath {

class IncrementalDecoder {
 public:
  // after: the tokens that stand before; only their last few matter. tokenizer must outlive it.
  IncrementalDecoder(const PretrainedTokenizer& tokenizer, bool skip_special_tokens, std::vector<std::int32_t> after = {});

  // What this token adds to the text; nothing while a character is not whole.
  std::string add(std::int32_t id);
  // What is left at the end: characters that never became whole, as U+FFFD.
  std::string finish();

 private:
  std::string text(std::size_t end) const;  // of the tokens from begin_ on

  const PretrainedTokenizer& tokenizer_;
  bool skip_special_tokens_;
  std::vector<std::int32_t> ids_;
  // Decoders look at neighbours, so a piece is the difference of two texts that begin at the same token.
  std::size_t begin_ = 0, read_ = 0;
};

}  // namespace polymath
