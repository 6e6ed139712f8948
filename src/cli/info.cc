// polymath info DIR: what a checkpoint folder holds.
#include <iostream>

#include "base/file.h"
#include "cli/cli.h"
#include "models/adapter.h"
#include "tasks/task.h"

namespace polymath::cli {
namespace {

const char* head_name(Head head) {
  switch (head) {
    case Head::kBase: return "base model";
    case Head::kPreTraining: return "pre-training";
    case Head::kMaskedLm: return "masked language model";
    case Head::kSequenceClassification: return "sequence classification";
    case Head::kTokenClassification: return "token classification";
    case Head::kQuestionAnswering: return "question answering";
    case Head::kNextSentencePrediction: return "next sentence prediction";
    case Head::kMultipleChoice: return "multiple choice";
    case Head::kCausalLm: return "causal language model";
    case Head::kConditionalGeneration: return "conditional generation";
    case Head::kEncoder: return "encoder";
  }
  return "";
}

int info(const std::string& folder, bool json) {
  const auto adapter = Adapter::open(folder);
  const Config config = adapter ? adapter->config() : Config::load(folder);
  const Architecture& architecture = architecture_of(config);
  const Head head = head_of(config);
  const Checkpoint checkpoint = Checkpoint::open(adapter ? adapter->base() : folder);
  std::uint64_t parameters = 0, matrix = 0, stored = 0;
  std::map<std::string, std::uint64_t> dtypes;
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    const auto n = static_cast<std::uint64_t>(tensor.elements());
    parameters += n;
    if (tensor.shape.size() == 2 && name.find("embeddings") == std::string::npos) matrix += n;
    stored += tensor.data.size();
    dtypes[dtype_name(tensor.dtype)] += n;
  }
  Json result;
  result["model_type"] = config.model_type();
  const std::string prefix = architecture.class_prefix;
  result["class"] = config.architecture().empty() ? prefix.substr(0, prefix.find('|')) + "Model" : config.architecture();
  result["head"] = head_name(head);
  if (adapter) result["adapter_of"] = adapter->base();
  for (const char* field : {"hidden_size", "dim", "num_hidden_layers", "n_layers", "num_attention_heads", "n_heads", "intermediate_size",
                            "hidden_dim", "d_model", "d_kv", "d_ff", "encoder_layers", "decoder_layers", "num_layers", "num_decoder_layers",
                            "encoder_attention_heads", "decoder_attention_heads", "num_heads", "encoder_ffn_dim", "decoder_ffn_dim", "n_embd",
                            "n_layer", "n_head", "ffn_dim", "vocab_size", "max_position_embeddings", "n_positions"}) {
    if (const Json* value = config.find(field)) result[field] = *value;
  }
  result["parameters"] = parameters;
  result["stored_mb"] = static_cast<double>(stored) / 1e6;
  result["dtypes"] = dtypes;
  // Matrices are kept in the dtype asked for; embeddings stay in the file and are read as they are needed.
  const double rest = static_cast<double>(parameters - matrix) * 4 / 1e6, m = static_cast<double>(matrix) / 1e6;
  result["memory_mb"] = {{"f32", m * 4 + rest}, {"bf16", m * 2 + rest}, {"q8", m * 1.0625 + rest}, {"q4", m * 0.5625 + rest}};
  Json usable = Json::array();
  for (const TaskEntry& task : tasks()) {
    if (task.head == head || task.head == Head::kBase) usable.push_back(task.name);
  }
  result["tasks"] = usable;
  if (head == Head::kSequenceClassification || head == Head::kTokenClassification) result["labels"] = config.id2label();
  try {
    const auto tokenizer = PretrainedTokenizer::load(folder);
    Json t{{"class", tokenizer.settings().tokenizer_class}, {"vocab_size", tokenizer.vocab_size()}};
    if (tokenizer.model_max_length() < 1e9) t["model_max_length"] = static_cast<std::int64_t>(tokenizer.model_max_length());
    result["tokenizer"] = t;
  } catch (const Error& e) {
    result["tokenizer"] = std::string("none: ") + e.what();
  }
  result["sentence_transformers"] = file_exists(join_path(folder, "modules.json"));
  if (json) {
    std::cout << dump_json(result) << '\n';
    return 0;
  }
  for (const auto& [name, value] : result.items()) {
    std::cout << name << std::string(name.size() < 24 ? 24 - name.size() : 1, ' ');
    if (value.is_string()) std::cout << value.get<std::string>();
    else if (value.is_number_float()) std::cout << value.get<double>();
    else if (value.is_array()) {
      for (std::size_t i = 0; i < value.size(); ++i) std::cout << (i ? ", " : "") << (value[i].is_string() ? value[i].get<std::string>() : dump_json(value[i]));
    } else if (value.is_object()) {
      bool first = true;
      for (const auto& [key, item] : value.items()) {
        std::cout << (first ? "" : ", ") << key << ' ';
        if (item.is_number_float()) std::cout << item.get<double>();
        else std::cout << (item.is_string() ? item.get<std::string>() : dump_json(item));
        first = false;
      }
    } else std::cout << dump_json(value);
    std::cout << '\n';
  }
  return 0;
}

}  // namespace

void add_info(CLI::App& app, Common& common, Action& action) {
  auto* verb = app.add_subcommand("info", "say what a checkpoint folder holds: architecture, sizes, tasks, tokenizer, memory");
  struct Arguments {
    std::string folder;
    bool json = false;
  };
  auto a = std::make_shared<Arguments>();
  add_model(*verb, "DIR", a->folder, "checkpoint folder")->required();
  verb->add_flag("--json", a->json, "one JSON object");
  add_common(*verb, common);
  verb->callback([=, &action] { action = [=] { return info(a->folder, a->json); }; });
}

}  // namespace polymath::cli
