#include "models/concat_pooling.h"

#include <array>

#include "polymath/error.h"
#include "tensor/dropout.h"

namespace polymath {
namespace {

constexpr double kEps = 1e-5;

class ConcatPoolingClassifier final : public Model {
 public:
  ConcatPoolingClassifier(std::unique_ptr<Model> base, std::int64_t d, std::int64_t between, const Config& c, const Scope& w)
      : base_(std::move(base)),
        d_(d),
        pooled_norm_(w / "pooled_norm", 3 * d, kEps),
        dense_(w / "dense", 3 * d, between),
        dense_norm_(w / "dense_norm", between, kEps),
        out_proj_(w / "out_proj", between, c.num_labels()),
        pooled_dropout_(c.opt_rate("classifier_dropout", 0.4)),
        hidden_dropout_(c.opt_rate("classifier_hidden_dropout", 0.1)) {}

  KvShape kv_shape() const override { return base_->kv_shape(); }

  std::vector<Output> forward(const Step& step) const override {
    const auto outputs = base_->forward(step);
    const Tensor& hidden = output_named(outputs, "last_hidden_state");
    if (hidden.dim(-1) != d_) {
      throw Error(ErrorCode::kBadFile, "is " + std::to_string(d_) + ", but hidden states have " + std::to_string(hidden.dim(-1)) + " values", "config.json: hidden_size");
    }
    const Tensor pooled = dropout(pooled_norm_(concat_pooled(hidden, step)), pooled_dropout_);
    return {{"logits", out_proj_(dropout(dense_norm_(dense_(pooled, Activation::kRelu)), hidden_dropout_)), false}};
  }

 private:
  std::unique_ptr<Model> base_;
  std::int64_t d_;
  LayerNorm pooled_norm_;
  Linear dense_;
  LayerNorm dense_norm_;
  Linear out_proj_;
  float pooled_dropout_, hidden_dropout_;
};

}  // namespace

Tensor concat_pooled(const Tensor& hidden, const Step& step) {
  const std::vector<std::vector<std::int32_t>> rows = key_rows(step);
  std::vector<std::int32_t> last;
  for (std::size_t s = 0; s < rows.size(); ++s) {
    if (rows[s].empty()) throw Error(ErrorCode::kInvalidArgument, "hides all of sequence " + std::to_string(s), "attention_mask");
    last.push_back(rows[s].back());
  }
  return join_columns(std::array{take_rows(hidden, last), max_of_rows(hidden, rows), mean_of_rows(hidden, rows)});
}

bool pools_by_concat(const Config& config) { return config.opt<std::string>("classifier_pooling", "") == "concat"; }

std::unique_ptr<Model> concat_pooling_classifier(std::unique_ptr<Model> base, const Config& c, const Scope& w, std::optional<std::int64_t> width) {
  if (base->is_encoder_decoder()) throw Error(ErrorCode::kUnsupported, "\"concat\" is for encoders and decoders", c.path() + ": classifier_pooling");
  std::int64_t d = width.value_or(0);
  for (const char* field : {"hidden_size", "n_embd", "dim", "d_model"}) {
    if (d == 0) d = c.opt<std::int64_t>(field, 0);
  }
  if (d < 1 || d > 1 << 24) throw Error(ErrorCode::kBadFile, "is missing or out of range", c.path() + ": hidden_size");
  const auto between = c.opt<std::int64_t>("classifier_hidden_size", 50);
  if (between < 1 || between > 1 << 20) throw Error(ErrorCode::kBadFile, std::to_string(between) + " is out of range", c.path() + ": classifier_hidden_size");
  return std::make_unique<ConcatPoolingClassifier>(std::move(base), d, between, c, w / "classifier");
}

}  // namespace polymath
