// Training of sentence embeddings: pairs of texts that belong together, or pairs with a number that says how near they are.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/file.h"
#include "base/printable.h"
#include "polymath/error.h"
#include "tasks/evaluation_parts.h"
#include "tasks/sentence_embedding.h"
#include "tasks/training_parts.h"

namespace polymath {
namespace {

constexpr double kScale = 20;  // of cosines, before they are compared: sentence-transformers' own

TrainingSet encode_all(const TaskTraining& t, const SentenceEncoder& encoder, const std::vector<TextExample>& examples, bool scored, double highest, bool validation) {
  std::vector<TrainingExample> all;
  for (const TextExample& x : examples) {
    const std::string where = describe(x.place, files_of(t, validation));
    if (!x.text_pair) throw Error(ErrorCode::kBadFile, "has no second text", where);
    TrainingExample e;
    e.ids = encoder.tokens(x.text, t.options.max_length).ids;
    e.second = encoder.tokens(*x.text_pair, t.options.max_length).ids;
    if (e.ids.empty() || e.second.empty()) throw Error(ErrorCode::kBadFile, "gives no tokens", where);
    if (scored != x.label.has_value()) throw Error(ErrorCode::kBadFile, scored ? "has no label, where others have one" : "has a label, where others have none", where);
    if (scored) {
      const auto score = finite_number(*x.label);
      if (!score) throw Error(ErrorCode::kBadFile, "the label \"" + printable(*x.label, 40) + "\" is not a number that says how near the texts are", where);
      e.values = {static_cast<float>(*score / highest)};
    }
    all.push_back(std::move(e));
  }
  return TrainingSet(std::move(all), scored ? LabelKind::kValues : LabelKind::kSequences);
}

Tensor vectors_of(const LoadedModel& model, const TrainingBatch& batch, SentencePooling pooling) {
  return sentence_vectors(output_named(model.model().forward(batch.step), "last_hidden_state"), batch.step, pooling);
}

}  // namespace

void write_sentence_modules(const std::string& from, const std::string& to, SentencePooling pooling, std::int64_t max_seq_length) {
  const auto copy = [&](const std::string& name) {
    if (!file_exists(join_path(from, name))) return;
    std::filesystem::create_directories(std::filesystem::path(join_path(to, name)).parent_path());
    write_file_atomically(join_path(to, name), read_text_file(join_path(from, name)));
  };
  if (file_exists(join_path(from, "modules.json"))) {
    for (const char* name : {"sentence_bert_config.json", "config_sentence_transformers.json"}) copy(name);
    for (const Json& module : read_json_file(join_path(from, "modules.json"))) {
      const auto path = module.at("path").get<std::string>();
      if (!path.empty()) copy(path + "/config.json");
    }
    copy("modules.json");
    return;
  }
  const auto write = [&](const std::string& name, const Json& content) { write_file_atomically(join_path(to, name), content.dump(2) + "\n"); };
  std::filesystem::create_directories(join_path(to, "1_Pooling"));
  const Config config = Config::load(to);
  const auto width = config.opt<std::int64_t>("hidden_size", config.opt<std::int64_t>("dim", 0));
  write("1_Pooling/config.json", {{"word_embedding_dimension", width}, {"pooling_mode_cls_token", pooling == SentencePooling::kCls},
                                  {"pooling_mode_mean_tokens", pooling == SentencePooling::kMean}});
  write("sentence_bert_config.json", {{"max_seq_length", max_seq_length}, {"do_lower_case", false}});
  write("modules.json", Json::array({{{"idx", 0}, {"name", "0"}, {"path", ""}, {"type", "sentence_transformers.models.Transformer"}},
                                     {{"idx", 1}, {"name", "1"}, {"path", "1_Pooling"}, {"type", "sentence_transformers.models.Pooling"}}}));
}

void prepare_sentence_similarity(TaskTraining& t) {
  const auto examples = read_examples<TextExample>(t, [&](const std::vector<std::string>& files, const std::function<void(TextExample&&)>& take) {
    return read_texts(files, t.options.data, LabelColumn::kUsed, take);
  });
  const SentenceEncoder encoder = SentenceEncoder::load(t.options.model, LoadType::kAuto);
  const SentencePooling pooling = encoder.pooling_to_train(t.options.model);
  const bool scored = !examples.training.empty() && examples.training.front().label.has_value();
  double highest = 1;
  for (const TextExample& x : examples.training) {
    if (x.label) highest = std::max(highest, std::fabs(finite_number(*x.label).value_or(0)));
  }
  if (highest > 1) t.note("the labels are divided by the largest, " + dump_json(highest) + ", as cosines are at most 1");
  t.training = encode_all(t, encoder, examples.training, scored, highest, false);
  t.validation = encode_all(t, encoder, examples.validation, scored, highest, true);
  t.loss = [pooling](const LoadedModel& model, TrainingBatch& batch) {
    const Tensor vectors = vectors_of(model, batch, pooling);
    return batch.labels.values.empty() ? multiple_negatives_loss(vectors, kScale) : cosine_loss(vectors, batch.labels.values);
  };
  t.save_more = [&t, pooling](const std::shared_ptr<const TextModel>&, const std::string& folder) {
    write_sentence_modules(t.options.model, folder, pooling, t.max_length);
  };
  if (!scored) return;
  t.score = "spearman";
  t.figures = [&t, pooling](const std::shared_ptr<const TextModel>& model, Json& figures) {
    std::vector<double> truth, cosines;
    for (const auto& which : batches_in_order(t.validation, t.options.trainer.batches)) {
      const TrainingBatch batch = t.validation.batch(which, 0);
      truth.insert(truth.end(), batch.labels.values.begin(), batch.labels.values.end());
      const auto got = pair_cosines(vectors_of(model->loaded, batch, pooling));
      cosines.insert(cosines.end(), got.begin(), got.end());
    }
    figures["pearson"] = number_or_null(pearson(truth, cosines));
    figures["spearman"] = number_or_null(spearman(truth, cosines));
  };
}

}  // namespace polymath
