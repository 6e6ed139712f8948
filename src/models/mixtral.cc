// Mixtral (Jiang et al. 2024, arXiv:2401.04088): Llama with a few of many feed forwards for each token.
#include <algorithm>
#include <numeric>

#include "models/llama.h"

namespace polymath {
namespace {

struct Expert {
  Linear gate_up_proj, down_proj;
};

struct SparseMlp {
  Linear gate;
  std::vector<Expert> experts;
  int num_experts_per_tok;
  Activation act;

  // scope: of the layer
  SparseMlp(const Config& c, const LlamaConfig& llama, const Scope& layer) : act(llama.hidden_act) {
    const std::int64_t d = llama.hidden_size, intermediate = llama.intermediate_size;
    const int count = c.opt("num_local_experts", c.opt("num_experts", 8));
    num_experts_per_tok = c.opt("num_experts_per_tok", 2);
    if (num_experts_per_tok < 1 || num_experts_per_tok > count) {
      throw Error(ErrorCode::kBadFile, "is " + std::to_string(num_experts_per_tok) + " of " + std::to_string(count) + " experts", c.path() + ": num_experts_per_tok");
    }
    const Scope w = layer / (layer.find("block_sparse_moe.gate.weight") ? "block_sparse_moe" : "mlp");
    gate = Linear(w / "gate", d, count);
    const Scope e = w / "experts";
    if (!e.find("gate_up_proj")) {
      for (int i = 0; i < count; ++i) experts.push_back({Linear({e / i / "w1", e / i / "w3"}, d, intermediate), Linear(e / i / "w2", intermediate, d)});
      return;
    }
    const TensorView& gate_up = e.tensor("gate_up_proj", {count, 2 * intermediate, d});
    const TensorView& down = e.tensor("down_proj", {count, d, intermediate});
    for (int i = 0; i < count; ++i) experts.push_back({expert(gate_up, i, w), expert(down, i, w)});
  }

  // Matrix i of a stack of matrices.
  static Linear expert(const TensorView& stack, int i, const Scope& w) {
    TensorView matrix = rows_of(stack, i, 1);
    matrix.shape.erase(matrix.shape.begin());
    return Linear(matrix, nullptr, w.weights->type());
  }

  // x: [rows, D]
  Tensor operator()(const Tensor& x, const Tensor& residual) const {
    Tensor probabilities = gate(x);  // [rows, experts]
    softmax_rows(probabilities);
    std::vector<std::vector<std::int32_t>> rows(experts.size());  // of each expert
    std::vector<std::vector<float>> weights(experts.size());
    std::vector<std::size_t> order(experts.size());
    for (std::int64_t r = 0; r < x.rows(); ++r) {
      const float* p = probabilities.row(r);
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::partial_sort(order.begin(), order.begin() + num_experts_per_tok, order.end(), [&](std::size_t a, std::size_t b) { return p[a] != p[b] ? p[a] > p[b] : a < b; });
      float sum = 0;
      for (int i = 0; i < num_experts_per_tok; ++i) sum += p[order[static_cast<std::size_t>(i)]];
      for (int i = 0; i < num_experts_per_tok; ++i) {
        const std::size_t e = order[static_cast<std::size_t>(i)];
        rows[e].push_back(static_cast<std::int32_t>(r));
        weights[e].push_back(p[e] / sum);
      }
    }
    Tensor y(x.shape());
    std::fill_n(y.data(), y.size(), 0.0f);
    for (std::size_t e = 0; e < experts.size(); ++e) {
      if (rows[e].empty()) continue;
      const Tensor out = experts[e].down_proj(gated(experts[e].gate_up_proj(take_rows(x, rows[e])), act));
      for (std::size_t i = 0; i < rows[e].size(); ++i) {
        for (std::int64_t k = 0; k < y.dim(-1); ++k) y.row(rows[e][i])[k] += weights[e][i] * out.row(static_cast<std::int64_t>(i))[k];
      }
    }
    return add(residual, y);
  }
};

}  // namespace

std::unique_ptr<Model> make_mixtral(const Config& c, Head head, const Scope& w) {
  const auto mlp = [&](const LlamaConfig& llama, const Scope& layer) { return SparseMlp(c, llama, layer); };
  return decoder_class(LlamaModel<SparseMlp>(c, w / "model", mlp), c, head, w,
                       {.d = c.req<std::int64_t>("hidden_size"), .embeddings = "model.embed_tokens.weight", .tied = false});
}

}  // namespace polymath
