// token-classification (ner): a label per token, or tokens grouped to entities by one of five strategies.
#include <algorithm>
#include <cmath>
#include <optional>

#include "base/printable.h"
#include "base/utf8.h"
#include "polymath/error.h"
#include "tasks/run_batch.h"
#include "tasks/scores.h"
#include "tasks/task.h"
#include "tasks/text_input.h"

namespace polymath {
namespace {

enum class Strategy { kNone, kSimple, kFirst, kAverage, kMax };

struct Options {
  Strategy strategy = Strategy::kNone;
  std::vector<std::string> ignore_labels = {"O"};
  bool ignores_all = false;  // None is among them, and each entity's entity or entity_group is None
  std::optional<std::string> ignored_parts_of;  // ignore_labels as one text: what is part of it is ignored
  std::int64_t stride = -1;  // -1: no chunks
  bool split_into_words = false;
  std::string delimiter = " ";
};

// A token with the scores of its labels.
struct PreEntity {
  std::string word;
  std::vector<float> scores;
  std::int64_t start = 0, end = 0;  // code points of the sentence
  std::size_t index = 0;
  bool is_subword = false;
};

struct Entity {
  std::string label;  // entity or entity_group
  double score = 0;
  std::size_t index = 0;
  std::string word;
  std::int64_t start = 0, end = 0;
};

// "B-PER" -> begins, "PER"; what has neither prefix continues.
std::pair<bool, std::string> tag_of(const std::string& label) {
  if (label.starts_with("B-")) return {true, label.substr(2)};
  if (label.starts_with("I-")) return {false, label.substr(2)};
  return {false, label};
}

// `shift` below: how many pad tokens a batch put before a chunk's own.

// One input: the sentence, its encodings (chunks), and where pre-split words begin in it.
struct Sentence {
  std::u32string text;
  std::vector<Encoding> chunks;
  std::vector<std::int64_t> word_start;
};

class TokenClassification final : public Task {
 public:
  explicit TokenClassification(std::shared_ptr<const TextModel> model) : model_(std::move(model)) {}

  Json run(const Json& inputs, const Json& parameters) const override {
    const Options options = options_of(parameters);
    if (!inputs.is_string() && !(inputs.is_array() && !inputs.empty())) bad_input("At least one input is required.");
    // Words alone, not a list of lists of them, are one sentence (and come back in a list).
    std::vector<const Json*> items = items_of(inputs);
    const bool one_sentence = options.split_into_words && inputs.is_array() &&
                              !std::all_of(inputs.begin(), inputs.end(), [](const Json& item) { return item.is_array(); });
    if (one_sentence) items = {&inputs};
    const ModelInputs gives = model_inputs_of(*model_->tokenizer);
    check_model_takes(*model_, gives);
    std::vector<Sentence> sentences;
    std::vector<ModelInput> batch;
    for (const Json* item : items) {
      sentences.push_back(sentence_of(*item, options));
      for (const Encoding& chunk : sentences.back().chunks) batch.push_back(model_input(chunk, gives));
    }
    pad_batches(batch, *model_->tokenizer, int_parameter(parameters, "batch_size", 1));
    const bool left = model_->tokenizer->settings().padding_side == Side::kLeft;
    Json results = Json::array();
    std::vector<Entity> entities;
    std::size_t sentence = 0, chunk = 0;
    run_batch(model_->loaded.model(), batch, [&](std::size_t i, const SequenceOutputs& outputs) {
      const Sentence& s = sentences[sentence];
      for (Entity& e : entities_of(s, s.chunks[chunk], left ? batch[i].ids.size() - s.chunks[chunk].size() : 0, outputs["logits"], options)) entities.push_back(std::move(e));
      if (++chunk < s.chunks.size()) return;
      if (s.chunks.size() > 1) entities = merge_overlaps(std::move(entities));
      results.push_back(to_json(entities, options));
      entities.clear();
      ++sentence, chunk = 0;
    }, /*empty_too=*/true);
    return inputs.is_array() || one_sentence ? results : results[0];
  }

