// A classifier over sentence embeddings, as few labels make it (SetFit; Tunstall et al. 2022, arXiv:2209.11055): a
// sentence-transformers folder whose last module is a Dense layer with one output for each label of config.json.
#pragma once

#include <memory>
#include <string>

#include "models/model.h"

namespace polymath {

// Whether modules.json ends with a Dense module that has as many outputs as config.json has labels.
bool holds_sentence_classifier(const std::string& folder, const Config& config);

// encoder: the folder's base model. The result's output is {"logits": [sequences, labels]}. Throws Error naming the file and field
// where the modules between them are others than a pooling (mean, cls) and a normalization.
std::unique_ptr<Model> sentence_classifier(std::unique_ptr<Model> encoder, const std::string& folder);

}  // namespace polymath
