#include "tasks/sentence_embedding.h"

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "base/printable.h"
#include "base/threads.h"
#include "base/utf8.h"
#include "polymath/error.h"
#include "tasks/run_batch.h"
#include "tasks/text_input.h"
#include "text/slow_tokenizer.h"
#include "text/unicode.h"

namespace polymath {
namespace {

enum class Pooling { kCls, kMax, kMean, kMeanSqrtLength, kWeightedMean, kLastToken };

struct PoolingName {
  const char* field;  // of 1_Pooling/config.json, in the order of concatenation
  const char* name;   // as the value of "pooling_mode"
  Pooling pooling;
};
constexpr PoolingName kPoolings[] = {
    {"pooling_mode_cls_token", "cls", Pooling::kCls},
    {"pooling_mode_max_tokens", "max", Pooling::kMax},
    {"pooling_mode_mean_tokens", "mean", Pooling::kMean},
    {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", Pooling::kMeanSqrtLength},
    {"pooling_mode_weightedmean_tokens", "weightedmean", Pooling::kWeightedMean},
    {"pooling_mode_lasttoken", "lasttoken", Pooling::kLastToken},
};

// hidden: [tokens, D] -> [D], of the tokens from `first` on.
std::vector<float> pool(const SequenceOutput& hidden, Pooling pooling, std::int64_t first) {
  const auto d = static_cast<std::size_t>(hidden.d);
  if (pooling == Pooling::kCls) return {hidden.row(0), hidden.row(0) + d};
  if (first >= hidden.rows) return std::vector<float>(d, pooling == Pooling::kMax ? -1e9f : 0.0f);  // nothing but a prompt
  if (pooling == Pooling::kLastToken) return {hidden.row(hidden.rows - 1), hidden.row(hidden.rows - 1) + d};
  std::vector<float> out(hidden.row(first), hidden.row(first) + d);
  if (pooling == Pooling::kMax) {
    for (std::int64_t r = first + 1; r < hidden.rows; ++r) {
      for (std::size_t i = 0; i < d; ++i) out[i] = std::max(out[i], hidden.row(r)[i]);
    }
    return out;
  }
  const bool weighted = pooling == Pooling::kWeightedMean;  // by position: 1, 2, 3, ...
  float weights = weighted ? static_cast<float>(first + 1) : 1.0f;
  for (float& x : out) x *= weights;
  for (std::int64_t r = first + 1; r < hidden.rows; ++r) {
    const float weight = weighted ? static_cast<float>(r + 1) : 1.0f;
    for (std::size_t i = 0; i < d; ++i) out[i] += weight * hidden.row(r)[i];
    weights += weight;
  }
  const float divisor = pooling == Pooling::kMeanSqrtLength ? std::sqrt(weights) : weights;
  for (float& x : out) x /= divisor;
  return out;
}

// A Dense module: act(x w^T + b).
struct Dense {
  std::unique_ptr<Checkpoint> checkpoint;
  std::unique_ptr<Weights> weights;
  Linear linear;
  Activation activation = Activation::kNone;

  static Dense load(const std::string& folder, LoadType type) {
    const Config c = Config::load(folder);
    const auto in = c.req<std::int64_t>("in_features"), out = c.req<std::int64_t>("out_features");
    Dense dense;
    dense.checkpoint = std::make_unique<Checkpoint>(Checkpoint::open(folder));
    dense.weights = std::make_unique<Weights>(*dense.checkpoint, "", type);
    try {
      dense.linear = Linear(Scope{dense.weights.get(), "linear"}, in, out);
    } catch (const Error& e) {
      throw Error(e.code, e.reason, folder + ": " + e.where);
    }
    const auto name = c.opt<std::string>("activation_function", "torch.nn.modules.activation.Tanh");
    if (name.ends_with(".Tanh")) dense.activation = Activation::kTanh;
    else if (name.ends_with(".Identity")) dense.activation = Activation::kNone;
    else if (name.ends_with(".ReLU")) dense.activation = Activation::kRelu;
    else if (name.ends_with(".GELU")) dense.activation = Activation::kGelu;
    else if (name.ends_with(".Sigmoid")) dense.activation = Activation::kSigmoid;
    else if (name.ends_with(".SiLU")) dense.activation = Activation::kSilu;
    else if (name.ends_with(".LeakyReLU")) dense.activation = Activation::kLeakyRelu;
    else if (name.ends_with(".Mish")) dense.activation = Activation::kMish;
    else if (name.ends_with(".Hardswish")) dense.activation = Activation::kHardSwish;
    else throw Error(ErrorCode::kUnsupported, "\"" + printable(name) + "\" is not known (known: Tanh, Identity, ReLU, GELU, Sigmoid, SiLU, LeakyReLU, Mish, Hardswish)", c.path() + ": activation_function");
    return dense;
  }

  std::vector<float> operator()(const std::vector<float>& x) const {
    Tensor t({1, static_cast<std::int64_t>(x.size())});
    std::copy(x.begin(), x.end(), t.data());
    const Tensor y = linear(t, activation);
    return {y.data(), y.data() + y.size()};
  }
};

// A LayerNorm module over the whole vector.
struct Norm {
  std::unique_ptr<Checkpoint> checkpoint;
  std::unique_ptr<Weights> weights;
  LayerNorm norm;

  static Norm load(const std::string& folder) {
    Norm n;
    n.checkpoint = std::make_unique<Checkpoint>(Checkpoint::open(folder));
    n.weights = std::make_unique<Weights>(*n.checkpoint, "", LoadType::kF32);
    n.norm = LayerNorm(Scope{n.weights.get(), "norm"}, Config::load(folder).req<std::int64_t>("dimension"), 1e-5);
    return n;
  }

  std::vector<float> operator()(const std::vector<float>& x) const {
    Tensor t({1, static_cast<std::int64_t>(x.size())});
    std::copy(x.begin(), x.end(), t.data());
    const Tensor y = norm(t);
    return {y.data(), y.data() + y.size()};
  }
};

// A module that follows the pooling: a Dense layer, a LayerNorm, or normalization.
struct After {
  std::unique_ptr<Dense> dense;
  std::unique_ptr<Norm> norm;  // both null: divide by the length of the vector
  std::int64_t dimension = 0;  // that a LayerNorm takes
};

}  // namespace

struct SentenceEncoder::Parts {
  LoadedModel model;
  std::optional<PretrainedTokenizer> tokenizer;
  std::vector<Pooling> poolings;
  std::vector<After> after;
  std::int64_t dimension = 0;
  std::int64_t max_seq_length = 0;  // 0: no limit
  bool lower_case = false;
  std::string prompt;           // goes before each text
  bool include_prompt = true;
  std::int64_t prompt_rows = 0;  // tokens at the beginning that pooling leaves out

