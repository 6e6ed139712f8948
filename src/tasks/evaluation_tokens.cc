// Evaluation of tags: the first token of a word decides for it, as in the usual training scripts.
#include "tasks/evaluation_parts.h"
#include "tasks/run_batch.h"
#include "tasks/scores.h"
#include "tasks/text_input.h"

namespace polymath {
namespace {

constexpr const char* kUnseen = "O";  // of a word without a token, and of one behind what the model reads

// Tags of a sentence's words, and how many of the words got none.
struct Tags {
  std::vector<std::string> tags;
  std::size_t unseen = 0;
};

Tags tags_of(const Encoding& encoding, const SequenceOutput& logits, std::size_t words, const std::vector<std::string>& labels) {
  Tags all;
  for (const std::int32_t token : first_tokens(encoding, words)) {
    all.unseen += token < 0;
    all.tags.push_back(token < 0 ? kUnseen : labels[argmax_of({logits.row(token), static_cast<std::size_t>(logits.d)})]);
  }
  return all;
}

}  // namespace

void evaluate_tokens(Evaluation& e) {
  const auto model = TextModel::load(e.folder, Head::kTokenClassification, e.options.type, e.task);
  const PretrainedTokenizer& tokenizer = *model->tokenizer;
  const auto& labels = model->loaded.config().id2label();
  check_takes_words(tokenizer, e.folder);
  check_parameters(e.options.parameters, {});
  const ModelInputs gives = model_inputs_of(tokenizer);
  check_model_takes(*model, gives);

  std::vector<TokensExample> examples;
  add_report(read_tokens(e.options.files, e.options.data, [&](TokensExample&& x) { examples.push_back(std::move(x)); }), e.figures);
  LabelNames names(labels, e.options, e.folder);
  std::vector<std::vector<std::string>> truth, predicted;
  bool entities = false, others = false;
  for (const TokensExample& x : examples) {
    std::vector<std::string> tags;
    for (const std::string& tag : x.tags) {
      tags.push_back(names.find_tag(tag, x.place));
      entities |= is_entity_tag(tags.back()) && tags.back() != "O";
      others |= !is_entity_tag(tags.back());
    }
    truth.push_back(std::move(tags));
  }
  names.check();

  const EncodeOptions call{.truncation = truncation_to_model(tokenizer, TruncationStrategy::kLongestFirst)};
  std::size_t unseen = 0;
  run_in_batches(examples.size(), e, [&](std::size_t begin, std::size_t end) {
    std::vector<Encoding> encodings;
    std::vector<ModelInput> batch;
    for (std::size_t i = begin; i < end; ++i) {
      encodings.push_back(tokenizer.encode(examples[i].tokens, call));
      batch.push_back(model_input(encodings.back(), gives));
    }
    run_batch(model->loaded.model(), batch, [&](std::size_t i, const SequenceOutputs& outputs) {
      Tags tags = tags_of(encodings[i], outputs["logits"], examples[begin + i].tokens.size(), labels);
      unseen += tags.unseen;
      predicted.push_back(std::move(tags.tags));
    }, /*empty_too=*/true);
  });

  std::vector<std::string> all_truth, all_predicted;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    add_prediction(e, truth[i], predicted[i]);
    all_truth.insert(all_truth.end(), truth[i].begin(), truth[i].end());
    all_predicted.insert(all_predicted.end(), predicted[i].begin(), predicted[i].end());
  }
  const ClassificationFigures f = classification_figures(all_truth, all_predicted);
  e.figures["words"] = all_truth.size();
  if (unseen > 0) e.figures["words_unseen"] = unseen;
  e.figures["accuracy"] = f.accuracy;
  if (others || !entities) {  // parts of speech, or nothing but O
    e.figures["f1"] = f.f1_macro;
    e.figures["f1_weighted"] = f.f1_weighted;
    e.figures["classes"] = figures_by_class(f.classes);
    if (others) return;
  }
  const EntityFigures found = entity_figures(truth, predicted);
  e.figures["entity_f1"] = found.micro.f1;
  e.figures["entity_precision"] = found.micro.precision;
  e.figures["entity_recall"] = found.micro.recall;
  e.figures["entity_f1_macro"] = found.macro.f1;
  e.figures["entities"] = figures_by_class(found.types);
}

}  // namespace polymath
