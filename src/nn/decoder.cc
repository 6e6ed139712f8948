#include "nn/decoder.h"

#include <algorithm>
#include <cmath>

namespace polymath {

PassCaches::PassCaches(const Step& step, const KvShape& shape) : caches_(step.cache) {
  const auto sequences = static_cast<std::size_t>(step.sequences());
  for (std::size_t s = 0; s < sequences; ++s) {
    if (step.cache.empty()) {
      temporary_.push_back(std::make_shared<KvCache>(shape));
      caches_.push_back(temporary_.back().get());
    }
    const auto begin = static_cast<std::size_t>(step.begin[s]), end = static_cast<std::size_t>(step.begin[s + 1]);
    caches_[s]->extend(std::span(step.column).subspan(begin, end - begin));
  }
}

RenewedStep::RenewedStep(const Step& asked, std::initializer_list<const RopeConfig*> ropes) : asked_(asked) {
  const bool hangs = std::any_of(ropes.begin(), ropes.end(), [](const RopeConfig* rope) { return rope->hangs_on_length(); });
  if (!hangs || asked.cache.empty()) return;
  const auto lengths = rope_lengths(asked);
  renewed_.emplace();
  for (std::size_t s = 0; s < lengths.size(); ++s) {
    KvCache& cache = *asked.cache[s];
    KvCache::Source& source = cache.source;
    const auto begin = static_cast<std::size_t>(asked.begin[s]), end = static_cast<std::size_t>(asked.begin[s + 1]);
    const auto rows_of = [&](const std::vector<std::int32_t>& all) { return std::span(all).subspan(begin, end - begin); };
    std::size_t computed = source.ids.size();  // rows that stay
    std::vector<std::int32_t> column(cache.columns().begin(), cache.columns().end());
    for (auto [to, from] : {std::pair{&source.ids, &asked.ids}, {&source.position_ids, &asked.positions()}, {&column, &asked.column}}) {
      to->insert(to->end(), rows_of(*from).begin(), rows_of(*from).end());
    }
    std::int64_t key = 0;
    for (const RopeConfig* rope : ropes) key = key << 32 | rope->key_of_length(lengths[s]);
    if (computed == 0 || key != source.rope_key) {
      KvCache::Source kept = std::move(source);
      cache.truncate(0);
      source = std::move(kept);
      source.rope_key = key;
      computed = 0;
    }
    const auto append = [&](std::vector<std::int32_t>& to, const std::vector<std::int32_t>& from) { to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(computed), from.end()); };
    append(renewed_->ids, source.ids);
    append(renewed_->position_ids, source.position_ids);
    append(renewed_->column, column);
    renewed_->begin.push_back(static_cast<std::int32_t>(renewed_->ids.size()));
    renewed_->cache.push_back(&cache);
    for (auto r = static_cast<std::int32_t>(end - begin); r > 0; --r) rows_.push_back(renewed_->begin.back() - r);
  }
}

Tensor RenewedStep::rows_asked(Tensor x) const { return renewed_ ? take_rows(x, rows_) : std::move(x); }

CausalAttentionConfig CausalAttentionConfig::checked(const Config& c, std::int64_t hidden_size, std::int64_t head_dim, int heads, int kv_heads) {
  if (kv_heads < 1 || heads % kv_heads != 0) {
    throw Error(ErrorCode::kBadFile, "must divide the number of heads, " + std::to_string(heads), c.path() + ": num_key_value_heads");
  }
  if (head_dim < 1 || head_dim > 65536) throw Error(ErrorCode::kBadFile, std::to_string(head_dim) + " is out of range", c.path() + ": head_dim");
  return {.hidden_size = hidden_size, .head_dim = head_dim, .num_attention_heads = heads, .num_key_value_heads = kv_heads,
          .dropout = c.opt_rate("attention_dropout", 0)};
}

Tensor attend(const Tensor& qkv, const CausalAttentionConfig& c, const Step& step, const PassCaches& caches, int layer) {
  const std::int64_t key_at = c.num_attention_heads * c.head_dim, value_at = key_at + c.num_key_value_heads * c.head_dim;
  cache_keys_values(qkv, key_at, value_at, layer, caches.all(), step.begin);
  return cached_attention(qkv, layer, caches.all(),
                          {.heads = c.num_attention_heads,
                           .scale = static_cast<float>(c.scale ? *c.scale : 1.0 / std::sqrt(static_cast<double>(c.head_dim))),
                           .causal = c.causal,
                           .begin = step.begin,
                           .column = step.column,
                           .window = c.window,
                           .softcap = static_cast<float>(c.softcap),
                           .alibi_slopes = c.alibi_slopes,
                           .is_key = step.is_key,
                           .drop = DropMask::next(c.dropout)});
}

CausalSelfAttention::CausalSelfAttention(const CausalAttentionConfig& c, const Scope& w)
    : c_(c),
      o_proj_(w / "o_proj", c.num_attention_heads * c.head_dim, c.hidden_size) {
  const std::int64_t q = c.num_attention_heads * c.head_dim, kv = c.num_key_value_heads * c.head_dim;
  qkv_proj_ = w.find("qkv_proj.weight") ? Linear(w / "qkv_proj", c.hidden_size, q + 2 * kv)
                                        : Linear(std::vector<Linear::Part>{{w / "q_proj", q}, {w / "k_proj", kv}, {w / "v_proj", kv}}, c.hidden_size);
  if (!c.qk_norm_eps) return;
  q_norm_ = RmsNorm(w / "q_norm", c.head_dim, *c.qk_norm_eps, c.qk_norm_offset);
  k_norm_ = RmsNorm(w / "k_norm", c.head_dim, *c.qk_norm_eps, c.qk_norm_offset);
}

Tensor CausalSelfAttention::attended(const Tensor& x, const Step& step, const PassCaches& caches, int layer, const RopeTable* rope) const {
  Tensor qkv = qkv_proj_(x);  // [rows, (heads + 2 kv heads) * head_dim]
  if (c_.qk_norm_eps) {
    q_norm_.heads(qkv, 0, c_.num_attention_heads);
    k_norm_.heads(qkv, c_.num_attention_heads * c_.head_dim, c_.num_key_value_heads);
  }
  if (rope) rotate(qkv, 0, c_.num_attention_heads + c_.num_key_value_heads, rope->cos, rope->sin, c_.head_dim);
  return attend(qkv, c_, step, caches, layer);
}

Tensor CausalSelfAttention::operator()(const Tensor& x, const Step& step, const PassCaches& caches, int layer, const RopeTable* rope) const {
  return o_proj_(attended(x, step, caches, layer, rope));
}

Tensor CausalSelfAttention::operator()(const Tensor& x, const Step& step, const PassCaches& caches, int layer, const RopeTable* rope,
                                       const Tensor& residual) const {
  return o_proj_(attended(x, step, caches, layer, rope), residual);
}

}  // namespace polymath
