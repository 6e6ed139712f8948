// Training a model for a task on files of examples, into a folder that Transformers loads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/new_adapter.h"
#include "train/data.h"
#include "train/trainer.h"

namespace polymath {

struct TrainOptions {
  std::string model, output;
  std::vector<std::string> files, validation;  // validation: files of their own; empty: a part of `files`
  double validation_split = 0.1;               // that part; 0: no evaluation
  DataOptions data;
  TrainerOptions trainer;
  std::int64_t max_length = 0;                 // tokens of a sequence; 0: what the model reads, at most 512
  std::string save_type = "f32";               // or bf16, auto
  bool from_scratch = false;                   // the folder has no weights, or they do not count: all is made anew
  // text-classification: auto, or config.json's problem_type
  std::string problem = "auto";
  std::string label_separator = ",";           // between the labels of one text, where several can be right
  bool new_labels = false;                     // even where the checkpoint's head knows those of the data
  std::optional<LoraOptions> lora;             // train an adapter instead of the model itself
  std::string base_name;                       // what the adapter calls its base; empty: as `model`
  bool few_labels = false;                     // tune a sentence encoder on pairs, then fit a linear classifier
  std::int64_t pairs = 8;                      // of each text with texts of its class, and of other classes, there
  std::string pooling;                         // text-classification: concat, ULMFiT's head on any model; empty: the checkpoint's own
  std::vector<std::string> freeze;             // parameters whose names begin so stay as they are
  double label_smoothing = 0;                  // of models that write: this part of a label goes to all tokens
  std::string teacher;                         // folder of a model whose logits are learnt, too
  double temperature = 2, alpha = 0.5;         // at which, and how much they weigh
  // fill-mask
  double mask_share = 0.15;
  bool whole_words = false;
  // denoising
  double noise_share = 0;  // of the tokens; 0: 0.15 where spans are taken out (T5), 0.3 where they are masked (BART)
  double span_length = 3;  // on average
  // question-answering
  std::int64_t doc_stride = 128;
  // translation, summarization
  std::string source_prefix, src_lang, tgt_lang;
};

struct TrainingTaskName {
  const char *name, *alias, *columns, *help;
};
const std::vector<TrainingTaskName>& training_tasks();

// Trains, reports (train/trainer.h; also {"event": "note", "text"} and {"event": "start", ...}) and returns a summary. Throws Error naming the file and
// line, the label, the option or the field at fault.
Json train(const std::string& task, const TrainOptions& options, const TrainingReporter& report);

}  // namespace polymath
