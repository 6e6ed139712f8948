// What precedes the first NUL byte is a tokenizer.json, what follows a text. It is refused with an Error, or texts can be encoded
// in every way, their ids decoded, and every token read.
#include <set>

#include "base/utf8.h"
#include "json_mutator.h"
#include "polymath/error.h"
#include "text/tokenizer.h"

namespace {

using namespace polymath;

constexpr const char* kText = "Hello, \xC3\xA9t\xC3\xA9! <s>the #tag  \xE4\xB8\xAD\xE6\x96\x87 1,234.5\n\xF0\x9F\xA6\x86 don't\xE2\x96\x81\xCC\x81 \xEF\xAC\x81";

template <class Call>
bool attempt(const Call& call) {
  try {
    call();
    return true;
  } catch (const Error&) {
    return false;
  }
}

// Every value of an encoding is there and can be asked for.
void read(const Encoding& e) {
  const std::size_t n = e.size();
  for (const std::size_t other : {e.type_ids.size(), e.tokens.size(), e.offsets.size(), e.word_ids.size(), e.sequence_ids.size(), e.special_tokens_mask.size(),
                                  e.attention_mask.size()}) {
    if (other != n) __builtin_trap();
  }
  volatile std::size_t sink = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (!utf8_valid(e.tokens[i])) __builtin_trap();
    sink = sink + e.offsets[i][0] + e.tokens[i].size() + static_cast<std::size_t>(e.token_to_sequence(i).value_or(0));
    const auto word = e.token_to_word(i);
    for (const int sequence : {0, 1}) {
      if (i < 20) sink = sink + e.char_to_token(e.offsets[i][0], sequence).value_or(0) + static_cast<std::size_t>(e.char_to_word(e.offsets[i][0], sequence).value_or(0));
      if (word && i < 20) sink = sink + e.word_to_chars(*word, sequence).value_or(Span{})[1];
    }
  }
  for (const Encoding& part : e.overflowing) read(part);
}

void use(const Tokenizer& tokenizer, const std::string& text) {
  const int size = tokenizer.vocab_size();
  if (size < 0) __builtin_trap();
  std::vector<std::int32_t> some;
  attempt([&] {
    const Encoding e = tokenizer.encode(text);
    read(e);
    some = e.ids;
    std::vector<std::int32_t> ids;
    tokenizer.encode_ids(text, true, ids);
    if (ids != e.ids) __builtin_trap();
    tokenizer.convert_tokens_to_string(e.tokens);
  });
  const std::vector<std::string> words = {"Hello", "", " wor ld ", text.substr(0, text.find(' ') == std::string::npos ? 0 : text.find(' '))};
  const TextInput split(words);
  attempt([&] { read(tokenizer.encode(split, /*add_special_tokens=*/false)); });
  for (const int most : {0, 3, 8}) {
    const Side side = most == 3 ? Side::kRight : Side::kLeft;
    EncodeOptions options;
    options.truncation = Truncation{.max_length = most, .strategy = static_cast<TruncationStrategy>(text.size() % 3), .stride = most / 3, .direction = side};
    options.padding = Padding{.length = 10, .pad_to_multiple_of = 4, .direction = side};
    attempt([&] { read(tokenizer.encode(text, nullptr, options)); });
    attempt([&] { read(tokenizer.encode(text, &split, options)); });
  }
  for (const auto& [id, token] : tokenizer.added_tokens()) some.push_back(id);
  for (const int id : {0, 1, 2, 3, 5, 8, size - 1, size, -1, INT32_MAX}) some.push_back(id);
  for (const std::int32_t id : some) {
    const auto token = tokenizer.id_to_token(id);
    if (token && !utf8_valid(*token)) __builtin_trap();
    if (token) tokenizer.token_to_id(*token);
    tokenizer.is_special(id);
  }
  attempt([&] { tokenizer.decode(some, true); });
  attempt([&] {
    if (!utf8_valid(tokenizer.decode(some, false))) __builtin_trap();
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(all.find('\0'), all.size());
  attempt([&] {
    const Tokenizer tokenizer = Tokenizer::from_json(all.substr(0, end));
    tokenizer.continuing_subword_prefix();
    tokenizer.num_special_tokens_to_add(true);
    use(tokenizer, kText);
    if (end < all.size()) use(tokenizer, std::string(all.substr(end + 1)));
    attempt([&] { use(tokenizer.with_added_tokens({{.content = "Hello"}, {.content = "\xC3\xA9", .single_word = true, .special = true}}).decoding_added_tokens_as_written(), kText); });
  });
  return 0;
}
