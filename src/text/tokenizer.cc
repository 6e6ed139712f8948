#include "text/tokenizer.h"

#include <algorithm>

#include "base/utf8.h"
#include "formats/tokenizer_json.h"
#include "polymath/error.h"
#include "text/added_vocabulary.h"
#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/pieces.h"
#include "text/post_processor.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer_model.h"
#include "text/unicode.h"

namespace polymath {

struct Tokenizer::Parts {
  std::shared_ptr<const TokenizerModel> model;
  std::shared_ptr<const Normalizer> normalizer;          // null: none; so are those below
  std::shared_ptr<const PreTokenizer> pre_tokenizer;
  std::shared_ptr<const PostProcessor> post_processor;
  std::shared_ptr<const Decoder> decoder;
  AddedVocabulary added;
  // What encode_ids puts around a text; `simple` says whether it can.
  bool simple = true;
  std::vector<std::int32_t> before, after;

  // The pieces of a text, cut into words.
  Pieces pieces(std::string_view text, bool tracked, bool split_special = false) const {
    Pieces out(tracked);
    added.extract(text, normalizer.get(), split_special, out);
    if (pre_tokenizer) (*pre_tokenizer)(out);
    return out;
  }

  void set_post_processor(const spec::PostProcessor& part) {
    post_processor = make_post_processor(part);
    before.clear();
    after.clear();
    simple = post_processor->around_single(before, after);
  }

  Encoding encode_text(std::string_view text, std::int32_t word, std::int32_t type_id, bool split_special) const;
  Encoding encode_input(const TextInput& input, std::int32_t type_id, bool split_special) const;
};

namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30;  // positions are 32-bit, and a byte may become several

// Valid UTF-8: the text itself, or a copy in `storage` with U+FFFD for what is not.
std::string_view valid_text(std::string_view text, std::string& storage) {
  if (text.size() > kMostBytes) {
    throw Error(ErrorCode::kResource, "the text has " + std::to_string(text.size()) + " bytes; the limit is " + std::to_string(kMostBytes));
  }
  if (unicode::is_ascii(text) || utf8_valid(text)) return text;
  storage = utf8_lossy(text);
  return storage;
}

// The code point that each byte of a text is part of.
class CharIndex {
 public:
  explicit CharIndex(std::string_view text) : size_(text.size()) {
    if (unicode::is_ascii(text)) return;
    index_.reserve(text.size());
    std::uint32_t count = 0;
    for (const char c : text) {
      if ((static_cast<std::uint8_t>(c) & 0xC0) != 0x80) ++count;
      index_.push_back(count - 1);
    }
  }

  // Offsets in bytes as offsets in code points; those behind the text stay as they are.
  Span convert(Span bytes) const {
    if (bytes[0] >= size_) return bytes;
    if (index_.empty()) return bytes;
    const std::uint32_t begin = index_[bytes[0]];
    if (bytes[1] < size_) return {begin, index_[bytes[1]]};
    const std::uint32_t last = bytes[1] - 1 < size_ ? index_[bytes[1] - 1] : begin + 1;
    return {begin, last + 1};
  }

 private:
  std::size_t size_;
  std::vector<std::uint32_t> index_;  // empty: ASCII
};

}  // namespace

Encoding Tokenizer::Parts::encode_text(std::string_view raw, std::int32_t word, std::int32_t type_id, bool split_special) const {
  std::string storage;
  const std::string_view text = valid_text(raw, storage);
  const Pieces cut = pieces(text, /*tracked=*/true, split_special);
  const CharIndex chars(text);
  Encoding out;
  std::vector<ModelToken> tokens;
  std::int32_t index = 0;
  for (const Piece& piece : cut.list()) {
    const std::string_view piece_text = cut.text_of(piece);
    auto offset = [&](std::uint32_t begin, std::uint32_t end) {
      // Byte tokens of a prefix or suffix lie behind the piece; the crate leaves their offsets as they are.
      if (end > piece.end - piece.begin) return chars.convert({begin, end});
      if (begin == end) return chars.convert({piece.original_begin + begin, piece.original_begin + end});
      return chars.convert({cut.align()[piece.begin + begin][0], cut.align()[piece.begin + end - 1][1]});
    };
    const std::int32_t word_id = word >= 0 ? word : index;
    if (piece.id >= 0) {
      out.add(piece.id, std::string(piece_text), offset(0, piece.end - piece.begin), word_id, false, type_id);
    } else {
      tokens.clear();
      model->tokenize(piece_text, tokens);
      for (const ModelToken& token : tokens) {
        out.add(token.id, model->text_of(token, piece_text), offset(token.begin, token.end), word_id, false, type_id);
      }
    }
    ++index;
  }
  return out;
}

