#include "text/convert_slow.h"

#include <algorithm>
#include <array>

#include "base/file.h"
#include "base/printable.h"
#include "formats/vocab_files.h"
#include "text/convert_parts.h"
#include "text/language_codes.h"
#include "text/slow_tokenizer.h"

namespace polymath {
namespace convert {

bool flag(const TokenizerSettings& settings, const char* name, bool missing) {
  const auto found = settings.tokenizer_config.find(name);
  if (found == settings.tokenizer_config.end() || found->is_null()) return missing;
  if (!found->is_boolean()) {
    throw Error(ErrorCode::kBadFile, std::string("must be true or false, not ") + json_kind(*found), join_path(settings.folder, "tokenizer_config.json") + ": " + name);
  }
  return found->get<bool>();
}

int whole(const TokenizerSettings& settings, const char* name, int missing, int most) {
  const auto found = settings.tokenizer_config.find(name);
  if (found == settings.tokenizer_config.end() || found->is_null()) return missing;
  const std::int64_t value = found->is_number_integer() ? found->get<std::int64_t>() : -1;
  if (value < 0 || value > most) {
    throw Error(ErrorCode::kBadFile, "must be a whole number from 0 to " + std::to_string(most), join_path(settings.folder, "tokenizer_config.json") + ": " + name);
  }
  return static_cast<int>(value);
}

namespace {

std::optional<std::int32_t> find(const TokenizerSpec& spec, std::string_view token) {
  for (const auto& added : spec.added_tokens) {
    if (added.content == token) return added.id;
  }
  const auto& vocab = spec.model.vocab;
  const auto found = std::find_if(vocab.rbegin(), vocab.rend(), [&](const auto& entry) { return entry.first == token; });
  return found == vocab.rend() ? std::nullopt : std::optional(found->second);
}

}  // namespace

std::int32_t id_of(const TokenizerSpec& spec, const TokenizerSettings& settings, std::string_view token) {
  if (const auto id = find(spec, token)) return *id;
  for (const auto& [id, added] : read_added_tokens(settings)) {
    if (added.content == token) return id;
  }
  // The slow class gives special tokens that have no id the next ones.
  auto next = static_cast<std::int32_t>(spec.model.vocab.size());
  for (const auto& [id, added] : read_added_tokens(settings)) next = std::max(next, id + 1);
  for (const std::string& special : all_special_tokens(settings.special)) {
    if (find(spec, special)) continue;
    if (special == token) return next;
    ++next;
  }
  throw Error(ErrorCode::kBadFile, "has no token \"" + printable(token) + "\"", spec.where);
}

spec::PostProcessor template_of(const TokenizerSpec& spec, const TokenizerSettings& settings, const std::string& single, const std::string& pair) {
  spec::PostProcessor made;
  made.kind = spec::PostProcessor::kTemplate;
  const auto parse = [&](const std::string& text, std::vector<spec::TemplatePiece>& pieces) {
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find(' ', begin), text.size());
      std::string part = text.substr(begin, end - begin);
      begin = end + 1;
      std::int32_t type = 0;
      if (part.size() > 2 && part[part.size() - 2] == ':') {
        type = part.back() - '0';
        part.resize(part.size() - 2);
      }
      if (part == "$A" || part == "$B") {
        pieces.push_back({part == "$A" ? 0 : 1, 0, type});
        continue;
      }
      auto& tokens = made.special_tokens;
      auto found = std::find_if(tokens.begin(), tokens.end(), [&](const spec::SpecialToken& t) { return t.id == part; });
      if (found == tokens.end()) found = tokens.insert(tokens.end(), {part, {id_of(spec, settings, part)}, {part}});
      pieces.push_back({-1, static_cast<std::size_t>(found - tokens.begin()), type});
    }
  };
  parse(single, made.single);
  parse(pair, made.pair);
  return made;
}

spec::Normalizer normalizer(spec::Normalizer::Kind kind) {
  spec::Normalizer n;
  n.kind = kind;
  return n;
}

