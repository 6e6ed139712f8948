// The layers that architectures are built from. Modules are immutable once built.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "nn/scope.h"
#include "nn/step.h"
#include "tensor/ops.h"
#include "tensor/tape.h"

namespace polymath {

// config.json's hidden_act and its relatives; throws Error naming the field and the value.
Activation activation_named(const std::string& name, const std::string& field = "hidden_act");

// A head over a vocabulary keeps 8 bits where other weights have 4: nothing evens out its error before the logits.
inline LoadType type_of_head(LoadType type) { return type == LoadType::kQ4 ? LoadType::kQ8 : type; }

// layer(x, args...), as each layer of a model is called: on a tape that recomputes, nothing of it is kept but x and copies of
// the arguments. The layer itself must outlive the tape, unless it is a temporary.
template <class Layer, class... Args>
Tensor run_layer(Layer&& layer, const Tensor& x, const Args&... args) {
  Tape* tape = Tape::current();
  if (!tape || !tape->recomputes()) return layer(x, args...);
  return tape->recomputed(x, [kept = std::tuple<Layer, Args...>(std::forward<Layer>(layer), args...)](const Tensor& y) {
    return std::apply([&y](const auto& again, const auto&... with) { return again(y, with...); }, kept);
  });
}

class Linear {
 public:
  Linear() = default;
  // path.weight [n, k] and, where it exists, path.bias [n].
  Linear(const Scope& scope, std::int64_t k, std::int64_t n);
  // Several layers over the same input as one, their outputs side by side.
  struct Part {
    Scope scope;
    std::int64_t n;
  };
  Linear(const std::vector<Part>& parts, std::int64_t k);
  Linear(const std::vector<Scope>& scopes, std::int64_t k, std::int64_t n_each);
  // A decoder whose weight may be tied to a table of another name.
  Linear(const TensorView& weight, const TensorView* bias, LoadType type);
  // GPT-2's Conv1D: path.weight is [k, n].
  static Linear conv1d(const Scope& scope, std::int64_t k, std::int64_t n);
  // path.weight [3 d, d] holds each head's query, key and value one after the other; this one's outputs are all queries,
  // then all keys, then all values.
  static Linear query_key_value(const Scope& scope, std::int64_t d, int heads);

  Tensor operator()(const Tensor& x, Activation activation = Activation::kNone) const;  // act(x w^T + b)
  Tensor operator()(const Tensor& x, const Tensor& residual) const;                     // x w^T + b + residual
  Tensor operator()(const Tensor& x, const Tensor& residual, float dropped) const;      // dropout(x w^T + b, dropped) + residual

  std::int64_t n() const { return weight_.n(); }
  const Weight& weight() const { return weight_; }

 private:
  void add_bias(const TensorView* bias, std::int64_t at);

  Weight weight_;
  Vector bias_;  // [n], or empty
};

class LayerNorm {
 public:
  LayerNorm() = default;
  LayerNorm(const Scope& scope, std::int64_t d, double eps);  // path.weight and, where it exists, path.bias
  static LayerNorm without_weights(std::int64_t d, double eps);

  Tensor operator()(const Tensor& x) const;

 private:
  Vector weight_, bias_;
  float eps_ = 0;
};

class RmsNorm {
 public:
  RmsNorm() = default;
  RmsNorm(const Scope& scope, std::int64_t d, double eps, float offset = 0);  // path.weight + offset

  Tensor operator()(const Tensor& x) const;
  // Normalizes each of `heads` vectors of d from column `begin` on, in place.
  void heads(Tensor& x, std::int64_t begin, std::int64_t heads) const;

 private:
  Vector weight_;
  float eps_ = 0;
};

// down(act(gate(x)) * up(x)) + residual (Shazeer 2020, arXiv:2002.05202); gate and up are merged when loading, if the
// checkpoint does not hold them as one gate_up_proj.
class GatedMlp {
 public:
  GatedMlp(const Scope& scope, std::int64_t d, std::int64_t intermediate, Activation act);  // gate_proj, up_proj, down_proj

  // x: [rows, D]
  Tensor operator()(const Tensor& x) const;
  Tensor operator()(const Tensor& x, const Tensor& residual) const;

 private:
  Linear gate_up_proj_, down_proj_;
  Activation act_;
};

// Sums of rows of embedding tables.
class Embedding {
 public:
  Embedding() = default;
  // path.weight [entries, d]. In training, nothing flows to the vector of padding_idx; below 0 it counts from the end.
  Embedding(const Scope& scope, std::int64_t d, std::optional<std::int64_t> padding_idx = {});

  // y[r] = table[ids[r]]; throws Error naming `what` when an id is not in the table.  -> [rows, d]
  Tensor operator()(std::span<const std::int32_t> ids, const char* what) const;
  // y[r] += table[ids[r]]
  void add_to(Tensor& y, std::span<const std::int32_t> ids, const char* what) const;
  std::int64_t entries() const { return table_.entries(); }

 private:
  void check(std::span<const std::int32_t> ids, const char* what) const;

  EmbeddingTable table_;
  std::optional<std::int64_t> padding_idx_;
};

// The names under which an architecture keeps the parts of a BERT-like layer.
struct PostNormNames {
  std::string query, key, value, attention_output, attention_norm, up, down, output_norm;
};

struct PostNormConfig {
  std::int64_t hidden_size = 0, intermediate_size = 0;
  int num_attention_heads = 1;
  double layer_norm_eps = 1e-12;
  Activation hidden_act = Activation::kGelu;
  bool causal = false;  // a token attends to none that follow it
  // The rates of dropout, on the weights of attention and on what the layer's two parts give.
  float attention_dropout = 0, attention_output_dropout = 0, output_dropout = 0;
};

// One layer of the original Transformer's encoder as BERT uses it: attention, add, norm; feed forward, add, norm.
class PostNormLayer {
 public:
  PostNormLayer(const PostNormConfig& config, const PostNormNames& names, const Scope& scope);

  // x: [rows, D]; term as in AttentionOptions
  Tensor operator()(const Tensor& x, const Step& step, const std::shared_ptr<const ScoreTerm>& term = {}) const;

 private:
  int heads_;
  bool causal_;
  Activation act_;
  float attention_dropout_, attention_output_dropout_, output_dropout_;
  Linear query_key_value_, attention_output_, up_, down_;
  LayerNorm attention_norm_, output_norm_;
};

// The first row of every sequence.  x: [rows, D] -> [sequences, D]
Tensor first_rows(const Tensor& x, const Step& step);

}  // namespace polymath
