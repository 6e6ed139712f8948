// Trainings that end within a second, of the golden pipelines' tiny checkpoints.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/file.h"
#include "polymath/error.h"
#include "support/program.h"
#include "tasks/evaluation.h"
#include "tasks/training.h"

namespace polymath::test {

inline const std::string kPipelines = std::string(POLYMATH_SOURCE_DIR) + "/tests/golden/pipelines/";

inline std::string file_with(const std::string& name, const std::string& content) {
  const std::string path = scratch_path(name);
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

// Good and bad films, which one word tells apart.
inline std::string films(int count) {
  const char* good[] = {"good", "great", "happy"};
  const char* bad[] = {"bad", "sad", "poor"};
  std::string rows = "text\tlabel\n";
  for (int i = 0; i < count; ++i) {
    const char* word = i % 2 ? good[i % 3] : bad[i % 3];
    rows += std::string("the film was ") + (i % 5 < 2 ? "very " : "") + word + (i % 2 ? "\tpositive\n" : "\tnegative\n");
  }
  return rows;
}

// The options of a training that ends within a second.
inline TrainOptions quick(const std::string& model, const std::string& file) {
  TrainOptions o;
  o.model = kPipelines + model;
  o.files = {file};
  o.output = scratch_path("trained");
  std::filesystem::remove_all(o.output);
  o.trainer.rate = 5e-3;
  o.trainer.epochs = 8;
  o.trainer.batches.tokens = 200;
  o.trainer.batches.seed = 3;
  return o;
}

inline Json train_quietly(const std::string& task, const TrainOptions& o) {
  return train(task, o, [](const Json&) {});
}

// Trains in processes that each end after so many steps, but for the last. -> how many there were
inline int train_in_pieces(const std::string& task, TrainOptions o, int steps_each) {
  struct Ended {};
  o.trainer.resume = true;
  for (int starts = 1; starts < 20; ++starts) {
    int steps = 0;
    try {
      train(task, o, [&](const Json& event) {
        if (event["event"] == "step" && ++steps == steps_each) throw Ended();
      });
      return starts;
    } catch (const Ended&) {
    }
  }
  ADD_FAILURE() << "does not come to its end";
  return 0;
}

inline std::string refusal(const std::string& task, const TrainOptions& o) {
  try {
    train_quietly(task, o);
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

inline double figure(const std::string& task, const std::string& folder, const std::string& file, const char* name) {
  EvaluationOptions options{.files = {file}};
  return evaluate(task, folder, options, {})[name].get<double>();
}

inline std::string weights_of(const TrainOptions& o) { return read_text_file(join_path(o.output, "model.safetensors")); }

}  // namespace polymath::test
