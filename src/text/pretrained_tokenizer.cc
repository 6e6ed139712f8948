#include "text/pretrained_tokenizer.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/file.h"
#include "base/printable.h"
#include "formats/tokenizer_json.h"
#include "polymath/error.h"
#include "text/convert_slow.h"
#include "text/decoder.h"
#include "text/slow_tokenizers.h"
#include "text/tokenizer_classes.h"

namespace polymath {
namespace {

class FastBackend final : public TokenizerBackend {
 public:
  explicit FastBackend(const Tokenizer& tokenizer) : tokenizer_(tokenizer.decoding_added_tokens_as_written()) {}
  Encoding encode(const TextInput& text, const TextInput* pair, const EncodeOptions& options) const override { return tokenizer_.encode(text, pair, options); }
  std::string decode(std::span<const std::int32_t> ids, bool skip_special_tokens) const override { return tokenizer_.decode(ids, skip_special_tokens); }
  std::string convert_tokens_to_string(const std::vector<std::string>& tokens) const override { return tokenizer_.convert_tokens_to_string(tokens); }
  int vocab_size(bool with_added_tokens) const override { return tokenizer_.vocab_size(with_added_tokens); }
  std::optional<std::int32_t> token_to_id(std::string_view token) const override { return tokenizer_.token_to_id(token); }
  std::optional<std::string> id_to_token(std::int32_t id) const override { return tokenizer_.id_to_token(id); }
  int num_special_tokens_to_add(bool pair) const override { return tokenizer_.num_special_tokens_to_add(pair); }
  std::string continuing_subword_prefix() const override { return tokenizer_.continuing_subword_prefix(); }
  const Tokenizer* fast() const override { return &tokenizer_; }

 private:
  Tokenizer tokenizer_;
};

Json read_object(const std::string& path) {
  if (!file_exists(path)) return Json::object();
  Json value = read_json_file(path);
  if (!value.is_object()) throw Error(ErrorCode::kBadFile, std::string("must hold a JSON object, not ") + json_kind(value), path);
  return value;
}

// The folder's settings as from_pretrained merges them: tokenizer_config.json, the older files where it names no
// added tokens, and the defaults of the class.
class Settings {
 public:
  explicit Settings(const std::string& folder) {
    out_.folder = folder;
    config_path_ = join_path(folder, "tokenizer_config.json");
    out_.tokenizer_config = read_object(config_path_);
    out_.special_tokens_map = read_object(join_path(folder, "special_tokens_map.json"));
    out_.added_tokens = read_object(join_path(folder, "added_tokens.json"));
    values_ = out_.tokenizer_config;
    name_class();
    has_decoder_ = values_.contains("added_tokens_decoder");
    if (!has_decoder_) {
      for (auto& [key, value] : out_.special_tokens_map.items()) values_[key] = value;
    }
  }

  const TokenizerClass& known_class() const { return *class_; }
  const Json& values() const { return values_; }
  TokenizerSettings& out() { return out_; }

  bool flag(const char* name, bool missing) const {
    const auto found = values_.find(name);
    if (found == values_.end() || found->is_null()) return missing;
    if (!found->is_boolean()) fail(name, std::string("must be true or false, not ") + json_kind(*found));
    return found->get<bool>();
  }

  // A token as a string, or as the object that stands for an AddedToken.
  AddedToken token_of(const Json& value, const std::string& name) const {
    if (value.is_string()) return AddedToken{.content = value.get<std::string>(), .normalized = false, .special = true};
    if (!value.is_object() || !value.contains("content") || !value["content"].is_string()) {
      fail(name, std::string("must be a token or an object with its content, not ") + json_kind(value));
    }
    auto flag_of = [&](const char* key, bool missing) {
      const auto found = value.find(key);
      if (found == value.end() || found->is_null()) return missing;
      if (!found->is_boolean()) fail(name + "." + key, std::string("must be true or false, not ") + json_kind(*found));
      return found->get<bool>();
    };
    AddedToken token{.content = value["content"].get<std::string>()};
    token.special = flag_of("special", false);
    token.single_word = flag_of("single_word", false);
    token.lstrip = flag_of("lstrip", false);
    token.rstrip = flag_of("rstrip", false);
    token.normalized = flag_of("normalized", !token.special);
    return token;
  }

