// Classification from a few labels (SetFit; Tunstall et al. 2022, arXiv:2209.11055): texts of one class are drawn together and others apart,
// then a linear classifier of their vectors is fitted.
#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/printable.h"
#include "formats/safetensors.h"
#include "nn/scalar_math.h"
#include "polymath/error.h"
#include "tasks/sentence_embedding.h"
#include "tasks/training_parts.h"
#include "train/logistic_regression.h"

namespace polymath {
namespace {

constexpr std::uint64_t kStream = 0x70616972;  // another one than that of orders

struct FewLabels {
  SentencePooling pooling = SentencePooling::kMean;
  bool normalized = false;
  std::vector<std::string> names;
  TrainingSet labelled, validation;  // with their classes
  BatchOptions batches;

  // -> [examples, D]
  Tensor vectors(const LoadedModel& model, const TrainingSet& set) const {
    Tensor all;
    for (const auto& which : batches_in_order(set, batches)) {
      const TrainingBatch batch = set.batch(which, 0);
      const Tensor x = sentence_vectors(output_named(model.model().forward(batch.step), "last_hidden_state"), batch.step, pooling);
      if (all.empty()) all = Tensor({static_cast<std::int64_t>(set.size()), x.dim(-1)});
      for (std::size_t i = 0; i < which.size(); ++i) {
        float* to = all.row(static_cast<std::int64_t>(which[i]));
        std::copy_n(x.row(static_cast<std::int64_t>(i)), x.dim(-1), to);
        if (normalized) to_unit_length({to, static_cast<std::size_t>(x.dim(-1))});
      }
    }
    return all;
  }

  LinearClassifier fit(const LoadedModel& model) const {
    std::vector<std::int32_t> labels;
    for (std::size_t i = 0; i < labelled.size(); ++i) labels.push_back(labelled[i].of_sequence);
    return fit_logistic_regression(vectors(model, labelled), labels, static_cast<std::int64_t>(names.size()));
  }

  Json figures(const LoadedModel& model) const {
    const LinearClassifier c = fit(model);
    const Tensor x = vectors(model, validation);
    std::vector<std::string> truth, predicted;
    double loss = 0;
    for (std::int64_t r = 0; r < x.rows(); ++r) {
      std::vector<double> logits = c.biases;
      for (std::int64_t k = 0; k < c.classes; ++k) {
        for (std::int64_t i = 0; i < c.d; ++i) logits[static_cast<std::size_t>(k)] += c.weights[static_cast<std::size_t>(k * c.d + i)] * static_cast<double>(x.row(r)[i]);
      }
      const auto best = std::max_element(logits.begin(), logits.end());
      const auto label = static_cast<std::size_t>(validation[static_cast<std::size_t>(r)].of_sequence);
      double sum = 0;
      for (const double v : logits) sum += scalar_exp(std::max(v - *best, -700.0));
      loss += scalar_log(sum) + *best - logits[label];
      truth.push_back(names[label]);
      predicted.push_back(names[static_cast<std::size_t>(best - logits.begin())]);
    }
    const ClassificationFigures f = classification_figures(truth, predicted);
    return {{"loss", loss / static_cast<double>(x.rows())}, {"accuracy", f.accuracy}, {"f1", f.f1_macro}};
  }

