// What decoder-only architectures share: the caches of a pass, and attention over them.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "formats/config.h"
#include "nn/layers.h"
#include "nn/rope.h"
#include "nn/step.h"

namespace polymath {

// The caches that one pass reads and writes, with room for its rows: the step's own, or temporary ones where the step
// has none. Made once at the beginning of a decoder's pass.
class PassCaches {
 public:
  PassCaches(const Step& step, const KvShape& shape);

  std::span<KvCache* const> all() const { return caches_; }  // [sequences]

 private:
  std::vector<std::shared_ptr<KvCache>> temporary_;
  std::vector<KvCache*> caches_;
};

// A pass of a model whose rotations may hang on the length of the sequence (RopeConfig). What is cached of a sequence was
// then made by other frequencies than those it has now, and not only its keys: all of it is computed anew from its first row.
class RenewedStep {
 public:
  // ropes: all, at most two, by which its layers rotate
  RenewedStep(const Step& asked, std::initializer_list<const RopeConfig*> ropes);
  RenewedStep(const RenewedStep&) = delete;

  const Step& step() const { return renewed_ ? *renewed_ : asked_; }  // what there is to compute
  Tensor rows_asked(Tensor x) const;                                  // of x: [rows of step(), D]

 private:
  const Step& asked_;
  std::optional<Step> renewed_;
  std::vector<std::int32_t> rows_;
};

struct CausalAttentionConfig {
  std::int64_t hidden_size = 0, head_dim = 0;
  int num_attention_heads = 1, num_key_value_heads = 1;
  std::int64_t window = -1;            // a token sees itself and the window - 1 before it; -1: all
  std::optional<double> scale;         // of the scores, 1 / sqrt(head_dim) if not given
  double softcap = 0;                  // of the scores, 0: none
  std::vector<float> alibi_slopes;     // [heads], or empty: scores do not hang on places
  bool causal = true;                  // else a token sees all, and the window reaches to both sides
  std::optional<double> qk_norm_eps;   // q_norm and k_norm over each head, before the rotation
  float qk_norm_offset = 0;            // added to their weights
  float dropout = 0;                   // of the weights that softmax gives

  // Of config.json: throws Error unless the heads divide what they have to and head_dim is in bounds.
  static CausalAttentionConfig checked(const Config& config, std::int64_t hidden_size, std::int64_t head_dim, int heads, int kv_heads);

  KvShape kv_shape(int layers) const { return {layers, num_key_value_heads, head_dim}; }
};

// What the rows take from all that their caches hold, their own keys and values included but for those that are no keys.
// qkv: [rows, (heads + 2 kv heads) * head_dim], queries, keys and values -> [rows, heads * head_dim]
Tensor attend(const Tensor& qkv, const CausalAttentionConfig& config, const Step& step, const PassCaches& caches, int layer);

// q_proj, k_proj, v_proj, o_proj as Llama names them, over rotated queries and keys; q, k and v are merged when loading,
// if the checkpoint does not hold them as one qkv_proj.
class CausalSelfAttention {
 public:
  CausalSelfAttention(const CausalAttentionConfig& config, const Scope& scope);

  // x: [rows, D]; rope: of the rows' positions, null where nothing is rotated
  Tensor operator()(const Tensor& x, const Step& step, const PassCaches& caches, int layer, const RopeTable* rope) const;
  Tensor operator()(const Tensor& x, const Step& step, const PassCaches& caches, int layer, const RopeTable* rope, const Tensor& residual) const;

 private:
  Tensor attended(const Tensor& x, const Step& step, const PassCaches& caches, int layer, const RopeTable* rope) const;

  CausalAttentionConfig c_;
  Linear qkv_proj_, o_proj_;
  RmsNorm q_norm_, k_norm_;
};

}  // namespace polymath
