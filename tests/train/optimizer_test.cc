// Optimizers beside torch.optim, and schedules beside their definitions.
#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"
#include "polymath/error.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "train/trainer.h"

namespace polymath {
namespace {

TEST(Optimizer, IsTorchs) {
  const Json cases = read_json_file(std::string(POLYMATH_SOURCE_DIR) + "/tests/cases/optimizers.json");
  ASSERT_EQ(cases.size(), 2u);
  for (const Json& c : cases) {
    Parameter matrix{.name = "matrix", .shape = {3, 5}, .values = c["before"][0].get<std::vector<float>>()};
    Parameter vector{.name = "vector", .shape = {5}, .values = c["before"][1].get<std::vector<float>>()};
    Optimizer optimizer({.kind = c["kind"], .weight_decay = c["weight_decay"]}, {&matrix, &vector});
    for (std::size_t step = 0; step < c["lr"].size(); ++step) {
      matrix.gradient = c["gradients"][step][0].get<std::vector<float>>();
      vector.gradient = c["gradients"][step][1].get<std::vector<float>>();
      const double rate = c["lr"][step];
      optimizer.step({rate, rate});
      const auto expect = [&](const Parameter& p, const Json& after) {
        for (std::size_t i = 0; i < p.values.size(); ++i) {
          const auto expected = after[i].get<float>();
          EXPECT_LE(std::fabs(p.values[i] - expected), 4 * std::fabs(std::nextafter(expected, 10.0f) - expected) + 1e-9f) << c["kind"] << " " << p.name << " " << i << " step " << step;
        }
      };
      expect(matrix, c["after"][step][0]);
      expect(vector, c["after"][step][1]);
    }
  }
}

TEST(Optimizer, MakesALossSmall) {
  for (const char* kind : {"adamw", "sgd", "adafactor"}) {
    Parameter p{.name = "p", .shape = {4, 4}, .values = std::vector<float>(16, 1.0f)};
    p.gradient.resize(16);
    Optimizer optimizer({.kind = kind, .weight_decay = 0}, {&p});
    for (int step = 0; step < 300; ++step) {
      for (std::size_t i = 0; i < 16; ++i) p.gradient[i] = 2 * (p.values[i] - static_cast<float>(i) / 16);
      optimizer.step({0.02});
    }
    for (std::size_t i = 0; i < 16; ++i) EXPECT_NEAR(p.values[i], static_cast<double>(i) / 16, 0.05) << kind << " " << i;
  }
  EXPECT_THROW(Optimizer({.kind = "magic"}, {}), Error);
}

TEST(Optimizer, MeasuresAndScalesGradients) {
  Parameter p{.name = "p", .shape = {2}, .values = {0, 0}, .gradient = {3, 4}};
  const Optimizer optimizer({}, {&p});
  EXPECT_DOUBLE_EQ(optimizer.gradient_norm(), 5);
  optimizer.scale_gradients(0.5);
  EXPECT_EQ(p.gradient, (std::vector<float>{1.5, 2}));
  p.gradient[0] = INFINITY;
  EXPECT_FALSE(std::isfinite(optimizer.gradient_norm()));
}

TEST(Schedule, RisesAndFalls) {
  EXPECT_DOUBLE_EQ(schedule_factor({.kind = "constant", .warmup = 0}, 7, 10), 1);
  EXPECT_DOUBLE_EQ(schedule_factor({.kind = "linear", .warmup = 0}, 0, 10), 1);
  EXPECT_DOUBLE_EQ(schedule_factor({.kind = "linear", .warmup = 0}, 5, 10), 0.5);
  EXPECT_DOUBLE_EQ(schedule_factor({.kind = "linear", .warmup = 0.2}, 0, 10), 1.0 / 3);
  EXPECT_DOUBLE_EQ(schedule_factor({.kind = "linear", .warmup = 0.2}, 2, 10), 1);
  EXPECT_NEAR(schedule_factor({.kind = "cosine", .warmup = 0}, 5, 10), 0.5, 1e-12);
  EXPECT_NEAR(schedule_factor({.kind = "slanted"}, 10, 100), 1, 1e-12);
  EXPECT_NEAR(schedule_factor({.kind = "slanted"}, 0, 100), 1.0 / 32, 1e-12);
  EXPECT_NEAR(schedule_factor({.kind = "slanted"}, 55, 100), (1 + 0.5 * 31) / 32, 1e-12);
  EXPECT_THROW(check_schedule({.kind = "none"}), Error);
}

TEST(Depths, AreThoseOfLayers) {
  std::vector<Parameter> p(5);
  p[0].name = "bert.embeddings.word_embeddings.weight";
  p[1].name = "bert.encoder.layer.0.output.dense.weight";
  p[2].name = "bert.encoder.layer.1.output.dense.weight";
  p[3].name = "classifier.weight";
  p[4].name = "bert.pooler.dense.weight";
  EXPECT_EQ(depths_of({&p[0], &p[1], &p[2], &p[3], &p[4]}), (std::vector<std::int64_t>{0, 1, 2, 3, 3}));
}

TEST(Batches, HoldEachExampleOnce) {
  std::vector<TrainingExample> examples;
  for (std::size_t i = 0; i < 500; ++i) {
    TrainingExample e;
    e.ids.assign(1 + i * 7 % 50, 1);
    examples.push_back(e);
  }
  const TrainingSet set(examples, LabelKind::kSequences);
  const BatchOptions options{.tokens = 128, .sequences = 16, .seed = 2};
  std::vector<int> seen(500);
  std::int64_t spread = 0;
  for (const auto& batch : batches_of(set, options, 0)) {
    std::int64_t tokens = 0, longest = 0;
    for (const std::size_t i : batch) {
      ++seen[i];
      tokens += set[i].tokens();
      longest = std::max(longest, set[i].tokens());
    }
    EXPECT_LE(tokens, 128);
    EXPECT_LE(batch.size(), 16u);
    spread += longest * static_cast<std::int64_t>(batch.size()) - tokens;
  }
  EXPECT_EQ(seen, std::vector<int>(500, 1));
  EXPECT_LT(spread, set.tokens() / 10);  // of similar length
  EXPECT_EQ(batches_of(set, options, 3), batches_of(set, options, 3));
  EXPECT_NE(batches_of(set, options, 3), batches_of(set, options, 4));
}

}  // namespace
}  // namespace polymath
