// Training of encoder-decoders that read a text and write another: translation, summarization.
#include <algorithm>

#include "base/file.h"
#include "base/printable.h"
#include "polymath/error.h"
#include "tasks/text_input.h"
#include "tasks/training_parts.h"
#include "text/translation.h"

namespace polymath {
namespace {

class Encoder {
 public:
  explicit Encoder(const TaskTraining& t) : t_(t), config_(writing_config(t)) {
    const bool pair = !t.options.src_lang.empty() && !t.options.tgt_lang.empty();
    if (takes_languages(t.tokenizer)) {
      if (!pair) throw Error(ErrorCode::kInvalidArgument, "this model needs both --src-lang and --tgt-lang", t.options.model);
      source_ = translation_tokens(t.tokenizer, t.options.src_lang, t.options.tgt_lang);
      target_ = translation_tokens(t.tokenizer, t.options.tgt_lang, t.options.tgt_lang);
    } else if (!t.options.src_lang.empty() || !t.options.tgt_lang.empty()) {
      throw Error(ErrorCode::kInvalidArgument, "its tokenizer takes no languages", "--src-lang");
    }
  }

  TrainingSet operator()(const std::vector<PairExample>& pairs, bool validation) const {
    std::vector<TrainingExample> all;
    for (const PairExample& x : pairs) {
      TrainingExample e;
      e.ids = encode(t_.options.source_prefix + x.source, source_, false);
      e.of_rows = encode(x.target, target_, true);
      if (e.ids.empty() || e.of_rows.empty()) throw Error(ErrorCode::kBadFile, "gives no tokens", describe(x.place, files_of(t_, validation)));
      e.target = shifted_labels(config_, e.of_rows, static_cast<std::int64_t>(e.of_rows.size()));
      all.push_back(std::move(e));
    }
    return TrainingSet(std::move(all), LabelKind::kRows);
  }

 private:
  std::vector<std::int32_t> encode(const std::string& text, const std::optional<TranslationTokens>& language, bool target) const {
    EncodeOptions options = t_.encode_options();
    const auto call = [&] { return target ? t_.tokenizer.backend().encode_target(text, options) : encode_truncated(t_.tokenizer, text, options); };
    if (!language) return call().ids;
    options.add_special_tokens = false;
    options.truncation->max_length -= static_cast<int>(language->prefix.size() + language->suffix.size());
    std::vector<std::int32_t> ids = language->prefix;
    const std::vector<std::int32_t> inner = call().ids;
    ids.insert(ids.end(), inner.begin(), inner.end());
    ids.insert(ids.end(), language->suffix.begin(), language->suffix.end());
    return ids;
  }

  const TaskTraining& t_;
  Config config_;
  std::optional<TranslationTokens> source_, target_;
};

}  // namespace

Config writing_config(const TaskTraining& t) {
  const std::string path = join_path(t.options.model, "generation_config.json");
  const Json generation = file_exists(path) ? read_json_file(path) : Json::object();
  Json given = t.config.json();
  for (const char* name : {"decoder_start_token_id", "pad_token_id"}) {
    if (generation.is_object() && generation.contains(name)) given[name] = generation[name];
  }
  Config config(std::move(given), t.config.path());
  const Json tokens = parse_json(architecture_of(config).tokens, "tokens");
  for (const auto& [name, id] : tokens.items()) {
    if (!config.find(name)) config.set_missing({{name, id}});
  }
  return config;
}

void prepare_text2text(TaskTraining& t) {
  const auto pairs = read_examples<PairExample>(t, [&](const std::vector<std::string>& files, const std::function<void(PairExample&&)>& take) {
    return read_pairs(files, t.options.data, take);
  });
  const Encoder encode(t);
  t.training = encode(pairs.training, false);
  t.validation = encode(pairs.validation, true);
  t.figures = add_perplexity;
}

}  // namespace polymath
