// A trained model as a Hugging Face folder.
#pragma once

#include <string>

#include "models/model.h"

namespace polymath {

// The number type that a folder is written in: f32, bf16, f16, or auto (the checkpoint's own where it is bf16, else f32). Throws
// Error naming --save-dtype.
DType save_type_named(const std::string& name, const Checkpoint& checkpoint);

// Writes model.safetensors and then config.json, each at one stroke, into a folder that is there: all that the class has under
// Transformers' names of today. Tensors that the model does not read are kept where its class is the checkpoint's own.
void save_model(const LoadedModel& model, const std::string& folder, DType type);

// Writes adapter_model.safetensors, config.json and adapter_config.json: a PEFT adapter of the model `base`. PEFT does not read
// config.json; it says what the adapted model is called by: class, labels.
void save_adapter(const LoadedModel& model, const std::string& folder, DType type, const std::string& base);

// Copies what belongs to the tokenizer and to generation.
void copy_tokenizer_files(const std::string& from, const std::string& to);

}  // namespace polymath
