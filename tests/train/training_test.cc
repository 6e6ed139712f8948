// Training from files to a folder: it learns, it gives the same bits however it is run, and says what is wrong.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "base/file.h"
#include "base/threads.h"
#include "polymath/error.h"
#include "support/program.h"
#include "train/quick_training.h"

namespace polymath {
namespace {

namespace fs = std::filesystem;
using namespace test;  // NOLINT

TEST(Training, LearnsToTellTextsApart) {
  const std::string file = file_with("films.tsv", films(120));
  for (const char* model : {"sentiment-distilbert", "fill-bert-uncased", "write-gpt2", "fill-roberta"}) {
    TrainOptions o = quick(model, file);
    o.trainer.epochs = 40;
    const Json summary = train_quietly("text-classification", o);
    EXPECT_EQ(summary["best"]["accuracy"], 1.0) << model;
    EXPECT_EQ(figure("text-classification", o.output, file, "accuracy"), 1.0) << model;
    EXPECT_TRUE(file_exists(join_path(o.output, "training.svg")));
    EXPECT_TRUE(file_exists(join_path(o.output, "training.jsonl")));
    const Config config = Config::load(o.output);
    EXPECT_EQ(config.id2label(), (std::vector<std::string>{"negative", "positive"}));
    EXPECT_TRUE(config.architecture().ends_with("ForSequenceClassification"));
  }
}

TEST(Training, LearnsNumbersAndSeveralLabels) {
  std::string numbers = "text\tlabel\n", several = "text\tlabel\n";
  for (int i = 0; i < 90; ++i) {
    numbers += std::string("it is ") + (i % 3 == 0 ? "good\t1.5\n" : i % 3 == 1 ? "bad\t-0.5\n" : "so\t0.5\n");
    several += std::string(i % 3 == 0 ? "good and bad\tup,down\n" : i % 3 == 1 ? "bad\tdown\n" : "good\tup\n");
  }
  TrainOptions o = quick("sentiment-distilbert", file_with("numbers.tsv", numbers));
  o.trainer.epochs = 40;
  EXPECT_GT(train_quietly("text-classification", o)["best"]["pearson"], 0.99);
  EXPECT_GT(figure("text-classification", o.output, o.files[0], "pearson"), 0.99);
  o = quick("sentiment-distilbert", file_with("several.tsv", several));
  o.problem = "multi_label_classification";
  o.trainer.epochs = 40;
  EXPECT_EQ(train_quietly("text-classification", o)["best"]["accuracy"], 1.0);
}

TEST(Training, HasTheSameBitsForAnyThreads) {
  const std::string file = file_with("films.tsv", films(60));
  std::vector<std::string> weights;
  for (const int threads : {1, 2, 3}) {
    ThreadPool::set_global_threads(threads);
    const TrainOptions o = quick("sentiment-distilbert", file);
    train_quietly("text-classification", o);
    weights.push_back(weights_of(o));
  }
  ThreadPool::set_global_threads(physical_cores());
  EXPECT_EQ(weights[0], weights[1]);
  EXPECT_EQ(weights[0], weights[2]);
  TrainOptions other = quick("sentiment-distilbert", file);
  other.trainer.batches.seed = 4;
  train_quietly("text-classification", other);
  EXPECT_NE(weights[0], weights_of(other));
}

// Whatever a process was doing when it ended: the one that goes on arrives at the same bits.
TEST(Training, GoesOnWithTheSameBits) {
  const std::string file = file_with("films.tsv", films(60));
  for (const char* optimizer : {"adamw", "sgd", "adafactor"}) {
    TrainOptions o = quick("sentiment-distilbert", file);
    o.trainer.optimizer.kind = optimizer;
    o.trainer.rate = 1e-3;
    o.trainer.epochs = 4;
    o.trainer.save_every = 3;
    o.trainer.accumulate = 2;
    train_quietly("text-classification", o);
    const std::string whole = weights_of(o), log = read_text_file(join_path(o.output, "training.jsonl"));
    fs::remove_all(o.output);
    o.trainer.resume = true;
    EXPECT_GT(train_in_pieces("text-classification", o, 4), 2);
    EXPECT_EQ(weights_of(o), whole) << optimizer;
    EXPECT_EQ(read_text_file(join_path(o.output, "training.jsonl")), log);
    o.trainer.rate = 2e-3;
    EXPECT_NE(refusal("text-classification", o).find("this training began with --lr 0.001, not 0.002"), std::string::npos) << refusal("text-classification", o);
    o.trainer.rate = 1e-3;
    o.files = {file_with("others.tsv", films(62))};
    EXPECT_NE(refusal("text-classification", o).find("this training began with examples"), std::string::npos);
  }
}

TEST(Training, StopsWhereTheLossIsNoNumber) {
  TrainOptions o = quick("sentiment-distilbert", file_with("films.tsv", films(60)));
  o.trainer.optimizer.kind = "sgd";
  o.trainer.epochs = 4;
  o.trainer.save_every = 2;
  train_quietly("text-classification", o);
  const std::string weights = weights_of(o);
  // The same, but with a rate that leads to infinity.
  o.output = test::scratch_path("diverged");
  fs::remove_all(o.output);
  o.trainer.schedule.warmup = 0.5;
  o.trainer.rate = 1e30;
  o.trainer.clip = 0;
  const std::string why = refusal("text-classification", o);
  EXPECT_NE(why.find("is no finite number any more at step"), std::string::npos) << why;
  EXPECT_EQ(why.find('\n'), std::string::npos);
}

TEST(Training, EndsEarlyAndKeepsTheBest) {
  TrainOptions o = quick("sentiment-distilbert", file_with("films.tsv", films(60)));
  o.trainer.epochs = 100;
  o.trainer.patience = 2;
  o.trainer.rate = 1e-2;
  const Json summary = train_quietly("text-classification", o);
  EXPECT_TRUE(summary["stopped_early"].get<bool>());
  EXPECT_LT(summary["best_step"], summary["steps"]);
}

TEST(Training, AdaptsAModelAndLeavesItAsItIs) {
  const std::string file = file_with("films.tsv", films(120));
  for (const char* model : {"sentiment-distilbert", "fill-bert-uncased", "write-gpt2", "write-bloom"}) {
    TrainOptions o = quick(model, file);
    o.trainer.epochs = 40;
    o.lora = LoraOptions{.r = 4, .lora_alpha = 8};
    const Json summary = train_quietly("text-classification", o);
    EXPECT_EQ(summary["best"]["accuracy"], 1.0) << model;
    // The adapter is merged where it is used, and was not where it was trained.
    EXPECT_EQ(figure("text-classification", o.output, file, "accuracy"), 1.0) << model;
    EXPECT_FALSE(file_exists(join_path(o.output, "model.safetensors")));
    const Json config = read_json_file(join_path(o.output, "adapter_config.json"));
    EXPECT_EQ(config["task_type"], "SEQ_CLS");
    EXPECT_EQ(config["base_model_name_or_path"], o.model);
    const Checkpoint base = Checkpoint::open(o.model), adapter = Checkpoint::open_adapter(o.output);
    std::size_t changes = 0, whole = 0;
    for (const auto& [name, tensor] : adapter.tensors()) {
      if (name.find(".lora_") == std::string::npos) ++whole;
      else if (name.ends_with(".lora_B.weight")) changes += read_f32(tensor) != std::vector<float>(static_cast<std::size_t>(tensor.elements()));
    }
    EXPECT_GT(changes, 7u) << model;
    EXPECT_GT(whole, 0u) << model;
  }
}

TEST(Training, AdaptsTheLayersItIsToldAndNoOthers) {
  TrainOptions o = quick("fill-bert-uncased", file_with("films.tsv", films(40)));
  o.lora = LoraOptions{.r = 2, .lora_alpha = 4, .use_rslora = true, .target_modules = {"query", "value"}};
  o.base_name = "some/base";
  train_quietly("text-classification", o);
  const Json config = read_json_file(join_path(o.output, "adapter_config.json"));
  EXPECT_EQ(config["target_modules"], Json({"attention.self.query", "attention.self.value"}));
  EXPECT_EQ(config["base_model_name_or_path"], "some/base");
  EXPECT_EQ(config["modules_to_save"], Json({"classifier", "pooler"}));
  EXPECT_EQ(config["use_rslora"], true);
  o.output += "-none";
  o.lora->target_modules = {"nothing"};
  EXPECT_NE(refusal("text-classification", o).find("--lora-targets: name no linear layer"), std::string::npos);
}

TEST(Training, GoesOnWithTheSameBitsOfAnAdapter) {
  struct Ended {};
  TrainOptions o = quick("fill-bert-uncased", file_with("films.tsv", films(60)));
  o.lora = LoraOptions{.r = 4, .lora_alpha = 8};
  o.trainer.epochs = 2;
  o.trainer.save_every = 3;
  const auto weights = [&] { return read_text_file(join_path(o.output, "adapter_model.safetensors")); };
  ThreadPool::set_global_threads(3);
  train_quietly("text-classification", o);
  const std::string whole = weights();
  ThreadPool::set_global_threads(physical_cores());
  fs::remove_all(o.output);
  int steps = 0;
  EXPECT_THROW(train("text-classification", o, [&](const Json& event) {
    if (event["event"] == "step" && ++steps == 5) throw Ended();
  }), Ended);
  o.trainer.resume = true;
  train_quietly("text-classification", o);
  EXPECT_EQ(weights(), whole);
  o.lora->r = 2;
  EXPECT_NE(refusal("text-classification", o).find("this training began with --lora 4, not 2"), std::string::npos) << refusal("text-classification", o);
}

TEST(Training, DropsWhatItIsTold) {
  std::set<std::string> weights;
  for (const std::optional<float> rate : {std::optional<float>(), {0.0f}, {0.1f}, {0.5f}}) {
    TrainOptions o = quick("sentiment-distilbert", file_with("films.tsv", films(40)));
    o.trainer.dropout = rate;
    o.trainer.epochs = 1;
    train_quietly("text-classification", o);
    weights.insert(weights_of(o));
  }
  EXPECT_EQ(weights.size(), 4u);
  const std::string out = test::scratch_path("dropped");
  const auto result = test::run_program({"train", "text-classification", "--model", kPipelines + "sentiment-distilbert", "--data", file_with("films.tsv", films(9)), "-o", out, "--dropout", "1.5"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("must be config or a number from 0 to 1"), std::string::npos) << result.err;
}

TEST(Training, FreezesWhatItIsTold) {
  TrainOptions o = quick("sentiment-distilbert", file_with("films.tsv", films(40)));
  o.freeze = {"distilbert."};
  train_quietly("text-classification", o);
  const Checkpoint before = Checkpoint::open(o.model), after = Checkpoint::open(o.output);
  const auto same = [&](const char* name) { return read_f32(*before.find(name)) == read_f32(*after.find(name)); };
  EXPECT_TRUE(same("distilbert.embeddings.word_embeddings.weight"));
  EXPECT_FALSE(same("pre_classifier.weight"));
  o = quick("sentiment-distilbert", o.files[0]);
  o.freeze = {"nothing"};
  EXPECT_NE(refusal("text-classification", o).find("--freeze: no parameter's name begins with \"nothing\""), std::string::npos);
}

TEST(Training, KeepsTheModelsOwnLabels) {
  TrainOptions o = quick("sentiment-distilbert", file_with("own.tsv", "text\tlabel\ngood\t1\nbad\t0\ngood film\t1\nbad film\t0\n"));
  o.validation_split = 0;
  train_quietly("text-classification", o);
  EXPECT_EQ(Config::load(o.output).id2label(), Config::load(o.model).id2label());
}

TEST(Training, SaysWhatIsWrong) {
  const auto expect = [](const TrainOptions& o, const std::string& words) {
    const std::string why = refusal("text-classification", o);
    EXPECT_NE(why.find(words), std::string::npos) << why;
    EXPECT_EQ(why.find('\n'), std::string::npos) << why;
  };
  TrainOptions o = quick("sentiment-distilbert", file_with("one.tsv", "text\tlabel\ngood\tx\nbad\tx\n"));
  expect(o, "all examples have the label \"x\"");
  o.files = {file_with("films.tsv", films(20))};
  o.validation = {file_with("unknown.tsv", "text\tlabel\ngood\tnegative\nodd\tstrange\n")};
  expect(o, "unknown.tsv line 3: no training example has the label \"strange\"");
  o.validation.clear();
  o.files = {file_with("bad.tsv", films(20) + "only one column\n")};
  expect(o, "bad.tsv line 22");
  o.data.skip_bad = true;
  std::string notes;
  train("text-classification", o, [&](const Json& event) { notes += event.value("text", "") + "\n"; });
  EXPECT_NE(notes.find("1 bad rows were skipped; the first: " + o.files[0] + " line 22"), std::string::npos) << notes;
  expect(o, "is there already");
  o = quick("sentiment-distilbert", file_with("films.tsv", films(20)));
  o.problem = "regression";
  expect(o, "is not a number, as those of a regression must be");
  o.problem = "auto";
  o.max_length = 100000;
  expect(o, "--max-length: is more than the");
  o = quick("translate-marian", o.files[0]);
  expect(o, "no such head");
}

TEST(Training, LearnsEveryTask) {
  std::string tags, questions, lines, pairs = "source\ttarget\n";
  const char* names[] = {"Ada", "Paris", "Charles"};
  for (int i = 0; i < 60; ++i) {
    const std::string name = names[i % 3];
    tags += "I O\nsaw O\n" + name + (i % 3 == 1 ? " B-LOC\n\n" : " B-PER\n\n");
    questions += "{\"question\": \"Who was good?\", \"context\": \"In the city " + name + " was good.\", \"answers\": [{\"text\": \"" + name + "\", \"answer_start\": 12}]}\n";
    lines += "the film is good and she was happy\n";
    pairs += "the film is " + name + "\tle film est " + name + "\n";
  }
  TrainOptions o = quick("ner-bert-cased", file_with("tags.conll", tags));
  o.trainer.epochs = 30;
  EXPECT_EQ(train_quietly("ner", o)["best"]["entity_f1"], 1.0);
  EXPECT_EQ(figure("ner", o.output, o.files[0], "entity_f1"), 1.0);
  o = quick("qa-bert-uncased", file_with("questions.jsonl", questions));
  o.trainer.epochs = 30;
  EXPECT_EQ(train_quietly("question-answering", o)["best"]["f1"], 1.0);
  EXPECT_EQ(figure("question-answering", o.output, o.files[0], "exact_match"), 1.0);
  // Language models and translators come to expect what they have seen. An encoder-decoder's own head, and one for answers.
  for (const auto& [task, model, file] : {std::tuple{"text-generation", "write-gpt2", file_with("lines.txt", lines)},
                                          {"text-generation", "write-llama", file_with("lines.txt", lines)},
                                          {"fill-mask", "fill-bert-uncased", file_with("lines.txt", lines)},
                                          {"fill-mask", "sentiment-distilbert", file_with("lines.txt", lines)},
                                          {"translation", "translate-marian", file_with("pairs.tsv", pairs)},
                                          {"translation", "t2t-t5", file_with("pairs.tsv", pairs)},
                                          {"summarization", "sum-bart", file_with("pairs.tsv", pairs)},
                                          {"question-answering", "qa-bart", o.files[0]}}) {
    o = quick(model, file);
    o.trainer.epochs = 30;
    o.whole_words = true;
    const Json summary = train_quietly(task, o);
    const Json& history = summary["history"];
    EXPECT_LT(history.back()["loss"].get<double>(), 0.6 * history.front()["loss"].get<double>()) << task << " " << model;
    EXPECT_NO_THROW(LoadedModel::load(o.output, LoadType::kAuto)) << model;
  }
}

TEST(Training, SavesInHalfTheBytes) {
  for (const auto& [name, type, written] : {std::tuple{"bf16", DType::kBf16, "bfloat16"}, {"f16", DType::kF16, "float16"}}) {
    TrainOptions o = quick("sentiment-distilbert", file_with("films.tsv", films(40)));
    o.save_type = name;
    train_quietly("text-classification", o);
    EXPECT_EQ(Checkpoint::open(o.output).find("classifier.weight")->dtype, type);
    EXPECT_EQ(Config::load(o.output).json()["dtype"], written);
  }
}

TEST(Training, SaysWhatIsWrongWithOtherTasks) {
  const auto why = [](const std::string& task, const char* model, const std::string& file) { return refusal(task, quick(model, file)); };
  EXPECT_NE(why("ner", "ner-bert-cased", file_with("o.conll", "I O\nsaw O\n\n")).find("no word has a tag but O"), std::string::npos);
  EXPECT_NE(why("ner", "ner-roberta-no-space", file_with("t.conll", "I B-PER\n\n")).find("add_prefix_space"), std::string::npos);
  const std::string lost = R"({"question": "who?", "context": "the city", "answers": [{"text": "Ada", "answer_start": 0}]})";
  EXPECT_NE(why("question-answering", "qa-bert-uncased", file_with("lost.jsonl", lost + "\n")).find("lost.jsonl line 1: the answer \"Ada\" is not in its context"), std::string::npos);
  EXPECT_NE(why("fill-mask", "write-gpt2", file_with("l.txt", "a\n")).find("no mask_token"), std::string::npos);
  EXPECT_NE(why("translation", "translate-mbart50", file_with("p.tsv", "source\ttarget\na\tb\n")).find("--src-lang and --tgt-lang"), std::string::npos);
  EXPECT_NE(why("juggling", "write-gpt2", "x").find("is not a task that can be trained"), std::string::npos);
}

// What the program prints.
TEST(Training, ByTheProgram) {
  const std::string file = file_with("films.tsv", films(60)), out = test::scratch_path("by-program");
  fs::remove_all(out);
  const auto result = test::run_program({"train", "sentiment-analysis", "--model", kPipelines + "fill-bert-uncased", "--data", file, "-o", out, "--json", "--epochs", "2"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("\"event\": \"end\""), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("made anew"), std::string::npos);
  EXPECT_EQ(test::run_program({"train", "nothing"}).exit_code, 2);
  EXPECT_EQ(test::run_program({"train", "ner", "--model", "x"}).exit_code, 2);
}

}  // namespace
}  // namespace polymath