spec::Normalizer replace(bool is_regex, std::string pattern, std::string content) {
  spec::Normalizer n = normalizer(spec::Normalizer::kReplace);
  n.pattern = {is_regex, std::move(pattern)};
  n.content = std::move(content);
  return n;
}

spec::Normalizer sequence(std::vector<spec::Normalizer> parts) {
  spec::Normalizer n = normalizer(spec::Normalizer::kSequence);
  n.normalizers = std::move(parts);
  return n;
}

spec::Decoder decoder(spec::Decoder::Kind kind) {
  spec::Decoder d;
  d.kind = kind;
  return d;
}

void add_token(TokenizerSpec& spec, std::string content, bool special) {
  if (content.empty()) return;
  const auto known = find(spec, content);
  auto next = static_cast<std::int32_t>(spec.model.vocab.size());
  for (const auto& added : spec.added_tokens) {
    if (added.content == content) return;
    next = std::max(next, added.id + 1);
  }
  spec::AddedToken token;
  token.id = known.value_or(next);
  token.content = std::move(content);
  token.normalized = false;
  token.special = special;
  spec.added_tokens.push_back(std::move(token));
}

}  // namespace convert

namespace {

using namespace convert;

enum class Kind { kWordPiece, kMpnet, kFunnel, kByteBpe, kRoberta, kDeberta, kQwen2, kClip, kOpenAiGpt, kBlenderbot };

constexpr std::pair<std::string_view, Kind> kKinds[] = {
    {"BertTokenizer", Kind::kWordPiece}, {"ConvBertTokenizer", Kind::kWordPiece}, {"DistilBertTokenizer", Kind::kWordPiece},
    {"DPRReaderTokenizer", Kind::kWordPiece}, {"DPRQuestionEncoderTokenizer", Kind::kWordPiece}, {"DPRContextEncoderTokenizer", Kind::kWordPiece},
    {"ElectraTokenizer", Kind::kWordPiece}, {"LayoutLMTokenizer", Kind::kWordPiece}, {"LxmertTokenizer", Kind::kWordPiece},
    {"MobileBertTokenizer", Kind::kWordPiece}, {"RetriBertTokenizer", Kind::kWordPiece}, {"SqueezeBertTokenizer", Kind::kWordPiece},
    {"MPNetTokenizer", Kind::kMpnet}, {"FunnelTokenizer", Kind::kFunnel},
    {"GPT2Tokenizer", Kind::kByteBpe}, {"CodeGenTokenizer", Kind::kByteBpe},
    {"RobertaTokenizer", Kind::kRoberta}, {"BartTokenizer", Kind::kRoberta}, {"LongformerTokenizer", Kind::kRoberta},
    {"LEDTokenizer", Kind::kRoberta}, {"MvpTokenizer", Kind::kRoberta},
    {"DebertaTokenizer", Kind::kDeberta}, {"Qwen2Tokenizer", Kind::kQwen2}, {"CLIPTokenizer", Kind::kClip},
    {"OpenAIGPTTokenizer", Kind::kOpenAiGpt}, {"BlenderbotTokenizer", Kind::kBlenderbot}};

std::string must(const std::optional<std::string>& token, const TokenizerSettings& settings, const char* name) {
  if (!token) throw Error(ErrorCode::kBadFile, "is needed by " + settings.tokenizer_class, join_path(settings.folder, "tokenizer_config.json") + ": " + name);
  return *token;
}

// vocab.txt: BERT and its family.
TokenizerSpec wordpiece(const TokenizerSettings& settings, Kind kind) {
  require_files(settings, {"vocab.txt"});
  TokenizerSpec spec;
  spec.where = join_path(settings.folder, "vocab.txt");
  VocabFile file = read_vocab_txt(spec.where);
  spec.model.kind = spec::Model::kWordPiece;
  spec.model.vocab = std::move(file.tokens);
  spec.storage = file.storage;
  spec.model.unk_token = must(settings.special.unk_token, settings, "unk_token");
  spec.model.continuing_subword_prefix = "##";
  spec.normalizer = normalizer(spec::Normalizer::kBert);
  if (flag(settings, "do_basic_tokenize", true)) {
    spec.normalizer->lowercase = flag(settings, "do_lower_case", true);
    spec.normalizer->handle_chinese_chars = flag(settings, "tokenize_chinese_chars", true);
    if (const auto accents = settings.tokenizer_config.find("strip_accents"); accents != settings.tokenizer_config.end() && !accents->is_null()) {
      spec.normalizer->strip_accents = flag(settings, "strip_accents", false);
    }
  } else {
    spec.normalizer->lowercase = spec.normalizer->handle_chinese_chars = false;
    spec.normalizer->strip_accents = false;
  }
  spec.pre_tokenizer.emplace().kind = spec::PreTokenizer::kBert;
  const std::string cls = must(settings.special.cls_token, settings, "cls_token"), sep = must(settings.special.sep_token, settings, "sep_token");
  const std::string type = kind == Kind::kFunnel ? ":2" : ":0", between = kind == Kind::kMpnet ? " " + sep + ":0" : "";
  spec.post_processor = template_of(spec, settings, cls + type + " $A:0 " + sep + ":0", cls + type + " $A:0 " + sep + ":0" + between + " $B:1 " + sep + ":1");
  spec.decoder = decoder(spec::Decoder::kWordPiece);
  return spec;
}

spec::PreTokenizer byte_level(bool add_prefix_space, bool use_regex = true) {
  spec::PreTokenizer p;
  p.kind = spec::PreTokenizer::kByteLevel;
  p.add_prefix_space = add_prefix_space;
  p.use_regex = use_regex;
  return p;
}

spec::PreTokenizer split(std::string pattern, spec::SplitBehavior behavior, bool invert) {
  spec::PreTokenizer p;
  p.kind = spec::PreTokenizer::kSplit;
  p.pattern = {true, std::move(pattern)};
  p.behavior = behavior;
  p.invert = invert;
  return p;
}

spec::PreTokenizer both(spec::PreTokenizer first, spec::PreTokenizer second) {
  spec::PreTokenizer p;
  p.pretokenizers = {std::move(first), std::move(second)};
  return p;
}

spec::PostProcessor roberta_processing(const TokenizerSpec& spec, const TokenizerSettings& settings, const std::string& sep, const std::string& cls,
                                       bool add_prefix_space, bool trim_offsets) {
  spec::PostProcessor p;
  p.kind = spec::PostProcessor::kRoberta;
  p.sep = {sep, id_of(spec, settings, sep)};
  p.cls = {cls, id_of(spec, settings, cls)};
  p.add_prefix_space = add_prefix_space;
  p.trim_offsets = trim_offsets;
  return p;
}

// vocab.json and merges.txt: GPT-2, RoBERTa and theirs.
TokenizerSpec bpe(const TokenizerSettings& settings, Kind kind) {
  require_files(settings, {"vocab.json", "merges.txt"});
  TokenizerSpec spec;
  spec.where = join_path(settings.folder, "vocab.json");
  VocabFile vocab = read_vocab_json(spec.where);
  MergesFile merges = read_merges(join_path(settings.folder, "merges.txt"), kind == Kind::kQwen2  ? MergesStyle::kSkippingHeader
                                                                            : kind == Kind::kClip ? MergesStyle::kClip
                                                                                                  : MergesStyle::kBetweenFirstAndLast);
  spec.model.kind = spec::Model::kBpe;
  spec.model.vocab = std::move(vocab.tokens);
  spec.model.merges = std::move(merges.merges);
  spec.storage = std::make_shared<std::array<std::shared_ptr<const void>, 2>>(std::array{vocab.storage, merges.storage});
  const bool space = flag(settings, "add_prefix_space", false);
  spec.decoder = decoder(spec::Decoder::kByteLevel);
  spec::PostProcessor bytes;
  bytes.kind = spec::PostProcessor::kByteLevel;
  bytes.trim_offsets = false;
  const SpecialTokens& special = settings.special;
  switch (kind) {
    case Kind::kRoberta:
      spec.pre_tokenizer = byte_level(space);
      spec.post_processor = roberta_processing(spec, settings, must(special.sep_token, settings, "sep_token"), must(special.cls_token, settings, "cls_token"), space, true);
      break;
    case Kind::kDeberta:
      spec.pre_tokenizer = byte_level(space);
      spec.post_processor = template_of(spec, settings, "[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1");
      break;
    case Kind::kQwen2:
      spec.normalizer = normalizer(spec::Normalizer::kNfc);
      spec.pre_tokenizer = both(split(R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
                                      spec::SplitBehavior::kIsolated, false),
                                byte_level(space, false));
      spec.post_processor = bytes;
      break;
    case Kind::kClip: {
      const std::string eos = must(special.eos_token, settings, "eos_token"), bos = must(special.bos_token, settings, "bos_token");
      spec.model.unk_token = special.unk_token;
      spec.model.end_of_word_suffix = "</w>";
      spec.normalizer = sequence({normalizer(spec::Normalizer::kNfc), replace(true, R"(\s+)", " "), normalizer(spec::Normalizer::kLowercase)});
      spec.pre_tokenizer = both(split(R"('s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)", spec::SplitBehavior::kRemoved, true), byte_level(false));
      spec.post_processor = roberta_processing(spec, settings, eos, bos, false, false);
      break;
    }
    case Kind::kOpenAiGpt: {
      spec.model.unk_token = must(special.unk_token, settings, "unk_token");
      spec.model.end_of_word_suffix = "</w>";
      if (convert::find(spec, *spec.model.unk_token)) add_token(spec, *spec.model.unk_token, true);
      spec.normalizer = normalizer(spec::Normalizer::kBert);
      spec.pre_tokenizer.emplace().kind = spec::PreTokenizer::kBert;
      spec.decoder = decoder(spec::Decoder::kBpe);
      break;
    }
    case Kind::kBlenderbot: {
      const std::string eos = must(special.eos_token, settings, "eos_token");
      spec.pre_tokenizer = byte_level(space);
      spec.post_processor = template_of(spec, settings, "$A:0 " + eos + ":0", "$A:0 $B:1");
      break;
    }
    default:
      spec.pre_tokenizer = byte_level(space);
      if (flag(settings, "add_bos_token", false)) {
        const std::string bos = must(special.bos_token, settings, "bos_token");
        spec.post_processor = template_of(spec, settings, bos + ":0 $A:0", bos + ":0 $A:0 $B:1");
      } else spec.post_processor = bytes;
  }
  return spec;
}

}  // namespace