 private:
  Options options_of(const Json& parameters) const {
    check_parameters(parameters, {"aggregation_strategy", "ignore_labels", "stride", "is_split_into_words", "delimiter",
                                  "grouped_entities", "ignore_subwords", "offset_mapping"});
    Options o;
    o.split_into_words = bool_parameter(parameters, "is_split_into_words", false);
    o.delimiter = string_parameter(parameters, "delimiter", " ");
    if (const Json* labels = parameter(parameters, "ignore_labels")) {
      o.ignore_labels.clear();
      if (labels->is_object()) {  // Python looks among the keys
        for (const auto& [key, unused] : labels->items()) o.ignore_labels.push_back(key);
      } else if (!labels->is_array() && !labels->is_string()) bad_parameter("ignore_labels", std::string("must be a list, not ") + json_kind(*labels));
      if (labels->is_string()) o.ignored_parts_of = labels->get<std::string>();
      for (const Json& label : *labels) {
        if (labels->is_array() && label.is_string()) o.ignore_labels.push_back(label.get<std::string>());
        o.ignores_all |= labels->is_array() && label.is_null();
      }
    }
    if (parameter(parameters, "offset_mapping")) bad_parameter("offset_mapping", "is not known here; give pre-split words instead");
    bool strategy_given = false;
    if (parameter(parameters, "grouped_entities") || parameter(parameters, "ignore_subwords")) {  // these old names win
      const bool grouped = bool_parameter(parameters, "grouped_entities", false);
      o.strategy = grouped ? bool_parameter(parameters, "ignore_subwords", false) ? Strategy::kFirst : Strategy::kSimple : Strategy::kNone;
      strategy_given = true;
    } else if (const Json* name = parameter(parameters, "aggregation_strategy")) {
      o.strategy = strategy_named(*name);
      strategy_given = true;
    }
    if (parameter(parameters, "stride")) {
      o.stride = int_parameter(parameters, "stride", 0);
      if (o.stride < 0) bad_parameter("stride", "must be at least 0");
      if (static_cast<double>(o.stride) >= model_->tokenizer->model_max_length()) {
        bad_parameter("stride", "must be less than the tokenizer's model_max_length");
      }
      if (strategy_given && o.strategy == Strategy::kNone) bad_parameter("stride", "needs an aggregation_strategy other than none");
    }
    return o;
  }

  static Strategy strategy_named(const Json& value) {
    std::string name = value.is_string() ? value.get<std::string>() : json_kind(value);
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (lower == "none") return Strategy::kNone;
    if (lower == "simple") return Strategy::kSimple;
    if (lower == "first") return Strategy::kFirst;
    if (lower == "average") return Strategy::kAverage;
    if (lower == "max") return Strategy::kMax;
    bad_parameter("aggregation_strategy", "\"" + printable(name) + "\" is not one of none, simple, first, average, max");
  }

  Sentence sentence_of(const Json& item, const Options& o) const {
    const PretrainedTokenizer& tokenizer = *model_->tokenizer;
    const EncodeOptions call{.truncation = truncation_to_model(tokenizer, TruncationStrategy::kLongestFirst, static_cast<int>(std::max<std::int64_t>(o.stride, 0)))};
    Sentence s;
    Encoding encoding;
    if (o.split_into_words) {
      if (!item.is_array()) bad_input("When `is_split_into_words=True`, `sentence` must be a list of tokens.");
      if (tokenizer.settings().refuses_words) bad_parameter("is_split_into_words", "needs add_prefix_space in this folder's tokenizer_config.json");
      std::vector<std::string> words;
      std::string text;
      for (const Json& word : item) {
        if (!words.empty()) text += o.delimiter;
        s.word_start.push_back(static_cast<std::int64_t>(utf8_length(text)));
        words.push_back(text_of(word));
        text += words.back();
      }
      s.text = utf8_to_utf32(text);
      encoding = tokenizer.encode(words, call);
    } else {
      s.text = utf8_to_utf32(text_of(item));
      encoding = o.stride >= 0 ? tokenizer.encode(text_of(item), call) : encode_truncated(tokenizer, text_of(item), call);
    }
    std::vector<Encoding> overflowing = std::move(encoding.overflowing);
    s.chunks.push_back(std::move(encoding));
    if (o.stride >= 0) {
      std::move(overflowing.begin(), overflowing.end(), std::back_inserter(s.chunks));
      pad_encodings(s.chunks, tokenizer.padding());
    }
    return s;
  }