Encoding Tokenizer::Parts::encode_input(const TextInput& input, std::int32_t type_id, bool split_special) const {
  if (!input.split) return encode_text(input.text, -1, type_id, split_special);
  Encoding out;
  std::int32_t index = 0;
  for (const std::string& word : input.words) out.merge(encode_text(word, index++, type_id, split_special));
  return out;
}

Tokenizer::Tokenizer(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

Tokenizer Tokenizer::from_file(const std::string& path) { return from_spec(read_tokenizer_json(path)); }

Tokenizer Tokenizer::from_json(std::string_view json, const std::string& where) { return from_spec(parse_tokenizer_json(json, where)); }

Tokenizer Tokenizer::from_spec(TokenizerSpec spec) {
  auto parts = std::make_shared<Parts>();
  const std::string& where = spec.where;
  parts->model = make_tokenizer_model(spec.model, spec.storage, where + ": model");
  if (spec.normalizer) parts->normalizer = make_normalizer(*spec.normalizer, where + ": normalizer");
  if (spec.pre_tokenizer) parts->pre_tokenizer = make_pre_tokenizer(*spec.pre_tokenizer, where + ": pre_tokenizer");
  if (spec.post_processor) parts->set_post_processor(*spec.post_processor);
  if (spec.decoder) parts->decoder = make_decoder(*spec.decoder, where + ": decoder");
  std::vector<AddedToken> added;
  for (spec::AddedToken& token : spec.added_tokens) {
    added.push_back({std::move(token.content), token.single_word, token.lstrip, token.rstrip, token.normalized, token.special});
  }
  parts->added.add(added, *parts->model, parts->normalizer.get());
  return Tokenizer(std::move(parts));
}

Tokenizer Tokenizer::with_added_tokens(const std::vector<AddedToken>& tokens) const {
  auto parts = std::make_shared<Parts>(*parts_);
  parts->added.add(tokens, *parts->model, parts->normalizer.get());
  return Tokenizer(std::move(parts));
}

Tokenizer Tokenizer::decoding_added_tokens_as_written() const {
  auto parts = std::make_shared<Parts>(*parts_);
  parts->added.decode_as_written();
  return Tokenizer(std::move(parts));
}

Tokenizer Tokenizer::with_post_processor(const spec::PostProcessor& part) const {
  auto parts = std::make_shared<Parts>(*parts_);
  parts->set_post_processor(part);
  return Tokenizer(std::move(parts));
}

Tokenizer Tokenizer::with_normalizer(const spec::Normalizer& part) const {
  auto parts = std::make_shared<Parts>(*parts_);
  parts->normalizer = make_normalizer(part, "normalizer");
  return Tokenizer(std::move(parts));
}

Encoding Tokenizer::encode(const TextInput& text, bool add_special_tokens) const {
  return encode(text, nullptr, EncodeOptions{.add_special_tokens = add_special_tokens});
}

Encoding Tokenizer::encode(const TextInput& text, const TextInput& pair, bool add_special_tokens) const {
  return encode(text, &pair, EncodeOptions{.add_special_tokens = add_special_tokens});
}

Encoding Tokenizer::encode(const TextInput& text, const TextInput* pair, const EncodeOptions& options) const {
  std::vector<Encoding> sequences;
  sequences.push_back(parts_->encode_input(text, 0, options.split_special_tokens));
  if (pair) sequences.push_back(parts_->encode_input(*pair, 1, options.split_special_tokens));
  if (options.truncation) {
    // As where the library is told to truncate: the stride has to fit beside a single text's special tokens.
    const int room = options.truncation->max_length - num_special_tokens_to_add(false);
    if (room >= 0 && room < options.truncation->stride) {
      throw Error(ErrorCode::kInvalidArgument, "is " + std::to_string(options.truncation->stride) + ", but truncation leaves room for " + std::to_string(room) + " tokens", "stride");
    }
    const int special = options.add_special_tokens ? num_special_tokens_to_add(pair != nullptr) : 0;
    truncate_sequences(sequences, *options.truncation, special);
  }
  if (parts_->post_processor) {
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      sequences[i].set_sequence(static_cast<int>(i));
      for (Encoding& part : sequences[i].overflowing) part.set_sequence(static_cast<int>(i));
      std::fill(sequences[i].type_ids.begin(), sequences[i].type_ids.end(), static_cast<std::int32_t>(i));
    }
    (*parts_->post_processor)(sequences, options.add_special_tokens);
  } else if (pair) {
    for (std::size_t i = 0; i < sequences.size(); ++i) sequences[i].set_sequence(static_cast<int>(i));
  }
  std::vector<Encoding> result(1);
  if (sequences.size() == 1) result[0] = std::move(sequences[0]);
  else {
    for (const Encoding& sequence : sequences) result[0].merge(sequence);
  }
  result[0].set_sequence_ids();
  if (options.padding) pad_encodings(result, *options.padding);
  return std::move(result[0]);
}