std::optional<TokenizerSpec> convert_slow_tokenizer(const TokenizerSettings& settings) {
  for (const auto& [name, kind] : kKinds) {
    if (name != settings.tokenizer_class) continue;
    return kind == Kind::kWordPiece || kind == Kind::kMpnet || kind == Kind::kFunnel ? wordpiece(settings, kind) : bpe(settings, kind);
  }
  return from_sentencepiece(settings);
}

const char* slow_default(std::string_view tokenizer_class, std::string_view token_name, const char* of_fast_class) {
  if (tokenizer_class == "RemBertTokenizer" && token_name == "unk_token") return "[UNK]";
  if (tokenizer_class == "RemBertTokenizer" && token_name == "pad_token") return "[PAD]";
  return of_fast_class;
}

bool slow_default_is_normalized(std::string_view tokenizer_class, std::string_view token_name) {
  if (tokenizer_class == "BigBirdTokenizer") return true;
  if (tokenizer_class == "DebertaV2Tokenizer") return token_name == "unk_token";
  return token_name == "mask_token" && (tokenizer_class == "MBart50Tokenizer" || tokenizer_class == "NllbTokenizer" || tokenizer_class == "RemBertTokenizer");
}

std::vector<std::string> class_additional_tokens(std::string_view tokenizer_class, const Json& tokenizer_config, const std::vector<std::string>* given) {
  std::vector<std::string> more;
  const auto has = [&](const std::string& token) { return given && std::find(given->begin(), given->end(), token) != given->end(); };
  const auto add = [&](std::string token) {
    if (!has(token)) more.push_back(std::move(token));
  };
  const auto count = [&](const char* name, int missing) {
    const auto found = tokenizer_config.find(name);
    return found != tokenizer_config.end() && found->is_number_integer() ? static_cast<int>(std::clamp<std::int64_t>(found->get<std::int64_t>(), 0, 10'000)) : missing;
  };
  if (tokenizer_class == "CamembertTokenizer" && !given) more = {"<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"};
  else if (tokenizer_class == "MBartTokenizer") {
    for (const char* code : mbart_languages()) add(code);
  } else if (tokenizer_class == "MBart50Tokenizer") {
    for (const char* code : mbart50_languages()) add(code);
  } else if (tokenizer_class == "NllbTokenizer" && !given) {
    for (const char* code : nllb_languages()) add(code);
  } else if (tokenizer_class == "T5Tokenizer" || tokenizer_class == "MT5Tokenizer") {
    const bool some = given && std::any_of(given->begin(), given->end(), [](const std::string& t) { return t.find("<extra_id_") != std::string::npos; });
    for (int i = 0; !some && i < count("extra_ids", 100); ++i) add("<extra_id_" + std::to_string(i) + ">");
  } else if (tokenizer_class == "PegasusTokenizer") {
    const int offset = count("offset", 103);
    if (!given) more.push_back("<mask_1>");
    for (int i = given ? static_cast<int>(given->size()) : 2; i < (given ? offset - 1 : offset); ++i) add("<unk_" + std::to_string(i) + ">");
  } else if (tokenizer_class == "XLNetTokenizer" && !given) {
    more = {"<eop>", "<eod>"};
  } else if (tokenizer_class == "XGLMTokenizer") {
    for (int i = 0; i < 7; ++i) add("<madeupword" + std::to_string(i) + ">");
  }
  return more;
}

std::optional<spec::PostProcessor> language_template(const TokenizerSettings& settings,
                                                     const std::function<std::optional<std::int32_t>(const std::string&)>& id) {
  const std::string& name = settings.tokenizer_class;
  const bool nllb = name == "NllbTokenizer", mbart = name == "MBartTokenizer", mbart50 = name == "MBart50Tokenizer";
  if (!nllb && !mbart && !mbart50) return std::nullopt;
  std::string language = nllb ? "eng_Latn" : "en_XX";
  if (const auto found = settings.tokenizer_config.find("src_lang"); found != settings.tokenizer_config.end() && found->is_string()) language = found->get<std::string>();
  const std::string eos = settings.special.eos_token.value_or("</s>");
  const bool behind = mbart || (nllb && flag(settings, "legacy_behaviour", false));
  spec::PostProcessor made;
  made.kind = spec::PostProcessor::kTemplate;
  const auto add = [&](const std::string& token) {
    const auto found = id(token);
    if (!found) throw Error(ErrorCode::kBadFile, "\"" + printable(token) + "\" is not in the vocabulary", join_path(settings.folder, "tokenizer_config.json") + ": src_lang");
    made.special_tokens.push_back({token, {*found}, {token}});
    for (auto* pieces : {&made.single, &made.pair}) pieces->push_back({-1, made.special_tokens.size() - 1, 0});
  };
  if (!behind) add(language);
  made.single.push_back({0, 0, 0});
  made.pair.push_back({0, 0, 0});
  made.pair.push_back({1, 0, 0});
  add(eos);
  if (behind) add(language);
  return made;
}

}  // namespace polymath
