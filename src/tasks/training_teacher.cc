// The teacher of a distillation: a checkpoint of the same class that understands ids and classes as the student does.
#include <algorithm>

#include "base/printable.h"
#include "polymath/error.h"
#include "tasks/training_parts.h"

namespace polymath {
namespace {

void check_vocabulary(const PretrainedTokenizer& own, const std::string& folder) {
  const PretrainedTokenizer other = PretrainedTokenizer::load(folder);
  const int size = std::max(own.vocab_size(), other.vocab_size());
  for (std::int32_t id = 0; id < size; ++id) {
    const auto a = own.id_to_token(id), b = other.id_to_token(id);
    if (a == b) continue;
    throw Error(ErrorCode::kInvalidArgument,
                "its tokenizer is another one: token " + std::to_string(id) + " is " + (b ? "\"" + printable(*b, 40) + "\"" : "none") + ", the model's " +
                    (a ? "\"" + printable(*a, 40) + "\"" : "none"),
                folder);
  }
}

}  // namespace

std::unique_ptr<LoadedModel> load_teacher(const TaskTraining& t, const Config& student) {
  const std::string& folder = t.options.teacher;
  if (folder.empty()) return nullptr;
  if (t.head == Head::kSequenceClassification && t.problem != Problem::kOneClass) {
    throw Error(ErrorCode::kUnsupported, "teaches where one class is right, not several and no numbers", "--teacher");
  }
  const Config config = Config::load(folder);
  if (head_of(config) != t.head) {
    throw Error(ErrorCode::kInvalidArgument, "is a " + printable(config.architecture(), 80) + ", not a model that was trained for this task", folder);
  }
  check_vocabulary(t.tokenizer, folder);
  const bool classes = t.head == Head::kSequenceClassification || t.head == Head::kTokenClassification;
  if (classes && config.id2label() != student.id2label()) {
    const auto list = [](const std::vector<std::string>& labels) {
      std::string text;
      for (const std::string& label : labels) text += (text.empty() ? "" : ", ") + printable(label, 30);
      return text.size() > 200 ? text.substr(0, 200) + "..." : text;
    };
    throw Error(ErrorCode::kInvalidArgument, "its labels are " + list(config.id2label()) + ", the model's " + list(student.id2label()), folder);
  }
  return std::make_unique<LoadedModel>(LoadedModel::load(folder, LoadType::kAuto));
}

}  // namespace polymath
