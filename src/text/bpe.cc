// BPE: characters, and of their neighbours always the pair joined that was learned first.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <queue>

#include "base/printable.h"
#include "base/utf8.h"
#include "polymath/error.h"
#include "text/normalized_string.h"
#include "text/tokenizer_model.h"

namespace polymath {
namespace {

constexpr std::uint32_t kNoRank = UINT32_MAX;

// Pairs of ids -> the rank of their merge and what they become.
class Merges {
 public:
  struct Merge {
    std::uint32_t rank = kNoRank;
    std::int32_t id = -1;
  };

  explicit Merges(std::size_t count) : slots_(std::bit_ceil(count * 2 + 2)), mask_(slots_.size() - 1) {}

  void set(std::int32_t left, std::int32_t right, Merge merge) {
    Slot& slot = slots_[find_slot(key(left, right))];
    slot.key = key(left, right);
    slot.merge = merge;
  }
  Merge find(std::int32_t left, std::int32_t right) const { return slots_[find_slot(key(left, right))].merge; }

 private:
  struct Slot {
    std::uint64_t key = UINT64_MAX;  // of no pair: ids are not negative
    Merge merge;
  };
  static std::uint64_t key(std::int32_t left, std::int32_t right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right);
  }
  std::size_t find_slot(std::uint64_t key) const {
    std::size_t slot = (key * 0x9E3779B97F4A7C15u >> 32) & mask_;
    while (slots_[slot].key != key && slots_[slot].key != UINT64_MAX) slot = (slot + 1) & mask_;
    return slot;
  }
  std::vector<Slot> slots_;
  std::size_t mask_;
};

// What short words became, for one thread: a fixed table in which a new word takes the place of an old one.
class WordCache {
 public:
  static constexpr std::size_t kMostBytes = 30, kMostTokens = 7;
  struct Entry {
    std::uint64_t model = 0;  // 0: empty
    std::uint8_t bytes = 0, tokens = 0;
    char word[kMostBytes];
    std::int32_t ids[kMostTokens];
    std::uint8_t ends[kMostTokens];
  };
  Entry& entry(std::string_view word, std::uint64_t model) {
    return entries_[(RunningHash::of(word) ^ static_cast<std::uint32_t>(model) * 0x9E3779B9u) % kEntries];
  }
  static WordCache& of_this_thread() {
    static thread_local WordCache cache;
    return cache;
  }

