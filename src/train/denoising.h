// Damage that encoder-decoders learn to repair without labels: T5's span corruption (Raffel et al. 2019, arXiv:1910.10683) and
// BART's text infilling with permuted sentences (Lewis et al. 2019, arXiv:1910.13461).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace polymath {

// Random numbers one after the other that hang on seed, example and draw (another draw is other damage) alone.
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t example, std::uint64_t draw) : seed_(seed), example_(example), draw_(draw) {}
  double uniform();                        // in (0, 1)
  std::size_t below(std::size_t n);        // of [0, n), n at least 1
  std::int64_t poisson(double mean);

 private:
  std::uint64_t seed_, example_, draw_, count_ = 0;
};

// What the decoder is to write of what the encoder reads.
struct SpanCorruption {
  std::vector<std::int32_t> source, target;
};

// `share` of the tokens in spans of `mean` tokens on average are taken out: source has a sentinel in each one's place, target each
// sentinel and the tokens that it stands for. The first token stays, the last is taken, as in T5. Nothing is added behind them.
// ids: at least 2; sentinels: in the order in which they are used, at least 1
SpanCorruption corrupt_spans(std::span<const std::int32_t> ids, std::span<const std::int32_t> sentinels, double share, double mean, Draws& draws);

// ids with `share` of them masked: spans whose lengths are Poisson(mean) become one mask each; one of length 0 puts a mask between
// two tokens.
std::vector<std::int32_t> infill(std::span<const std::int32_t> ids, std::int32_t mask, double share, double mean, Draws& draws);

// ids with its sentences in a random order. begins: where each begins, the first at 0
std::vector<std::int32_t> permute_sentences(std::span<const std::int32_t> ids, std::span<const std::size_t> begins, Draws& draws);

// Where the sentences of a text begin, in bytes: at the white space behind . ! or ?; the first at 0.
std::vector<std::size_t> sentence_begins(std::string_view text);

}  // namespace polymath
