#include "models/relative_key.h"

#include <cmath>

#include "polymath/error.h"

namespace polymath {

RelativeKey::RelativeKey(const Config& c, const Scope& w, bool scaled)
    : heads_(c.req<int>("num_attention_heads")),
      d_(c.req<std::int64_t>("hidden_size") / heads_),
      most_(c.req<std::int64_t>("max_position_embeddings")),
      with_key_(c.opt<std::string>("position_embedding_type", "") == "relative_key_query"),
      scale_(scaled ? static_cast<float>(1.0 / std::sqrt(static_cast<double>(d_))) : 1.0f),
      e_(Vector(w.tensor("distance_embedding.weight", {2 * most_ - 1, d_}))) {}

class RelativeKey::Term final : public ScoreTerm {
 public:
  Term(const RelativeKey& keys, const Step& step) : r_(keys), column_(step.column) {}

  void add(const HeadScores& s, const Tensor& qkv) const override {
    const std::int64_t model_d = qkv.dim(-1) / 3;
    for (std::int64_t i = 0; i < s.length; ++i) {
      const float* q = qkv.row(s.begin + i) + s.head * r_.d_;
      for (std::int64_t j = 0; j < s.length; ++j) {
        const float* e = r_.e_.data() + embedding(s.begin + i, s.begin + j);
        const float* k = qkv.row(s.begin + j) + model_d + s.head * r_.d_;
        float sum = 0;
        for (std::int64_t x = 0; x < r_.d_; ++x) sum = std::fma(q[x], e[x], sum);
        if (r_.with_key_) {
          for (std::int64_t x = 0; x < r_.d_; ++x) sum = std::fma(k[x], e[x], sum);
        }
        s.scores[i * s.stride + j] += sum * r_.scale_;
      }
    }
  }

  void backward(const HeadScores& d, int heads, const Tensor& qkv, Tensor& dqkv) const override {
    const std::int64_t model_d = qkv.dim(-1) / 3;
    std::vector<float> de(static_cast<std::size_t>(r_.e_.size()), 0.0f);
    for (std::int64_t h = 0; h < heads; ++h) {  // one after the other, since all add to the same embeddings
      for (std::int64_t i = 0; i < d.length; ++i) {
        const float* q = qkv.row(d.begin + i) + h * r_.d_;
        float* dq = dqkv.row(d.begin + i) + h * r_.d_;
        for (std::int64_t j = 0; j < d.length; ++j) {
          const float g = d.scores[(h * d.length + i) * d.stride + j] * r_.scale_;
          const std::int64_t at = embedding(d.begin + i, d.begin + j);
          const float *e = r_.e_.data() + at, *k = qkv.row(d.begin + j) + model_d + h * r_.d_;
          float *dk = dqkv.row(d.begin + j) + model_d + h * r_.d_, *to = de.data() + at;
          for (std::int64_t x = 0; x < r_.d_; ++x) {
            dq[x] += g * e[x];
            to[x] += g * q[x];
            if (!r_.with_key_) continue;
            dk[x] += g * e[x];
            to[x] += g * k[x];
          }
        }
      }
    }
    if (r_.e_.trained()) r_.e_.add_gradient(de.data());
  }

 private:
  // Where the embedding of the distance between two rows begins.
  std::int64_t embedding(std::int64_t query, std::int64_t key) const {
    const std::int64_t distance = column_[static_cast<std::size_t>(query)] - column_[static_cast<std::size_t>(key)];
    if (std::abs(distance) >= r_.most_) {
      throw Error(ErrorCode::kInvalidArgument, "is more than the model's " + std::to_string(r_.most_) + " positions", "the number of tokens");
    }
    return (distance + r_.most_ - 1) * r_.d_;
  }

  const RelativeKey r_;
  const std::vector<std::int32_t> column_;  // [rows]
};

std::shared_ptr<const ScoreTerm> RelativeKey::term(const Step& step) const { return std::make_shared<const Term>(*this, step); }

std::vector<RelativeKey> relative_keys(const Config& c, const Scope& layers, int count, const std::string& attention,
                                       bool scaled) {
  std::vector<RelativeKey> all;
  const auto type = c.opt<std::string>("position_embedding_type", "absolute");
  if (type == "absolute") return all;
  if (type != "relative_key" && type != "relative_key_query") {
    throw Error(ErrorCode::kUnsupported, "\"" + type + "\" is not known (known: absolute, relative_key, relative_key_query)",
                "config.json: position_embedding_type");
  }
  for (int i = 0; i < count; ++i) all.emplace_back(c, layers / i / attention, scaled);
  return all;
}

}  // namespace polymath
