#include "train/tokenizer_training.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "polymath/error.h"
#include "text/normalized_string.h"
#include "train/unigram_trainer.h"

namespace polymath {
namespace {

// What belongs to a kind, beside the vocabulary. $NAME in the post-processor stands for a special token.
struct Kind {
  TokenizerKind kind;
  const char* name;
  std::vector<std::string> special_tokens;
  const char* roles;  // of tokenizer_config.json
  const char *normalizer, *lowercase;  // the second with --lowercase
  const char *pre_tokenizer, *post_processor, *decoder;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kAll = {
      {TokenizerKind::kWordPiece, "wordpiece", {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"},
       R"({"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]",
           "model_input_names": ["input_ids", "token_type_ids", "attention_mask"]})",
       R"({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": false})",
       R"({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true})",
       R"({"type": "BertPreTokenizer"})",
       R"({"type": "TemplateProcessing",
           "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
           "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
                    {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
           "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}, "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}})",
       R"({"type": "WordPiece", "prefix": "##", "cleanup": true})"},
      {TokenizerKind::kBpe, "bpe", {"<|endoftext|>"},
       R"({"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>",
           "model_input_names": ["input_ids", "attention_mask"]})",
       "null", R"({"type": "Lowercase"})",
       R"({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true})",
       R"({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": true})",
       R"({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true})"},
      {TokenizerKind::kUnigram, "unigram", {"<pad>", "</s>", "<unk>"},
       R"({"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", "model_input_names": ["input_ids", "attention_mask"]})",
       R"({"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]})",
       R"({"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]})",
       R"({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true})",
       R"({"type": "TemplateProcessing",
           "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
           "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}},
                    {"Sequence": {"id": "B", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
           "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}})",
       R"({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true})"},
  };
  return kAll;
}

const Kind& kind_of(TokenizerKind kind) {
  return *std::find_if(kinds().begin(), kinds().end(), [&](const Kind& k) { return k.kind == kind; });
}

std::vector<std::string> special_tokens_of(const TokenizerOptions& options) {
  std::vector<std::string> all = kind_of(options.kind).special_tokens;
  for (const std::string& token : options.special_tokens) {
    if (token.empty() || !utf8_valid(token)) throw Error(ErrorCode::kInvalidArgument, "a special token must be text", "--special-tokens");
    if (std::find(all.begin(), all.end(), token) == all.end()) all.push_back(token);
  }
  if (all.size() >= options.vocab_size) {
    throw Error(ErrorCode::kInvalidArgument, "holds no more than the " + std::to_string(all.size()) + " special tokens", "--vocab-size");
  }
  return all;
}

// The file without its model.
Json frame_of(const TokenizerOptions& options, const std::vector<std::string>& special_tokens) {
  const Kind& kind = kind_of(options.kind);
  Json added = Json::array();
  for (std::size_t i = 0; i < special_tokens.size(); ++i) {
    added.push_back({{"id", i}, {"content", special_tokens[i]}, {"single_word", false}, {"lstrip", false}, {"rstrip", false},
                     {"normalized", false}, {"special", true}});
  }
  const auto part = [](const char* text) { return parse_json(text, "kind"); };
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", std::move(added)},
          {"normalizer", part(options.lowercase ? kind.lowercase : kind.normalizer)},
          {"pre_tokenizer", part(kind.pre_tokenizer)},
          {"post_processor", part(kind.post_processor)},
          {"decoder", part(kind.decoder)}};
}

// How text is cut into words: the frame with a vocabulary of nothing.
TokenizerSpec spec_of(Json frame) {
  frame["added_tokens"] = Json::array();
  frame["model"] = {{"type", "WordLevel"}, {"vocab", Json::object()}, {"unk_token", "x"}};
  return parse_tokenizer_json(dump_json(frame), "tokenizer.json");
}

Json vocabulary(const std::vector<std::string>& tokens) {
  Json vocab = Json::object();
  auto& entries = vocab.get_ref<Json::object_t&>();  // each token is new: no need to look for it
  for (std::size_t i = 0; i < tokens.size(); ++i) entries.Container::emplace_back(tokens[i], i);
  return vocab;
}