void Tokenizer::encode_ids(std::string_view raw, bool add_special_tokens, std::vector<std::int32_t>& out) const {
  if (!parts_->simple) {
    const Encoding encoding = encode(raw, add_special_tokens);
    out.insert(out.end(), encoding.ids.begin(), encoding.ids.end());
    return;
  }
  std::string storage;
  const std::string_view text = valid_text(raw, storage);
  const bool tracked = parts_->pre_tokenizer && parts_->pre_tokenizer->needs_tracking();
  const Pieces cut = parts_->pieces(text, tracked);
  if (add_special_tokens) out.insert(out.end(), parts_->before.begin(), parts_->before.end());
  std::vector<ModelToken> tokens;
  for (const Piece& piece : cut.list()) {
    if (piece.id >= 0) {
      out.push_back(piece.id);
      continue;
    }
    tokens.clear();
    parts_->model->tokenize(cut.text_of(piece), tokens);
    for (const ModelToken& token : tokens) out.push_back(token.id);
  }
  if (add_special_tokens) out.insert(out.end(), parts_->after.begin(), parts_->after.end());
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_special_tokens) const {
  std::vector<std::string> tokens;
  tokens.reserve(ids.size());
  for (const std::int32_t id : ids) {
    auto token = id_to_token(id);
    if (!token || (skip_special_tokens && parts_->added.is_special(*token))) continue;
    tokens.push_back(std::move(*token));
  }
  return convert_tokens_to_string(tokens);
}

std::string Tokenizer::convert_tokens_to_string(const std::vector<std::string>& tokens) const {
  std::vector<std::string> parts = tokens;
  if (parts_->decoder) (*parts_->decoder)(parts);
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0 && !parts_->decoder) out += ' ';
    out += parts[i];
  }
  return out;
}

int Tokenizer::vocab_size(bool with_added_tokens) const {
  std::size_t size = parts_->model->vocabulary_size();
  if (with_added_tokens) {
    for (const auto& [content, id] : parts_->added.ids()) size += parts_->model->vocabulary().find(content) < 0;
  }
  return static_cast<int>(size);
}

std::optional<std::int32_t> Tokenizer::token_to_id(std::string_view token) const {
  if (auto added = parts_->added.find(std::string(token))) return added;
  const std::int32_t id = parts_->model->vocabulary().find(token);
  if (id < 0) return std::nullopt;
  return id;
}

std::optional<std::string> Tokenizer::id_to_token(std::int32_t id) const {
  if (const std::string* added = parts_->added.decoded(id)) return *added;
  if (const auto token = parts_->model->id_to_token(id)) return std::string(*token);
  return std::nullopt;
}

TokenizerModelKind Tokenizer::model_kind() const { return parts_->model->kind(); }
std::string Tokenizer::continuing_subword_prefix() const { return parts_->model->continuing_subword_prefix(); }
std::optional<std::string> Tokenizer::unk_token() const { return parts_->model->unk_token(); }

int Tokenizer::num_special_tokens_to_add(bool pair) const { return parts_->post_processor ? parts_->post_processor->added_tokens(pair) : 0; }

std::vector<std::pair<std::int32_t, AddedToken>> Tokenizer::added_tokens() const {
  return {parts_->added.tokens().begin(), parts_->added.tokens().end()};
}

bool Tokenizer::is_special(std::int32_t id) const {
  const AddedToken* token = parts_->added.token(id);
  return token && parts_->added.is_special(token->content);
}

}  // namespace polymath
