#include "nn/decoder.h"

#include <cmath>

namespace polymath {

PassCaches::PassCaches(const Step& step, const KvShape& shape) : caches_(step.cache) {
  const auto sequences = static_cast<std::size_t>(step.sequences());
  for (std::size_t s = 0; s < sequences; ++s) {
    if (step.cache.empty()) {
      temporary_.push_back(std::make_unique<KvCache>(shape));
      caches_.push_back(temporary_.back().get());
    }
    const auto begin = static_cast<std::size_t>(step.begin[s]), end = static_cast<std::size_t>(step.begin[s + 1]);
    caches_[s]->extend(std::span(step.column).subspan(begin, end - begin));
  }
}

CausalSelfAttention::CausalSelfAttention(const CausalAttentionConfig& c, const Scope& w)
    : c_(c),
      qkv_proj_(std::vector<Linear::Part>{{w / "q_proj", c.num_attention_heads * c.head_dim},
                                          {w / "k_proj", c.num_key_value_heads * c.head_dim},
                                          {w / "v_proj", c.num_key_value_heads * c.head_dim}},
                c.hidden_size),
      o_proj_(w / "o_proj", c.num_attention_heads * c.head_dim, c.hidden_size) {
  if (!c.qk_norm_eps) return;
  q_norm_ = RmsNorm(w / "q_norm", c.head_dim, *c.qk_norm_eps);
  k_norm_ = RmsNorm(w / "k_norm", c.head_dim, *c.qk_norm_eps);
}

Tensor CausalSelfAttention::operator()(const Tensor& x, const Step& step, const PassCaches& caches, int layer, const RopeTable& rope,
                                       const Tensor& residual) const {
  const std::int64_t key_at = c_.num_attention_heads * c_.head_dim, value_at = key_at + c_.num_key_value_heads * c_.head_dim;
  Tensor qkv = qkv_proj_(x);  // [rows, (heads + 2 kv heads) * head_dim]
  if (c_.qk_norm_eps) {
    q_norm_.heads(qkv, 0, c_.num_attention_heads);
    k_norm_.heads(qkv, key_at, c_.num_key_value_heads);
  }
  rotate(qkv, 0, c_.num_attention_heads + c_.num_key_value_heads, rope.cos, rope.sin);
  cache_keys_values(qkv, key_at, value_at, layer, caches.all(), step.begin);
  const Tensor attended = cached_attention(qkv, layer, caches.all(),
                                           {.heads = c_.num_attention_heads,
                                            .scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(c_.head_dim))),
                                            .begin = step.begin,
                                            .column = step.column,
                                            .window = c_.window});
  return o_proj_(attended, residual);
}

}  // namespace polymath
