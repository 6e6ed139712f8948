// One head of keys and values of one sequence: what forward and backward of attention share.
#pragma once

#include <cstdint>

#include "tensor/ops.h"

namespace polymath {

// Where queries, keys and values lie. Head h's are the d columns from query_at + h d on, and so on.
struct AttentionSides {
  Tensor q, kv;  // [rows, ...]; the same tensor where a sequence attends to itself
  std::int64_t query_at = 0, key_at = 0, value_at = 0, d = 0;
};

// softmax(scale * q k^T + ...) v.  -> [q's rows, heads * d]
Tensor attention(const AttentionSides& sides, const AttentionOptions& options);
// The same without recording.
Tensor attention_forward(const AttentionSides& sides, const AttentionOptions& options);
// Adds to the gradients of both sides.  dout: of attention's result
void attention_backward(const AttentionSides& sides, const AttentionOptions& options, const Tensor& dout);

class AttentionHead {
 public:
  // head: of queries; its keys and values are shared with its neighbours where there are fewer of them
  AttentionHead(const AttentionSides& sides, const AttentionOptions& options, int sequence, int head);

  const std::int64_t d, first_query, first_key, queries, keys, padded;  // padded: keys rounded up to 16
  const int kv_head;

  // Queries at a time: their scores stay in the second cache up to some thousand keys. All, where a term adds to them.
  std::int64_t block() const;

  const float* query(std::int64_t i) const { return s_.q.row(first_query + i) + s_.query_at + head_ * d; }
  const float* key(std::int64_t j) const { return s_.kv.row(first_key + j) + s_.key_at + kv_head * d; }
  const float* value(std::int64_t j) const { return s_.kv.row(first_key + j) + s_.value_at + kv_head * d; }

  // The probabilities of `count` queries from `first` on.  key_panels: column_panels of the keys; p: [count, padded];
  // slopes: null, or [count, padded] <- the derivative of softcap, where there is one
  void probabilities(std::int64_t first, std::int64_t count, const Buffer& key_panels, float* p, float* slopes = nullptr) const;

  // Drops weights as the options say.  p: [count, padded], of the queries from `first` on
  void drop(std::int64_t first, std::int64_t count, float* p) const;

  // Whether no gradient flows to the query's scores. Where Transformers adds a mask's lowest number to all scores of a query,
  // they lose their values, but torch's gradients flow through the addition; where it fills them, none do.
  bool fixed(std::int64_t query) const { return o_.pairwise_mask && !o_.is_key.empty() && blind(query); }

 private:
  void adapt(std::int64_t count, float* scores, float* slopes) const;
  void mask(std::int64_t first, std::int64_t count, float* scores) const;
  bool blind(std::int64_t query) const;  // weighs all keys equally, whatever its scores are

  const AttentionSides& s_;
  const AttentionOptions& o_;
  const int sequence_, head_;
};

}  // namespace polymath