  std::vector<PreEntity> pre_entities_of(const Sentence& s, const Encoding& chunk, std::size_t shift, const SequenceOutput& logits) const {
    const PretrainedTokenizer& tokenizer = *model_->tokenizer;
    const bool has_prefix = !tokenizer.backend().continuing_subword_prefix().empty();
    std::vector<PreEntity> all;
    for (std::size_t i = 0; i < chunk.ids.size(); ++i) {
      if (chunk.special_tokens_mask[i]) continue;
      PreEntity p;
      p.index = i + shift;
      p.scores = softmax_of({logits.row(static_cast<std::int64_t>(p.index)), static_cast<std::size_t>(logits.d)});
      p.word = tokenizer.id_to_token(chunk.ids[i]).value_or(chunk.tokens[i]);
      p.start = chunk.offsets[i][0];
      p.end = chunk.offsets[i][1];
      if (!s.word_start.empty() && chunk.word_ids[i] >= 0) {
        p.start += s.word_start[static_cast<std::size_t>(chunk.word_ids[i])];
        p.end += s.word_start[static_cast<std::size_t>(chunk.word_ids[i])];
      }
      const auto length = static_cast<std::int64_t>(s.text.size());
      const auto slice = [&](std::int64_t begin, std::int64_t end) {
        begin = std::min(begin, length), end = std::min(end, length);
        return begin < end ? s.text.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)) : std::u32string();
      };
      const std::u32string reference = slice(p.start, p.end);
      p.is_subword = has_prefix ? utf8_length(p.word) != reference.size()
                                : p.start > 0 && slice(p.start - 1, p.start + 1).find(U' ') == std::u32string::npos;
      if (tokenizer.unk_id() && chunk.ids[i] == *tokenizer.unk_id()) {
        p.word = utf32_to_utf8(reference);
        p.is_subword = false;
      }
      all.push_back(std::move(p));
    }
    return all;
  }

  const std::string& label(std::size_t id) const { return model_->loaded.config().id2label()[id]; }

  std::string text_from(const std::vector<std::string>& words) const { return model_->tokenizer->convert_tokens_to_string(words); }

  Entity word_entity(std::span<const PreEntity> tokens, Strategy strategy) const {
    std::vector<std::string> words;
    for (const PreEntity& t : tokens) words.push_back(t.word);
    std::vector<float> scores = tokens[0].scores;
    if (strategy == Strategy::kMax) {
      const auto top = [](const PreEntity& t) { return t.scores[argmax_of(t.scores)]; };
      scores = std::max_element(tokens.begin(), tokens.end(), [&](const PreEntity& a, const PreEntity& b) { return top(a) < top(b); })->scores;
    } else if (strategy == Strategy::kAverage) {
      for (std::size_t i = 0; i < scores.size(); ++i) {
        float sum = 0;
        for (const PreEntity& t : tokens) sum += t.scores[i];
        scores[i] = sum / static_cast<float>(tokens.size());
      }
    }
    const std::size_t best = argmax_of(scores);
    return {.label = label(best), .score = static_cast<double>(scores[best]), .word = text_from(words), .start = tokens.front().start, .end = tokens.back().end};
  }

