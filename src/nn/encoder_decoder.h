// What encoder-decoders share (Vaswani et al. 2017, arXiv:1706.03762): attention of either side over itself, attention of
// the decoder over its source, and the layers that BART and its kin are made of.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nn/decoder.h"
#include "nn/layers.h"
#include "nn/relative_bias.h"
#include "nn/step.h"

namespace polymath {

struct AttentionNames {
  std::string query = "q_proj", key = "k_proj", value = "v_proj", out = "out_proj";
};

struct AttentionConfig {
  std::int64_t d_model = 0, head_dim = 0;
  int heads = 1;
  float scale = 1.0f;
  AttentionNames names;
  // The rates of dropout, on the weights of attention and on what it gives.
  float dropout = 0, output_dropout = 0;

  KvShape kv_shape(int layers) const { return {layers, heads, head_dim}; }
};

// A token of the source sees all of its sequence that is_key does not hide.
class EncoderSelfAttention {
 public:
  EncoderSelfAttention(const AttentionConfig& config, const Scope& scope);

  // x: [rows, D]; term as in AttentionOptions
  Tensor operator()(const Tensor& x, const Step& source, const Tensor& residual, const std::shared_ptr<const ScoreTerm>& term = {}) const;

 private:
  AttentionConfig c_;
  Linear qkv_, out_;
};

// A token of the target sees itself and those before it, but for those that is_key hides; one that sees none weighs all
// tokens of its sequence equally, as Transformers' eager attention does.
class DecoderSelfAttention {
 public:
  DecoderSelfAttention(const AttentionConfig& config, const Scope& scope);

  // x: [rows, D]; bias: of the target's rows
  Tensor operator()(const Tensor& x, const Step& target, const PassCaches& caches, int layer, const Tensor& residual,
                    const std::shared_ptr<const RelativeBiasTerm>& bias = {}) const;

 private:
  AttentionConfig c_;
  Linear qkv_, out_;
};

// What a decoder sees of the encoder's output: the rows that the mask leaves.
struct VisibleSource {
  Tensor rows;                        // [visible rows, D]
  std::vector<std::int32_t> begin;    // [sequences + 1]
  std::vector<std::uint8_t> blind;    // [sequences], 1: the mask hides all of it; then all rows are here, to weigh equally

  VisibleSource(const Tensor& encoded, const Step& source, std::vector<KvCache>& memory);  // makes room for the rows in memory
};

// A token of the target sees its sequence's source, whose keys and values lie in Step::memory.
class CrossAttention {
 public:
  CrossAttention(const AttentionConfig& config, const Scope& scope);

  void remember(const VisibleSource& source, int layer, std::span<KvCache* const> memory) const;
  Tensor operator()(const Tensor& x, const Step& target, int layer, const Tensor& residual) const;  // x: [rows, D]

 private:
  AttentionConfig c_;
  Linear query_, key_value_, out_;
};

struct BartLayerConfig {
  AttentionConfig attention;
  std::int64_t ffn_dim = 0;
  Activation activation_function = Activation::kGelu;
  bool pre_norm = false;  // x + f(norm(x)) rather than norm(x + f(x))
  // The rates of dropout, on what the activation gives and on what the feed forward gives.
  float activation_dropout = 0, dropout = 0;
};

class BartEncoderLayer {
 public:
  BartEncoderLayer(const BartLayerConfig& config, const Scope& scope);

  Tensor operator()(const Tensor& x, const Step& source) const;  // x: [rows, D]

 private:
  bool pre_norm_;
  Activation activation_function_;
  float activation_dropout_, dropout_;
  EncoderSelfAttention self_attn_;
  LayerNorm self_attn_layer_norm_;
  Linear fc1_, fc2_;
  LayerNorm final_layer_norm_;
};

class BartDecoderLayer {
 public:
  BartDecoderLayer(const BartLayerConfig& config, const Scope& scope);

  void remember(const VisibleSource& source, int layer, std::span<KvCache* const> memory) const { encoder_attn_.remember(source, layer, memory); }
  Tensor operator()(const Tensor& x, const Step& target, const PassCaches& caches, int layer) const;  // x: [rows, D]

 private:
  bool pre_norm_;
  Activation activation_function_;
  float activation_dropout_, dropout_;
  DecoderSelfAttention self_attn_;
  LayerNorm self_attn_layer_norm_;
  CrossAttention encoder_attn_;
  LayerNorm encoder_attn_layer_norm_;
  Linear fc1_, fc2_;
  LayerNorm final_layer_norm_;
};

// The memory of a source for a decoder's layers, each of which has remember().
template <class Layer>
std::vector<KvCache> remember_source(const std::vector<Layer>& layers, const KvShape& shape, const Tensor& encoded, const Step& source) {
  std::vector<KvCache> memory(static_cast<std::size_t>(source.sequences()), KvCache(shape));
  const VisibleSource visible(encoded, source, memory);
  std::vector<KvCache*> pointers;
  for (KvCache& m : memory) pointers.push_back(&m);
  for (std::size_t i = 0; i < layers.size(); ++i) layers[i].remember(visible, static_cast<int>(i), pointers);
  return memory;
}

}  // namespace polymath