  // Fills the special tokens; `padding` may be null. `from_slow`: there is no tokenizer.json.
  void resolve(const TokenizerSpec::PaddingSection* padding, bool truncates_left, bool from_slow = false) {
    from_slow_ = from_slow;
    const TokenizerClass& c = *class_;
    SpecialTokens& special = out_.special;
    const std::array<std::tuple<const char*, std::optional<std::string>*, const char*>, 7> kTokens = {{
        {"bos_token", &special.bos_token, c.bos}, {"eos_token", &special.eos_token, c.eos}, {"unk_token", &special.unk_token, c.unk},
        {"sep_token", &special.sep_token, c.sep}, {"pad_token", &special.pad_token, c.pad}, {"cls_token", &special.cls_token, c.cls},
        {"mask_token", &special.mask_token, c.mask}}};
    for (const auto& [name, slot, missing] : kTokens) {
      const auto found = values_.find(name);
      AddedToken token{.normalized = false, .special = true};
      if (found != values_.end()) {
        if (found->is_null()) continue;
        token = token_of(*found, name);
        named_.insert(token.content);
        if (found->is_string() && slot == &special.mask_token) token.lstrip = c.mask_takes_space;  // the class adds it
        if (found->is_object() || token.lstrip) with_flags_.insert(token.content);
      } else if (missing) {
        token.content = from_slow ? slow_default(c.name, name, missing) : missing;
        token.lstrip = slot == &special.mask_token && c.mask_takes_space;
        token.normalized = from_slow && slow_default_is_normalized(c.name, name);
        if (token.lstrip || token.normalized) with_flags_.insert(token.content);
      } else if (slot == &special.pad_token && padding) {
        token.content = padding->pad_token;
      } else {
        continue;
      }
      *slot = token.content;
      tokens_.push_back(std::move(token));
    }
    if (const auto found = values_.find("additional_special_tokens"); found != values_.end() && !found->is_null()) {
      if (!found->is_array()) fail("additional_special_tokens", std::string("must be a list, not ") + json_kind(*found));
      for (const Json& item : *found) {
        tokens_.push_back(token_of(item, "additional_special_tokens"));
        named_.insert(tokens_.back().content);
        special.additional_special_tokens.push_back(tokens_.back().content);
      }
    }
    const auto listed = values_.find("additional_special_tokens");
    const bool names_some = listed != values_.end() && !listed->is_null();
    for (std::string& name : class_additional_tokens(out_.tokenizer_class, values_, names_some ? &special.additional_special_tokens : nullptr)) {
      tokens_.push_back(AddedToken{.content = name, .normalized = false, .special = true});
      special.additional_special_tokens.push_back(std::move(name));
    }
    out_.padding_side = side("padding_side", c.pads_left || (padding && padding->left && c.name == "PreTrainedTokenizer") ? Side::kLeft : Side::kRight);
    out_.truncation_side = side("truncation_side", truncates_left ? Side::kLeft : Side::kRight);
    const bool slow_cleans = from_slow && (c.rule == ClassRule::kBert || c.rule == ClassRule::kMpnet);  // the slow classes' own default
    out_.clean_up_tokenization_spaces = flag("clean_up_tokenization_spaces", slow_cleans);
    out_.split_special_tokens = flag("split_special_tokens", false);
    if (padding) out_.pad_token_type_id = padding->pad_type_id;
    if (c.name == "XLNetTokenizer") out_.pad_token_type_id = 3;
    const char* const most = values_.contains("model_max_length") ? "model_max_length" : "max_len";  // the field's old name
    if (const auto found = values_.find(most); found != values_.end() && !found->is_null()) {
      if (!found->is_number()) fail(most, std::string("must be a number, not ") + json_kind(*found));
      out_.model_max_length = found->get<double>();
    }
    out_.model_input_names = {"input_ids", "attention_mask"};
    if (c.has_type_ids) out_.model_input_names = {"input_ids", "token_type_ids", "attention_mask"};
    if (const auto found = values_.find("model_input_names"); found != values_.end() && !found->is_null()) {
      out_.model_input_names.clear();
      if (!found->is_array()) fail("model_input_names", std::string("must be a list, not ") + json_kind(*found));
      for (const Json& name : *found) {
        if (!name.is_string()) fail("model_input_names", std::string("must hold strings, not ") + json_kind(name));
        out_.model_input_names.push_back(name.get<std::string>());
      }
    }
  }

