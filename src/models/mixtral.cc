// Mixtral (Jiang et al. 2024, arXiv:2401.04088): Llama with a few of many feed forwards for each token.
#include "models/llama.h"
#include "tensor/tape.h"

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
    const TopShares top = top_shares(probabilities, num_experts_per_tok);
    std::vector<std::vector<std::int32_t>> cells(experts.size());  // of `top`, of each expert
    for (std::size_t cell = 0; cell < top.columns.size(); ++cell) cells[static_cast<std::size_t>(top.columns[cell])].push_back(static_cast<std::int32_t>(cell));
    Tensor y = zeros(x.shape());
    for (std::size_t e = 0; e < experts.size(); ++e) {
      if (cells[e].empty()) continue;
      std::vector<std::int32_t> rows;
      for (const std::int32_t cell : cells[e]) rows.push_back(cell / num_experts_per_tok);
      add_weighted_rows(y, experts[e].down_proj(gated(experts[e].gate_up_proj(take_rows(x, rows)), act)), rows, top.shares, cells[e]);
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