  // `named`: modules.json names the folder; else its sentence_bert_config.json means nothing.
  void read_transformer(const std::string& folder, LoadType type, bool named) {
    const Head base = Head::kBase;
    model = LoadedModel::load(folder, type, &base);
    tokenizer = PretrainedTokenizer::load(folder);
    const Config& c = model.config();
    // The folder's own limit, else the smaller of what the positions and the tokenizer allow.
    const double positions = c.opt("max_position_embeddings", 1e30);
    const double limit = std::min(positions, tokenizer->model_max_length());
    max_seq_length = limit < 1e9 ? static_cast<std::int64_t>(limit) : 0;
    const std::string path = join_path(folder, "sentence_bert_config.json");
    if (named && file_exists(path)) {
      const Config sentence(read_json_file(path), path);
      max_seq_length = sentence.opt<std::int64_t>("max_seq_length", max_seq_length);
      lower_case = sentence.opt("do_lower_case", false);
    }
  }

  void read_pooling(const std::string& folder) {
    const Config c = Config::load(folder);
    std::vector<std::string> named;  // newer files name the mode, or a list of them
    if (const Json* mode = c.find("pooling_mode"); mode && mode->is_array()) {
      for (const Json& m : *mode) named.push_back(m.is_string() ? m.get<std::string>() : m.dump());
    } else if (mode && !mode->is_null()) {
      named.push_back(c.opt<std::string>("pooling_mode", ""));
    }
    for (std::string& name : named) {
      name = unicode::lower_text(name);
      const bool known = std::any_of(std::begin(kPoolings), std::end(kPoolings), [&](const PoolingName& p) { return name == p.name; });
      if (!known) throw Error(ErrorCode::kUnsupported, "\"" + printable(name) + "\" is not known (known: cls, max, mean, mean_sqrt_len_tokens, weightedmean, lasttoken)", c.path() + ": pooling_mode");
    }
    for (const PoolingName& p : kPoolings) {
      const bool on = named.empty() ? c.opt(p.field, p.pooling == Pooling::kMean) : std::find(named.begin(), named.end(), p.name) != named.end();
      if (on) poolings.push_back(p.pooling);
    }
    include_prompt = c.opt("include_prompt", true);
    if (poolings.empty()) throw Error(ErrorCode::kBadFile, "no pooling mode is on", c.path());
  }

