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
      e_(read_f32(w.tensor("distance_embedding.weight", {2 * most_ - 1, d_}))) {}

void RelativeKey::add(const HeadScores& s, const Tensor& qkv, const Step& step) const {
  const std::int64_t model_d = qkv.dim(-1) / 3;
  for (std::int64_t i = 0; i < s.length; ++i) {
    const std::int64_t query = s.begin + i;
    const float* q = qkv.row(query) + s.head * d_;
    for (std::int64_t j = 0; j < s.length; ++j) {
      const std::int64_t distance = step.column[static_cast<std::size_t>(query)] - step.column[static_cast<std::size_t>(s.begin + j)];
      if (std::abs(distance) >= most_) {
        throw Error(ErrorCode::kInvalidArgument, "is more than the model's " + std::to_string(most_) + " positions", "the number of tokens");
      }
      const float* e = e_.data() + (distance + most_ - 1) * d_;
      const float* k = qkv.row(s.begin + j) + model_d + s.head * d_;
      float sum = 0;
      for (std::int64_t x = 0; x < d_; ++x) sum = std::fma(q[x], e[x], sum);
      if (with_key_) {
        for (std::int64_t x = 0; x < d_; ++x) sum = std::fma(k[x], e[x], sum);
      }
      s.scores[i * s.stride + j] += sum * scale_;
    }
  }
}

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
