// ULMFiT from end to end, in small: an AWD-LSTM is made, reads texts as one stream and becomes a classifier, layer by layer.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/threads.h"
#include "tensor/tape.h"
#include "train/carried_state.h"
#include "train/model_folder.h"
#include "train/quick_training.h"

namespace polymath {
namespace {

namespace fs = std::filesystem;
using namespace test;  // NOLINT

std::string films(int count, bool labels) {
  const char* words[] = {"bad", "good", "sad", "great", "poor", "happy"};
  std::string rows = labels ? "text\tlabel\n" : "";
  for (int i = 0; i < count; ++i) {
    rows += std::string("the film was ") + (i % 5 < 2 ? "very " : "") + words[i % 6] + (!labels ? "" : i % 2 ? "\tpositive" : "\tnegative") + "\n";
  }
  return rows;
}

// config.json and a tokenizer, no weights.
std::string fresh_folder() {
  const std::string folder = scratch_path("fresh");
  fs::remove_all(folder);
  fs::create_directories(folder);
  copy_tokenizer_files(kPipelines + "write-gpt2", folder);
  std::ofstream(folder + "/config.json") << R"({"model_type": "awd_lstm", "vocab_size": 520, "embedding_size": 32, "hidden_size": 40, "num_hidden_layers": 2,
      "eos_token_id": 519, "initializer_range": 0.2})";
  return folder;
}

TrainOptions options_for(const std::string& model, const std::string& file, const std::string& output) {
  TrainOptions o;
  o.model = model;
  o.files = {file};
  o.output = scratch_path(output);
  fs::remove_all(o.output);
  o.trainer.rate = 1e-2;
  o.trainer.epochs = 8;
  o.trainer.batches.tokens = 120;
  o.trainer.batches.seed = 3;
  o.trainer.dropout = 0;  // there is little to forget
  return o;
}

TrainOptions pretraining(const std::string& output = "pretrained") {
  TrainOptions o = options_for(fresh_folder(), file_with("films.txt", films(90, false)), output);
  o.from_scratch = true;
  o.data.format = DataFormat::kLines;
  o.max_length = 15;
  return o;
}

TEST(Ulmfit, PretrainsTunesAndClassifies) {
  TrainOptions o = pretraining();
  o.trainer.epochs = 30;
  const Json first = train_quietly("text-generation", o);
  EXPECT_LT(first["best"]["perplexity"], 3.0);  // of 520 tokens
  EXPECT_EQ(Config::load(o.output).architecture(), "AwdLstmForCausalLM");
  const auto surprise = test::run_program({"perplexity", o.output, o.files[0], "--json"});
  EXPECT_LT(parse_json(surprise.out, "perplexity")["perplexity"].get<double>(), 6.0) << surprise.err;

  TrainOptions classifier = options_for(o.output, file_with("films.tsv", films(90, true)), "classifier");
  classifier.trainer.epochs = 12;
  classifier.trainer.unfreeze = "gradual";
  classifier.trainer.schedule.kind = "slanted";
  classifier.trainer.layer_decay = 1 / 2.6;
  EXPECT_EQ(train_quietly("text-classification", classifier)["best"]["accuracy"], 1.0);
  const auto run = test::run_program({"run", "text-classification", "--model", classifier.output, "--json", "-"}, R"({"inputs": "the film was very sad"})");
  EXPECT_NE(run.out.find(R"("label": "negative")"), std::string::npos) << run.out << run.err;
  const auto written = test::run_program({"run", "text-generation", "--model", o.output, "--json", "-"},
                                         R"({"inputs": "the film", "parameters": {"max_new_tokens": 2, "do_sample": false}})");
  EXPECT_NE(written.out.find("the film was"), std::string::npos) << written.out << written.err;
}

// The streams' states are part of what is saved.
TEST(Ulmfit, GoesOnWithTheSameBits) {
  TrainOptions o = pretraining();
  o.trainer.epochs = 2;
  o.trainer.save_every = 2;
  o.trainer.dropout.reset();  // as config.json says
  train_quietly("text-generation", o);
  const std::string whole = weights_of(o);
  ThreadPool::set_global_threads(3);
  TrainOptions again = pretraining("again");
  again.trainer.epochs = 2;
  again.trainer.save_every = 2;
  again.trainer.dropout.reset();
  EXPECT_GT(train_in_pieces("text-generation", again, 3), 2);
  ThreadPool::set_global_threads(physical_cores());
  EXPECT_EQ(weights_of(again), whole);
}