  // The classifier as a Dense module behind those that the folder has.
  void write(const LoadedModel& model, const std::string& folder) const {
    const LinearClassifier c = fit(model);
    Json modules = read_json_file(join_path(folder, "modules.json"));
    if (modules.back().at("type").get<std::string>().ends_with(".Dense")) modules.erase(modules.size() - 1);  // of an earlier save
    const std::string number = std::to_string(modules.size()), inner = join_path(folder, number + "_Dense");
    std::filesystem::create_directories(inner);
    const std::vector<float> weights(c.weights.begin(), c.weights.end()), biases(c.biases.begin(), c.biases.end());
    const auto bytes = [](const std::vector<float>& values) { return Bytes(reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(float)); };
    write_safetensors(join_path(inner, "model.safetensors"), {{"linear.weight", DType::kF32, {c.classes, c.d}, bytes(weights)}, {"linear.bias", DType::kF32, {c.classes}, bytes(biases)}},
                      {{"format", "pt"}});
    const Json config = {{"in_features", c.d}, {"out_features", c.classes}, {"bias", true}, {"activation_function", "torch.nn.modules.linear.Identity"}};
    write_file_atomically(join_path(inner, "config.json"), config.dump(2) + "\n");
    modules.push_back({{"idx", modules.size()}, {"name", number}, {"path", number + "_Dense"}, {"type", "sentence_transformers.models.Dense"}});
    write_file_atomically(join_path(folder, "modules.json"), modules.dump(2) + "\n");
  }
};

// For each text `rounds` others of its class, and as many of other classes.
std::vector<TrainingExample> pairs_of(const TrainingSet& labelled, std::int64_t rounds, std::uint64_t seed) {
  std::vector<TrainingExample> pairs;
  const std::size_t n = labelled.size();
  const auto add = [&](std::size_t a, std::size_t b) {
    TrainingExample e;
    e.ids = labelled[a].ids;
    e.second = labelled[b].ids;
    e.values = {labelled[a].of_sequence == labelled[b].of_sequence ? 1.0f : 0.0f};
    pairs.push_back(std::move(e));
  };
  for (std::int64_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < n; ++i) {
      bool same = false, other = false;  // found
      const auto order = shuffled(n, seed ^ kStream, static_cast<std::uint64_t>(round) * n + i);
      for (const std::size_t j : order) {
        if (j == i || (same && other)) continue;
        bool& found = labelled[i].of_sequence == labelled[j].of_sequence ? same : other;
        if (!found) add(i, j);
        found = true;
      }
    }
  }
  return pairs;
}

TrainingSet encode_all(const TaskTraining& t, const SentenceEncoder& encoder, const std::vector<TextExample>& examples, const TrainingLabels& labels, bool validation) {
  std::vector<TrainingExample> all;
  for (const TextExample& x : examples) {
    const std::string where = describe(x.place, files_of(t, validation));
    if (x.text_pair) throw Error(ErrorCode::kUnsupported, "is a pair of texts, of which --few-labels makes no vector", where);
    if (!labels.knows(*x.label)) throw Error(ErrorCode::kBadFile, "no training example has the label \"" + printable(*x.label, 60) + "\"", where);
    TrainingExample e;
    e.ids = encoder.tokens(x.text, t.options.max_length).ids;
    if (e.ids.empty()) throw Error(ErrorCode::kBadFile, "gives no tokens", where);
    e.of_sequence = labels[*x.label];
    all.push_back(std::move(e));
  }
  return TrainingSet(std::move(all), LabelKind::kSequences);
}

}  // namespace

void prepare_few_labels(TaskTraining& t, const Examples<TextExample>& examples) {
  t.head = Head::kBase;
  t.changes.erase("architectures");
  if (t.source_head != t.head) t.changes["architectures"] = {class_of(architecture_of(t.config), t.head)};
  std::set<std::string> used;
  for (const TextExample& e : examples.training) used.insert(*e.label);
  if (used.size() < 2) throw Error(ErrorCode::kBadFile, "the examples have one label: there is nothing to tell apart", t.options.files.front());
  const TrainingLabels labels(t, used, Head::kSequenceClassification);
  const SentenceEncoder encoder = SentenceEncoder::load(t.options.model, LoadType::kAuto);

  auto few = std::make_shared<FewLabels>();
  few->pooling = encoder.pooling_to_train(t.options.model);
  few->normalized = encoder.normalizes();
  few->names = labels.names();
  few->batches = t.options.trainer.batches;
  few->labelled = encode_all(t, encoder, examples.training, labels, false);
  few->validation = encode_all(t, encoder, examples.validation, labels, true);
  t.training = TrainingSet(pairs_of(few->labelled, t.options.pairs, t.options.trainer.batches.seed), LabelKind::kValues);
  t.score = "accuracy";
  t.loss = [few](const LoadedModel& model, TrainingBatch& batch) {
    return cosine_loss(sentence_vectors(output_named(model.model().forward(batch.step), "last_hidden_state"), batch.step, few->pooling), batch.labels.values);
  };
  if (few->validation.size() > 0) t.evaluate = [few](const LoadedModel& model) { return few->figures(model); };
  t.save_more = [few, &t](const std::shared_ptr<const TextModel>& model, const std::string& folder) {
    write_sentence_modules(t.options.model, folder, few->pooling, t.max_length);
    few->write(model->loaded, folder);
  };
}

}  // namespace polymath
