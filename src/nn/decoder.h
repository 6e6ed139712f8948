// What decoder-only architectures share: the caches of a pass, and attention over them.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

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
  std::vector<std::unique_ptr<KvCache>> temporary_;
  std::vector<KvCache*> caches_;
};

struct CausalAttentionConfig {
  std::int64_t hidden_size = 0, head_dim = 0;
  int num_attention_heads = 1, num_key_value_heads = 1;
  std::int64_t window = -1;               // a token sees itself and the window - 1 before it; -1: all
  std::optional<double> qk_norm_eps;      // q_norm and k_norm over each head, before the rotation

  KvShape kv_shape(int layers) const { return {layers, num_key_value_heads, head_dim}; }
};

// q_proj, k_proj, v_proj, o_proj as Llama names them, over rotated queries and keys; q, k and v are merged when loading.
class CausalSelfAttention {
 public:
  CausalSelfAttention(const CausalAttentionConfig& config, const Scope& scope);

  // x: [rows, D]; rope: of the rows' positions
  Tensor operator()(const Tensor& x, const Step& step, const PassCaches& caches, int layer, const RopeTable& rope, const Tensor& residual) const;

 private:
  CausalAttentionConfig c_;
  Linear qkv_proj_, o_proj_;
  RmsNorm q_norm_, k_norm_;
};

}  // namespace polymath
