// question-answering: the spans of a context that answer a question, over several windows of a long context.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/utf8.h"
#include "tasks/run_batch.h"
#include "tasks/task.h"
#include "tasks/text_input.h"
#include "text/unicode.h"

namespace polymath {
namespace {

struct Options {
  std::int64_t top_k = 1, max_answer_len = 15, max_seq_len = 384, doc_stride = 128;
  bool handle_impossible_answer = false, align_to_words = true;
  std::optional<Padding> padding;
};

struct Example {
  std::string question, context;
  std::u32string codes;  // of the context: windows are many, and each looks up its answers' texts

  Example(std::string q, std::string c) : question(std::move(q)), context(std::move(c)), codes(utf8_to_utf32(context)) {}
};

struct Answer {
  double score = 0;
  std::uint32_t start = 0, end = 0;  // code points of the context
  std::string text, folded;
};

// The answers of an example, each text once.
struct Answers {
  std::vector<Answer> list;
  std::unordered_map<std::string, std::size_t> places;  // by folded text

  void add(Answer&& answer) {
    const auto [found, fresh] = places.try_emplace(answer.folded, list.size());
    if (fresh) list.push_back(std::move(answer));
    else list[found->second].score += answer.score;
  }
};

struct Candidate {
  std::size_t start = 0, end = 0;  // tokens
  float score = 0;
};

class QuestionAnswering final : public Task {
 public:
  explicit QuestionAnswering(std::shared_ptr<const TextModel> model) : model_(std::move(model)) {}

  Json run(const Json& inputs, const Json& parameters) const override {
    const Options options = options_of(parameters, /*preprocesses=*/!inputs.is_array() || !inputs.empty());
    const PretrainedTokenizer& tokenizer = *model_->tokenizer;
    const bool question_first = tokenizer.settings().padding_side == Side::kRight;
    if (inputs == "") return Json::array();  // a text is taken for the list of its characters
    if (!inputs.is_array() && !inputs.is_object()) bad_input("You need to provide a dictionary with keys {question:..., context:...}");
    const ModelInputs gives = model_inputs_of(tokenizer);
    check_model_takes(*model_, gives);
    std::vector<Example> examples;
    std::vector<std::vector<Encoding>> features;  // of each example
    std::vector<ModelInput> batch;
    const std::vector<const Json*> items = items_of(inputs);
    // A list of questions is a list of examples; it cannot stand beside others.
    const bool several = items.size() == 1 && items[0]->is_object() && items[0]->contains("question") && (*items[0])["question"].is_array();
    for (const Json* item : items) {
      std::vector<Example> of_item = examples_of(*item);
      if (items.size() > 1 && (*item)["question"].is_array()) bad_input("a list of questions must be the only example");
      for (Example& e : of_item) {
        Truncation truncation{.max_length = static_cast<int>(options.max_seq_len),
                              .strategy = question_first ? TruncationStrategy::kOnlySecond : TruncationStrategy::kOnlyFirst,
                              .stride = static_cast<int>(options.doc_stride),
                              .direction = tokenizer.settings().truncation_side};
        Encoding first = question_first ? tokenizer.encode(e.question, e.context, EncodeOptions{.truncation = truncation}) : tokenizer.encode(e.context, e.question, EncodeOptions{.truncation = truncation});
        std::vector<Encoding> all = std::move(first.overflowing);
        first.overflowing.clear();
        all.insert(all.begin(), std::move(first));
        if (options.padding) pad_encodings(all, *options.padding);
        for (const Encoding& f : all) batch.push_back(model_input(f, gives));
        features.push_back(std::move(all));
        examples.push_back(std::move(e));
      }
    }
    pad_batches(batch, tokenizer, int_parameter(parameters, "batch_size", 1));
    Json results = Json::array();
    std::size_t example = 0, feature = 0;
    Answers answers;
    double min_null = 1000000;
    run_batch(model_->loaded.model(), batch, [&](std::size_t i, const SequenceOutputs& outputs) {
      add_answers(examples[example], features[example][feature], batch[i].ids, outputs, options, answers, min_null);
      if (++feature < features[example].size()) return;
      results.push_back(result_of(std::move(answers.list), min_null, options));
      answers = {};
      min_null = 1000000;
      ++example, feature = 0;
    });
    return results.size() == 1 && !several ? results[0] : results;
  }

