// Unigram: of all ways to cut a word into pieces, the one with the largest sum of scores.
#include <algorithm>
#include <limits>

#include "base/utf8.h"
#include "text/normalized_string.h"
#include "text/tokenizer_model.h"

namespace polymath {
namespace {

constexpr double kUnknownPenalty = 10.0;

// Which byte strings are the beginning of some piece: never wrong when it says no.
class PrefixFilter {
 public:
  void resize(std::size_t pieces) {
    std::size_t bits = 1024;
    while (bits < pieces * 64) bits *= 2;
    words_.assign(bits / 64, 0);
    mask_ = static_cast<std::uint32_t>(bits - 1);
  }
  void add(std::uint32_t hash) { words_[(hash & mask_) / 64] |= std::uint64_t{1} << (hash % 64); }
  bool may_have(std::uint32_t hash) const { return words_[(hash & mask_) / 64] >> (hash % 64) & 1; }

 private:
  std::vector<std::uint64_t> words_;
  std::uint32_t mask_ = 0;
};

class Unigram final : public TokenizerModel {
 public:
  Unigram(const spec::Model& model, std::shared_ptr<const void> storage)
      : TokenizerModel(model, std::move(storage), TokenizerModelKind::kUnigram), scores_(model.scores) {
    for (const auto& [piece, id] : model.vocab) pieces_.push_back(piece);
    unk_id_ = model.unk_id.value_or(-1);
    if (unk_id_ >= 0) unk_token_ = std::string(pieces_[static_cast<std::size_t>(unk_id_)]);
    double lowest = std::numeric_limits<double>::infinity();
    for (const double score : scores_) lowest = score < lowest ? score : lowest;
    unknown_score_ = lowest - kUnknownPenalty;
    prefixes_.resize(pieces_.size());
    for (const std::string_view piece : pieces_) {
      RunningHash hash;
      for (const char c : piece) {
        hash.add(c);
        prefixes_.add(hash.value());
      }
    }
    if (model.byte_fallback) {
      bytes_.resize(256);
      static const char* kHex = "0123456789ABCDEF";
      for (unsigned b = 0; b < 256; ++b) {
        const char name[] = {'<', '0', 'x', kHex[b >> 4], kHex[b & 15], '>'};
        bytes_[b] = vocabulary_.find(std::string_view(name, sizeof name));
      }
    }
  }

  std::size_t vocabulary_size() const override { return pieces_.size(); }

  std::optional<std::string_view> id_to_token(std::int32_t id) const override {
    if (id < 0 || static_cast<std::size_t>(id) >= pieces_.size()) return std::nullopt;
    return pieces_[static_cast<std::size_t>(id)];
  }

  void tokenize(std::string_view word, std::vector<ModelToken>& out) const override {
    // The best path that ends at each byte.
    struct Node {
      double score = 0;
      std::int32_t id = -1;
      std::int64_t begin = -1;  // -1: none ends here
    };
    std::vector<Node> nodes(word.size() + 1);
    auto offer = [&](std::size_t end, std::size_t begin, double score, std::int32_t id) {
      Node& node = nodes[end];
      if (node.begin >= 0 && !(score > node.score)) return;
      node = {score, id, static_cast<std::int64_t>(begin)};
    };
    for (std::size_t begin = 0; begin < word.size();) {
      const double so_far = nodes[begin].score;
      const auto character = static_cast<std::size_t>(utf8_decode(word.substr(begin)).length);
      bool has_single = false;
      RunningHash hash;
      for (std::size_t end = begin; end < word.size();) {
        hash.add(word[end++]);
        if (!prefixes_.may_have(hash.value())) break;
        const std::int32_t id = vocabulary_.find(word.substr(begin, end - begin), hash.value());
        if (id < 0) continue;
        offer(end, begin, scores_[static_cast<std::size_t>(id)] + so_far, id);
        has_single |= end - begin == character;
      }
      if (!has_single) offer(begin + character, begin, unknown_score_ + so_far, unk_id_ >= 0 ? unk_id_ : require_unknown());
      begin += character;
    }
    // Back along the path; neighbouring unknown pieces are one.
    const std::size_t first = out.size();
    bool last_unknown = false;
    for (std::size_t end = word.size(); end > 0;) {
      const Node& node = nodes[end];
      const auto begin = static_cast<std::size_t>(node.begin);
      const bool unknown = node.id == unk_id_;
      if (unknown && last_unknown) out.back().begin = static_cast<std::uint32_t>(begin);
      else out.push_back({node.id, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
      last_unknown = unknown;
      end = begin;
    }
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
    resolve_unknown(word, first, out);
  }

  std::string text_of(const ModelToken& token, std::string_view word) const override {
    // An unknown piece keeps its text; that of a byte's token is its name.
    const std::string_view text = word.substr(token.begin, token.end - token.begin);
    if (token.id == unk_id_ && (bytes_.empty() || vocabulary_.find(text) != token.id)) return std::string(text);
    return std::string(pieces_[static_cast<std::size_t>(token.id)]);
  }

 private:
  // The crate looks every piece up by its text: joined unknown characters may be a piece, and else they may be bytes.
  void resolve_unknown(std::string_view word, std::size_t first, std::vector<ModelToken>& out) const {
    std::vector<ModelToken> resolved;
    bool has_bytes = false;
    for (std::size_t i = first; i < out.size(); ++i) {
      ModelToken token = out[i];
      const std::string_view text = word.substr(token.begin, token.end - token.begin);
      if (token.id == unk_id_) {
        if (const std::int32_t id = vocabulary_.find(text); id >= 0) out[i].id = token.id = id;
        else if (!bytes_.empty() && std::all_of(text.begin(), text.end(), [&](char c) { return bytes_[static_cast<std::uint8_t>(c)] >= 0; })) {
          if (!has_bytes) resolved.assign(out.begin() + static_cast<std::ptrdiff_t>(first), out.begin() + static_cast<std::ptrdiff_t>(i));
          has_bytes = true;
          for (const char c : text) resolved.push_back({bytes_[static_cast<std::uint8_t>(c)], token.begin, token.end});
          continue;
        }
      }
      if (has_bytes) resolved.push_back(token);
    }
    if (!has_bytes) return;
    out.resize(first);
    out.insert(out.end(), resolved.begin(), resolved.end());
  }

  std::vector<std::string_view> pieces_;  // by id; a text may come twice
  std::vector<double> scores_;
  double unknown_score_ = 0;
  PrefixFilter prefixes_;
  std::vector<std::int32_t> bytes_;  // byte_fallback: the id of each byte's token, or -1
};

}  // namespace

std::shared_ptr<const TokenizerModel> make_unigram(const spec::Model& model, std::shared_ptr<const void> storage) {
  return std::make_shared<Unigram>(model, std::move(storage));
}

}  // namespace polymath
