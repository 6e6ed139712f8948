// Training of taggers: entities, parts of speech. The first token of a word carries its label, as in the usual scripts.
#include <algorithm>

#include "base/printable.h"
#include "polymath/error.h"
#include "tasks/evaluation_parts.h"
#include "tasks/scores.h"
#include "tasks/text_input.h"
#include "tasks/training_parts.h"

namespace polymath {
namespace {

TrainingSet encode_all(TaskTraining& t, const std::vector<TokensExample>& examples, const TrainingLabels& labels, bool validation) {
  std::vector<TrainingExample> all;
  std::size_t unseen = 0;
  for (const TokensExample& x : examples) {
    const Encoding encoding = t.tokenizer.encode(x.tokens, t.encode_options());
    TrainingExample e = t.example(encoding);
    e.of_rows.assign(e.ids.size(), kIgnored);
    const std::vector<std::int32_t> tokens = first_tokens(encoding, x.tokens.size());
    for (std::size_t word = 0; word < tokens.size(); ++word) {
      if (tokens[word] < 0) {
        ++unseen;
        continue;
      }
      const std::string& tag = x.tags[word];
      if (!labels.knows(tag)) {
        throw Error(ErrorCode::kBadFile, "no training example has the tag \"" + printable(tag, 60) + "\"", describe(x.place, files_of(t, validation)));
      }
      e.of_rows[static_cast<std::size_t>(tokens[word])] = labels[tag];
    }
    if (std::all_of(e.of_rows.begin(), e.of_rows.end(), [](std::int32_t l) { return l == kIgnored; })) continue;
    all.push_back(std::move(e));
  }
  if (unseen > 0) {
    t.note(std::to_string(unseen) + " words lie behind the " + std::to_string(t.max_length) + " tokens that are read, or give no token, and do not count");
  }
  return TrainingSet(std::move(all), LabelKind::kRows);
}

void tag_figures(const TextModel& model, const TrainingSet& set, const std::vector<std::string>& names, bool entities, Json& figures) {
  std::vector<std::vector<std::string>> truth, predicted;
  std::vector<std::string> all_truth, all_predicted;
  run_examples(model, set, [&](std::size_t i, const SequenceOutputs& outputs) {
    const SequenceOutput logits = outputs["logits"];
    auto& of_truth = truth.emplace_back();
    auto& of_predicted = predicted.emplace_back();
    for (std::size_t r = 0; r < set[i].of_rows.size(); ++r) {
      if (set[i].of_rows[r] == kIgnored) continue;
      of_truth.push_back(names[static_cast<std::size_t>(set[i].of_rows[r])]);
      of_predicted.push_back(names[argmax_of({logits.row(static_cast<std::int64_t>(r)), static_cast<std::size_t>(logits.d)})]);
    }
    all_truth.insert(all_truth.end(), of_truth.begin(), of_truth.end());
    all_predicted.insert(all_predicted.end(), of_predicted.begin(), of_predicted.end());
  });
  const ClassificationFigures f = classification_figures(all_truth, all_predicted);
  figures["accuracy"] = f.accuracy;
  if (entities) figures["entity_f1"] = entity_figures(truth, predicted).micro.f1;
  else figures["f1"] = f.f1_macro;
}

}  // namespace

void prepare_token_classification(TaskTraining& t) {
  check_takes_words(t.tokenizer, t.options.model);
  const auto examples = read_examples<TokensExample>(t, [&](const std::vector<std::string>& files, const std::function<void(TokensExample&&)>& take) {
    return read_tokens(files, t.options.data, take);
  });
  std::set<std::string> used;
  bool entities = true, some = false;
  for (const TokensExample& x : examples.training) {
    for (const std::string& tag : x.tags) {
      used.insert(tag);
      entities &= is_entity_tag(tag);
      some |= tag != "O";
    }
  }
  if (!some) throw Error(ErrorCode::kBadFile, "no word has a tag but O: there is nothing to find", t.options.files.front());
  if (entities) {  // what begins may go on, even if no example shows it
    std::vector<std::string> inside;
    for (const std::string& tag : used) {
      if (tag.starts_with("B-")) inside.push_back("I-" + tag.substr(2));
    }
    used.insert(inside.begin(), inside.end());
    used.insert("O");
  }
  const auto labels = std::make_shared<TrainingLabels>(t, used, Head::kTokenClassification);
  t.score = entities ? "entity_f1" : "accuracy";
  t.training = encode_all(t, examples.training, *labels, false);
  t.validation = encode_all(t, examples.validation, *labels, true);
  t.figures = [&t, labels, entities](const std::shared_ptr<const TextModel>& model, Json& figures) { tag_figures(*model, t.validation, labels->names(), entities, figures); };
}

}  // namespace polymath