 private:
  static constexpr std::size_t kEntries = 8192;
  std::vector<Entry> entries_ = std::vector<Entry>(kEntries);
};

std::uint64_t next_model_number() {
  static std::atomic<std::uint64_t> next{0};
  return ++next;
}

struct Symbol {
  std::int32_t id;
  std::uint32_t bytes;
  Merges::Merge merge;  // with the next symbol
};

class Bpe final : public TokenizerModel {
 public:
  Bpe(const spec::Model& model, std::shared_ptr<const void> storage, const std::string& where)
      : TokenizerModel(model, std::move(storage), TokenizerModelKind::kBpe),
        merges_(model.merges.size()),
        has_prefix_(model.continuing_subword_prefix.has_value()),
        suffix_(model.end_of_word_suffix),
        fuse_unk_(model.fuse_unk),
        ignore_merges_(model.ignore_merges),
        number_(next_model_number()) {
    std::string joined;
    for (std::size_t rank = 0; rank < model.merges.size(); ++rank) {
      const auto& [left, right] = model.merges[rank];
      auto require = [&](std::string_view token) {
        const std::int32_t id = vocabulary_.find(token);
        if (id >= 0) return id;
        throw Error(ErrorCode::kBadFile, "\"" + printable(token) + "\" is not in the vocabulary", where + ".merges[" + std::to_string(rank) + "]");
      };
      const std::int32_t left_id = require(left), right_id = require(right);
      if (right.size() < prefix_.size()) {
        throw Error(ErrorCode::kBadFile, "\"" + printable(right) + "\" does not begin with continuing_subword_prefix",
                    where + ".merges[" + std::to_string(rank) + "]");
      }
      joined.assign(left).append(right.substr(prefix_.size()));
      merges_.set(left_id, right_id, {static_cast<std::uint32_t>(rank), require(joined)});
    }
    const bool plain = !has_prefix_ && !suffix_;  // a character's token does not depend on its place
    for (char32_t c = 0; c < characters_.size(); ++c) {
      std::string text;
      utf8_append(text, c);
      characters_[c] = plain ? vocabulary_.find(text) : -1;
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

  void tokenize(std::string_view word, std::vector<ModelToken>& out) const override {
    if (ignore_merges_) {
      if (const std::int32_t id = vocabulary_.find(word); id >= 0) {
        out.push_back({id, 0, static_cast<std::uint32_t>(word.size())});
        return;
      }
    }
    if (word.size() > WordCache::kMostBytes) return merge_word(word, out);
    WordCache::Entry& entry = WordCache::of_this_thread().entry(word, number_);
    if (entry.model == number_ && entry.bytes == word.size() && std::memcmp(entry.word, word.data(), word.size()) == 0) {
      std::uint32_t begin = 0;
      for (std::size_t i = 0; i < entry.tokens; ++i) {
        out.push_back({entry.ids[i], begin, entry.ends[i]});
        begin = entry.ends[i];
      }
      return;
    }
    const std::size_t first = out.size();
    merge_word(word, out);
    const std::size_t count = out.size() - first;
    if (count > WordCache::kMostTokens || (count > 0 && out.back().end > UINT8_MAX)) return;
    entry.model = number_;
    entry.bytes = static_cast<std::uint8_t>(word.size());
    entry.tokens = static_cast<std::uint8_t>(count);
    std::memcpy(entry.word, word.data(), word.size());
    for (std::size_t i = 0; i < count; ++i) {
      entry.ids[i] = out[first + i].id;
      entry.ends[i] = static_cast<std::uint8_t>(out[first + i].end);
    }
  }

 private:
  void merge_word(std::string_view word, std::vector<ModelToken>& out) const {
    std::vector<Symbol> symbols;
    symbols.reserve(word.size());
    split_characters(word, symbols);
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) symbols[i].merge = merges_.find(symbols[i].id, symbols[i + 1].id);
    if (symbols.size() <= 48) merge_short(symbols);
    else merge_long(symbols);
    std::uint32_t begin = 0;
    for (const Symbol& symbol : symbols) {
      out.push_back({symbol.id, begin, begin + symbol.bytes});
      begin += symbol.bytes;
    }
  }

  std::int32_t character(std::string_view text, char32_t code, bool is_first, bool is_last, std::string& buffer) const {
    if (code < characters_.size() && characters_[code] >= 0) return characters_[code];
    if ((is_first || !has_prefix_) && (!is_last || !suffix_)) return vocabulary_.find(text);
    buffer.clear();
    if (!is_first && has_prefix_) buffer += prefix_;
    buffer += text;
    if (is_last && suffix_) buffer += *suffix_;
    return vocabulary_.find(buffer);
  }

  void split_characters(std::string_view word, std::vector<Symbol>& symbols) const {
    std::string buffer;
    std::uint32_t unknown = 0;  // bytes of an unknown token that is still to be added
    bool has_unknown = false;
    for (CodePoints points(word); !points.done();) {
      const std::size_t begin = points.position();
      const char32_t code = points.next();
      const std::string_view text = word.substr(begin, points.position() - begin);
      const auto bytes = static_cast<std::uint32_t>(text.size());
      const bool is_last = points.done();
      if (const std::int32_t id = character(text, code, begin == 0, is_last, buffer); id >= 0) {
        if (has_unknown) symbols.push_back({unk_id_, unknown, {}});
        has_unknown = false;
        symbols.push_back({id, bytes, {}});
        continue;
      }
      if (!bytes_.empty() && add_bytes(begin == 0 ? "" : prefix_, text, is_last && suffix_ ? *suffix_ : "", symbols)) continue;
      if (!unk_token_) continue;  // the crate leaves the character out
      if (has_unknown && fuse_unk_) {
        unknown += bytes;
        continue;
      }
      if (has_unknown) symbols.push_back({unk_id_, unknown, {}});
      require_unknown();
      has_unknown = true;
      unknown = bytes;
    }
    if (has_unknown) symbols.push_back({unk_id_, unknown, {}});
  }

  // The byte tokens of a character with its prefix and suffix, or none where one is missing.
  bool add_bytes(const std::string& prefix, std::string_view text, const std::string& suffix, std::vector<Symbol>& symbols) const {
    const std::string all = prefix + std::string(text) + suffix;
    for (const char c : all) {
      if (bytes_[static_cast<std::uint8_t>(c)] < 0) return false;
    }
    for (const char c : all) symbols.push_back({bytes_[static_cast<std::uint8_t>(c)], 1, {}});
    return true;
  }

  void merge_short(std::vector<Symbol>& symbols) const {
    while (symbols.size() > 1) {
      std::size_t best = 0;
      for (std::size_t i = 1; i + 1 < symbols.size(); ++i) {
        if (symbols[i].merge.rank < symbols[best].merge.rank) best = i;
      }
      if (symbols[best].merge.rank == kNoRank) return;
      symbols[best].id = symbols[best].merge.id;
      symbols[best].bytes += symbols[best + 1].bytes;
      symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
      symbols[best].merge = best + 1 < symbols.size() ? merges_.find(symbols[best].id, symbols[best + 1].id) : Merges::Merge{};
      if (best > 0) symbols[best - 1].merge = merges_.find(symbols[best - 1].id, symbols[best].id);
    }
  }

  // The same in n log n: a queue of merges, and links that skip symbols which were merged away.
  void merge_long(std::vector<Symbol>& symbols) const {
    struct Candidate {
      std::uint32_t rank, at;
      std::int32_t id;
      bool operator>(const Candidate& other) const { return rank != other.rank ? rank > other.rank : at > other.at; }
    };
    const auto count = static_cast<std::uint32_t>(symbols.size());
    std::vector<std::uint32_t> previous(count), next(count);
    std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
    auto propose = [&](std::uint32_t at) {
      const Merges::Merge& merge = symbols[at].merge;
      if (merge.rank != kNoRank) queue.push({merge.rank, at, merge.id});
    };
    for (std::uint32_t i = 0; i < count; ++i) {
      previous[i] = i - 1;
      next[i] = i + 1;
      propose(i);
    }
    while (!queue.empty()) {
      const Candidate top = queue.top();
      queue.pop();
      Symbol& symbol = symbols[top.at];
      if (symbol.bytes == 0 || symbol.merge.id != top.id) continue;  // merged away, or its neighbour has changed
      const std::uint32_t right = next[top.at];
      symbol.id = top.id;
      symbol.bytes += symbols[right].bytes;
      symbols[right].bytes = 0;
      next[top.at] = next[right];
      if (next[right] < count) previous[next[right]] = top.at;
      symbol.merge = next[top.at] < count ? merges_.find(symbol.id, symbols[next[top.at]].id) : Merges::Merge{};
      if (top.at > 0) {
        const std::uint32_t left = previous[top.at];
        symbols[left].merge = merges_.find(symbols[left].id, symbol.id);
        propose(left);
      }
      propose(top.at);
    }
    std::erase_if(symbols, [](const Symbol& symbol) { return symbol.bytes == 0; });
  }

  Merges merges_;
  std::array<std::int32_t, 1024> characters_{};
  std::vector<std::int32_t> bytes_;  // byte_fallback: the id of each byte's token, or -1
  bool has_prefix_;
  std::optional<std::string> suffix_;
  bool fuse_unk_, ignore_merges_;
  std::uint64_t number_;  // tells the words of this model from those of others in the threads' caches
};

}  // namespace

std::shared_ptr<const TokenizerModel> make_bpe(const spec::Model& model, std::shared_ptr<const void> storage, const std::string& where) {
  return std::make_shared<Bpe>(model, std::move(storage), where);
}

}  // namespace polymath
