// GPT-2's decoder, which GPT-Neo shares with other projections, scales and windows.
#pragma once

#include <functional>
#include <vector>

#include "nn/decoder.h"

namespace polymath {

struct Gpt2Block {
  LayerNorm ln_1, ln_2;
  CausalAttentionConfig attention;
  Linear qkv_proj, out_proj, c_fc, c_proj;
  Activation act;
  float dropped = 0;  // the rate of dropout on what both parts give

  Tensor operator()(Tensor x, const Step& step, const PassCaches& caches, int layer) const;  // x: [rows, D]
};

struct Gpt2Model {
  KvShape shape;
  Embedding wte, wpe;
  LayerNorm ln_f;
  std::vector<Gpt2Block> h;
  float dropped;  // the rate of dropout on the embeddings

  // d: of the hidden states; make_block: of a layer's number and scope
  Gpt2Model(std::int64_t d, double eps, float dropped, const KvShape& shape, const Scope& scope, const std::function<Gpt2Block(int layer, const Scope& scope)>& make_block);

  KvShape kv_shape() const { return shape; }
  Tensor operator()(const Step& step) const;
};

}  // namespace polymath
