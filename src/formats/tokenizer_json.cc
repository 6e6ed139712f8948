#include "formats/tokenizer_json.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/file.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "polymath/error.h"

namespace polymath {
namespace {

namespace dom = simdjson::dom;
using spec::Decoder;
using spec::Model;
using spec::Normalizer;
using spec::Pattern;
using spec::PostProcessor;
using spec::PrependScheme;
using spec::PreTokenizer;
using spec::SplitBehavior;

// A value of the file and its name, for errors. Views into the document; it must outlive them.
struct Field {
  dom::element value;
  std::string path;  // "tokenizer.json: model.vocab"

  [[noreturn]] void fail(const std::string& reason) const { throw Error(ErrorCode::kBadFile, reason, path); }

  const char* kind() const {
    switch (value.type()) {
      case dom::element_type::ARRAY: return "a list";
      case dom::element_type::OBJECT: return "an object";
      case dom::element_type::STRING: return "a string";
      case dom::element_type::BOOL: return "a boolean";
      case dom::element_type::NULL_VALUE: return "null";
      default: return "a number";
    }
  }
  [[noreturn]] void fail_kind(const char* expected) const { fail(std::string("must be ") + expected + ", not " + kind()); }

  bool is_null() const { return value.is_null(); }

  dom::object object() const {
    dom::object out;
    if (value.get(out)) fail_kind("an object");
    return out;
  }
  dom::array list() const {
    dom::array out;
    if (value.get(out)) fail_kind("a list");
    return out;
  }
  std::string_view text() const {
    std::string_view out;
    if (value.get(out)) fail_kind("a string");
    return out;
  }
  bool boolean() const {
    bool out;
    if (value.get(out)) fail_kind("true or false");
    return out;
  }
  std::int32_t id() const {
    std::int64_t out;
    if (value.get(out)) fail(std::string("must be a token id, not ") + kind() + (value.is_double() ? " with a fraction" : ""));
    if (out < 0 || out > INT32_MAX - 1) fail("is " + std::to_string(out) + ", which is no token id");
    return static_cast<std::int32_t>(out);
  }
  std::uint32_t count() const {
    std::int64_t out;
    if (value.get(out)) {
      std::uint64_t large;
      if (!value.get(large)) return UINT32_MAX;
      fail_kind("a whole number");
    }
    if (out < 0) fail("is " + std::to_string(out) + ", must not be negative");
    return static_cast<std::uint32_t>(std::min<std::int64_t>(out, UINT32_MAX));
  }
  double number() const {
    double out;
    if (value.get(out)) fail_kind("a number");
    return out;
  }
  char32_t character() const {
    const std::string_view out = text();
    if (out.empty() || static_cast<std::size_t>(utf8_decode(out).length) != out.size()) fail("must be one character");
    return utf8_decode(out).code;
  }

