// What a training makes smaller beside its labels' loss: teachers, pairs of texts, damaged texts, few labels.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "tasks/sentence_embedding.h"
#include "train/denoising.h"
#include "train/quick_training.h"

namespace polymath {
namespace {

using namespace test;  // NOLINT

double first_loss(const Json& summary) { return summary["history"].front()["loss"].get<double>(); }
double last_loss(const Json& summary) {
  double loss = 0;
  for (const Json& event : summary["history"]) {
    if (event["event"] == "step") loss = event["loss"].get<double>();
  }
  return loss;
}

TEST(Objectives, SmoothLabels) {
  std::string pairs = "source\ttarget\n";
  for (int i = 0; i < 30; ++i) pairs += "the film is good\tle film est bon\n";
  std::vector<double> losses;
  for (const double smoothing : {0.0, 0.3}) {
    TrainOptions o = quick("translate-marian", file_with("pairs.tsv", pairs));
    o.label_smoothing = smoothing;
    o.trainer.epochs = 20;
    losses.push_back(last_loss(train_quietly("translation", o)));
  }
  EXPECT_LT(losses[0], 0.8);
  EXPECT_GT(losses[1], 1.0) << "a smoothed loss cannot be near 0";
}

TEST(Objectives, AStudentBelievesItsTeacher) {
  const std::string file = file_with("films.tsv", films(60));
  TrainOptions teacher = quick("sentiment-distilbert", file);
  teacher.output = scratch_path("teacher");
  std::filesystem::remove_all(teacher.output);
  teacher.trainer.epochs = 40;
  ASSERT_EQ(train_quietly("text-classification", teacher)["best"]["accuracy"], 1.0);
  std::string wrong = films(60);
  for (const auto& [from, to] : {std::pair{"positive", "other"}, {"negative", "positive"}, {"other", "negative"}}) {
    for (std::size_t at = 0; (at = wrong.find(from, at)) != std::string::npos;) wrong.replace(at, std::string(from).size(), to);
  }
  TrainOptions o = quick("sentiment-distilbert", file_with("wrong.tsv", wrong));
  o.teacher = teacher.output;
  o.alpha = 1;
  o.trainer.epochs = 40;
  o.validation = {file};
  EXPECT_EQ(train_quietly("text-classification", o)["best"]["accuracy"], 1.0);
  EXPECT_EQ(figure("text-classification", o.output, o.files[0], "accuracy"), 0.0) << "the data's own labels are wrong";
}

TEST(Objectives, TeachersOfTokens) {
  std::string tags, lines;
  for (int i = 0; i < 40; ++i) {
    tags += "I O\nsaw O\nAda B-PER\n\n";
    lines += "the film is good and she was happy\n";
  }
  for (const auto& [task, model, file] : {std::tuple{"ner", "ner-bert-cased", file_with("tags.conll", tags)},
                                          {"fill-mask", "fill-bert-uncased", file_with("lines.txt", lines)},
                                          {"text-generation", "write-gpt2", file_with("lines.txt", lines)}}) {
    TrainOptions teacher = quick(model, file);
    teacher.output = scratch_path("teacher");
    std::filesystem::remove_all(teacher.output);
    teacher.trainer.epochs = 20;
    train_quietly(task, teacher);
    TrainOptions o = quick(model, file);
    o.teacher = teacher.output;
    o.alpha = 1;
    o.temperature = 1;
    o.trainer.epochs = 20;
    const Json summary = train_quietly(task, o);
    EXPECT_LT(last_loss(summary), 0.3 * first_loss(summary)) << task;
  }
}

TEST(Objectives, SaysWhatIsWrongWithTeachers) {
  TrainOptions o = quick("sentiment-distilbert", file_with("films.tsv", films(20)));
  const auto why = [&](const char* teacher) {
    o.teacher = kPipelines + teacher;
    return refusal("text-classification", o);
  };
  EXPECT_NE(why("fill-bert-uncased").find("is a BertForMaskedLM, not a model that was trained for this task"), std::string::npos) << why("fill-bert-uncased");
  EXPECT_NE(why("multi-label-roberta").find("its tokenizer is another one: token 0 is"), std::string::npos) << why("multi-label-roberta");
  EXPECT_NE(why("sentiment-distilbert").find("its labels are"), std::string::npos) << why("sentiment-distilbert");
}

TEST(Objectives, PairsOfTextsComeTogether) {
  std::string pairs, scored = "text\ttext_pair\tlabel\n";
  const char* groups[][2] = {{"good", "great"}, {"bad", "sad"}, {"the film", "a movie"}, {"Paris", "the city"}};
  for (int i = 0; i < 48; ++i) {
    pairs += std::string("{\"text\": \"") + groups[i % 4][0] + "\", \"text_pair\": \"" + groups[i % 4][1] + "\"}\n";
    const int other = (i / 4) % 4;
    scored += std::string(groups[i % 4][0]) + "\t" + groups[other][1] + (other == i % 4 ? "\t5\n" : "\t0\n");
  }
  TrainOptions o = quick("../sentences/mean-normalize", file_with("pairs.jsonl", pairs));
  o.trainer.batches.sequences = 4;
  o.trainer.epochs = 20;
  o.trainer.rate = 1e-3;
  o.validation_split = 0;
  train_quietly("sentence-similarity", o);
  for (const char* name : {"modules.json", "1_Pooling/config.json", "config.json", "tokenizer.json"}) EXPECT_TRUE(file_exists(join_path(o.output, name))) << name;
  std::vector<std::string> texts;
  for (const auto& group : groups) texts.insert(texts.end(), {group[0], group[1]});
  const auto vectors = SentenceEncoder::load(o.output, LoadType::kF32).encode(texts);
  const auto cosine = [&](std::size_t a, std::size_t b) { return std::inner_product(vectors[a].begin(), vectors[a].end(), vectors[b].begin(), 0.0); };
  for (std::size_t a = 0; a < 8; a += 2) {
    for (std::size_t b = 1; b < 8; b += 2) EXPECT_LE(cosine(a, b), cosine(a, a + 1)) << texts[a] << ", " << texts[b];
  }
  for (const char* model : {"mean-normalize", "cls"}) {
    o = quick(std::string("../sentences/") + model, file_with("scored.tsv", scored));
    o.trainer.epochs = 40;
    std::string notes;
    train("sentence-similarity", o, [&](const Json& event) { notes += event.value("text", "") + "\n"; });
    EXPECT_NE(notes.find("divided by the largest, 5"), std::string::npos) << notes;
    EXPECT_GT(figure("sentence-similarity", o.output, o.files[0], "pearson"), 0.85) << model;
  }
}

TEST(Objectives, SaysWhatIsWrongWithPairs) {
  const auto why = [](const char* model, const std::string& rows) { return refusal("sentence-similarity", quick(model, file_with("p.jsonl", rows))); };
  const std::string one = "{\"text\": \"a\", \"text_pair\": \"b\"}\n";
  EXPECT_NE(why("../sentences/cls", one + "{\"text\": \"a\"}\n").find("p.jsonl line 2: has no second text"), std::string::npos);
  EXPECT_NE(why("../sentences/cls", "{\"text\": \"a\", \"text_pair\": \"b\", \"label\": \"near\"}\n").find("the label \"near\" is not a number"), std::string::npos);
  EXPECT_NE(why("../sentences/cls-max-mean", one).find("can be trained where it takes the mean or the first"), std::string::npos);
}

TEST(Objectives, WholeWordsAreMaskedWhole) {
  // Words of 1, 2 and 3 tokens between two special ones.
  TrainingExample e;
  std::vector<std::int32_t> words{-1};
  for (std::int32_t word = 0; word < 60; ++word) words.insert(words.end(), static_cast<std::size_t>(1 + word % 3), word);
  words.push_back(-1);
  for (std::size_t i = 0; i < words.size(); ++i) e.ids.push_back(words[i] < 0 ? 2 : 100 + static_cast<std::int32_t>(i));
  TrainingSet set({e}, LabelKind::kRows);
  set.mask({.share = 0.15, .mask = 4, .vocabulary = 1000, .never = {2}, .seed = 1}, {words});
  double chosen = 0, masked = 0, kept = 0;
  const std::size_t one[] = {0};
  for (std::uint64_t draw = 0; draw < 400; ++draw) {
    const TrainingBatch batch = set.batch(one, draw);
    for (std::size_t i = 0; i < words.size(); ++i) {
      const bool counts = batch.labels.of_rows[i] != kIgnored;
      const bool continued = i > 0 && words[i] >= 0 && words[i] == words[i - 1];
      EXPECT_TRUE(!continued || counts == (batch.labels.of_rows[i - 1] != kIgnored));
      EXPECT_TRUE(counts || batch.step.ids[i] == e.ids[i]);
      if (!counts) continue;
      EXPECT_GE(words[i], 0);
      EXPECT_EQ(batch.labels.of_rows[i], e.ids[i]);
      ++chosen;
      masked += batch.step.ids[i] == 4;
      kept += batch.step.ids[i] == e.ids[i];
    }
  }
  EXPECT_NEAR(chosen / (400 * 120), 0.15, 0.01);
  EXPECT_NEAR(masked / chosen, 0.8, 0.02);
  EXPECT_NEAR(kept / chosen, 0.1, 0.02);
}

TEST(Objectives, SpansGoOutAsInT5) {
  std::vector<std::int32_t> ids(200), sentinels;
  for (std::int32_t i = 0; i < 200; ++i) ids[static_cast<std::size_t>(i)] = 1000 + i;
  for (std::int32_t i = 0; i < 100; ++i) sentinels.push_back(99 - i);
  std::map<std::size_t, int> first_spans;
  for (std::uint64_t draw = 0; draw < 200; ++draw) {
    Draws draws(7, 3, draw);
    const SpanCorruption c = corrupt_spans(ids, sentinels, 0.15, 3, draws);
    EXPECT_EQ(c.source.size(), 170u + 10);  // 30 tokens in 10 spans
    EXPECT_EQ(c.target.size(), 30u + 10);
    EXPECT_EQ(c.source.front(), 1000);
    EXPECT_EQ(c.source.back(), sentinels[9]);
    EXPECT_EQ(c.target.front(), sentinels[0]);
    EXPECT_EQ(c.target.back(), 1199);
    // Each sentinel stands for what follows it in the target.
    std::vector<std::int32_t> whole;
    std::int32_t next = 0;
    for (const std::int32_t id : c.source) {
      if (id >= 1000) {
        whole.push_back(id);
        continue;
      }
      EXPECT_EQ(id, sentinels[static_cast<std::size_t>(next++)]);
      auto at = std::find(c.target.begin(), c.target.end(), id) + 1;
      for (; at != c.target.end() && *at >= 1000; ++at) whole.push_back(*at);
    }
    EXPECT_EQ(whole, ids);
    ++first_spans[static_cast<std::size_t>(std::find(c.target.begin() + 1, c.target.end(), sentinels[1]) - c.target.begin() - 1)];
  }
  EXPECT_GT(first_spans.size(), 5u) << "spans have many lengths";
  EXPECT_GT(first_spans[1], 20);
  Draws draws(7, 3, 0);
  const SpanCorruption least = corrupt_spans(std::span(ids).first(2), sentinels, 0.15, 3, draws);
  EXPECT_EQ(least.source, (std::vector<std::int32_t>{1000, 99}));
  EXPECT_EQ(least.target, (std::vector<std::int32_t>{99, 1001}));
}

TEST(Objectives, TextIsInfilledAsInBart) {
  std::vector<std::int32_t> ids(100);
  for (std::int32_t i = 0; i < 100; ++i) ids[static_cast<std::size_t>(i)] = 1000 + i;
  double masks = 0;
  for (std::uint64_t draw = 0; draw < 500; ++draw) {
    Draws draws(1, 2, draw);
    const auto out = infill(ids, 4, 0.3, 3, draws);
    EXPECT_EQ(std::count_if(out.begin(), out.end(), [](std::int32_t id) { return id >= 1000; }), 70);
    EXPECT_TRUE(std::is_sorted(out.begin(), out.end(), [](std::int32_t a, std::int32_t b) { return a >= 1000 && b >= 1000 && a < b; }));
    masks += static_cast<double>(std::count(out.begin(), out.end(), 4));
  }
  EXPECT_NEAR(masks / 500, 10.6, 0.5);  // 30 / 3, and a half of one more, as the last span is cut
  Draws draws(1, 2, 3);
  double sum = 0, zeros = 0;
  for (int i = 0; i < 20000; ++i) {
    const auto k = draws.poisson(3);
    sum += static_cast<double>(k);
    zeros += k == 0;
  }
  EXPECT_NEAR(sum / 20000, 3, 0.05);
  EXPECT_NEAR(zeros / 20000, std::exp(-3.0), 0.005);
}

TEST(Objectives, SentencesChangePlaces) {
  EXPECT_EQ(sentence_begins("Ada saw it. Was it so? Yes!"), (std::vector<std::size_t>{0, 11, 22}));
  EXPECT_EQ(sentence_begins("3.5 m"), (std::vector<std::size_t>{0}));
  const std::vector<std::int32_t> ids{1, 2, 3, 4, 5, 6};
  std::map<std::vector<std::int32_t>, int> seen;
  for (std::uint64_t draw = 0; draw < 600; ++draw) {
    Draws draws(5, 0, draw);
    ++seen[permute_sentences(ids, std::vector<std::size_t>{0, 2, 3}, draws)];
  }
  EXPECT_EQ(seen.size(), 6u);
  EXPECT_GT((seen[{3, 4, 5, 6, 1, 2}]), 70);
}

TEST(Objectives, DamagedTextsAreRepaired) {
  std::string lines;
  for (int i = 0; i < 40; ++i) lines += "the film is good. she was very happy. the city was bad\n";
  for (const char* model : {"t2t-t5", "sum-bart"}) {
    TrainOptions o = quick(model, file_with("lines.txt", lines));
    o.trainer.epochs = 12;
    const Json summary = train_quietly("denoising", o);
    EXPECT_LT(last_loss(summary), 0.8 * first_loss(summary)) << model;
    const std::string weights = weights_of(o);
    std::filesystem::remove_all(o.output);
    train_quietly("denoising", o);
    EXPECT_EQ(weights_of(o), weights) << model;
  }
  EXPECT_NE(refusal("denoising", quick("translate-marian", file_with("lines.txt", lines))).find("neither <extra_id_0>, as T5's, nor a mask_token"), std::string::npos);
}

TEST(Objectives, FewLabelsAreEnough) {
  const std::string all = file_with("films.tsv", films(120));
  for (const char* model : {"../sentences/mean-normalize", "../sentences/bare"}) {
    TrainOptions o = quick(model, file_with("few.tsv", films(12)));
    o.few_labels = true;
    o.validation = {all};
    o.trainer.rate = 1e-3;
    const Json summary = train_quietly("text-classification", o);
    const double accuracy = summary["best"]["accuracy"].get<double>();
    EXPECT_GE(accuracy, 0.85) << model;
    EXPECT_NEAR(figure("text-classification", o.output, all, "accuracy"), accuracy, 1e-9) << model;
    // As a sentence-transformers folder its vectors are the logits.
    const SentenceEncoder logits = SentenceEncoder::load(o.output, LoadType::kF32);
    EXPECT_EQ(logits.dimension(), 2);
    const auto vectors = logits.encode({"the film was good", "the film was bad"});
    EXPECT_GT(vectors[0][1], vectors[0][0]);
    EXPECT_GT(vectors[1][0], vectors[1][1]);
  }
}

}  // namespace
}  // namespace polymath
