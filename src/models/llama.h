// Llama's decoder, which others share with another feed forward.
#pragma once

#include "models/heads.h"
#include "nn/decoder.h"

namespace polymath {

struct LlamaConfig {
  std::int64_t hidden_size, intermediate_size;
  int num_hidden_layers;
  double rms_norm_eps;
  Activation hidden_act;
  CausalAttentionConfig attention;
  RopeConfig rope;
  std::int64_t rotary_dim;  // of each head

  explicit LlamaConfig(const Config& c);
};

// What layer i sees, and whether it rotates queries and keys.
std::int64_t llama_window(const Config& c, int i);
bool llama_rotates(const Config& c, int i);

template <class Mlp>
struct LlamaLayer {
  RmsNorm input_layernorm, post_attention_layernorm;
  CausalSelfAttention self_attn;
  Mlp mlp;
  bool rotates;

  LlamaLayer(const LlamaConfig& c, const CausalAttentionConfig& attention, bool rotates, const Scope& w, Mlp mlp)
      : input_layernorm(w / "input_layernorm", c.hidden_size, c.rms_norm_eps),
        post_attention_layernorm(w / "post_attention_layernorm", c.hidden_size, c.rms_norm_eps),
        self_attn(attention, w / "self_attn"),
        mlp(std::move(mlp)),
        rotates(rotates) {}

  // x: [rows, D]
  Tensor operator()(Tensor x, const Step& step, const PassCaches& caches, int layer, const RopeTable& rope) const {
    x = self_attn(input_layernorm(x), step, caches, layer, rotates ? &rope : nullptr, /*residual=*/x);
    return mlp(post_attention_layernorm(x), /*residual=*/x);
  }
};

template <class Mlp>
struct LlamaModel {
  LlamaConfig c;
  Embedding embed_tokens;
  std::vector<LlamaLayer<Mlp>> layers;
  RmsNorm norm;

  // make_mlp: of a layer's scope
  template <class MakeMlp>
  LlamaModel(const Config& config, const Scope& w, const MakeMlp& make_mlp)
      : c(config), embed_tokens(w / "embed_tokens", c.hidden_size, config.padding_idx()), norm(w / "norm", c.hidden_size, c.rms_norm_eps) {
    for (int i = 0; i < c.num_hidden_layers; ++i) {
      CausalAttentionConfig attention = c.attention;
      attention.window = llama_window(config, i);
      layers.emplace_back(c, attention, llama_rotates(config, i), w / "layers" / i, make_mlp(c, w / "layers" / i));
    }
  }

  KvShape kv_shape() const { return c.attention.kv_shape(c.num_hidden_layers); }

  Tensor operator()(const Step& asked) const {
    const RenewedStep renewed(asked, {&c.rope});
    const Step& step = renewed.step();
    const PassCaches caches(step, kv_shape());
    const RopeTable rope(c.rotary_dim, c.rope, step);
    Tensor x = embed_tokens(step.ids, "input_ids");
    for (int i = 0; i < c.num_hidden_layers; ++i) x = run_layer(layers[static_cast<std::size_t>(i)], x, step, caches, i, rope);
    return renewed.rows_asked(norm(x));
  }
};

}  // namespace polymath
