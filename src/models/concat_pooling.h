// The classifier of ULMFiT (Howard and Ruder 2018, arXiv:1801.06146), on any model that gives hidden states.
#pragma once

#include <memory>
#include <optional>

#include "models/model.h"

namespace polymath {

// Each sequence's last hidden state, the maximum and the mean of all, side by side.
// hidden: [rows, D] -> [sequences, 3 D]; rows that are no keys do not count
Tensor concat_pooled(const Tensor& hidden, const Step& step);

// Whether config.json asks for this head in place of the architecture's own: classifier_pooling "concat".
bool pools_by_concat(const Config& config);

// out_proj(norm(relu(dense(norm(pooled))))) -> {"logits": [sequences, labels]}. The norms are layer norms where the paper has batch
// norms: a text's answer and its gradient then do not hang on the other texts of its batch.
// base: gives last_hidden_state; width: of it, or what config.json calls hidden_size; scope: of the class
std::unique_ptr<Model> concat_pooling_classifier(std::unique_ptr<Model> base, const Config& config, const Scope& scope, std::optional<std::int64_t> width = {});

}  // namespace polymath
