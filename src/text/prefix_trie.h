// A set of texts, searched byte by byte.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace polymath {

// A node's children are found by (node, byte) in one hash table. Const use from many threads is safe.
class PrefixTrie {
 public:
  bool empty() const { return ids_.size() == 1; }
  void add(std::string_view text, int id) {
    int node = 0;
    for (char c : text) {
      const auto [found, fresh] = children_.try_emplace(key(node, c), static_cast<int>(ids_.size()));
      if (fresh) ids_.push_back(-1);
      node = found->second;
    }
    ids_[static_cast<std::size_t>(node)] = id;
  }
  // The node behind `node` (0: the root) and a byte; -1: none.
  int child(int node, char byte) const {
    const auto found = children_.find(key(node, byte));
    return found == children_.end() ? -1 : found->second;
  }
  int id_at(int node) const { return ids_[static_cast<std::size_t>(node)]; }  // -1: no text ends here
  // Bytes of the longest text of the set that `text` begins with; 0: none.
  std::size_t longest_match(std::string_view text) const {
    std::size_t longest = 0;
    int node = 0;
    for (std::size_t i = 0; i < text.size() && (node = child(node, text[i])) >= 0; ++i) {
      if (id_at(node) >= 0) longest = i + 1;
    }
    return longest;
  }

 private:
  static std::uint64_t key(int node, char byte) { return static_cast<std::uint64_t>(node) << 8 | static_cast<std::uint8_t>(byte); }
  std::unordered_map<std::uint64_t, int> children_;
  std::vector<int> ids_ = {-1};
};

}  // namespace polymath