  Entity group_entity(std::span<const Entity> members) const {
    std::vector<std::string> words;
    double sum = 0;
    for (const Entity& e : members) {
      words.push_back(e.word);
      sum += e.score;
    }
    const std::string& first = members[0].label;
    const auto dash = first.find('-');
    return {.label = dash == std::string::npos ? first : first.substr(dash + 1),
            .score = static_cast<double>(static_cast<float>(sum / static_cast<double>(members.size()))),
            .word = text_from(words),
            .start = members.front().start,
            .end = members.back().end};
  }

  std::vector<Entity> entities_of(const Sentence& s, const Encoding& chunk, std::size_t shift, const SequenceOutput& logits, const Options& o) const {
    const std::vector<PreEntity> tokens = pre_entities_of(s, chunk, shift, logits);
    std::vector<Entity> entities;
    if (o.strategy == Strategy::kNone || o.strategy == Strategy::kSimple) {
      for (const PreEntity& t : tokens) {
        const std::size_t best = argmax_of(t.scores);
        entities.push_back({label(best), static_cast<double>(t.scores[best]), t.index, t.word, t.start, t.end});
      }
    } else {
      for (std::size_t begin = 0; begin < tokens.size();) {
        std::size_t end = begin + 1;
        while (end < tokens.size() && tokens[end].is_subword) ++end;
        entities.push_back(word_entity(std::span(tokens).subspan(begin, end - begin), o.strategy));
        begin = end;
      }
    }
    if (o.strategy != Strategy::kNone) {
      std::vector<Entity> groups;
      for (std::size_t begin = 0; begin < entities.size();) {
        std::size_t end = begin + 1;
        while (end < entities.size()) {
          const auto [begins, tag] = tag_of(entities[end].label);
          if (begins || tag != tag_of(entities[end - 1].label).second) break;
          ++end;
        }
        groups.push_back(group_entity(std::span(entities).subspan(begin, end - begin)));
        begin = end;
      }
      entities = std::move(groups);
    }
    std::erase_if(entities, [&](const Entity& e) {
      if (o.ignored_parts_of) {  // anything else is an error: of entity and entity_group one is None, which is no part of a text
        if (o.strategy == Strategy::kNone && o.ignored_parts_of->find(e.label) != std::string::npos) return true;
        bad_parameter("ignore_labels", "must be a list, not a string");
      }
      return o.ignores_all || std::find(o.ignore_labels.begin(), o.ignore_labels.end(), e.label) != o.ignore_labels.end();
    });
    return entities;
  }

  // Of entities that overlap between chunks the longer stays, or the surer.
  static std::vector<Entity> merge_overlaps(std::vector<Entity> entities) {
    if (entities.empty()) return entities;
    std::stable_sort(entities.begin(), entities.end(), [](const Entity& a, const Entity& b) { return a.start < b.start; });
    std::vector<Entity> merged;
    Entity previous = entities[0];
    for (const Entity& e : entities) {
      if (previous.start <= e.start && e.start < previous.end) {
        const auto length = e.end - e.start, previous_length = previous.end - previous.start;
        if (length > previous_length || (length == previous_length && e.score > previous.score)) previous = e;
      } else {
        merged.push_back(previous);
        previous = e;
      }
    }
    merged.push_back(previous);
    return merged;
  }

  static Json to_json(const std::vector<Entity>& entities, const Options& o) {
    Json all = Json::array();
    for (const Entity& e : entities) {
      Json j;
      j[o.strategy == Strategy::kNone ? "entity" : "entity_group"] = e.label;
      j["score"] = e.score;
      if (o.strategy == Strategy::kNone) j["index"] = e.index;
      j["word"] = e.word;
      j["start"] = e.start;
      j["end"] = e.end;
      all.push_back(std::move(j));
    }
    return all;
  }

  std::shared_ptr<const TextModel> model_;
};

}  // namespace

std::unique_ptr<Task> make_token_classification(std::shared_ptr<const TextModel> model) {
  return std::make_unique<TokenClassification>(std::move(model));
}

}  // namespace polymath