  // The tokens that from_pretrained adds to what tokenizer.json has.
  std::vector<AddedToken> tokens_to_add(const Tokenizer& tokenizer) const {
    const auto present = tokenizer.added_tokens();
    std::vector<AddedToken> add;
    auto is_special = [&](const std::string& content) {
      return std::any_of(tokens_.begin(), tokens_.end(), [&](const AddedToken& t) { return t.content == content; });
    };
    auto same = [](const AddedToken& a, const AddedToken& b) {
      return a.content == b.content && a.single_word == b.single_word && a.lstrip == b.lstrip && a.rstrip == b.rstrip && a.normalized == b.normalized && a.special == b.special;
    };
    std::vector<std::pair<long, AddedToken>> listed;
    if (has_decoder_) {
      const Json& decoder = values_["added_tokens_decoder"];
      if (!decoder.is_object()) fail("added_tokens_decoder", std::string("must be an object, not ") + json_kind(decoder));
      for (auto& [id, value] : decoder.items()) {
        char* end = nullptr;
        const long number = std::strtol(id.c_str(), &end, 10);
        if (id.empty() || *end != '\0') fail("added_tokens_decoder", "\"" + printable(id) + "\" is no token id");
        listed.emplace_back(number, token_of(value, "added_tokens_decoder." + printable(id)));
      }
    } else {
      for (auto& [content, id] : out_.added_tokens.items()) {
        if (!id.is_number_integer()) throw Error(ErrorCode::kBadFile, std::string("must be a token id, not ") + json_kind(id), join_path(out_.folder, "added_tokens.json") + ": " + printable(content));
        const bool special = named_.contains(content);  // by a file: the class's defaults do not count here
        listed.emplace_back(id.get<long>(), AddedToken{.content = content, .normalized = !special, .special = special});
      }
    }
    std::stable_sort(listed.begin(), listed.end(), [](auto& a, auto& b) { return a.first < b.first; });
    auto is_present = [&](const AddedToken& token, bool exactly) {
      return std::any_of(present.begin(), present.end(), [&](auto& p) { return exactly ? same(p.second, token) : p.second.content == token.content; });
    };
    for (auto& [id, token] : listed) {
      // Without the list in tokenizer_config.json what tokenizer.json says of a token stands.
      if (is_present(token, has_decoder_ || from_slow_)) continue;
      token.special |= is_special(token.content);
      add.push_back(token);
    }
    std::set<std::string> seen;
    for (AddedToken token : tokens_) {
      const bool listed_already = std::any_of(add.begin(), add.end(), [&](const AddedToken& t) { return t.content == token.content; });
      if (listed_already || !seen.insert(token.content).second) continue;
      // A sentencepiece model adds its control tokens plainly; flags that a file or a class gives them come on top.
      if (is_present(token, false)) {
        if (!from_slow_ || !with_flags_.contains(token.content)) continue;
        token.normalized = false;  // it goes on being searched in the text as it is
      }
      token.special = true;
      add.push_back(std::move(token));
    }
    return add;
  }

  [[noreturn]] void fail(const std::string& name, const std::string& reason) const {
    const bool from_map = !has_decoder_ && out_.special_tokens_map.contains(name.substr(0, name.find('.')));
    throw Error(ErrorCode::kBadFile, reason, (from_map ? join_path(out_.folder, "special_tokens_map.json") : config_path_) + ": " + name);
  }

 private:
  void name_class() {
    std::string name;
    if (const auto found = values_.find("tokenizer_class"); found != values_.end() && found->is_string()) name = found->get<std::string>();
    const std::string config_path = join_path(out_.folder, "config.json");
    if (name.empty() && file_exists(config_path)) {
      const Json config = read_object(config_path);
      auto text = [&](const char* key) { return config.contains(key) && config[key].is_string() ? config[key].get<std::string>() : std::string(); };
      name = text("tokenizer_class");
      if (name.empty()) name = tokenizer_class_of_model(text("model_type"));
    }
    if (name.ends_with("Fast")) name.resize(name.size() - 4);
    if (name.empty()) name = "PreTrainedTokenizer";
    out_.tokenizer_class = name;
    class_ = &tokenizer_class(name);
  }

  Side side(const char* name, Side missing) const {
    const auto found = values_.find(name);
    if (found == values_.end() || found->is_null()) return missing;
    if (*found == "left") return Side::kLeft;
    if (*found == "right") return Side::kRight;
    fail(name, "must be \"left\" or \"right\"");
  }