  void read_modules(const std::string& folder, const std::string& path, LoadType type) {
    const Json modules = read_json_file(path);
    if (!modules.is_array()) throw Error(ErrorCode::kBadFile, std::string("must be a list, not ") + json_kind(modules), path);
    bool transformer = false;
    for (std::size_t i = 0; i < modules.size(); ++i) {
      const Json& module = modules[i];
      const std::string where = path + ": [" + std::to_string(i) + "]";
      if (!module.is_object() || !module.contains("type") || !module["type"].is_string() || !module.contains("path") || !module["path"].is_string()) {
        throw Error(ErrorCode::kBadFile, "a module needs a type and a path", where);
      }
      const auto kind = module["type"].get<std::string>(), part = module["path"].get<std::string>();
      if (part.find("..") != std::string::npos || part.find('\0') != std::string::npos || part.starts_with("/")) {
        throw Error(ErrorCode::kBadFile, "\"" + printable(part) + "\" is not inside this folder", where);
      }
      const std::string inner = part.empty() ? folder : join_path(folder, part);
      if (kind.ends_with(".Transformer")) read_transformer(inner, type, true), transformer = true;
      else if (kind.ends_with(".Pooling")) read_pooling(inner);
      else if (kind.ends_with(".Dense")) after.push_back({.dense = std::make_unique<Dense>(Dense::load(inner, type)), .norm = nullptr});
      else if (kind.ends_with(".LayerNorm")) after.push_back({.dense = nullptr, .norm = std::make_unique<Norm>(Norm::load(inner)), .dimension = Config::load(inner).req<std::int64_t>("dimension")});
      else if (kind.ends_with(".Normalize")) after.push_back({});
      else if (!kind.ends_with(".Dropout")) throw Error(ErrorCode::kUnsupported, "the module \"" + printable(kind) + "\" is not known (known: Transformer, Pooling, Dense, Dropout, LayerNorm, Normalize)", where);
    }
    if (!transformer) throw Error(ErrorCode::kBadFile, "names no Transformer module", path);
  }

  // The prompt that config_sentence_transformers.json makes the default.
  void read_prompt(const std::string& folder) {
    const std::string path = join_path(folder, "config_sentence_transformers.json");
    if (!file_exists(path)) return;
    const Config c(read_json_file(path), path);
    const auto name = c.opt<std::string>("default_prompt_name", "");
    if (name.empty()) return;
    const Json* prompts = c.find("prompts");
    if (!prompts || !prompts->is_object() || !prompts->contains(name) || !(*prompts)[name].is_string()) {
      throw Error(ErrorCode::kBadFile, "\"" + printable(name) + "\" is not one of the prompts", path + ": default_prompt_name");
    }
    prompt = (*prompts)[name].get<std::string>();
    if (prompt.empty() || include_prompt) return;
    const Encoding e = encode(prompt);
    prompt_rows = static_cast<std::int64_t>(e.size());
    // A special token that closes the prompt is none of it.
    const auto& special = tokenizer->all_special_ids();
    if (!e.ids.empty() && std::find(special.begin(), special.end(), e.ids.back()) != special.end()) --prompt_rows;
  }

