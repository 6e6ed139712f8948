// The AWD-LSTM (Merity et al. 2017, arXiv:1708.02182) that ULMFiT pre-trains and tunes (docs/ulmfit.md): layers of long short-term
// memory over embeddings, the last as wide as these, whose table is the decoder too. A layer's tensors are named as torch.nn.LSTM's.
#include <algorithm>
#include <memory>
#include <vector>

#include "models/concat_pooling.h"
#include "models/heads.h"
#include "nn/recurrent_states.h"
#include "polymath/error.h"
#include "tensor/dropout.h"

namespace polymath {
namespace {

struct AwdLstmConfig {
  std::int64_t vocab_size, embedding_size, hidden_size;
  int num_hidden_layers;
  // Dropout, in training: of words, of the first layer's input, between layers, of the weights from state to state, of the output.
  float embedding_dropout, input_dropout, hidden_dropout, weight_dropout, output_dropout;

  explicit AwdLstmConfig(const Config& c)
      : vocab_size(size_of(c, "vocab_size")),
        embedding_size(size_of(c, "embedding_size")),
        hidden_size(size_of(c, "hidden_size")),
        num_hidden_layers(static_cast<int>(size_of(c, "num_hidden_layers", 1024))),
        embedding_dropout(c.opt_rate("embedding_dropout", 0.05)),
        input_dropout(c.opt_rate("input_dropout", 0.4)),
        hidden_dropout(c.opt_rate("hidden_dropout", 0.3)),
        weight_dropout(c.opt_rate("weight_dropout", 0.5)),
        output_dropout(c.opt_rate("output_dropout", 0.4)) {}

  std::int64_t width_of(int layer) const { return layer + 1 < num_hidden_layers ? hidden_size : embedding_size; }
  KvShape kv_shape() const { return {num_hidden_layers, 1, num_hidden_layers > 1 ? std::max(hidden_size, embedding_size) : embedding_size}; }

 private:
  static std::int64_t size_of(const Config& c, const char* field, std::int64_t most = 1 << 24) {
    const auto size = c.req<std::int64_t>(field);
    if (size < 1 || size > most) throw Error(ErrorCode::kBadFile, std::to_string(size) + " is out of range", c.path() + ": " + field);
    return size;
  }
};

struct AwdLstmLayer {
  Linear input;       // weight_ih_l0, bias_ih_l0
  Weight weight_hh;   // [4 H, H]
  Vector bias_hh;     // [4 H]

  AwdLstmLayer(std::int64_t k, std::int64_t width, const Scope& w)
      : input(w.tensor("weight_ih_l0", {4 * width, k}), &w.tensor("bias_ih_l0", {4 * width}), w.weights->type()),
        bias_hh(w.tensor("bias_hh_l0", {4 * width})) {
    const TensorView* one[] = {&w.tensor("weight_hh_l0", {4 * width, width})};
    weight_hh = Weight::pack(one, w.weights->type());
  }

  // x: [rows, k] -> [rows, H]
  Tensor operator()(const Tensor& x, const std::shared_ptr<RecurrentStates>& states, int layer, float weight_dropout) const {
    LstmOptions options = states->before(layer, weight_hh.k());
    options.weight_dropout = weight_dropout;
    const LstmStates y = lstm(input(x), weight_hh, bias_hh, options);
    states->keep(layer, y);
    return y.h;
  }
};

// The sequence of each row.
std::vector<std::int32_t> sequence_of_rows(const Step& step) {
  std::vector<std::int32_t> sequences;
  for (std::size_t s = 0; s + 1 < step.begin.size(); ++s) sequences.resize(static_cast<std::size_t>(step.begin[s + 1]), static_cast<std::int32_t>(s));
  return sequences;
}

struct AwdLstmModel {
  AwdLstmConfig config;
  Embedding embeddings;
  std::vector<AwdLstmLayer> rnns;

  AwdLstmModel(const AwdLstmConfig& c, const Scope& w) : config(c), embeddings(table(w / "embeddings", c)) {
    for (int i = 0; i < c.num_hidden_layers; ++i) {
      rnns.emplace_back(i == 0 ? c.embedding_size : c.width_of(i - 1), c.width_of(i), w / "rnns" / i);
    }
  }

  static Embedding table(const Scope& w, const AwdLstmConfig& c) {
    w.tensor("weight", {c.vocab_size, c.embedding_size});
    return Embedding(w, c.embedding_size);
  }

  KvShape kv_shape() const { return config.kv_shape(); }

  Tensor operator()(const Step& step) const {
    const auto states = std::make_shared<RecurrentStates>(step, kv_shape());
    const std::vector<std::int32_t> sequences = sequence_of_rows(step);
    Tensor x = dropout_of_groups(embeddings(step.ids, "input_ids"), config.embedding_dropout, step.ids);
    for (int i = 0; i < config.num_hidden_layers; ++i) {
      x = locked_dropout(x, i == 0 ? config.input_dropout : config.hidden_dropout, sequences);
      x = run_layer(rnns[static_cast<std::size_t>(i)], x, states, i, config.weight_dropout);
    }
    states->write();
    return x;
  }
};

HeadFunction language_model_head(Linear decoder, float output_dropout) {
  return [decoder = std::move(decoder), output_dropout](const Tensor& hidden, const Step& step) {
    const Tensor kept = drops(output_dropout) ? locked_dropout(hidden, output_dropout, sequence_of_rows(step)) : hidden;
    return std::vector<Output>{{"logits", decoder(head_rows(kept, step)), true}};
  };
}

}  // namespace

std::unique_ptr<Model> make_awd_lstm(const Config& config, Head head, const Scope& w) {
  const AwdLstmConfig c(config);
  AwdLstmModel model(c, w / "awd_lstm");
  switch (head) {
    case Head::kBase: return decoder_model(std::move(model), base_head());
    case Head::kCausalLm:
      return decoder_model(std::move(model), language_model_head(tied_decoder(config, w, "lm_head.weight", "awd_lstm.embeddings.weight", {"lm_head.bias"}), c.output_dropout));
    case Head::kSequenceClassification: return concat_pooling_classifier(decoder_model(std::move(model), base_head()), config, w, c.embedding_size);
    default: no_such_head(config);
  }
}

}  // namespace polymath
