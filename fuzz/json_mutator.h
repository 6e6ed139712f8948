// Mutations that keep JSON valid, for targets whose input begins with a JSON value: one node is replaced, copied, dropped or
// renamed; crossing over takes a node of another input. Half of the time libFuzzer changes bytes as it pleases.
// Include it in a target's one source file; without libFuzzer it is empty.
#pragma once

#ifdef POLYMATH_FUZZ

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace json_mutator {

using Tree = nlohmann::ordered_json;

// The value at the beginning of an input, and what follows its first NUL byte.
struct Parts {
  Tree value;
  std::string rest;  // with the NUL byte
};

// Deep nesting is left to the bytes: the functions here recurse.
inline bool parse(const std::uint8_t* data, std::size_t size, Parts& out) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(all.find('\0'), all.size());
  if (std::count_if(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(end), [](char c) { return c == '[' || c == '{'; }) > 4000) return false;
  int depth = 0;
  for (const char c : all.substr(0, end)) {
    depth += (c == '[' || c == '{') - (c == ']' || c == '}');
    if (depth > 200) return false;
  }
  out.value = Tree::parse(all.substr(0, end), nullptr, /*allow_exceptions=*/false);
  out.rest = all.substr(end);
  return !out.value.is_discarded();
}

inline void collect(Tree& node, std::vector<Tree*>& out) {
  out.push_back(&node);
  if (node.is_structured()) {
    for (Tree& item : node) collect(item, out);
  }
}

inline Tree* pick(Tree& tree, std::mt19937& random) {
  std::vector<Tree*> nodes;
  collect(tree, nodes);
  return nodes[random() % nodes.size()];
}

inline std::string mutated(std::string text, std::mt19937& random) {
  const std::size_t size = text.size(), most = size + 1 + random() % 16;
  text.resize(most);
  text.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(text.data()), size, most));
  return text;
}

inline void change(Tree& tree, std::mt19937& random) {
  static const std::int64_t kNumbers[] = {0, 1, -1, 2, 7, 100, 255, 256, 65535, 1'000'000, 2'147'483'646, 2'147'483'647, 2'147'483'648, 4'294'967'296};
  Tree& node = *pick(tree, random);
  switch (random() % 10) {
    case 0: node = Tree(*pick(tree, random)); return;
    case 1: node = nullptr; return;
    case 2: node = random() % 2 == 0; return;
    case 3: node = kNumbers[random() % std::size(kNumbers)]; return;
    case 4: node = {Tree(node)}; return;  // one list deeper
    case 5:
      if (node.is_string()) node = std::string(1 + random() % 4000, "a \xC3\xA9"[random() % 2]);
      else node = static_cast<double>(static_cast<int>(random() % 2001) - 1000) / 8;
      return;
    case 6:  // an item twice, once less, or in another place
      if (!node.is_array() || node.empty()) break;
      if (const std::size_t at = random() % node.size(); random() % 2) node.push_back(Tree(node[at]));
      else if (random() % 2) node.erase(at);
      else std::swap(node[at], node[random() % node.size()]);
      return;
    case 7:
      if (!node.is_object() || node.empty()) break;
      {
        auto at = node.begin();
        std::advance(at, static_cast<std::ptrdiff_t>(random() % node.size()));
        const std::string key = at.key();
        const Tree value = at.value();
        if (random() % 2) node.erase(key);
        else node[mutated(key, random)] = value;
      }
      return;
    default: break;
  }
  if (node.is_string()) node = mutated(node.get<std::string>(), random);
  else if (node.is_number()) node = static_cast<std::int64_t>(random()) >> random() % 32;
  else if (node.is_boolean()) node = !node.get<bool>();
  else if (node.is_array()) node.push_back(Tree(*pick(tree, random)));
  else node = Tree(*pick(tree, random));
}

inline std::size_t store(const Parts& parts, std::uint8_t* data, std::size_t max_size) {
  const std::string all = parts.value.dump(-1, ' ', false, Tree::error_handler_t::replace) + parts.rest;
  if (all.size() > max_size) return 0;
  std::memcpy(data, all.data(), all.size());
  return all.size();
}

}  // namespace json_mutator

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  std::mt19937 random(seed);
  json_mutator::Parts parts;
  if (random() % 2 == 0 || !json_mutator::parse(data, size, parts)) return LLVMFuzzerMutate(data, size, max_size);
  for (unsigned i = 0, count = 1 + random() % 3; i < count; ++i) json_mutator::change(parts.value, random);
  if (random() % 8 == 0) parts.rest = std::string(1, '\0') + json_mutator::mutated(parts.rest.empty() ? "" : parts.rest.substr(1), random);
  const std::size_t made = json_mutator::store(parts, data, max_size);
  return made > 0 ? made : LLVMFuzzerMutate(data, size, max_size);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* a, std::size_t a_size, const std::uint8_t* b, std::size_t b_size, std::uint8_t* out,
                                                 std::size_t max_size, unsigned seed) {
  std::mt19937 random(seed);
  json_mutator::Parts first, second;
  if (!json_mutator::parse(a, a_size, first) || !json_mutator::parse(b, b_size, second)) return 0;
  if (first.value.is_object() && second.value.is_object() && !second.value.empty() && random() % 2) {
    auto at = second.value.begin();  // a field of the same name
    std::advance(at, static_cast<std::ptrdiff_t>(random() % second.value.size()));
    first.value[at.key()] = at.value();
  } else {
    *json_mutator::pick(first.value, random) = json_mutator::Tree(*json_mutator::pick(second.value, random));
  }
  return json_mutator::store(first, out, max_size);
}

#endif