  Encoding encode(const std::string& text, std::int64_t most = 0) const {
    EncodeOptions options;
    const std::int64_t limit = most > 0 && max_seq_length > 0 ? std::min(most, max_seq_length) : std::max(most, max_seq_length);
    if (limit > 0) options.truncation = Truncation{.max_length = static_cast<int>(limit), .direction = tokenizer->settings().truncation_side};
    const std::string stripped = python_strip(text);  // as sentence-transformers does
    return encode_truncated(*tokenizer, lower_case ? unicode::lower_text(stripped) : stripped, options);
  }

  std::vector<float> finish(const SequenceOutput& hidden) const {
    std::vector<float> v;
    for (Pooling p : poolings) {
      const auto part = pool(hidden, p, prompt_rows);
      v.insert(v.end(), part.begin(), part.end());
    }
    for (const After& module : after) {
      if (module.dense) {
        v = (*module.dense)(v);
        continue;
      }
      if (module.norm) {
        v = (*module.norm)(v);
        continue;
      }
      to_unit_length(v);
    }
    return v;
  }
};

SentenceEncoder::SentenceEncoder(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
SentenceEncoder::~SentenceEncoder() = default;
SentenceEncoder::SentenceEncoder(SentenceEncoder&&) noexcept = default;

SentenceEncoder SentenceEncoder::load(const std::string& folder, LoadType type) {
  auto parts = std::make_unique<Parts>();
  const std::string path = join_path(folder, "modules.json");
  if (file_exists(path)) {
    parts->read_modules(folder, path, type);
    parts->read_prompt(folder);
  } else {
    parts->read_transformer(folder, type, false);  // and the mean of its tokens
  }
  if (parts->poolings.empty()) parts->poolings.push_back(Pooling::kMean);
  parts->dimension = parts->model.config().opt<std::int64_t>("hidden_size", parts->model.config().opt<std::int64_t>("dim", 0)) *
                     static_cast<std::int64_t>(parts->poolings.size());
  for (const After& module : parts->after) {
    if (module.norm && module.dimension != parts->dimension) throw Error(ErrorCode::kBadFile, "a LayerNorm module takes " + std::to_string(module.dimension) + " numbers and gets " + std::to_string(parts->dimension), path);
    if (!module.dense) continue;
    if (module.dense->linear.weight().k() != parts->dimension) {
      throw Error(ErrorCode::kBadFile, "a Dense module takes " + std::to_string(module.dense->linear.weight().k()) + " numbers and gets " +
                                           std::to_string(parts->dimension), path);
    }
    parts->dimension = module.dense->linear.n();
  }
  return SentenceEncoder(std::move(parts));
}

Encoding SentenceEncoder::tokens(const std::string& text, std::int64_t most) const { return parts_->encode(parts_->prompt + text, most); }

SentencePooling SentenceEncoder::pooling_to_train(const std::string& folder) const {
  const bool plain = std::all_of(parts_->after.begin(), parts_->after.end(), [](const After& m) { return !m.dense && !m.norm; });
  const Pooling pooling = parts_->poolings.front();
  if (!plain || parts_->poolings.size() > 1 || parts_->prompt_rows > 0 || (pooling != Pooling::kCls && pooling != Pooling::kMean)) {
    throw Error(ErrorCode::kUnsupported, "can be trained where it takes the mean or the first of its tokens, and nothing but a Normalize module follows", join_path(folder, "modules.json"));
  }
  return pooling == Pooling::kCls ? SentencePooling::kCls : SentencePooling::kMean;
}

bool SentenceEncoder::normalizes() const { return !parts_->after.empty() && !parts_->after.back().dense && !parts_->after.back().norm; }

std::int64_t SentenceEncoder::dimension() const { return parts_->dimension; }

std::vector<std::vector<float>> SentenceEncoder::encode(const std::vector<std::string>& texts) const {
  std::vector<ModelInput> batch(texts.size());
  ThreadPool::global().parallel_for(texts.size(), [&](std::size_t i) {
    batch[i] = model_input(parts_->encode(parts_->prompt + texts[i]), model_inputs_of(*parts_->tokenizer));
  });
  std::vector<std::vector<float>> vectors;
  run_batch(parts_->model.model(), batch, [&](std::size_t, const SequenceOutputs& outputs) { vectors.push_back(parts_->finish(outputs.first())); });
  return vectors;
}

}  // namespace polymath
