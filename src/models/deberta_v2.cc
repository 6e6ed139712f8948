// DeBERTa v2 and v3 (He et al. 2020/2021, arXiv:2006.03654, 2111.09543): attention over content and relative
// position as two vectors ("disentangled"), in v2 with a convolution beside the first layer.
#include <algorithm>
#include <cctype>
#include <cmath>

#include "models/conv.h"
#include "models/heads.h"

namespace polymath {
namespace {

std::string lowered(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

struct DebertaConfig {
  std::int64_t hidden_size, intermediate_size, embedding_size;
  int num_attention_heads, num_hidden_layers;
  double layer_norm_eps;
  Activation hidden_act;
  bool relative_attention, share_att_key, c2p = false, p2c = false, norm_rel_ebd = false;
  std::int64_t position_buckets, max_relative_positions;

  explicit DebertaConfig(const Config& c)
      : hidden_size(c.req<std::int64_t>("hidden_size")),
        intermediate_size(c.req<std::int64_t>("intermediate_size")),
        embedding_size(c.opt<std::int64_t>("embedding_size", hidden_size)),
        num_attention_heads(c.req_divisor("num_attention_heads", hidden_size)),
        num_hidden_layers(c.req<int>("num_hidden_layers")),
        layer_norm_eps(c.opt("layer_norm_eps", 1e-7)),
        hidden_act(activation_named(c.opt<std::string>("hidden_act", "gelu"))),
        relative_attention(c.opt("relative_attention", false)),
        share_att_key(c.opt("share_att_key", false)),
        position_buckets(c.opt<std::int64_t>("position_buckets", -1)),
        max_relative_positions(c.opt<std::int64_t>("max_relative_positions", -1)) {
    if (max_relative_positions < 1) max_relative_positions = c.opt<std::int64_t>("max_position_embeddings", 512);
    // A list ["p2c", "c2p"], or one string "p2c|c2p".
    if (const Json* types = c.find("pos_att_type"); types && (types->is_array() || types->is_string())) {
      const std::string text = types->is_string() ? lowered(types->get<std::string>()) : types->dump();
      c2p = text.find("c2p") != std::string::npos;
      p2c = text.find("p2c") != std::string::npos;
    }
    norm_rel_ebd = lowered(c.opt<std::string>("norm_rel_ebd", "none")).find("layer_norm") != std::string::npos;
  }

  // Scores are divided by sqrt(d * (1 + the number of position terms)).
  float scale() const {
    const auto d = static_cast<double>(hidden_size / num_attention_heads);
    return static_cast<float>(1.0 / std::sqrt(d * (1 + c2p + p2c)));
  }
  std::int64_t span() const { return position_buckets > 0 ? position_buckets : max_relative_positions; }

  // The row of the relative table for query column - key column: exact near 0, logarithmic further away.
  std::int64_t relative_row(std::int64_t distance) const {
    std::int64_t bucket = distance;
    if (position_buckets > 0 && max_relative_positions > 0) {
      const std::int64_t mid = position_buckets / 2;
      const std::int64_t magnitude = distance < mid && distance > -mid ? mid - 1 : std::abs(distance);
      if (magnitude > mid) {
        const auto ratio = [&](double x) { return static_cast<float>(std::log(x / static_cast<double>(mid))); };
        const float steps = ratio(static_cast<double>(magnitude)) / ratio(static_cast<double>(max_relative_positions - 1)) *
                            static_cast<float>(mid - 1);
        bucket = (static_cast<std::int64_t>(std::ceil(steps)) + mid) * (distance < 0 ? -1 : 1);
      }
    }
    return std::clamp<std::int64_t>(bucket + span(), 0, 2 * span() - 1);
  }
};

// A layer's relative tables after its projections: constant, so computed once.  [heads] of [2 span, d], packed.
struct RelativeTable {
  std::vector<Weight> head;

  RelativeTable() = default;
  RelativeTable(const DebertaConfig& c, const Linear& projection, const Tensor& rel_embeddings) {
    const Tensor projected = projection(rel_embeddings);  // [2 span, D]
    const std::int64_t d = c.hidden_size / c.num_attention_heads;
    for (int h = 0; h < c.num_attention_heads; ++h) {
      const Tensor part = take_columns(projected, h * d, (h + 1) * d);
      head.push_back(Weight::pack(part.data(), part.rows(), d, Storage::kF32));
    }
  }
};

struct DebertaLayer {
  Linear in_proj, attention_output, up, down;
  LayerNorm attention_norm, output_norm;
  RelativeTable position_key, position_query;

  DebertaLayer(const DebertaConfig& c, const Tensor& rel_embeddings, const Scope& w)
      : in_proj({w / "attention.self.query_proj", w / "attention.self.key_proj", w / "attention.self.value_proj"}, c.hidden_size, c.hidden_size),
        attention_output(w / "attention.output.dense", c.hidden_size, c.hidden_size),
        up(w / "intermediate.dense", c.hidden_size, c.intermediate_size),
        down(w / "output.dense", c.intermediate_size, c.hidden_size),
        attention_norm(w / "attention.output.LayerNorm", c.hidden_size, c.layer_norm_eps),
        output_norm(w / "output.LayerNorm", c.hidden_size, c.layer_norm_eps) {
    if (!c.relative_attention) return;
    auto table = [&](const char* shared, const char* own) {
      return RelativeTable(c, Linear(w / "attention.self" / (c.share_att_key ? shared : own), c.hidden_size, c.hidden_size), rel_embeddings);
    };
    if (c.c2p) position_key = table("key_proj", "pos_key_proj");
    if (c.p2c) position_query = table("query_proj", "pos_query_proj");
  }
};

// For one head of one sequence: scores[i][j] += scale (q_i . K[row(i-j)] + k_j . Q[row(i-j)]).
void add_relative(const DebertaConfig& c, const DebertaLayer& layer, const HeadScores& s, const Tensor& qkv, const Step& step) {
  const std::int64_t model_d = qkv.dim(-1) / 3, d = model_d / c.num_attention_heads;
  const std::int32_t* column = step.column.data() + s.begin;
  const std::int64_t farthest = column[s.length - 1] - column[0];
  std::vector<std::int32_t> row(static_cast<std::size_t>(2 * farthest + 1));  // of distance - farthest
  for (std::int64_t i = -farthest; i <= farthest; ++i) row[static_cast<std::size_t>(i + farthest)] = static_cast<std::int32_t>(c.relative_row(i));
  // Only the panels of the table between the first and the last row in use.
  const std::int64_t first = row.front() / 16 * 16, last = std::min<std::int64_t>(row.back() / 16 * 16 + 16, 2 * c.span());

  Tensor products({s.length, last - first});
  auto add = [&](const Weight& table, std::int64_t part, bool by_query) {
    kernels::Matmul m;
    m.a = qkv.row(s.begin) + part * model_d + s.head * d;
    m.a_stride = static_cast<std::size_t>(3 * model_d);
    m.b = table.panel(first / 16);
    m.panel_stride = static_cast<std::size_t>(d) * 16;
    m.c = products.data();
    m.c_stride = static_cast<std::size_t>(last - first);
    m.m = static_cast<std::size_t>(s.length);
    m.k = static_cast<std::size_t>(d);
    m.n = static_cast<std::size_t>(last - first);
    m.epilogue.scale = c.scale();
    kernels::table().matmul(Storage::kF32, m);
    for (std::int64_t i = 0; i < s.length; ++i) {
      const std::int32_t* rows = row.data() + column[i] + farthest;
      for (std::int64_t j = 0; j < s.length; ++j) {
        s.scores[i * s.stride + j] += products.row(by_query ? i : j)[rows[-column[j]] - first];
      }
    }
  };
  if (c.c2p) add(layer.position_key.head[static_cast<std::size_t>(s.head)], 0, /*by_query=*/true);
  if (c.p2c) add(layer.position_query.head[static_cast<std::size_t>(s.head)], 1, /*by_query=*/false);
}

struct DebertaEncoder {
  DebertaConfig c;
  Embedding word_embeddings, position_embeddings, token_type_embeddings;
  bool add_positions, add_types, project;
  Linear embed_proj;
  LayerNorm norm;
  std::vector<DebertaLayer> layer;
  std::unique_ptr<ConvLayer> conv;

  DebertaEncoder(const Config& config, const Scope& w)
      : c(config),
        word_embeddings(w / "embeddings.word_embeddings", c.embedding_size),
        add_positions(config.opt("position_biased_input", true)),
        add_types(config.opt("type_vocab_size", 0) > 0),
        project(c.embedding_size != c.hidden_size),
        norm(w / "embeddings.LayerNorm", c.hidden_size, c.layer_norm_eps) {
    if (add_positions) position_embeddings = Embedding(w / "embeddings.position_embeddings", c.embedding_size);
    if (add_types) token_type_embeddings = Embedding(w / "embeddings.token_type_embeddings", c.embedding_size);
    if (project) embed_proj = Linear(w / "embeddings.embed_proj", c.embedding_size, c.hidden_size);
    Tensor rel_embeddings;
    if (c.relative_attention) {
      const auto values = read_f32((w / "encoder.rel_embeddings").tensor("weight", {2 * c.span(), c.hidden_size}));
      rel_embeddings = Tensor({2 * c.span(), c.hidden_size});
      std::copy(values.begin(), values.end(), rel_embeddings.data());
      if (c.norm_rel_ebd) rel_embeddings = LayerNorm(w / "encoder.LayerNorm", c.hidden_size, c.layer_norm_eps)(rel_embeddings);
    }
    layer = each<DebertaLayer>(c.num_hidden_layers, w / "encoder.layer", c, rel_embeddings);
    if (config.opt("conv_kernel_size", 0) > 0) conv = std::make_unique<ConvLayer>(config, w / "encoder.conv");
  }

  Tensor embeddings(const Step& step) const {
    Tensor x = word_embeddings(step.ids, "input_ids");
    if (add_positions) position_embeddings.add_to(x, step.positions(), "the number of tokens");
    if (add_types) {
      const std::vector<std::int32_t> no_types(step.type_ids.empty() ? step.ids.size() : 0, 0);
      token_type_embeddings.add_to(x, step.type_ids.empty() ? no_types : step.type_ids, "token_type_ids");
    }
    if (project) x = embed_proj(x);
    x = norm(x);
    clear_padding(x, step);
    return x;
  }

  Tensor operator()(const Step& step) const {
    const Tensor embedded = embeddings(step);
    Tensor x = embedded;
    for (std::size_t i = 0; i < layer.size(); ++i) {
      const DebertaLayer& l = layer[i];
      const Tensor qkv = l.in_proj(x);
      AttentionOptions options{.heads = c.num_attention_heads, .scale = c.scale(), .begin = step.begin, .is_key = step.is_key,
                               .pairwise_mask = true};
      if (c.relative_attention && (c.c2p || c.p2c)) {
        options.add_scores = [&](const HeadScores& s) { add_relative(c, l, s, qkv, step); };
      }
      x = l.attention_norm(l.attention_output(self_attention(qkv, options), /*residual=*/x));
      x = l.output_norm(l.down(l.up(x, c.hidden_act), /*residual=*/x));
      if (i == 0 && conv) x = (*conv)(embedded, x, step);
    }
    return x;
  }
};

}  // namespace

std::unique_ptr<Model> make_deberta_v2(const Config& c, Head head, const Scope& w) {
  const DebertaConfig d(c);
  const std::int64_t n = d.hidden_size, labels = c.num_labels();
  HeadFunction f;
  switch (head) {
    case Head::kBase: f = base_head(); break;
    case Head::kMaskedLm: {
      const bool legacy = c.opt("legacy", true);
      const Scope p = legacy ? w / "cls.predictions" : w / "lm_predictions.lm_head";
      const Scope dense = legacy ? p / "transform.dense" : p / "dense", norm = legacy ? p / "transform.LayerNorm" : p / "LayerNorm";
      // Legacy heads project to embedding_size where the config has one.
      const std::int64_t inner = legacy ? d.embedding_size : n;
      const std::string table = "deberta.embeddings.word_embeddings.weight";
      f = masked_lm_head({Linear(dense, n, inner), d.hidden_act, LayerNorm(norm, inner, d.layer_norm_eps),
                          legacy ? tied_decoder(c, w, "cls.predictions.decoder.weight", table, {"cls.predictions.bias", "cls.predictions.decoder.bias"})
                                 : Linear(w.tensor(table), &p.tensor("bias"), w.weights->type())});
      break;
    }
    case Head::kSequenceClassification:
    case Head::kMultipleChoice: {
      const auto pooler = c.opt<std::int64_t>("pooler_hidden_size", n);
      const auto act = activation_named(c.opt<std::string>("pooler_hidden_act", "gelu"), "pooler_hidden_act");
      const auto pool = first_token_pooler(Linear(w / "pooler.dense", pooler, pooler), act);
      f = head == Head::kMultipleChoice ? multiple_choice_head(pool, w / "classifier", pooler)
                                        : sequence_classification_head(pool, Linear(w / "classifier", pooler, labels));
      break;
    }
    case Head::kTokenClassification: f = token_classification_head(Linear(w / "classifier", n, labels)); break;
    case Head::kQuestionAnswering: f = question_answering_head(Linear(w / "qa_outputs", n, 2)); break;
    default: no_such_head(c);
  }
  return encoder_model(DebertaEncoder(c, w / "deberta"), std::move(f));
}

}  // namespace polymath
