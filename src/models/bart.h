// The parts of BART that its kin share: mBART, Marian, Pegasus and M2M100 differ in embeddings and in where norms stand.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "models/encoder_decoder.h"
#include "nn/encoder_decoder.h"

namespace polymath {

// ids and positions of a Step -> [rows, D]
using EmbedFunction = std::function<Tensor(const Step&)>;

// embed_tokens of a side ("encoder", "decoder") in whatever name its table is saved, scaled as scale_embedding says.
// model: of the base model
EmbedFunction scaled_tokens(const Config& config, const Scope& model, const std::string& side);

// Those of a side.
using SideEmbeddings = EmbedFunction (*)(const Config& config, const Scope& model, const std::string& side);

class BartBody {
 public:
  // pre_norm: norms stand before a layer's parts, and one more after the last layer.
  BartBody(const Config& config, const Scope& model, bool pre_norm, SideEmbeddings embeddings);

  Tensor encode(const Step& source) const;
  std::vector<KvCache> remember(const Tensor& encoded, const Step& source) const { return remember_source(decoder_layers_, kv_shape_, encoded, source); }
  Tensor decode(const Step& target) const;
  KvShape kv_shape() const { return kv_shape_; }

 private:
  EmbedFunction embed_source_, embed_target_;
  float dropout_;  // the rate on both
  std::vector<BartEncoderLayer> encoder_layers_;
  std::vector<BartDecoderLayer> decoder_layers_;
  std::optional<LayerNorm> encoder_norm_, decoder_norm_;
  KvShape kv_shape_;
};

// Learned positions, the table's first two rows unused, and layernorm_embedding.
EmbedFunction learned_embeddings(const Config& config, const Scope& model, const std::string& side);

// Sinusoidal positions: the checkpoint's table where it has one, else computed.
EmbedFunction sinusoidal_embeddings(const Config& config, const Scope& model, const std::string& side);

// What stands on a BART-like base; throws Error for other heads.
HeadFunction bart_head(const Config& config, Head head, const Scope& scope);

// An architecture that has the base model and conditional generation alone; throws Error for other heads.
std::unique_ptr<Model> bart_writer(const Config& config, Head head, const Scope& scope, bool pre_norm, SideEmbeddings embeddings);

}  // namespace polymath
