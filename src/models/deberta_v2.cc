// DeBERTa v2 and v3 (He et al. 2020/2021, arXiv:2006.03654, 2111.09543): attention over content and relative
// position as two vectors ("disentangled"), in v2 with a convolution beside the first layer.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <optional>

#include "base/threads.h"
#include "models/conv.h"
#include "models/heads.h"
#include "tensor/product.h"
#include "tensor/tape.h"

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
  float hidden_dropout, attention_dropout;

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
        max_relative_positions(c.opt<std::int64_t>("max_relative_positions", -1)),
        hidden_dropout(c.opt_rate("hidden_dropout_prob", 0.1)),
        attention_dropout(c.opt_rate("attention_probs_dropout_prob", 0.1)) {
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
  bool disentangled() const { return relative_attention && (c2p || p2c); }
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

// The vectors of relative positions, which the layers project.
struct RelativeEmbeddings {
  Embedding table;
  std::optional<LayerNorm> norm;
  std::vector<std::int32_t> all;  // [2 span]

  RelativeEmbeddings(const DebertaConfig& c, const Scope& encoder) : table(encoder / "rel_embeddings", c.hidden_size) {
    (encoder / "rel_embeddings").tensor("weight", {2 * c.span(), c.hidden_size});
    if (c.norm_rel_ebd) norm = LayerNorm(encoder / "LayerNorm", c.hidden_size, c.layer_norm_eps);
    for (std::int32_t i = 0; i < 2 * c.span(); ++i) all.push_back(i);
  }

  Tensor operator()() const {  // -> [2 span, D]
    const Tensor x = table(all, "rel_embeddings");
    return norm ? (*norm)(x) : x;
  }
};

// A layer's relative tables after its projection.  [heads] of [2 span, d], packed
struct RelativeTable {
  Tensor projected;  // [2 span, D]
  std::vector<Weight> head;

  RelativeTable() = default;
  RelativeTable(const DebertaConfig& c, Tensor table) : projected(std::move(table)) {
    const std::int64_t d = c.hidden_size / c.num_attention_heads;
    for (int h = 0; h < c.num_attention_heads; ++h) {
      const Tape::Recording off(nullptr);  // the term that reads it goes back to `projected`
      const Tensor part = take_columns(projected, h * d, (h + 1) * d);
      head.push_back(Weight::pack(part.data(), part.rows(), d, Storage::kF32));
    }
  }
};

// For one head of one sequence: scores[i][j] += scale (q_i . K[row(i-j)] + k_j . Q[row(i-j)]).
class DisentangledTerm final : public ScoreTerm {
 public:
  DisentangledTerm(const DebertaConfig& c, RelativeTable position_key, RelativeTable position_query, const Step& step)
      : c_(c), key_(std::move(position_key)), query_(std::move(position_query)), column_(step.column) {}

  void add(const HeadScores& s, const Tensor& qkv) const override {
    const Rows rows(c_, column_.data() + s.begin, s.length);
    Tensor products({s.length, rows.last - rows.first});
    each_side([&](const RelativeTable& table, std::int64_t part, bool by_query) {
      const auto* panels = static_cast<const float*>(table.head[static_cast<std::size_t>(s.head)].panel(rows.first / 16));
      product(qkv.row(s.begin) + part * c_.hidden_size + s.head * head_d(), qkv.dim(-1), Panels(panels, products.dim(-1), head_d()), products.data(),
              products.dim(-1), s.length);
      for (std::int64_t i = 0; i < s.length; ++i) {
        for (std::int64_t j = 0; j < s.length; ++j) s.scores[i * s.stride + j] += products.row(by_query ? i : j)[rows.of(i, j) - rows.first];
      }
    });
  }

  void backward(const HeadScores& d, int heads, const Tensor& qkv, Tensor& dqkv) const override {
    const Rows rows(c_, column_.data() + d.begin, d.length);
    const std::int64_t width = rows.last - rows.first;
    each_side([&](const RelativeTable& table, std::int64_t part, bool by_query) {
      Tensor dtable = zeros(table.projected.shape());
      ThreadPool::global().parallel_for(static_cast<std::size_t>(heads), [&](std::size_t h) {
        const float* scores = d.scores + static_cast<std::int64_t>(h) * d.length * d.stride;
        Tensor dproducts = zeros(std::vector{d.length, width});
        for (std::int64_t i = 0; i < d.length; ++i) {
          for (std::int64_t j = 0; j < d.length; ++j) dproducts.row(by_query ? i : j)[rows.of(i, j) - rows.first] += scores[i * d.stride + j];
        }
        const std::int64_t at = static_cast<std::int64_t>(h) * head_d(), side_at = part * c_.hidden_size + at;
        const Buffer of_table = row_panels(table.projected.row(rows.first) + at, table.projected.dim(-1), width, head_d());
        product(dproducts.data(), width, Panels(of_table, head_d(), width), dqkv.row(d.begin) + side_at, dqkv.dim(-1), d.length, /*accumulate=*/true);
        const std::int64_t stride = (d.length + 15) / 16 * 16;
        Buffer turned(static_cast<std::size_t>(width * stride));
        transpose(dproducts.data(), width, d.length, width, turned.data(), stride);
        const Buffer of_side = row_panels(qkv.row(d.begin) + side_at, qkv.dim(-1), d.length, head_d());
        product(turned.data(), stride, Panels(of_side, head_d(), d.length), dtable.row(rows.first) + at, dtable.dim(-1), width, /*accumulate=*/true);
      });
      add_gradient(table.projected, std::move(dtable));
    });
  }

 private:
  // The rows of the table that a sequence's distances have.
  struct Rows {
    const std::int32_t* column;
    std::int64_t farthest;
    std::vector<std::int32_t> row;  // of distance - farthest
    std::int64_t first, last;       // only the panels of the table between the first and the last row in use

    Rows(const DebertaConfig& c, const std::int32_t* columns, std::int64_t length)
        : column(columns), farthest(columns[length - 1] - columns[0]), row(static_cast<std::size_t>(2 * farthest + 1)) {
      for (std::int64_t i = -farthest; i <= farthest; ++i) row[static_cast<std::size_t>(i + farthest)] = static_cast<std::int32_t>(c.relative_row(i));
      first = row.front() / 16 * 16;
      last = std::min<std::int64_t>(row.back() / 16 * 16 + 16, 2 * c.span());
    }
    std::int64_t of(std::int64_t i, std::int64_t j) const { return row[static_cast<std::size_t>(column[i] - column[j] + farthest)]; }
  };

  std::int64_t head_d() const { return c_.hidden_size / c_.num_attention_heads; }

  template <class Body>
  void each_side(const Body& body) const {
    if (c_.c2p) body(key_, 0, /*by_query=*/true);
    if (c_.p2c) body(query_, 1, /*by_query=*/false);
  }

  // c (+)= scale a b.  a: [rows, k], its rows a_stride apart; c: [rows, n], c_stride apart
  void product(const float* a, std::int64_t a_stride, const Panels& b, float* c, std::int64_t c_stride, std::int64_t rows, bool accumulate = false) const {
    Product x{.a = a, .a_stride = a_stride, .rows = rows, .c = c, .c_stride = c_stride};
    x.epilogue.scale = c_.scale();
    if (accumulate) {  // the product by itself is what is scaled
      x.epilogue.residual = c;
      x.epilogue.residual_stride = static_cast<std::size_t>(c_stride);
    }
    multiply_alone(x, b);
  }

  const DebertaConfig c_;
  const RelativeTable key_, query_;
  const std::vector<std::int32_t> column_;  // [rows]
};

struct DebertaLayer {
  Linear in_proj, attention_output, up, down;
  LayerNorm attention_norm, output_norm;
  Linear key_projection, query_projection;        // of relative positions
  RelativeTable position_key, position_query;     // constant, so computed once, unless they are to be trained

  DebertaLayer(const DebertaConfig& c, const std::optional<RelativeEmbeddings>& relative, const Scope& w)
      : in_proj({w / "attention.self.query_proj", w / "attention.self.key_proj", w / "attention.self.value_proj"}, c.hidden_size, c.hidden_size),
        attention_output(w / "attention.output.dense", c.hidden_size, c.hidden_size),
        up(w / "intermediate.dense", c.hidden_size, c.intermediate_size),
        down(w / "output.dense", c.intermediate_size, c.hidden_size),
        attention_norm(w / "attention.output.LayerNorm", c.hidden_size, c.layer_norm_eps),
        output_norm(w / "output.LayerNorm", c.hidden_size, c.layer_norm_eps) {
    if (!relative) return;
    auto projection = [&](const char* shared, const char* own) {
      return Linear(w / "attention.self" / (c.share_att_key ? shared : own), c.hidden_size, c.hidden_size);
    };
    if (c.c2p) key_projection = projection("key_proj", "pos_key_proj");
    if (c.p2c) query_projection = projection("query_proj", "pos_query_proj");
    if (trains()) return;
    const Tensor positions = (*relative)();
    if (c.c2p) position_key = RelativeTable(c, key_projection(positions));
    if (c.p2c) position_query = RelativeTable(c, query_projection(positions));
    key_projection = query_projection = Linear();
  }

  bool trains() const { return !in_proj.weight().parts().empty() || !in_proj.weight().changes().empty(); }

  // x: [rows, D]; positions: [2 span, D] where they are to be trained
  Tensor operator()(Tensor x, const DebertaConfig& c, const Tensor& positions, const Step& step) const {
    const AttentionOptions options{.heads = c.num_attention_heads,
                                   .scale = c.scale(),
                                   .begin = step.begin,
                                   .is_key = step.is_key,
                                   .pairwise_mask = true,
                                   .term = c.disentangled() ? term(c, positions, step) : nullptr,
                                   .drop = DropMask::next(c.attention_dropout)};
    x = attention_norm(attention_output(self_attention(in_proj(x), options), /*residual=*/x, c.hidden_dropout));
    return output_norm(down(up(x, c.hidden_act), /*residual=*/x, c.hidden_dropout));
  }

  std::shared_ptr<const ScoreTerm> term(const DebertaConfig& c, const Tensor& all_positions, const Step& step) const {
    const Tensor positions = dropout(all_positions, c.hidden_dropout);
    if (!trains()) return std::make_shared<const DisentangledTerm>(c, position_key, position_query, step);
    return std::make_shared<const DisentangledTerm>(c, c.c2p ? RelativeTable(c, key_projection(positions)) : RelativeTable(),
                                                    c.p2c ? RelativeTable(c, query_projection(positions)) : RelativeTable(), step);
  }
};

struct DebertaEncoder {
  DebertaConfig c;
  Embedding word_embeddings, position_embeddings, token_type_embeddings;
  bool add_positions, add_types, project;
  Linear embed_proj;
  LayerNorm norm;
  std::optional<RelativeEmbeddings> relative;
  std::vector<DebertaLayer> layer;
  std::unique_ptr<ConvLayer> conv;

  DebertaEncoder(const Config& config, const Scope& w)
      : c(config),
        word_embeddings(w / "embeddings.word_embeddings", c.embedding_size, config.padding_idx(0)),
        add_positions(config.opt("position_biased_input", true)),
        add_types(config.opt("type_vocab_size", 0) > 0),
        project(c.embedding_size != c.hidden_size),
        norm(w / "embeddings.LayerNorm", c.hidden_size, c.layer_norm_eps) {
    if (add_positions) position_embeddings = Embedding(w / "embeddings.position_embeddings", c.embedding_size);
    if (add_types) token_type_embeddings = Embedding(w / "embeddings.token_type_embeddings", c.embedding_size);
    if (project) embed_proj = Linear(w / "embeddings.embed_proj", c.embedding_size, c.hidden_size);
    if (c.relative_attention) relative.emplace(c, w / "encoder");
    layer = each<DebertaLayer>(c.num_hidden_layers, w / "encoder.layer", c, relative);
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
    return dropout(x, c.hidden_dropout);
  }

  Tensor operator()(const Step& step) const {
    const Tensor embedded = embeddings(step);
    const Tensor positions = c.disentangled() && layer.size() > 0 && layer[0].trains() ? (*relative)() : Tensor();
    Tensor x = embedded;
    for (std::size_t i = 0; i < layer.size(); ++i) {
      x = run_layer(layer[i], x, c, positions, step);
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
      const auto pool = first_token_pooler(Linear(w / "pooler.dense", pooler, pooler), act, c.opt_rate("pooler_dropout", 0));
      const float dropped = c.opt_rate("cls_dropout", c.opt("hidden_dropout_prob", 0.1));
      f = head == Head::kMultipleChoice ? multiple_choice_head(pool, w / "classifier", pooler, dropped)
                                        : sequence_classification_head(pool, Linear(w / "classifier", pooler, labels), dropped);
      break;
    }
    case Head::kTokenClassification: f = token_classification_head(Linear(w / "classifier", n, labels), d.hidden_dropout); break;
    case Head::kQuestionAnswering: f = question_answering_head(Linear(w / "qa_outputs", n, 2)); break;
    default: no_such_head(c);
  }
  return encoder_model(DebertaEncoder(c, w / "deberta"), std::move(f));
}

}  // namespace polymath
