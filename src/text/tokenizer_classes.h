// What the tokenizer classes of Transformers 4.57.6 bring along: default tokens, input names, and how they
// change what tokenizer.json says.
#pragma once

#include <string>
#include <string_view>

namespace polymath {

enum class ClassRule {
  kNone,
  kBert,     // do_lower_case, strip_accents and tokenize_chinese_chars override the normalizer
  kMpnet,    // the first two do
  kRoberta,  // add_prefix_space and trim_offsets override the post-processor
  kLlama,    // add_bos_token (true) and add_eos_token make the post-processor
  kGptNeoX,  // the same with add_bos_token false
};

struct TokenizerClass {
  std::string_view name;  // without "Fast"
  ClassRule rule = ClassRule::kNone;
  // Null: the class names none.
  const char* bos = nullptr;
  const char* eos = nullptr;
  const char* unk = nullptr;
  const char* sep = nullptr;
  const char* pad = nullptr;
  const char* cls = nullptr;
  const char* mask = nullptr;
  bool has_type_ids = false;   // token_type_ids is among model_input_names
  bool pads_left = false;
  bool mask_takes_space = false;  // the default mask token is lstrip
};

// The class of that name ("BertTokenizer" or "BertTokenizerFast"); PreTrainedTokenizer for names that are not known.
const TokenizerClass& tokenizer_class(std::string_view name);

// The class for a model_type of config.json, or "".
std::string_view tokenizer_class_of_model(std::string_view model_type);

}  // namespace polymath
