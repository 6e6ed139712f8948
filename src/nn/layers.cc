#include "nn/layers.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "polymath/error.h"

namespace polymath {

Activation activation_named(const std::string& name, const std::string& field) {
  static const std::map<std::string, Activation> kNames = {
      {"gelu", Activation::kGelu},           {"gelu_python", Activation::kGelu},
      {"gelu_new", Activation::kGeluTanh},   {"gelu_pytorch_tanh", Activation::kGeluTanh},
      {"gelu_fast", Activation::kGeluTanh},  {"gelu_accurate", Activation::kGeluTanh},
      {"gelu_python_tanh", Activation::kGeluTanh},
      {"relu", Activation::kRelu},           {"relu2", Activation::kRelu2},
      {"silu", Activation::kSilu},           {"swish", Activation::kSilu},
      {"tanh", Activation::kTanh},           {"sigmoid", Activation::kSigmoid},
      {"quick_gelu", Activation::kQuickGelu}, {"linear", Activation::kNone},
      {"gelu_10", Activation::kGelu10},      {"laplace", Activation::kLaplace},
      {"leaky_relu", Activation::kLeakyRelu}, {"mish", Activation::kMish},
      {"relu6", Activation::kRelu6},         {"hardswish", Activation::kHardSwish},
  };
  auto found = kNames.find(name);
  if (found != kNames.end()) return found->second;
  std::string known;
  for (const auto& [known_name, unused] : kNames) known += (known.empty() ? "" : ", ") + known_name;
  throw Error(ErrorCode::kUnsupported, "the activation \"" + name + "\" is not known (known: " + known + ")", "config.json: " + field);
}

Linear::Linear(const Scope& scope, std::int64_t k, std::int64_t n) : Linear(std::vector{scope}, k, n) {}

namespace {
// A small head loses more by quantization than it gains.
LoadType type_for(std::int64_t n, LoadType type) { return (type == LoadType::kQ8 || type == LoadType::kQ4) && n < 64 ? LoadType::kF32 : type; }

// scope.weight with what changes it: [n, k], or [k, n] where transposed
const TensorView& layer_weight(const Scope& scope, std::int64_t n, std::int64_t k, bool transposed = false) {
  const TensorView& weight = transposed ? scope.tensor("weight", {k, n}) : scope.tensor("weight", {n, k});
  return scope.weights->with_change(weight, (scope / "weight").path, n, k);
}
}  // namespace

Linear::Linear(const std::vector<Part>& parts, std::int64_t k) {
  std::vector<const TensorView*> tensors;
  std::int64_t least = parts[0].n, at = 0;
  for (const Part& part : parts) {
    tensors.push_back(&layer_weight(part.scope, part.n, k));
    least = std::min(least, part.n);
  }
  weight_ = Weight::pack(tensors, type_for(least, parts[0].scope.weights->type()));
  for (const Part& part : parts) {
    if (part.scope.find("bias")) add_bias(&part.scope.tensor("bias", {part.n}), at);
    at += part.n;
  }
}

namespace {
std::vector<Linear::Part> parts_of(const std::vector<Scope>& scopes, std::int64_t n_each) {
  std::vector<Linear::Part> parts;
  for (const Scope& scope : scopes) parts.push_back({scope, n_each});
  return parts;
}
}  // namespace

Linear::Linear(const std::vector<Scope>& scopes, std::int64_t k, std::int64_t n_each) : Linear(parts_of(scopes, n_each), k) {}

Linear::Linear(const TensorView& weight, const TensorView* bias, LoadType type) {
  const TensorView* one[] = {&weight};
  weight_ = Weight::pack(one, type);
  if (bias) add_bias(bias, 0);
}

Linear Linear::conv1d(const Scope& scope, std::int64_t k, std::int64_t n) {
  const TensorView* one[] = {&layer_weight(scope, n, k, /*transposed=*/true)};
  Linear made;
  made.weight_ = Weight::pack(one, type_for(n, scope.weights->type()), /*transposed=*/true);
  if (scope.weights->made((scope / "bias").path, {n}) || scope.find("bias")) made.add_bias(&scope.tensor("bias", {n}), 0);
  return made;
}

Linear Linear::query_key_value(const Scope& scope, std::int64_t d, int heads) {
  const TensorView& weight = layer_weight(scope, 3 * d, d);
  const std::int64_t head_dim = d / heads;
  std::vector<TensorView> parts;  // in their new order
  for (std::int64_t part = 0; part < 3; ++part) {
    for (std::int64_t head = 0; head < heads; ++head) parts.push_back(rows_of(weight, (3 * head + part) * head_dim, head_dim));
  }
  std::vector<const TensorView*> tensors;
  for (const TensorView& part : parts) tensors.push_back(&part);
  Linear made;
  made.weight_ = Weight::pack(tensors, type_for(d, scope.weights->type()));
  if (!scope.find("bias")) return made;
  const TensorView& bias = scope.tensor("bias", {3 * d});
  std::int64_t at = 0;
  for (std::int64_t part = 0; part < 3; ++part) {
    for (std::int64_t head = 0; head < heads; ++head, at += head_dim) {
      const TensorView of_head = rows_of(bias, (3 * head + part) * head_dim, head_dim);
      made.add_bias(&of_head, at);
    }
  }
  return made;
}

void Linear::add_bias(const TensorView* bias, std::int64_t at) {
  if (at + bias->elements() > n()) {
    throw Error(ErrorCode::kBadFile, "has " + std::to_string(bias->elements()) + " values for " + std::to_string(n()) + " outputs", bias->name);
  }
  if (bias_.empty()) bias_ = Vector(n());
  bias_.place(*bias, at);
}

Tensor Linear::operator()(const Tensor& x, Activation activation) const {
  return linear(x, weight_, {.bias = bias_.empty() ? nullptr : &bias_, .activation = activation});
}

Tensor Linear::operator()(const Tensor& x, const Tensor& residual) const {
  return linear(x, weight_, {.bias = bias_.empty() ? nullptr : &bias_, .residual = &residual});
}

Tensor Linear::operator()(const Tensor& x, const Tensor& residual, float dropped) const {
  return drops(dropped) ? add(dropout((*this)(x), dropped), residual) : (*this)(x, residual);
}

LayerNorm::LayerNorm(const Scope& scope, std::int64_t d, double eps)
    : weight_(scope.tensor("weight", {d})), eps_(static_cast<float>(eps)) {
  if (scope.find("bias")) bias_ = Vector(scope.tensor("bias", {d}));
}

LayerNorm LayerNorm::without_weights(std::int64_t d, double eps) {
  LayerNorm norm;
  norm.weight_ = Vector(d, 1.0f);
  norm.eps_ = static_cast<float>(eps);
  return norm;
}

Tensor LayerNorm::operator()(const Tensor& x) const { return layer_norm(x, weight_, bias_, eps_); }

RmsNorm::RmsNorm(const Scope& scope, std::int64_t d, double eps, float offset)
    : weight_(scope.tensor("weight", {d}), offset), eps_(static_cast<float>(eps)) {}

Tensor RmsNorm::operator()(const Tensor& x) const { return rms_norm(x, weight_, eps_); }

void RmsNorm::heads(Tensor& x, std::int64_t begin, std::int64_t heads) const { rms_norm_heads(x, begin, heads, weight_, eps_); }

GatedMlp::GatedMlp(const Scope& w, std::int64_t d, std::int64_t intermediate, Activation act)
    : gate_up_proj_(w.find("gate_up_proj.weight") ? Linear(w / "gate_up_proj", d, 2 * intermediate)
                                                  : Linear({w / "gate_proj", w / "up_proj"}, d, intermediate)),
      down_proj_(w / "down_proj", intermediate, d),
      act_(act) {}

Tensor GatedMlp::operator()(const Tensor& x) const { return down_proj_(gated(gate_up_proj_(x), act_)); }
Tensor GatedMlp::operator()(const Tensor& x, const Tensor& residual) const { return down_proj_(gated(gate_up_proj_(x), act_), residual); }

Embedding::Embedding(const Scope& scope, std::int64_t d, std::optional<std::int64_t> padding_idx)
    : table_(scope.tensor("weight")), padding_idx_(padding_idx) {
  if (table_.d() != d) {
    throw Error(ErrorCode::kBadFile, "has vectors of " + std::to_string(table_.d()) + " where config.json asks for " + std::to_string(d),
                (scope / "weight").path);
  }
  if (padding_idx_ && *padding_idx_ < 0) *padding_idx_ += table_.entries();
}

void Embedding::check(std::span<const std::int32_t> ids, const char* what) const {
  for (const std::int32_t id : ids) {
    if (id < 0 || id >= table_.entries()) {
      throw Error(ErrorCode::kInvalidArgument,
                  std::to_string(id) + " is outside the model's table of " + std::to_string(table_.entries()) + " entries", what);
    }
  }
}

Tensor Embedding::operator()(std::span<const std::int32_t> ids, const char* what) const {
  check(ids, what);
  return look_up(table_, ids, padding_idx_);
}

void Embedding::add_to(Tensor& y, std::span<const std::int32_t> ids, const char* what) const {
  check(ids, what);
  add_looked_up(y, table_, ids, padding_idx_);
}

PostNormLayer::PostNormLayer(const PostNormConfig& c, const PostNormNames& names, const Scope& w)
    : heads_(c.num_attention_heads),
      causal_(c.causal),
      act_(c.hidden_act),
      attention_dropout_(c.attention_dropout),
      attention_output_dropout_(c.attention_output_dropout),
      output_dropout_(c.output_dropout),
      query_key_value_({w / names.query, w / names.key, w / names.value}, c.hidden_size, c.hidden_size),
      attention_output_(w / names.attention_output, c.hidden_size, c.hidden_size),
      up_(w / names.up, c.hidden_size, c.intermediate_size),
      down_(w / names.down, c.intermediate_size, c.hidden_size),
      attention_norm_(w / names.attention_norm, c.hidden_size, c.layer_norm_eps),
      output_norm_(w / names.output_norm, c.hidden_size, c.layer_norm_eps) {}

Tensor PostNormLayer::operator()(const Tensor& x, const Step& step,
                                 const std::shared_ptr<const ScoreTerm>& term) const {
  const Tensor qkv = query_key_value_(x);  // [rows, 3 D]
  const AttentionOptions options{.heads = heads_,
                           .scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(x.dim(-1)) / heads_)),
                           .begin = step.begin,
                           .is_key = step.is_key,
                           .causal = causal_,
                           .term = term,
                           .drop = DropMask::next(attention_dropout_)};
  const Tensor attended = attention_norm_(attention_output_(self_attention(qkv, options), /*residual=*/x, attention_output_dropout_));
  return output_norm_(down_(up_(attended, act_), /*residual=*/attended, output_dropout_));
}

Tensor first_rows(const Tensor& x, const Step& step) {
  return take_rows(x, std::span(step.begin).first(step.begin.size() - 1));
}

}  // namespace polymath