  std::optional<Field> opt(const std::string& name) const {
    dom::element found;
    const auto error = object().at_key(name).get(found);
    if (error) return std::nullopt;
    return Field{found, path + (path.ends_with(": ") ? "" : ".") + name};
  }
  std::optional<Field> set(const std::string& name) const {  // there and not null
    auto found = opt(name);
    return found && !found->is_null() ? found : std::nullopt;
  }
  Field req(const std::string& name) const {
    auto found = opt(name);
    if (!found) throw Error(ErrorCode::kBadFile, "the field is missing", path + (path.ends_with(": ") ? "" : ".") + name);
    return *found;
  }
  bool flag(const std::string& name, bool missing) const {
    auto found = set(name);
    return found ? found->boolean() : missing;
  }
  std::string string(const std::string& name) const { return std::string(req(name).text()); }
  Field item(std::size_t index, dom::element element) const { return {element, path + "[" + std::to_string(index) + "]"}; }
};

template <class Kind>
Kind kind_of(const Field& field, const std::vector<std::pair<const char*, Kind>>& names, const char* what) {
  const Field type = field.req("type");
  for (auto& [name, kind] : names) {
    if (type.text() == name) return kind;
  }
  type.fail("\"" + printable(type.text()) + "\" is no known " + what);
}

void check_depth(const Field& field, int depth) {
  if (depth <= kMaxSequenceDepth) return;
  throw Error(ErrorCode::kBadFile, "is nested deeper than " + std::to_string(kMaxSequenceDepth) + " levels", printable(field.path, 200));
}

template <class Item>
std::vector<Item> sequence(const Field& list, int depth, Item (*read)(const Field&, int)) {
  std::vector<Item> items;
  std::size_t index = 0;
  for (dom::element element : list.list()) items.push_back(read(list.item(index++, element), depth + 1));
  return items;
}

Pattern read_pattern(const Field& field) {
  const auto regex = field.opt("Regex"), text = field.opt("String");
  if (!regex == !text) field.fail("must hold either \"String\" or \"Regex\"");
  return {regex.has_value(), std::string((regex ? regex : text)->text())};
}

SplitBehavior read_behavior(const Field& field) {
  static const std::vector<std::pair<const char*, SplitBehavior>> kNames = {
      {"Removed", SplitBehavior::kRemoved},
      {"Isolated", SplitBehavior::kIsolated},
      {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
      {"MergedWithNext", SplitBehavior::kMergedWithNext},
      {"Contiguous", SplitBehavior::kContiguous},
  };
  for (auto& [name, behavior] : kNames) {
    if (field.text() == name) return behavior;
  }
  field.fail("\"" + printable(field.text()) + "\" is no known behavior");
}

PrependScheme read_prepend_scheme(const Field& owner) {
  PrependScheme scheme = PrependScheme::kAlways;
  if (auto field = owner.opt("prepend_scheme")) {
    if (field->text() == "always") scheme = PrependScheme::kAlways;
    else if (field->text() == "never") scheme = PrependScheme::kNever;
    else if (field->text() == "first") scheme = PrependScheme::kFirst;
    else field->fail("\"" + printable(field->text()) + "\" is not one of always, never, first");
  }
  auto legacy = owner.set("add_prefix_space");
  if (legacy && !legacy->boolean() && scheme != PrependScheme::kNever) {
    if (owner.opt("prepend_scheme")) legacy->fail("does not match prepend_scheme");
    legacy->fail("must come with prepend_scheme \"never\" when it is false");
  }
  return scheme;
}

Normalizer read_normalizer(const Field& field, int depth) {
  using N = Normalizer;
  check_depth(field, depth);
  N out;
  out.kind = kind_of<N::Kind>(field,
                              {{"Sequence", N::kSequence}, {"BertNormalizer", N::kBert}, {"Bert", N::kBert}, {"Strip", N::kStrip},
                               {"StripAccents", N::kStripAccents}, {"NFC", N::kNfc}, {"NFD", N::kNfd}, {"NFKC", N::kNfkc}, {"NFKD", N::kNfkd},
                               {"Lowercase", N::kLowercase}, {"Nmt", N::kNmt}, {"Precompiled", N::kPrecompiled}, {"Replace", N::kReplace},
                               {"Prepend", N::kPrepend}, {"ByteLevel", N::kByteLevel}},
                              "normalizer");
  if (out.kind == N::kSequence) out.normalizers = sequence(field.req("normalizers"), depth, read_normalizer);
  if (out.kind == N::kBert) {
    out.clean_text = field.req("clean_text").boolean();
    out.handle_chinese_chars = field.req("handle_chinese_chars").boolean();
    if (auto accents = field.set("strip_accents")) out.strip_accents = accents->boolean();
    out.lowercase = field.req("lowercase").boolean();
  }
  if (out.kind == N::kStrip) {
    out.strip_left = field.req("strip_left").boolean();
    out.strip_right = field.req("strip_right").boolean();
  }
  if (out.kind == N::kPrecompiled) {
    const Field charsmap = field.req("precompiled_charsmap");
    out.precompiled_charsmap = decode_base64(charsmap.text(), charsmap.path);
  }
  if (out.kind == N::kReplace) {
    out.pattern = read_pattern(field.req("pattern"));
    out.content = field.string("content");
  }
  if (out.kind == N::kPrepend) out.content = field.string("prepend");
  return out;
}

PreTokenizer read_pre_tokenizer(const Field& field, int depth) {
  using P = PreTokenizer;
  check_depth(field, depth);
  P out;
  out.kind = kind_of<P::Kind>(field,
                              {{"Sequence", P::kSequence}, {"BertPreTokenizer", P::kBert}, {"ByteLevel", P::kByteLevel}, {"Metaspace", P::kMetaspace},
                               {"Whitespace", P::kWhitespace}, {"WhitespaceSplit", P::kWhitespaceSplit}, {"Split", P::kSplit},
                               {"Punctuation", P::kPunctuation}, {"Digits", P::kDigits}, {"CharDelimiterSplit", P::kCharDelimiterSplit},
                               {"UnicodeScripts", P::kUnicodeScripts}, {"FixedLength", P::kFixedLength}},
                              "pre-tokenizer");
  switch (out.kind) {
    case P::kSequence: out.pretokenizers = sequence(field.req("pretokenizers"), depth, read_pre_tokenizer); break;
    case P::kByteLevel:
      out.add_prefix_space = field.req("add_prefix_space").boolean();
      out.trim_offsets = field.req("trim_offsets").boolean();
      if (auto use = field.opt("use_regex")) out.use_regex = use->boolean();
      break;
    case P::kMetaspace:
      out.replacement = field.req("replacement").character();
      out.prepend_scheme = read_prepend_scheme(field);
      out.split = field.flag("split", true);
      break;
    case P::kSplit:
      out.pattern = read_pattern(field.req("pattern"));
      out.behavior = read_behavior(field.req("behavior"));
      out.invert = field.req("invert").boolean();
      break;
    case P::kPunctuation:
      if (auto behavior = field.opt("behavior")) out.behavior = read_behavior(*behavior);
      break;
    case P::kDigits: out.individual_digits = field.req("individual_digits").boolean(); break;
    case P::kCharDelimiterSplit: out.delimiter = field.req("delimiter").character(); break;
    case P::kFixedLength:
      if (auto length = field.opt("length")) out.length = length->count();
      if (out.length == 0) field.req("length").fail("must be at least 1");
      break;
    default: break;
  }
  return out;
}

std::vector<spec::TemplatePiece> read_template(const Field& list, const std::vector<spec::SpecialToken>& tokens) {
  std::vector<spec::TemplatePiece> pieces;
  std::size_t index = 0;
  for (dom::element element : list.list()) {
    const Field piece = list.item(index++, element);
    spec::TemplatePiece out;
    const auto sequence = piece.opt("Sequence"), special = piece.opt("SpecialToken");
    if (!sequence == !special) piece.fail("must hold either \"Sequence\" or \"SpecialToken\"");
    const Field& body = sequence ? *sequence : *special;
    const Field id = body.req("id");
    out.type_id = body.req("type_id").id();
    if (sequence) {
      if (id.text() != "A" && id.text() != "B") id.fail("\"" + printable(id.text()) + "\" is neither A nor B");
      out.sequence = id.text() == "B";
    } else {
      auto found = std::find_if(tokens.begin(), tokens.end(), [&](auto& t) { return t.id == id.text(); });
      if (found == tokens.end()) id.fail("\"" + printable(id.text()) + "\" is not among special_tokens");
      out.special_token = static_cast<std::size_t>(found - tokens.begin());
    }
    pieces.push_back(out);
  }
  const auto sequences = std::count_if(pieces.begin(), pieces.end(), [](const auto& piece) { return piece.sequence >= 0; });
  if (sequences > kMaxTemplateSequences) list.fail("holds the sequences " + std::to_string(sequences) + " times; the limit is " + std::to_string(kMaxTemplateSequences));
  return pieces;
}

std::pair<std::string, std::int32_t> read_token_and_id(const Field& field) {
  dom::array list = field.list();
  if (list.size() != 2) field.fail("must be a list of a token and its id");
  return {std::string(field.item(0, list.at(0)).text()), field.item(1, list.at(1)).id()};
}

PostProcessor read_post_processor(const Field& field, int depth) {
  using P = PostProcessor;
  check_depth(field, depth);
  P out;
  out.kind = kind_of<P::Kind>(field,
                              {{"Sequence", P::kSequence}, {"TemplateProcessing", P::kTemplate}, {"BertProcessing", P::kBert},
                               {"RobertaProcessing", P::kRoberta}, {"ByteLevel", P::kByteLevel}},
                              "post-processor");
  if (out.kind == P::kSequence) out.processors = sequence(field.req("processors"), depth, read_post_processor);
  if (out.kind == P::kTemplate) {
    const Field tokens = field.req("special_tokens");
    for (auto [key, value] : tokens.object()) {
      const Field token{value, tokens.path + "." + printable(key)};
      spec::SpecialToken special;
      special.id = key;
      const Field ids = token.req("ids"), texts = token.req("tokens");
      std::size_t index = 0;
      for (dom::element id : ids.list()) special.ids.push_back(ids.item(index++, id).id());
      index = 0;
      for (dom::element text : texts.list()) special.tokens.emplace_back(texts.item(index++, text).text());
      if (special.ids.size() != special.tokens.size()) token.fail("ids and tokens differ in length");
      out.special_tokens.push_back(std::move(special));
    }
    out.single = read_template(field.req("single"), out.special_tokens);
    out.pair = read_template(field.req("pair"), out.special_tokens);
    for (const auto& piece : out.single) {
      if (piece.sequence == 1) field.req("single").fail("uses sequence B");
    }
  }
  if (out.kind == P::kBert || out.kind == P::kRoberta) {
    out.sep = read_token_and_id(field.req("sep"));
    out.cls = read_token_and_id(field.req("cls"));
  }
  if (out.kind == P::kRoberta || out.kind == P::kByteLevel) {
    out.trim_offsets = field.req("trim_offsets").boolean();
    out.add_prefix_space = field.req("add_prefix_space").boolean();
  }
  return out;
}

Decoder read_decoder(const Field& field, int depth) {
  using D = Decoder;
  check_depth(field, depth);
  D out;
  out.kind = kind_of<D::Kind>(field,
                              {{"Sequence", D::kSequence}, {"WordPiece", D::kWordPiece}, {"ByteLevel", D::kByteLevel}, {"Metaspace", D::kMetaspace},
                               {"BPEDecoder", D::kBpe}, {"ByteFallback", D::kByteFallback}, {"Fuse", D::kFuse}, {"Replace", D::kReplace},
                               {"Strip", D::kStrip}, {"CTC", D::kCtc}},
                              "decoder");
  switch (out.kind) {
    case D::kSequence: out.decoders = sequence(field.req("decoders"), depth, read_decoder); break;
    case D::kWordPiece:
      out.prefix = field.string("prefix");
      out.cleanup = field.req("cleanup").boolean();
      break;
    case D::kMetaspace:
      out.replacement = field.req("replacement").character();
      out.prepend_scheme = read_prepend_scheme(field);
      break;
    case D::kBpe: out.suffix = field.string("suffix"); break;
    case D::kReplace:
      out.pattern = read_pattern(field.req("pattern"));
      out.content = field.string("content");
      break;
    case D::kStrip:
      utf8_append(out.content, field.req("content").character());
      out.start = field.req("start").count();
      out.stop = field.req("stop").count();
      break;
    case D::kCtc:
      out.pad_token = field.string("pad_token");
      out.word_delimiter_token = field.string("word_delimiter_token");
      out.cleanup = field.req("cleanup").boolean();
      break;
    default: break;
  }
  return out;
}

void check_vocabulary_size(const Field& field, std::size_t size) {
  if (size > kMaxVocabulary) field.fail("has " + std::to_string(size) + " entries; the limit is " + std::to_string(kMaxVocabulary));
}

void read_vocab(const Field& field, Model& model) {
  const dom::object entries = field.object();
  check_vocabulary_size(field, entries.size());
  model.vocab.reserve(entries.size());
  for (auto [token, value] : entries) {
    std::int64_t id = -1;
    if (value.get(id) || id < 0 || id > INT32_MAX - 1) Field{value, field.path + "." + printable(token)}.id();  // fails
    model.vocab.emplace_back(token, static_cast<std::int32_t>(id));
  }
}

void read_scored_vocab(const Field& field, Model& model) {
  const dom::array entries = field.list();
  check_vocabulary_size(field, entries.size());
  std::size_t index = 0;
  for (dom::element element : entries) {
    dom::array pair;
    std::string_view piece;
    double score = 0;
    // Names are made only for errors: there may be hundreds of thousands of pieces.
    if (element.get(pair) || pair.size() != 2) field.item(index, element).fail("must be a list of a piece and its score");
    auto item = pair.begin();
    if ((*item).get(piece)) field.item(index, element).item(0, *item).text();
    ++item;
    if ((*item).get(score)) field.item(index, element).item(1, *item).number();
    model.vocab.emplace_back(piece, static_cast<std::int32_t>(index));
    model.scores.push_back(score);
    ++index;
  }
  if (model.unk_id && static_cast<std::size_t>(*model.unk_id) >= index) {
    throw Error(ErrorCode::kBadFile, "is " + std::to_string(*model.unk_id) + " but the vocabulary has " + std::to_string(index) + " pieces",
                field.path.substr(0, field.path.size() - 5) + "unk_id");
  }
}

void read_merges(const Field& field, Model& model) {
  const dom::array entries = field.list();
  check_vocabulary_size(field, entries.size());
  model.merges.reserve(entries.size());
  std::size_t index = 0;
  for (dom::element element : entries) {
    std::string_view line;
    if (!element.get(line)) {
      if (line.starts_with("#version")) continue;
      const std::size_t space = line.find(' ');
      if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
        field.item(index, element).fail("\"" + printable(line) + "\" is not two tokens with a space between");
      }
      model.merges.emplace_back(line.substr(0, space), line.substr(space + 1));
    } else {
      dom::array list;
      std::string_view left, right;
      if (element.get(list) || list.size() != 2) field.item(index, element).fail("must be a pair of tokens");
      auto item = list.begin();
      if ((*item).get(left)) field.item(index, element).item(0, *item).text();
      ++item;
      if ((*item).get(right)) field.item(index, element).item(1, *item).text();
      model.merges.emplace_back(left, right);
    }
    ++index;
  }
}

Model read_model(const Field& field) {
  using M = Model;
  M out;
  if (field.opt("type")) {
    out.kind = kind_of<M::Kind>(field, {{"WordPiece", M::kWordPiece}, {"BPE", M::kBpe}, {"Unigram", M::kUnigram}, {"WordLevel", M::kWordLevel}}, "model");
  } else if (field.opt("merges")) {  // files of old versions do not name the type
    out.kind = M::kBpe;
  } else if (field.opt("max_input_chars_per_word")) {
    out.kind = M::kWordPiece;
  } else {
    out.kind = field.opt("unk_token") ? M::kWordLevel : M::kUnigram;
  }
  if (out.kind == M::kUnigram) {
    if (auto unk = field.set("unk_id")) out.unk_id = unk->id();
    out.byte_fallback = field.flag("byte_fallback", false);
    read_scored_vocab(field.req("vocab"), out);
    return out;
  }
  read_vocab(field.req("vocab"), out);
  if (out.kind == M::kWordPiece || out.kind == M::kWordLevel) out.unk_token = field.string("unk_token");
  if (out.kind == M::kWordPiece) {
    out.continuing_subword_prefix = field.string("continuing_subword_prefix");
    out.max_input_chars_per_word = field.req("max_input_chars_per_word").count();
  }
  if (out.kind == M::kBpe) {
    if (auto dropout = field.set("dropout")) {
      const double p = dropout->number();
      if (!(p >= 0 && p <= 1)) dropout->fail("must be between 0 and 1");
      if (p > 0) dropout->fail("BPE dropout would make results random; set it to null");
    }
    if (auto unk = field.set("unk_token")) out.unk_token = unk->text();
    if (auto prefix = field.set("continuing_subword_prefix")) out.continuing_subword_prefix = prefix->text();
    if (auto suffix = field.set("end_of_word_suffix")) out.end_of_word_suffix = suffix->text();
    out.fuse_unk = field.flag("fuse_unk", false);
    out.byte_fallback = field.flag("byte_fallback", false);
    out.ignore_merges = field.flag("ignore_merges", false);
    read_merges(field.req("merges"), out);
  }
  return out;
}

}  // namespace

TokenizerSpec parse_tokenizer_json(std::string_view json, const std::string& where) {
  auto parser = std::make_shared<dom::parser>();
  dom::element root;
  if (json.starts_with("\xEF\xBB\xBF")) json.remove_prefix(3);
  // Nothing may lie at no address, which simdjson would copy from.
  if (json.empty()) throw Error(ErrorCode::kBadFile, "not valid JSON: the file is empty", where);
  if (auto error = parser->parse(json.data(), json.size()).get(root)) {
    throw Error(ErrorCode::kBadFile, std::string("not valid JSON: ") + simdjson::error_message(error), where);
  }
  const Field file{root, where + ": "};
  if (!root.is_object()) throw Error(ErrorCode::kBadFile, std::string("must hold a JSON object, not ") + file.kind(), where);
  TokenizerSpec out;
  out.where = where;
  if (auto version = file.opt("version"); version && version->text() != "1.0") {
    version->fail("\"" + printable(version->text()) + "\" is not the known version \"1.0\"");
  }
  if (auto tokens = file.opt("added_tokens")) {
    check_vocabulary_size(*tokens, tokens->list().size());
    std::size_t index = 0;
    for (dom::element element : tokens->list()) {
      const Field token = tokens->item(index++, element);
      out.added_tokens.push_back({.id = token.req("id").id(),
                                  .content = token.string("content"),
                                  .single_word = token.req("single_word").boolean(),
                                  .lstrip = token.req("lstrip").boolean(),
                                  .rstrip = token.req("rstrip").boolean(),
                                  .normalized = token.req("normalized").boolean(),
                                  .special = token.req("special").boolean()});
    }
  }
  if (auto part = file.set("normalizer")) out.normalizer = read_normalizer(*part, 0);
  if (auto part = file.set("pre_tokenizer")) out.pre_tokenizer = read_pre_tokenizer(*part, 0);
  if (auto part = file.set("post_processor")) out.post_processor = read_post_processor(*part, 0);
  if (auto part = file.set("decoder")) out.decoder = read_decoder(*part, 0);
  out.model = read_model(file.req("model"));
  auto is_left = [](const Field& section) {
    const auto direction = section.opt("direction");
    if (!direction || direction->text() == "Right") return false;
    if (direction->text() != "Left") direction->fail("\"" + printable(direction->text()) + "\" is neither Left nor Right");
    return true;
  };
  if (auto truncation = file.set("truncation")) out.truncates_left = is_left(*truncation);
  if (auto padding = file.set("padding")) {
    out.padding = {is_left(*padding), padding->string("pad_token"), padding->req("pad_type_id").id()};
  }
  out.storage = parser;
  return out;
}

TokenizerSpec read_tokenizer_json(const std::string& path) {
  return parse_tokenizer_json(as_text(MappedFile(path).bytes()), path);
}

std::string decode_base64(std::string_view text, const std::string& where) {
  static const auto kValues = [] {
    std::array<std::int8_t, 256> values;
    values.fill(-1);
    const char* letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int i = 0; i < 64; ++i) values[static_cast<std::uint8_t>(letters[i])] = static_cast<std::int8_t>(i);
    return values;
  }();
  std::size_t length = text.size();
  while (length > 0 && text.size() - length < 2 && text[length - 1] == '=') --length;
  if (text.size() % 4 != 0 || length % 4 == 1) throw Error(ErrorCode::kBadFile, "is not base64: its length is wrong", where);
  std::string out;
  out.reserve(length * 3 / 4);
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < length; ++i) {
    const int value = kValues[static_cast<std::uint8_t>(text[i])];
    if (value < 0) throw Error(ErrorCode::kBadFile, "is not base64 at character " + std::to_string(i), where);
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    const int have = static_cast<int>(i % 4) * 6 + 6;  // bits of this group of four
    if (have >= 8 && i % 4 != 0) out += static_cast<char>(bits >> (have % 8));
  }
  return out;
}

}  // namespace polymath
