// WordPiece: of what is left of a word, always the longest piece that the vocabulary has.
#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "text/tokenizer_model.h"

namespace polymath {
namespace {

class WordPiece final : public TokenizerModel {
 public:
  WordPiece(const spec::Model& model, std::shared_ptr<const void> storage)
      : TokenizerModel(model, std::move(storage), TokenizerModelKind::kWordPiece), most_characters_(model.max_input_chars_per_word) {
    for (char c : prefix_) prefix_hash_.add(c);
  }

  void tokenize(std::string_view word, std::vector<ModelToken>& out) const override {
    const std::size_t first = out.size();
    bool known = word.size() <= most_characters_ || utf8_length(word) <= most_characters_;
    for (std::size_t begin = 0; known && begin < word.size();) {
      const std::size_t end = longest_piece(word, begin, out);
      known = end > begin;
      begin = end;
    }
    if (known) return;
    out.resize(first);
    out.push_back({require_unknown(), 0, static_cast<std::uint32_t>(word.size())});
  }

 private:
  // Appends the longest piece from `begin`; its end, or `begin` where there is none.
  std::size_t longest_piece(std::string_view word, std::size_t begin, std::vector<ModelToken>& out) const {
    const std::size_t prefix = begin > 0 ? prefix_.size() : 0;
    if (vocabulary_.longest() < prefix) return begin;
    // Hashes of all prefixes that may be pieces, then from the longest down.
    const std::size_t most = std::min({word.size() - begin, vocabulary_.longest() - prefix, kMostBytes});
    std::array<std::uint32_t, kMostBytes> hashes;
    RunningHash hash = begin > 0 ? prefix_hash_ : RunningHash{};
    for (std::size_t i = 0; i < most; ++i) {
      hash.add(word[begin + i]);
      hashes[i] = hash.value();
    }
    if (word.size() - begin > kMostBytes && vocabulary_.longest() - prefix > kMostBytes) {
      if (const std::size_t end = longest_long_piece(word, begin, out); end > begin) return end;
    }
    for (std::size_t length = most; length > 0; --length) {
      const std::size_t end = begin + length;
      if (end < word.size() && (static_cast<std::uint8_t>(word[end]) & 0xC0) == 0x80) continue;  // inside a character
      const std::int32_t id = find(word.substr(begin, length), hashes[length - 1], prefix > 0);
      if (id < 0) continue;
      out.push_back({id, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
      return end;
    }
    return begin;
  }

  // The same for pieces of more than kMostBytes, which hardly any vocabulary has.
  std::size_t longest_long_piece(std::string_view word, std::size_t begin, std::vector<ModelToken>& out) const {
    const std::size_t prefix = begin > 0 ? prefix_.size() : 0;
    const std::size_t most = std::min(word.size() - begin, vocabulary_.longest() - prefix);
    std::vector<std::uint32_t> hashes(most);
    RunningHash hash = begin > 0 ? prefix_hash_ : RunningHash{};
    for (std::size_t i = 0; i < most; ++i) {
      hash.add(word[begin + i]);
      hashes[i] = hash.value();
    }
    for (std::size_t length = most; length > kMostBytes; --length) {
      const std::int32_t id = find(word.substr(begin, length), hashes[length - 1], prefix > 0);
      if (id < 0) continue;
      out.push_back({id, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(begin + length)});
      return begin + length;
    }
    return begin;
  }

  std::int32_t find(std::string_view piece, std::uint32_t hash, bool continues) const {
    if (!continues) return vocabulary_.find(piece, hash);
    return vocabulary_.find_joined(prefix_, piece, hash);
  }

  static constexpr std::size_t kMostBytes = 128;
  std::size_t most_characters_;
  RunningHash prefix_hash_;
};

}  // namespace

std::shared_ptr<const TokenizerModel> make_wordpiece(const spec::Model& model, std::shared_ptr<const void> storage) {
  return std::make_shared<WordPiece>(model, std::move(storage));
}

}  // namespace polymath
