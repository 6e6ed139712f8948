#include "models/sentence_classifier.h"

#include "base/file.h"
#include "polymath/error.h"

namespace polymath {
namespace {

struct Module {
  std::string kind, path;  // of its type the part behind the last dot
};

std::vector<Module> modules_of(const std::string& folder) {
  const std::string path = join_path(folder, "modules.json");
  std::vector<Module> modules;
  if (!file_exists(path)) return modules;
  const Json all = read_json_file(path);
  if (!all.is_array()) return modules;
  for (const Json& module : all) {
    if (!module.is_object() || !module.contains("type") || !module["type"].is_string() || !module.contains("path") || !module["path"].is_string()) return {};
    const auto type = module["type"].get<std::string>(), inner = module["path"].get<std::string>();
    if (inner.find("..") != std::string::npos || inner.find('\0') != std::string::npos || inner.starts_with("/")) return {};
    modules.push_back({type.substr(type.rfind('.') + 1), inner});
  }
  return modules;
}

class SentenceClassifier final : public Model {
 public:
  SentenceClassifier(std::unique_ptr<Model> encoder, bool mean, bool normalized, Linear dense)
      : encoder_(std::move(encoder)), mean_(mean), normalized_(normalized), dense_(std::move(dense)) {}

  std::vector<Output> forward(const Step& step) const override {
    const std::vector<Output> outputs = encoder_->forward(step);
    const Tensor& hidden = output_named(outputs, "last_hidden_state");
    Tensor vectors = mean_ ? mean_of_rows(hidden, key_rows(step)) : first_rows(hidden, step);
    if (vectors.dim(-1) != dense_.weight().k()) {
      throw Error(ErrorCode::kBadFile, "takes " + std::to_string(dense_.weight().k()) + " numbers and gets " + std::to_string(vectors.dim(-1)), "the Dense module");
    }
    for (std::int64_t r = 0; normalized_ && r < vectors.rows(); ++r) to_unit_length({vectors.row(r), static_cast<std::size_t>(vectors.dim(-1))});
    return {{"logits", dense_(vectors), false}};
  }

 private:
  std::unique_ptr<Model> encoder_;
  bool mean_, normalized_;
  Linear dense_;
};

}  // namespace

bool holds_sentence_classifier(const std::string& folder, const Config& config) {
  const std::vector<Module> modules = modules_of(folder);
  if (modules.size() < 3 || modules.back().kind != "Dense" || modules.back().path.empty()) return false;
  const std::string inner = join_path(folder, modules.back().path);
  return file_exists(join_path(inner, "config.json")) && Config::load(inner).opt<std::int64_t>("out_features", 0) == config.num_labels();
}

std::unique_ptr<Model> sentence_classifier(std::unique_ptr<Model> encoder, const std::string& folder) {
  const std::vector<Module> modules = modules_of(folder);
  const auto unsupported = [&](const std::string& what) { return Error(ErrorCode::kUnsupported, what, join_path(folder, "modules.json")); };
  const bool normalized = modules.size() == 4 && modules[2].kind == "Normalize";
  if (modules[0].kind != "Transformer" || !modules[0].path.empty() || modules[1].kind != "Pooling" || modules.size() != (normalized ? 4u : 3u)) {
    throw unsupported("a classifier is made of Transformer, Pooling, Normalize (or not) and Dense here");
  }
  const Config pooling = Config::load(join_path(folder, modules[1].path));
  const auto mode = pooling.opt<std::string>("pooling_mode", "");
  const bool cls = mode.empty() ? pooling.opt("pooling_mode_cls_token", false) : mode == "cls";
  const bool mean = mode.empty() ? pooling.opt("pooling_mode_mean_tokens", true) : mode == "mean";
  if (cls == mean) throw Error(ErrorCode::kUnsupported, "a classifier takes the mean or the first of its tokens here", pooling.path());
  const std::string inner = join_path(folder, modules.back().path);
  const Config c = Config::load(inner);
  if (!c.opt<std::string>("activation_function", "torch.nn.modules.activation.Tanh").ends_with(".Identity")) {
    throw Error(ErrorCode::kUnsupported, "a classifier's must be torch.nn.modules.linear.Identity", c.path() + ": activation_function");
  }
  const Checkpoint checkpoint = Checkpoint::open(inner);
  const Weights weights(checkpoint, "", LoadType::kF32);
  try {
    return std::make_unique<SentenceClassifier>(std::move(encoder), mean, normalized,
                                                Linear(Scope{&weights, "linear"}, c.req<std::int64_t>("in_features"), c.req<std::int64_t>("out_features")));
  } catch (const Error& e) {
    throw Error(e.code, e.reason, inner + ": " + e.where);
  }
}

}  // namespace polymath
