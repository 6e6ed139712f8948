// Tokens and their ids, both ways.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace polymath {

// A hash that can be continued byte by byte, so that all prefixes of a word are hashed in one pass.
struct RunningHash {
  std::uint64_t state = 0x243F6A8885A308D3u;
  void add(char byte) { state = (state ^ static_cast<std::uint8_t>(byte)) * 0x9E3779B97F4A7C15u; }
  std::uint32_t value() const { return static_cast<std::uint32_t>(state >> 32); }
  static std::uint32_t of(std::string_view text) {
    RunningHash hash;
    for (char c : text) hash.add(c);
    return hash.value();
  }
};

// Immutable; const use from many threads is safe.
class Vocabulary {
 public:
  Vocabulary() = default;
  // The token views stay valid as long as `storage`. Where a token comes twice its last id counts.
  Vocabulary(const std::vector<std::pair<std::string_view, std::int32_t>>& tokens, std::shared_ptr<const void> storage);

  std::int32_t find(std::string_view token) const { return find(token, RunningHash::of(token)); }  // -1: none
  std::int32_t find(std::string_view token, std::uint32_t hash) const {
    return lookup(hash, [&](std::string_view entry) { return entry == token; });
  }
  // The token that is `prefix` and `rest` together; `hash` is of both.
  std::int32_t find_joined(std::string_view prefix, std::string_view rest, std::uint32_t hash) const {
    return lookup(hash, [&](std::string_view entry) { return entry.size() == prefix.size() + rest.size() && entry.starts_with(prefix) && entry.ends_with(rest); });
  }
  std::optional<std::string_view> token(std::int32_t id) const;

  std::size_t size() const { return entries_.size(); }             // different tokens
  std::size_t longest() const { return longest_; }                 // bytes of the longest token
  const std::vector<std::pair<std::string_view, std::int32_t>>& entries() const { return entries_; }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::int32_t entry = -1;
  };
  template <class Equal>
  std::int32_t lookup(std::uint32_t hash, const Equal& equal) const {
    if (slots_.empty()) return -1;
    for (std::size_t slot = hash & mask_;; slot = (slot + 1) & mask_) {
      const Slot& s = slots_[slot];
      if (s.entry < 0) return -1;
      const auto& entry = entries_[static_cast<std::size_t>(s.entry)];
      if (s.hash == hash && equal(entry.first)) return entry.second;
    }
  }

  std::vector<Slot> slots_;
  std::size_t mask_ = 0, longest_ = 0;
  std::vector<std::pair<std::string_view, std::int32_t>> entries_;
  std::vector<std::int32_t> by_id_;                                // entry of each id, while ids are dense
  std::vector<std::pair<std::int32_t, std::int32_t>> sparse_;      // (id, entry) in order of ids, otherwise
  std::shared_ptr<const void> storage_;
};

}  // namespace polymath