std::u32string byte_alphabet() {
  std::u32string all;
  for (int b = 0; b < 256; ++b) all += byte_character(static_cast<std::uint8_t>(b));
  return all;
}

}  // namespace

TokenizerKind tokenizer_kind_named(const std::string& name) {
  for (const Kind& kind : kinds()) {
    if (name == kind.name) return kind.kind;
  }
  throw Error(ErrorCode::kInvalidArgument, "\"" + printable(name) + "\" is not a kind of tokenizer (known: wordpiece, bpe, unigram)", "--model");
}

TokenizerTrainer::TokenizerTrainer(const TokenizerOptions& options)
    : options_(options), special_tokens_(special_tokens_of(options)), tokenizer_(frame_of(options, special_tokens_)), words_(spec_of(tokenizer_)) {}

TrainedTokenizer TokenizerTrainer::train(const TrainingProgress& progress) {
  const WordCounts words = words_.take();
  if (words.empty()) throw Error(ErrorCode::kBadFile, "the text holds no words", "--data");
  TrainedTokenizer trained{.tokenizer = std::move(tokenizer_), .config = {{"tokenizer_class", "PreTrainedTokenizerFast"}}, .words = words.size()};
  if (options_.kind == TokenizerKind::kUnigram) {
    const UnigramOptions unigram{.vocab_size = options_.vocab_size, .special_tokens = special_tokens_.size(), .alphabet_limit = options_.alphabet_limit};
    const auto pieces = train_unigram(words, unigram, progress);
    Json vocab = Json::array();
    for (const std::string& token : special_tokens_) vocab.push_back({token, 0.0});
    for (const auto& [piece, score] : pieces) {
      if (std::find(special_tokens_.begin(), special_tokens_.end(), piece) == special_tokens_.end()) vocab.push_back({piece, score});
    }
    trained.vocab_size = vocab.size();
    trained.tokenizer["model"] = {{"type", "Unigram"}, {"unk_id", 2}, {"vocab", std::move(vocab)}, {"byte_fallback", false}};
  } else {
    const bool wordpiece = options_.kind == TokenizerKind::kWordPiece;
    MergeOptions merging{.vocab_size = options_.vocab_size, .min_frequency = options_.min_frequency, .alphabet_limit = options_.alphabet_limit,
                         .special_tokens = special_tokens_};
    if (wordpiece) merging.prefix = "##";
    else merging.initial_alphabet = byte_alphabet(), merging.alphabet_limit = 0;
    const TrainedMerges found = train_merges(words, merging, progress);
    trained.vocab_size = found.vocab.size();
    trained.merges = found.merges.size();
    if (wordpiece) {
      trained.tokenizer["model"] = {{"type", "WordPiece"}, {"unk_token", "[UNK]"}, {"continuing_subword_prefix", "##"}, {"max_input_chars_per_word", 100},
                                    {"vocab", vocabulary(found.vocab)}};
    } else {
      Json merges = Json::array();
      for (const auto& [first, second] : found.merges) merges.push_back({found.vocab[first], found.vocab[second]});
      trained.tokenizer["model"] = {{"type", "BPE"}, {"dropout", nullptr}, {"unk_token", nullptr}, {"continuing_subword_prefix", nullptr},
                                    {"end_of_word_suffix", nullptr}, {"fuse_unk", false}, {"byte_fallback", false}, {"ignore_merges", false},
                                    {"vocab", vocabulary(found.vocab)}, {"merges", std::move(merges)}};
    }
  }
  trained.config.update(parse_json(kind_of(options_.kind).roles, "kind"));
  if (!options_.special_tokens.empty()) trained.config["additional_special_tokens"] = options_.special_tokens;
  trained.config["clean_up_tokenization_spaces"] = false;
  trained.config["model_max_length"] = options_.model_max_length;
  return trained;
}

void save_tokenizer(const TrainedTokenizer& tokenizer, const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Error(ErrorCode::kIo, "cannot create: " + error.message(), folder);
  write_file_atomically(join_path(folder, "tokenizer.json"), tokenizer.tokenizer.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  write_file_atomically(join_path(folder, "tokenizer_config.json"), tokenizer.config.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace polymath
