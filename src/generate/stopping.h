// When a sequence is done: generation/stopping_criteria.py of Transformers 4.57.6.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "generate/generation_config.h"
#include "text/pretrained_tokenizer.h"

namespace polymath {

class Stopping {
 public:
  // tokenizer: for stop_strings; throws Error where there are some and it is null. The clock of max_time starts now.
  Stopping(const GenerationConfig& config, std::int64_t max_length, const PretrainedTokenizer* tokenizer);

  // ids: the prompt and all that was written, the newest token included.
  bool operator()(std::span<const std::int32_t> ids) const;

 private:
  bool ends_with_stop_string(std::span<const std::int32_t> ids) const;
  std::string text_of(std::int32_t id) const;

  std::int64_t max_length_;
  std::vector<std::int32_t> eos_;
  std::vector<std::string> stop_strings_;
  const PretrainedTokenizer* tokenizer_;
  std::vector<std::string> before_;  // tokens that a text is decoded after, so that its space shows
  std::optional<std::chrono::steady_clock::time_point> end_;
};

}  // namespace polymath
