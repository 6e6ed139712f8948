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
}  // namespace

Linear::Linear(const std::vector<Part>& parts, std::int64_t k) {
  std::vector<const TensorView*> tensors;
  std::int64_t least = parts[0].n, at = 0;
  for (const Part& part : parts) {
    tensors.push_back(&part.scope.tensor("weight", {part.n, k}));
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
  const TensorView* one[] = {&scope.tensor("weight", {k, n})};
  Linear made;
  made.weight_ = Weight::pack(one, type_for(n, scope.weights->type()), /*transposed=*/true);
  if (scope.find("bias")) made.add_bias(&scope.tensor("bias", {n}), 0);
  return made;
}

Linear Linear::query_key_value(const Scope& scope, std::int64_t d, int heads) {
  const TensorView& weight = scope.tensor("weight", {3 * d, d});
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
  const auto bias = read_f32(scope.tensor("bias", {3 * d}));
  made.bias_.resize(static_cast<std::size_t>((3 * d + 15) / 16 * 16), 0.0f);
  for (std::int64_t i = 0; i < 3 * d; ++i) {
    const std::int64_t part = i / head_dim % 3, head = i / (3 * head_dim);
    made.bias_[static_cast<std::size_t>(part * d + head * head_dim + i % head_dim)] = bias[static_cast<std::size_t>(i)];
  }
  return made;
}

void Linear::add_bias(const TensorView* bias, std::int64_t at) {
  bias_.resize(static_cast<std::size_t>((n() + 15) / 16 * 16), 0.0f);
  const auto values = read_f32(*bias);
  if (at + static_cast<std::int64_t>(values.size()) > n()) {
    throw Error(ErrorCode::kBadFile, "has " + std::to_string(values.size()) + " values for " + std::to_string(n()) + " outputs", bias->name);
  }
  std::copy(values.begin(), values.end(), bias_.begin() + at);
}

Tensor Linear::operator()(const Tensor& x, Activation activation) const {
  return linear(x, weight_, {.bias = bias_.empty() ? nullptr : bias_.data(), .activation = activation});
}

Tensor Linear::operator()(const Tensor& x, const Tensor& residual) const {
  return linear(x, weight_, {.bias = bias_.empty() ? nullptr : bias_.data(), .residual = &residual});
}

LayerNorm::LayerNorm(const Scope& scope, std::int64_t d, double eps)
    : weight_(read_f32(scope.tensor("weight", {d}))), eps_(static_cast<float>(eps)) {
  if (scope.find("bias")) bias_ = read_f32(scope.tensor("bias", {d}));
}

LayerNorm LayerNorm::without_weights(std::int64_t d, double eps) {
  LayerNorm norm;
  norm.weight_.assign(static_cast<std::size_t>(d), 1.0f);
  norm.eps_ = static_cast<float>(eps);
  return norm;
}

Tensor LayerNorm::operator()(const Tensor& x) const {
  return layer_norm(x, weight_.data(), bias_.empty() ? nullptr : bias_.data(), eps_);
}

RmsNorm::RmsNorm(const Scope& scope, std::int64_t d, double eps, float offset)
    : weight_(read_f32(scope.tensor("weight", {d}))), eps_(static_cast<float>(eps)) {
  for (float& w : weight_) w += offset;
}

Tensor RmsNorm::operator()(const Tensor& x) const { return rms_norm(x, weight_.data(), eps_); }

void RmsNorm::heads(Tensor& x, std::int64_t begin, std::int64_t heads) const {
  rms_norm_heads(x, begin, heads, static_cast<std::int64_t>(weight_.size()), weight_.data(), eps_);
}

GatedMlp::GatedMlp(const Scope& w, std::int64_t d, std::int64_t intermediate, Activation act)
    : gate_up_proj_(w.find("gate_up_proj.weight") ? Linear(w / "gate_up_proj", d, 2 * intermediate)
                                                  : Linear({w / "gate_proj", w / "up_proj"}, d, intermediate)),
      down_proj_(w / "down_proj", intermediate, d),
      act_(act) {}

Tensor GatedMlp::operator()(const Tensor& x) const { return down_proj_(gated(gate_up_proj_(x), act_)); }
Tensor GatedMlp::operator()(const Tensor& x, const Tensor& residual) const { return down_proj_(gated(gate_up_proj_(x), act_), residual); }

Embedding::Embedding(const Scope& scope, std::int64_t d) : table_(scope.tensor("weight")) {
  if (table_.d() != d) {
    throw Error(ErrorCode::kBadFile, "has vectors of " + std::to_string(table_.d()) + " where config.json asks for " + std::to_string(d),
                (scope / "weight").path);
  }
}

Tensor Embedding::operator()(std::span<const std::int32_t> ids, const char* what) const {
  Tensor y({static_cast<std::int64_t>(ids.size()), table_.d()});
  std::fill_n(y.data(), y.size(), 0.0f);
  add_to(y, ids, what);
  return y;
}

void Embedding::add_to(Tensor& y, std::span<const std::int32_t> ids, const char* what) const {
  std::vector<float> vector(static_cast<std::size_t>(table_.d()));
  for (std::size_t r = 0; r < ids.size(); ++r) {
    if (ids[r] < 0 || ids[r] >= table_.entries()) {
      throw Error(ErrorCode::kInvalidArgument,
                  std::to_string(ids[r]) + " is outside the model's table of " + std::to_string(table_.entries()) + " entries", what);
    }
    table_.read(ids[r], vector.data());
    float* row = y.row(static_cast<std::int64_t>(r));
    kernels::table().add(row, vector.data(), vector.size(), row);
  }
}

PostNormLayer::PostNormLayer(const PostNormConfig& c, const PostNormNames& names, const Scope& w)
    : heads_(c.num_attention_heads),
      causal_(c.causal),
      act_(c.hidden_act),
      query_key_value_({w / names.query, w / names.key, w / names.value}, c.hidden_size, c.hidden_size),
      attention_output_(w / names.attention_output, c.hidden_size, c.hidden_size),
      up_(w / names.up, c.hidden_size, c.intermediate_size),
      down_(w / names.down, c.intermediate_size, c.hidden_size),
      attention_norm_(w / names.attention_norm, c.hidden_size, c.layer_norm_eps),
      output_norm_(w / names.output_norm, c.hidden_size, c.layer_norm_eps) {}

Tensor PostNormLayer::operator()(const Tensor& x, const Step& step,
                                 const std::function<void(const HeadScores&, const Tensor& qkv)>& add_scores) const {
  const Tensor qkv = query_key_value_(x);  // [rows, 3 D]
  AttentionOptions options{.heads = heads_,
                           .scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(x.dim(-1)) / heads_)),
                           .begin = step.begin,
                           .is_key = step.is_key,
                           .causal = causal_};
  if (add_scores) options.add_scores = [&](const HeadScores& scores) { add_scores(scores, qkv); };
  const Tensor attended = attention_norm_(attention_output_(self_attention(qkv, options), /*residual=*/x));
  return output_norm_(down_(up_(attended, act_), /*residual=*/attended));
}

Tensor first_rows(const Tensor& x, const Step& step) {
  return take_rows(x, std::span(step.begin).first(step.begin.size() - 1));
}

}  // namespace polymath
