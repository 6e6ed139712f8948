// Learning sentence embeddings: which texts belong together, and how much.
//
// Source: sentence-transformers' MultipleNegativesRankingLoss (Henderson et al. 2017, arXiv:1705.00652) and
// CosineSimilarityLoss (Reimers and Gurevych 2019, arXiv:1908.10084).
#pragma once

#include <span>
#include <vector>

#include "nn/step.h"
#include "tensor/tensor.h"

namespace polymath {

enum class SentencePooling { kCls, kMean };

// One vector for each sequence.  hidden: [rows, D] -> [sequences, D]
Tensor sentence_vectors(const Tensor& hidden, const Step& step, SentencePooling pooling);

// Rows 2i and 2i + 1 are a pair. Losses are one value, recorded where the vectors are.  vectors: [2 pairs, D]

// Each first text is to find its second one among those of all pairs: cross entropy over scale times the cosines.
Tensor multiple_negatives_loss(const Tensor& vectors, double scale);
// The mean of (cosine - score)^2.  scores: [pairs]
Tensor cosine_loss(const Tensor& vectors, std::span<const float> scores);

// The cosines of the pairs.  -> [pairs]
std::vector<double> pair_cosines(const Tensor& vectors);

}  // namespace polymath