  TokenizerSettings out_;
  Json values_;  // the merged keyword arguments
  std::string config_path_;
  const TokenizerClass* class_ = nullptr;
  bool has_decoder_ = false, from_slow_ = false;
  std::set<std::string> named_, with_flags_;  // special tokens that a file names; those that are more than a text
  std::vector<AddedToken> tokens_;  // the special tokens, with their flags
};

void update_normalizer(spec::Normalizer& normalizer, const Settings& settings, bool with_chinese) {
  if (normalizer.kind != spec::Normalizer::kBert) return;
  normalizer.lowercase = settings.flag("do_lower_case", true);
  normalizer.strip_accents.reset();
  const auto accents = settings.values().find("strip_accents");
  if (accents != settings.values().end() && !accents->is_null()) normalizer.strip_accents = settings.flag("strip_accents", false);
  if (with_chinese) normalizer.handle_chinese_chars = settings.flag("tokenize_chinese_chars", true);
}

// <bos> A <eos> and <bos> A <eos> <bos> B <eos>, with what the settings ask for.
spec::PostProcessor bos_eos_template(const Settings& settings, const TokenizerSettings& out, const Tokenizer& tokenizer, bool bos_missing) {
  spec::PostProcessor made;
  made.kind = spec::PostProcessor::kTemplate;
  auto token = [&](const char* name, const std::optional<std::string>& content) -> std::optional<std::size_t> {
    if (!content) settings.fail(name, "is asked for, but there is no such token");
    const auto id = tokenizer.token_to_id(*content);
    if (!id) settings.fail(name, "\"" + printable(*content) + "\" is not in the vocabulary");
    made.special_tokens.push_back({*content, {*id}, {*content}});
    return made.special_tokens.size() - 1;
  };
  std::optional<std::size_t> bos, eos;
  if (settings.flag("add_bos_token", bos_missing)) bos = token("bos_token", out.special.bos_token);
  if (settings.flag("add_eos_token", false)) eos = token("eos_token", out.special.eos_token);
  auto add = [&](std::vector<spec::TemplatePiece>& to, int sequence) {
    if (bos) to.push_back({-1, *bos, sequence});
    to.push_back({sequence, 0, sequence});
    if (eos) to.push_back({-1, *eos, sequence});
  };
  add(made.single, 0);
  add(made.pair, 0);
  add(made.pair, 1);
  return made;
}

PretrainedTokenizer load_fast(Settings& settings, TokenizerSpec spec) {
  const ClassRule rule = settings.known_class().rule;
  std::optional<spec::Normalizer> updated = spec.normalizer;
  if (updated && (rule == ClassRule::kBert || rule == ClassRule::kMpnet)) update_normalizer(*updated, settings, rule == ClassRule::kBert);
  const bool add_prefix_space = settings.flag("add_prefix_space", false);
  settings.out().refuses_words = rule == ClassRule::kRoberta && !add_prefix_space;
  if (spec.pre_tokenizer && spec.pre_tokenizer->kind == spec::PreTokenizer::kByteLevel && rule != ClassRule::kLlama) {
    spec.pre_tokenizer->add_prefix_space = add_prefix_space;
  }
  if (spec.post_processor && rule == ClassRule::kRoberta) {
    spec.post_processor->add_prefix_space = add_prefix_space;
    spec.post_processor->trim_offsets = settings.flag("trim_offsets", true);
  }
  Tokenizer tokenizer = Tokenizer::from_spec(std::move(spec));
  const auto missing = settings.tokens_to_add(tokenizer);
  if (!missing.empty()) tokenizer = tokenizer.with_added_tokens(missing);
  if (updated && updated->kind == spec::Normalizer::kBert) tokenizer = tokenizer.with_normalizer(*updated);
  if (rule == ClassRule::kLlama || rule == ClassRule::kGptNeoX) {
    tokenizer = tokenizer.with_post_processor(bos_eos_template(settings, settings.out(), tokenizer, rule == ClassRule::kLlama));
  }
  if (auto made = language_template(settings.out(), [&](const std::string& token) { return tokenizer.token_to_id(token); })) {
    tokenizer = tokenizer.with_post_processor(std::move(*made));
  }
  return PretrainedTokenizer(std::move(settings.out()), std::make_shared<FastBackend>(std::move(tokenizer)));
}

}  // namespace

void require_files(const TokenizerSettings& settings, std::initializer_list<const char*> names) {
  std::string all, missing;
  for (const char* name : names) {
    all += (all.empty() ? "" : " and ") + std::string(name);
    if (!file_exists(join_path(settings.folder, name))) missing += (missing.empty() ? "" : ", ") + std::string(name);
  }
  if (missing.empty()) return;
  const bool has_json = file_exists(join_path(settings.folder, "tokenizer.json"));  // of no use to a class that exists in Python only
  throw Error(ErrorCode::kNotFound, (has_json ? "a " : "holds no tokenizer.json; without it a ") + printable(settings.tokenizer_class) + " needs " + all +
                                        ", and there is no " + missing, settings.folder);
}

PretrainedTokenizer::PretrainedTokenizer(TokenizerSettings settings, std::shared_ptr<const TokenizerBackend> backend)
    : settings_(std::move(settings)), backend_(std::move(backend)) {
  const SpecialTokens& s = settings_.special;
  auto add = [&](const std::optional<std::string>& token) {
    const auto id = id_of(token);
    if (id && std::find(all_special_ids_.begin(), all_special_ids_.end(), *id) == all_special_ids_.end()) all_special_ids_.push_back(*id);
  };
  for (const auto* token : {&s.bos_token, &s.eos_token, &s.unk_token, &s.sep_token, &s.pad_token, &s.cls_token, &s.mask_token}) add(*token);
  for (const std::string& token : s.additional_special_tokens) add(token);
}

TokenizerSettings read_tokenizer_settings(const std::string& folder) {
  Settings settings(folder);
  settings.resolve(nullptr, false, !file_exists(join_path(folder, "tokenizer.json")));
  return std::move(settings.out());
}

PretrainedTokenizer PretrainedTokenizer::load(const std::string& folder) {
  Settings settings(folder);
  const std::string path = join_path(folder, "tokenizer.json");
  if (const BackendFactory slow = slow_backend(settings.out().tokenizer_class)) {
    settings.resolve(nullptr, false);
    const auto backend = slow(settings.out());
    return PretrainedTokenizer(std::move(settings.out()), backend);
  }
  if (file_exists(path)) {
    TokenizerSpec spec = read_tokenizer_json(path);
    settings.resolve(spec.padding ? &*spec.padding : nullptr, spec.truncates_left);
    return load_fast(settings, std::move(spec));
  }
  settings.resolve(nullptr, false, true);
  if (auto spec = convert_slow_tokenizer(settings.out())) return load_fast(settings, std::move(*spec));
  if (!directory_exists(folder)) throw Error(ErrorCode::kNotFound, "no such folder", folder);
  if (!file_exists(join_path(folder, "tokenizer_config.json")) && !file_exists(join_path(folder, "config.json"))) {
    throw Error(ErrorCode::kNotFound, "holds no tokenizer: neither tokenizer.json nor a tokenizer_config.json or config.json that names its class", folder);
  }
  throw Error(ErrorCode::kNotFound,
              "holds no tokenizer.json, and its tokenizer class \"" + printable(settings.out().tokenizer_class) + "\" is not one whose older files are known", folder);
}

std::optional<std::int32_t> PretrainedTokenizer::id_of(const std::optional<std::string>& token) const {
  return token ? token_to_id(*token) : std::nullopt;
}

std::optional<std::int32_t> PretrainedTokenizer::token_to_id(std::string_view token) const {
  if (auto id = backend_->token_to_id(token)) return id;
  return settings_.special.unk_token ? backend_->token_to_id(*settings_.special.unk_token) : std::nullopt;
}

std::string PretrainedTokenizer::decode(std::span<const std::int32_t> ids, bool skip_special_tokens, std::optional<bool> clean_up) const {
  std::string text = backend_->decode(ids, skip_special_tokens);
  return clean_up.value_or(settings_.clean_up_tokenization_spaces) ? clean_up_tokenization(std::move(text)) : text;
}

Padding PretrainedTokenizer::padding() const {
  Padding padding;
  padding.direction = settings_.padding_side;
  padding.pad_id = pad_id().value_or(0);
  padding.pad_type_id = settings_.pad_token_type_id;
  padding.pad_token = settings_.special.pad_token.value_or("[PAD]");
  return padding;
}

std::string clean_up_tokenization(std::string text) {
  static constexpr std::pair<const char*, const char*> kRules[] = {{" .", "."},     {" ?", "?"},   {" !", "!"},   {" ,", ","},   {" ' ", "'"},
                                                                   {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (auto [from, to] : kRules) replace_all(text, from, to);
  return text;
}

}  // namespace polymath
