// Evaluation of language models: the perplexity of texts, each by itself.
#include <cmath>

#include "polymath/error.h"
#include "tasks/evaluation_parts.h"
#include "tasks/generation.h"
#include "tasks/perplexity.h"

namespace polymath {

void evaluate_language_model(Evaluation& e) {
  check_parameters(e.options.parameters, {});
  const auto model = TextModel::load(e.folder, Head::kCausalLm, e.options.type, e.task);
  std::vector<std::vector<std::int32_t>> texts;
  std::size_t too_short = 0;
  add_report(read_texts(e.options.files, e.options.data, LabelColumn::kUnused, [&](TextExample&& x) {
    auto ids = model->tokenizer->encode(x.text).ids;
    if (ids.size() < 2) ++too_short;
    else texts.push_back(std::move(ids));
  }), e.figures);
  if (texts.empty()) throw Error(ErrorCode::kBadFile, "holds no text of two tokens", e.options.files.front());
  const PerplexityOptions windows = usual_windows(max_positions_of(model->loaded.config()));
  double sum = 0;
  std::size_t tokens = 0;
  run_in_batches(texts.size(), e, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const Perplexity p = perplexity(model->loaded.model(), texts[i], windows);
      sum += p.mean_negative_log_likelihood * static_cast<double>(p.tokens);
      tokens += p.tokens;
      add_prediction(e, nullptr, p.perplexity);
    }
  });
  const double mean = sum / static_cast<double>(tokens);
  e.figures["perplexity"] = number_or_null(std::exp(mean));
  e.figures["loss"] = number_or_null(mean);
  e.figures["tokens"] = tokens;
  if (too_short > 0) e.figures["too_short"] = too_short;
}

}  // namespace polymath
