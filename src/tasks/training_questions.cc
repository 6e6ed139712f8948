// Training on questions whose answers are spans of a context. A long context gives several windows; in those without the answer,
// and where there is none, the answer is the first token.
#include <algorithm>

#include "base/printable.h"
#include "base/utf8.h"
#include "polymath/error.h"
#include "tasks/training_parts.h"

namespace polymath {
namespace {

// The answer's place in the context, in code points: where the data says so and it is there, else the nearest one to that.
std::optional<Span> span_of(const QuestionExample& x) {
  const std::u32string context = utf8_to_utf32(x.context), text = utf8_to_utf32(x.answers[0].text);
  if (text.empty()) return std::nullopt;
  const std::size_t said = x.answers[0].start ? static_cast<std::size_t>(*x.answers[0].start) : 0;
  std::size_t best = std::u32string::npos;
  for (std::size_t at = context.find(text); at != std::u32string::npos; at = context.find(text, at + 1)) {
    const auto distance = [&](std::size_t place) { return place > said ? place - said : said - place; };
    if (best == std::u32string::npos || distance(at) < distance(best)) best = at;
  }
  if (best == std::u32string::npos) return std::nullopt;
  return Span{static_cast<std::uint32_t>(best), static_cast<std::uint32_t>(best + text.size())};
}

class Windows {
 public:
  explicit Windows(TaskTraining& t) : t_(t), question_first_(t.tokenizer.settings().padding_side == Side::kRight) {}

  void add(const QuestionExample& x, const std::optional<Span>& answer, std::vector<TrainingExample>& all) const {
    EncodeOptions options = t_.encode_options();
    options.truncation->strategy = question_first_ ? TruncationStrategy::kOnlySecond : TruncationStrategy::kOnlyFirst;
    options.truncation->stride = static_cast<int>(std::min(t_.options.doc_stride, t_.max_length / 3));
    options.truncation->keeps_overflow = true;
    const Encoding first = question_first_ ? t_.tokenizer.encode(x.question, x.context, options) : t_.tokenizer.encode(x.context, x.question, options);
    all.push_back(window(first, answer));
    for (const Encoding& more : first.overflowing) all.push_back(window(more, answer));
  }

 private:
  TrainingExample window(const Encoding& encoding, const std::optional<Span>& answer) const {
    TrainingExample e = t_.example(encoding);
    e.start = e.end = 0;  // no answer: the first token, [CLS]
    if (!answer) return e;
    std::int32_t first = -1, last = -1;
    bool whole_begin = false, whole_end = false;
    for (std::size_t i = 0; i < encoding.size(); ++i) {
      if (encoding.sequence_ids[i] != (question_first_ ? 1 : 0) || encoding.offsets[i][1] <= encoding.offsets[i][0]) continue;
      whole_begin |= encoding.offsets[i][0] <= (*answer)[0];
      whole_end |= encoding.offsets[i][1] >= (*answer)[1];
      if (encoding.offsets[i][1] <= (*answer)[0] || encoding.offsets[i][0] >= (*answer)[1]) continue;
      if (first < 0) first = static_cast<std::int32_t>(i);
      last = static_cast<std::int32_t>(i);
    }
    if (first >= 0 && whole_begin && whole_end) {
      e.start = first;
      e.end = last;
    }
    return e;
  }

  TaskTraining& t_;
  bool question_first_;
};

TrainingSet encode_all(TaskTraining& t, const std::vector<QuestionExample>& examples, bool validation) {
  std::vector<TrainingExample> all;
  const Windows windows(t);
  std::size_t lost = 0;
  std::string first_lost;
  for (const QuestionExample& x : examples) {
    const auto answer = x.answers.empty() ? std::nullopt : span_of(x);
    if (!x.answers.empty() && !answer) {
      const std::string where = describe(x.place, files_of(t, validation));
      const std::string problem = "the answer \"" + printable(x.answers[0].text, 60) + "\" is not in its context";
      if (!t.options.data.skip_bad) throw Error(ErrorCode::kBadFile, problem + " (--skip-bad leaves such rows out)", where);
      if (lost++ == 0) first_lost = where + ": " + problem;
      continue;
    }
    windows.add(x, answer, all);
  }
  if (lost > 0) t.note(std::to_string(lost) + " questions were skipped; the first: " + first_lost);
  return TrainingSet(std::move(all), LabelKind::kSpans);
}

void answer_figures(const std::shared_ptr<const TextModel>& model, const std::vector<QuestionExample>& examples, std::int64_t max_length, Json& figures) {
  const auto task = task_named("question-answering").make(model);
  const bool version_2 = std::any_of(examples.begin(), examples.end(), [](const QuestionExample& x) { return x.answers.empty(); });
  double exact = 0, f1 = 0;
  for (const QuestionExample& x : examples) {
    const Json answer = task->run({{"question", x.question}, {"context", x.context}},
                                  {{"handle_impossible_answer", version_2}, {"max_answer_len", 30}, {"max_seq_len", max_length}, {"doc_stride", max_length / 3}});
    std::vector<std::string> texts;
    for (const auto& a : x.answers) texts.push_back(a.text);
    const AnswerScores scores = answer_scores(answer.is_object() ? answer.value("answer", "") : "", texts, version_2);
    exact += scores.exact_match;
    f1 += scores.f1;
  }
  figures["exact_match"] = exact / static_cast<double>(examples.size());
  figures["f1"] = f1 / static_cast<double>(examples.size());
}

}  // namespace

void prepare_question_answering(TaskTraining& t) {
  if (!t.tokenizer.is_fast()) throw Error(ErrorCode::kUnsupported, "its tokenizer does not say where in a text its tokens are", t.options.model);
  if (t.options.max_length == 0) t.max_length = std::min<std::int64_t>(t.max_length, 384);
  auto examples = read_examples<QuestionExample>(t, [&](const std::vector<std::string>& files, const std::function<void(QuestionExample&&)>& take) {
    return read_questions(files, t.options.data, take);
  });
  t.training = encode_all(t, examples.training, false);
  t.validation = encode_all(t, examples.validation, true);
  t.score = "f1";
  t.figures = [max_length = t.max_length, kept = std::move(examples.validation)](const std::shared_ptr<const TextModel>& model, Json& figures) {
    answer_figures(model, kept, max_length, figures);
  };
}

}  // namespace polymath