 private:
  // Transformers looks at what tokenizing needs only where there is something to tokenize.
  Options options_of(const Json& parameters, bool preprocesses) const {
    Options o;
    o.top_k = int_parameter(parameters, parameter(parameters, "top_k") ? "top_k" : "topk", 1);
    if (o.top_k < 1) bad_parameter("top_k", "top_k parameter should be >= 1 (got " + std::to_string(o.top_k) + ")");
    o.max_answer_len = int_parameter(parameters, "max_answer_len", 15);
    if (o.max_answer_len < 1) bad_parameter("max_answer_len", "max_answer_len parameter should be >= 1 (got " + std::to_string(o.max_answer_len) + ")");
    if (!preprocesses) return o;
    o.max_seq_len = int_parameter(parameters, "max_seq_len", static_cast<std::int64_t>(std::min(model_->tokenizer->model_max_length(), 384.0)));
    if (o.max_seq_len < 1 || o.max_seq_len > (1 << 24)) bad_parameter("max_seq_len", std::to_string(o.max_seq_len) + " is out of range");
    o.doc_stride = int_parameter(parameters, "doc_stride", std::min<std::int64_t>(o.max_seq_len / 2, 128));
    if (o.doc_stride < 0) bad_parameter("doc_stride", "must be at least 0");
    if (o.doc_stride > o.max_seq_len) {
      bad_parameter("doc_stride", "`doc_stride` (" + std::to_string(o.doc_stride) + ") is larger than `max_seq_len` (" + std::to_string(o.max_seq_len) + ")");
    }
    o.handle_impossible_answer = bool_parameter(parameters, "handle_impossible_answer", false);
    o.align_to_words = bool_parameter(parameters, "align_to_words", true);
    o.padding = padding_option(parameters, *model_->tokenizer, o.max_seq_len);
    return o;
  }

  // One example, or one for each question of a list: Python's zip of questions and contexts, where the context may be
  // one text, of which each question gets a character.
  static std::vector<Example> examples_of(const Json& item) {
    if (!item.is_object()) bad_input("an example must be a dictionary with the keys question and context");
    for (const char* key : {"question", "context"}) {
      const auto value = item.find(key);
      if (value == item.end()) bad_input("You need to provide a dictionary with keys {question:..., context:...}");
      if (value->is_null()) bad_input(std::string("`") + key + "` cannot be None");
      if (value->is_string() && value->get_ref<const std::string&>().empty()) bad_input(std::string("`") + key + "` cannot be empty");
    }
    if (item.size() > 2) bad_input("an example has only the keys question and context");
    const Json &question = item["question"], &context = item["context"];
    if (!question.is_array()) return {Example(text_of(question), text_of(context))};
    std::vector<std::string> contexts;
    if (context.is_array()) {
      for (const Json& c : context) contexts.push_back(text_of(c));
    } else {
      for (const char32_t c : utf8_to_utf32(text_of(context))) contexts.push_back(utf32_to_utf8(std::u32string(1, c)));
    }
    std::vector<Example> examples;
    for (std::size_t i = 0; i < std::min(question.size(), contexts.size()); ++i) examples.push_back(Example(text_of(question[i]), contexts[i]));
    return examples;
  }

  // Probabilities over a window's tokens: what may not be an answer has none.
  static std::vector<float> probabilities(const SequenceOutput& logits, const std::vector<bool>& allowed, float& first) {
    std::vector<float> p(allowed.size());
    float top = -INFINITY;
    for (std::size_t i = 0; i < p.size(); ++i) {
      p[i] = allowed[i] ? logits.data[i] : -10000.0f;
      top = std::max(top, p[i]);
    }
    double sum = 0;
    for (float& x : p) {
      x = static_cast<float>(std::exp(static_cast<double>(x - top)));
      sum += static_cast<double>(x);
    }
    for (float& x : p) x = static_cast<float>(static_cast<double>(x) / sum);
    first = p[0];
    p[0] = 0;
    return p;
  }

  // The best spans by start * end among start <= end < start + max_answer_len; several may be worthless, as in numpy.
  static std::vector<Candidate> best_spans(const std::vector<float>& start, const std::vector<float>& end, std::size_t count, std::int64_t max_answer_len,
                                      const std::vector<bool>& allowed) {
    std::vector<Candidate> spans;
    const std::size_t n = start.size();
    const std::size_t reach = static_cast<std::size_t>(std::min<std::int64_t>(max_answer_len, static_cast<std::int64_t>(n)));
    for (std::size_t s = 0; s < n; ++s) {
      for (std::size_t e = s; e < std::min(n, s + reach); ++e) spans.push_back({s, e, start[s] * end[e]});
    }
    const auto better = [](const Candidate& a, const Candidate& b) { return a.score > b.score; };
    if (spans.size() > count) {
      std::stable_sort(spans.begin(), spans.end(), better);
      spans.resize(count);
    } else {
      std::stable_sort(spans.begin(), spans.end(), better);
    }
    std::erase_if(spans, [&](const Candidate& s) { return !allowed[s.start] || !allowed[s.end]; });
    return spans;
  }