// In training too, a text in pieces gives the bits of the whole, and the cache holds one position.
TEST(Ulmfit, CarriesItsStateFromPieceToPiece) {
  const LoadedModel loaded = LoadedModel::load_to_train(std::string(POLYMATH_SOURCE_DIR) + "/tests/golden/forward/awd_lstm-Base");
  std::vector<std::int32_t> ids;
  for (std::int32_t i = 0; i < 40; ++i) ids.push_back(5 + (i * 7) % 60);
  Step whole;
  whole.add_sequence(ids);
  const Tensor expected = loaded.model().forward(whole)[0].value;
  std::vector<float> got;
  CarriedState carried(loaded.model(), 2);
  for (std::size_t begin = 0; begin < ids.size(); begin += 10) {
    Step step;
    step.add_sequence(std::span(ids).first(begin + 1));  // another stream
    step.add_sequence(std::span(ids).subspan(begin, 10));
    carried.attach(step);
    Tape tape;
    const Tape::Recording recording(&tape);
    const Tensor y = loaded.model().forward(step)[0].value;
    got.insert(got.end(), y.row(step.begin[1]), y.row(step.begin[1]) + 10 * y.dim(-1));
    EXPECT_EQ(step.cache[1]->length(), 1);
  }
  EXPECT_EQ(got, std::vector<float>(expected.values().begin(), expected.values().end()));
}

TEST(Ulmfit, UnfreezesALayerEachEpoch) {
  TrainOptions o = pretraining();
  o.trainer.epochs = 1;
  train_quietly("text-generation", o);
  const Checkpoint before = Checkpoint::open(o.output);
  const std::string data = file_with("films.tsv", films(60, true));
  for (const int epochs : {1, 2, 3, 4}) {
    TrainOptions c = options_for(o.output, data, "classifier");
    c.trainer.epochs = epochs;
    c.trainer.unfreeze = "gradual";
    c.validation_split = 0;  // the last model is kept, not the best
    train_quietly("text-classification", c);
    const Checkpoint after = Checkpoint::open(c.output);
    const auto moved = [&](const std::string& name) { return read_f32(*before.find(name)) != read_f32(*after.find(name)); };
    EXPECT_EQ(moved("awd_lstm.rnns.1.weight_hh_l0"), epochs > 1) << epochs;
    EXPECT_EQ(moved("awd_lstm.rnns.0.bias_ih_l0"), epochs > 2) << epochs;
    EXPECT_EQ(moved("awd_lstm.embeddings.weight"), epochs > 3) << epochs;
  }
}

TEST(Ulmfit, UnfreezesTransformersAndGoesOnWithTheSameBits) {
  struct Ended {};
  TrainOptions o = options_for(kPipelines + "sentiment-distilbert", file_with("films.tsv", films(60, true)), "transformer");
  o.trainer.rate = 5e-3;
  o.trainer.epochs = 12;
  o.trainer.unfreeze = "gradual";
  o.pooling = "concat";
  train_quietly("text-classification", o);
  const std::string whole = weights_of(o);
  fs::remove_all(o.output);
  o.trainer.resume = true;
  int evaluations = 0;
  EXPECT_THROW(train("text-classification", o, [&](const Json& event) {
                 if (event["event"] == "evaluation" && ++evaluations == 3) throw Ended();
               }), Ended);
  train_quietly("text-classification", o);
  EXPECT_EQ(weights_of(o), whole);
  EXPECT_EQ(Config::load(o.output).json()["classifier_pooling"], "concat");
  EvaluationOptions same{.files = o.files};
  EXPECT_GT(evaluate("text-classification", o.output, same, {})["accuracy"].get<double>(), 0.9);
}

// Other architectures, too, can begin from config.json alone: with the tensors that a checkpoint of their class has.
TEST(Ulmfit, BeginsTransformersFromScratch) {
  for (const auto& [model, task] : {std::pair{"write-gpt2", "text-generation"}, {"fill-bert-uncased", "fill-mask"}}) {
    TrainOptions o = options_for(kPipelines + model, file_with("films.txt", films(40, false)), "scratch");
    const Checkpoint held = Checkpoint::open(o.model);
    o.from_scratch = true;
    o.data.format = DataFormat::kLines;
    o.trainer.epochs = 2;
    const Json summary = train_quietly(task, o);
    EXPECT_LT(summary["best"]["loss"].get<double>(), 6.5) << model;
    const Checkpoint made = Checkpoint::open(o.output);
    for (const auto& [name, tensor] : made.tensors()) {
      ASSERT_NE(held.find(name), nullptr) << name;
      EXPECT_EQ(held.find(name)->shape, tensor.shape) << name;
    }
    EXPECT_GE(made.tensors().size() + 2, held.tensors().size()) << model;  // a tied table may be there twice
  }
}

TEST(Ulmfit, SaysWhatIsWrong) {
  TrainOptions o = pretraining();
  o.from_scratch = false;
  EXPECT_NE(refusal("text-generation", o).find("fresh"), std::string::npos);
  o = options_for(kPipelines + "sentiment-distilbert", file_with("films.tsv", films(60, true)), "refused");
  o.from_scratch = true;
  EXPECT_NE(refusal("text-classification", o).find("config.json: model_type: an architecture that is not made from scratch here"), std::string::npos) << refusal("text-classification", o);
  o = pretraining();
  std::ofstream(o.model + "/config.json") << R"({"model_type": "awd_lstm", "vocab_size": 520, "embedding_size": 0})";
  EXPECT_NE(refusal("text-generation", o).find("config.json: embedding_size: is 0, must be at least 1"), std::string::npos) << refusal("text-generation", o);
}

}  // namespace
}  // namespace polymath
