// Random numbers that depend on nothing but their place: the same for any batch, order or number of threads.
#pragma once

#include <cstdint>
#include <string_view>

namespace polymath {

// Bits that hang on both words: a round of the finalizer of SplitMix64 (Steele et al. 2014).
inline std::uint64_t mixed(std::uint64_t x, std::uint64_t word) {
  x = (x ^ word) + 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// Uniform in (0, 1) for the given seed, sequence, step and draw.
inline double uniform(std::uint64_t seed, std::uint64_t sequence, std::uint64_t step, std::uint64_t draw = 0) {
  std::uint64_t x = 0;
  for (const std::uint64_t word : {seed, sequence, step, draw}) x = mixed(x, word);
  return (static_cast<double>(x >> 11) + 0.5) * 0x1p-53;
}

// A sequence's number by its name: FNV-1a.
inline std::uint64_t hash_of(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

}  // namespace polymath