  // `ids`: the feature's, with the padding that a batch put beside them.
  void add_answers(const Example& example, const Encoding& feature, const std::vector<std::int32_t>& ids, const SequenceOutputs& outputs, const Options& o, Answers& answers,
                   double& min_null) const {
    const PretrainedTokenizer& tokenizer = *model_->tokenizer;
    const bool question_first = tokenizer.settings().padding_side == Side::kRight;
    std::vector<bool> allowed;  // with the context first everything is, as in Transformers
    const std::size_t added = ids.size() - feature.ids.size();
    for (std::size_t i = 0; i < feature.ids.size(); ++i) {
      const bool is_cls = tokenizer.cls_id() && feature.ids[i] == *tokenizer.cls_id();
      allowed.push_back((feature.attention_mask[i] || !model_inputs_of(tokenizer).attention_mask) && (!question_first || feature.sequence_ids[i] == 1 || is_cls));
    }
    allowed.insert(question_first ? allowed.end() : allowed.begin(), added, false);
    float null_start = 0, null_end = 0;
    const auto start = probabilities(outputs["start_logits"], allowed, null_start);
    const auto end = probabilities(outputs["end_logits"], allowed, null_end);
    if (o.handle_impossible_answer) min_null = std::min(min_null, static_cast<double>(null_start * null_end));

    const auto count = static_cast<std::size_t>(o.align_to_words ? 2 * o.top_k + 10 : o.top_k);
    const int sequence = question_first ? 1 : 0;
    // Transformers subtracts the number of pad tokens where padding is on the left.
    std::ptrdiff_t offset = 0;
    if (!question_first && tokenizer.pad_id()) {
      offset = std::count(ids.begin(), ids.end(), *tokenizer.pad_id());
    }
    for (const Candidate& span : best_spans(start, end, count, o.max_answer_len, allowed)) {
      // An index that this makes negative counts from the end, as in Python.
      const auto n = static_cast<std::ptrdiff_t>(feature.ids.size());
      const std::ptrdiff_t first_token = static_cast<std::ptrdiff_t>(span.start) - offset, last_token = static_cast<std::ptrdiff_t>(span.end) - offset;
      const auto s = static_cast<std::size_t>((first_token % n + n) % n), e = static_cast<std::size_t>((last_token % n + n) % n);
      Answer answer{.score = static_cast<double>(span.score), .start = feature.offsets[s][0], .end = feature.offsets[e][1]};
      if (o.align_to_words && first_token >= 0 && last_token >= 0 && feature.word_ids[s] >= 0 && feature.word_ids[e] >= 0) {
        const auto first = feature.word_to_chars(feature.word_ids[s], sequence), last = feature.word_to_chars(feature.word_ids[e], sequence);
        if (first && last) answer.start = (*first)[0], answer.end = (*last)[1];
      }
      const std::size_t size = example.codes.size(), begin = std::min<std::size_t>(answer.start, size), end_at = std::min<std::size_t>(answer.end, size);
      if (begin < end_at) answer.text = utf32_to_utf8(std::u32string_view(example.codes).substr(begin, end_at - begin));
      answer.folded = unicode::lower_text(answer.text);  // equal answers are told apart as Python does
      answers.add(std::move(answer));
    }
  }

  static Json result_of(std::vector<Answer> answers, double min_null, const Options& o) {
    if (o.handle_impossible_answer) answers.push_back({.score = min_null});
    std::stable_sort(answers.begin(), answers.end(), [](const Answer& a, const Answer& b) { return a.score > b.score; });
    if (static_cast<std::int64_t>(answers.size()) > o.top_k) answers.resize(static_cast<std::size_t>(o.top_k));
    Json all = Json::array();
    for (const Answer& a : answers) all.push_back({{"score", a.score}, {"start", a.start}, {"end", a.end}, {"answer", a.text}});
    return all.size() == 1 ? all[0] : all;
  }

  std::shared_ptr<const TextModel> model_;
};

}  // namespace

std::unique_ptr<Task> make_question_answering(std::shared_ptr<const TextModel> model) {
  return std::make_unique<QuestionAnswering>(std::move(model));
}

}  // namespace polymath
