#include <algorithm>
#include <sstream>

#include "base/file.h"
#include "models/adapter.h"
#include "models/model.h"
#include "polymath/error.h"

namespace polymath {

std::unique_ptr<Model> make_albert(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_bart(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_bert(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_bloom(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_deberta_v2(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_distilbert(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_electra(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_gemma2(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_gpt2(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_gpt_neo(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_gpt_neox(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_llama(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_m2m_100(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_marian(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_mbart(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_mixtral(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_modernbert(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_mpnet(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_opt(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_pegasus(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_roberta(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_t5(const Config&, Head, const Scope&);

const std::vector<Architecture>& architectures() {
  static constexpr const char* kBase = R"({"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072, "max_position_embeddings": 512})";
  static constexpr const char* kQwen = R"({"hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "intermediate_size": 22016, "max_position_embeddings": 32768})";
  static constexpr const char* kBart = R"({"d_model": 1024, "encoder_layers": 12, "encoder_ffn_dim": 4096, "encoder_attention_heads": 16, "decoder_layers": 12, "decoder_ffn_dim": 4096, "decoder_attention_heads": 16, "max_position_embeddings": 1024})";
  static constexpr const char* kBartAliases = R"({"hidden_size": "d_model", "num_attention_heads": "encoder_attention_heads", "num_hidden_layers": "encoder_layers"})";
  static constexpr const char* kT5Aliases = R"({"hidden_size": "d_model", "num_attention_heads": "num_heads", "num_hidden_layers": "num_layers", "head_dim": "d_kv"})";
  static const std::vector<Architecture> kAll = {
      {"albert", "Albert", "albert", make_albert,
       R"({"hidden_size": 4096, "num_hidden_layers": 12, "num_attention_heads": 64, "intermediate_size": 16384, "max_position_embeddings": 512})"},
      {"bart", "Bart", "model", make_bart,
       R"({"d_model": 1024, "encoder_layers": 12, "encoder_ffn_dim": 4096, "encoder_attention_heads": 16, "decoder_layers": 12, "decoder_ffn_dim": 4096, "decoder_attention_heads": 16, "max_position_embeddings": 1024, "num_labels": 3})", kBartAliases},
      {"bert", "Bert", "bert", make_bert, kBase},
      {"bloom", "Bloom", "transformer", make_bloom, R"({"hidden_size": 64, "n_layer": 2, "n_head": 8})",
       R"({"num_attention_heads": "n_head", "num_hidden_layers": "n_layer"})"},
      {"camembert", "Camembert", "roberta", make_roberta, kBase},
      {"deberta-v2", "DebertaV2", "deberta", make_deberta_v2,
       R"({"hidden_size": 1536, "num_hidden_layers": 24, "num_attention_heads": 24, "intermediate_size": 6144, "max_position_embeddings": 512})"},
      {"distilbert", "DistilBert", "distilbert", make_distilbert,
       R"({"dim": 768, "n_layers": 6, "n_heads": 12, "hidden_dim": 3072, "max_position_embeddings": 512})",
       R"({"hidden_size": "dim", "num_attention_heads": "n_heads", "num_hidden_layers": "n_layers"})"},
      {"electra", "Electra", "electra", make_electra,
       R"({"hidden_size": 256, "num_hidden_layers": 12, "num_attention_heads": 4, "intermediate_size": 1024, "max_position_embeddings": 512})"},
      {"gemma2", "Gemma2", "model", make_gemma2,
       R"({"hidden_size": 2304, "num_hidden_layers": 26, "num_attention_heads": 8, "intermediate_size": 9216, "max_position_embeddings": 8192, "pad_token_id": 0})"},
      {"gemma3_text", "Gemma3Text|Gemma3", "model", make_gemma2,
       R"({"hidden_size": 2304, "num_hidden_layers": 26, "num_attention_heads": 8, "intermediate_size": 9216, "max_position_embeddings": 131072, "pad_token_id": 0})"},
      {"gpt2", "GPT2", "transformer", make_gpt2, R"({"n_embd": 768, "n_layer": 12, "n_head": 12})",
       R"({"hidden_size": "n_embd", "num_attention_heads": "n_head", "num_hidden_layers": "n_layer"})"},
      {"gpt_neo", "GPTNeo", "transformer", make_gpt_neo, R"({"hidden_size": 2048, "num_layers": 24, "num_heads": 16})",
       R"({"num_attention_heads": "num_heads", "num_hidden_layers": "num_layers"})"},
      {"gpt_neox", "GPTNeoX", "gpt_neox", make_gpt_neox,
       R"({"hidden_size": 6144, "num_hidden_layers": 44, "num_attention_heads": 64, "intermediate_size": 24576, "max_position_embeddings": 2048})"},
      {"llama", "Llama", "model", make_llama,
       R"({"hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "intermediate_size": 11008, "max_position_embeddings": 2048})"},
      {"m2m_100", "M2M100", "model", make_m2m_100,
       R"({"d_model": 1024, "encoder_layers": 12, "encoder_ffn_dim": 4096, "encoder_attention_heads": 16, "decoder_layers": 12, "decoder_ffn_dim": 4096, "decoder_attention_heads": 16, "max_position_embeddings": 1024, "vocab_size": 128112, "activation_function": "relu", "scale_embedding": true})", kBartAliases},
      {"marian", "Marian", "model", make_marian, kBart, kBartAliases},
      {"mbart", "MBart", "model", make_mbart, kBart, kBartAliases},
      {"mistral", "Mistral", "model", make_llama,
       R"({"hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "intermediate_size": 14336, "max_position_embeddings": 131072})"},
      {"mixtral", "Mixtral", "model", make_mixtral,
       R"({"hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "intermediate_size": 14336, "max_position_embeddings": 131072, "rms_norm_eps": 1e-5, "rope_theta": 1e6})"},
      {"modernbert", "ModernBert", "model", make_modernbert,
       R"({"hidden_size": 768, "num_hidden_layers": 22, "num_attention_heads": 12, "intermediate_size": 1152, "max_position_embeddings": 8192})"},
      {"mpnet", "MPNet", "mpnet", make_mpnet, kBase},
      {"mt5", "MT5", "transformer", make_t5,
       R"({"d_model": 512, "d_kv": 64, "d_ff": 1024, "num_layers": 8, "num_heads": 6, "feed_forward_proj": "gated-gelu", "decoder_start_token_id": 0})", kT5Aliases},
      {"opt", "OPT", "model", make_opt, R"({"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "ffn_dim": 3072, "pad_token_id": 1})"},
      {"pegasus", "Pegasus", "model", make_pegasus, kBart, kBartAliases},
      {"phi3", "Phi3", "model", make_llama,
       R"({"hidden_size": 3072, "num_hidden_layers": 32, "num_attention_heads": 32, "intermediate_size": 8192, "max_position_embeddings": 4096, "original_max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "pad_token_id": 32000})"},
      {"qwen2", "Qwen2", "model", make_llama, kQwen},
      {"qwen3", "Qwen3", "model", make_llama, kQwen},
      {"roberta", "Roberta", "roberta", make_roberta, kBase},
      {"smollm3", "SmolLM3", "model", make_llama,
       R"({"hidden_size": 2048, "num_hidden_layers": 36, "num_attention_heads": 16, "intermediate_size": 11008, "max_position_embeddings": 32768, "rope_theta": 2e6, "pad_token_id": 128004})"},
      {"t5", "T5", "transformer", make_t5, R"({"d_model": 512, "d_kv": 64, "d_ff": 2048, "num_layers": 6, "num_heads": 8})", kT5Aliases},
      {"xlm-roberta", "XLMRoberta", "roberta", make_roberta, kBase},
  };
  return kAll;
}

const Architecture& architecture_of(const Config& config) {
  for (const Architecture& a : architectures()) {
    if (config.model_type() == a.model_type) return a;
  }
  std::string known;
  for (const Architecture& a : architectures()) known += std::string(known.empty() ? "" : ", ") + a.model_type;
  throw Error(ErrorCode::kUnsupported, "the architecture \"" + config.model_type() + "\" is not known (known: " + known + ")",
              config.path() + ": model_type");
}

std::optional<Head> head_named(const std::string& class_name, const Architecture& architecture) {
  struct Suffix {
    const char* text;
    Head head;
  };
  static constexpr Suffix kSuffixes[] = {
      {"ForPreTraining", Head::kPreTraining},
      {"ForMaskedLM", Head::kMaskedLm},
      {"ForSequenceClassification", Head::kSequenceClassification},
      {"ForTokenClassification", Head::kTokenClassification},
      {"ForQuestionAnswering", Head::kQuestionAnswering},
      {"ForNextSentencePrediction", Head::kNextSentencePrediction},
      {"ForMultipleChoice", Head::kMultipleChoice},
      {"ForCausalLM", Head::kCausalLm},
      {"ForConditionalGeneration", Head::kConditionalGeneration},
      {"MTModel", Head::kConditionalGeneration},
      {"EncoderModel", Head::kEncoder},
      {"LMHeadModel", Head::kCausalLm},
      {"Model", Head::kBase},
  };
  std::istringstream prefixes(architecture.class_prefix);  // A|B: classes of both names
  for (std::string prefix; std::getline(prefixes, prefix, '|');) {
    for (const Suffix& suffix : kSuffixes) {
      if (class_name == prefix + suffix.text) return suffix.head;
    }
  }
  return std::nullopt;
}

Head head_of(const Config& config) {
  const std::string name = config.architecture();
  if (name.empty()) return Head::kBase;
  if (const auto head = head_named(name, architecture_of(config))) return *head;
  throw Error(ErrorCode::kUnsupported, "the class \"" + name + "\" is not known for this model_type", config.path() + ": architectures");
}

const Tensor& output_named(const std::vector<Output>& outputs, const std::string& name) {
  for (const Output& output : outputs) {
    if (output.name == name) return output.value;
  }
  throw Error(ErrorCode::kInvalidArgument, "the model has no output of this name", name);
}

LoadedModel LoadedModel::load(const std::string& folder, LoadType type, const Head* head) {
  LoadedModel loaded;
  const auto adapter = Adapter::open(folder);
  const std::string base = adapter ? adapter->base() : folder;
  loaded.config_ = std::make_unique<Config>(adapter ? adapter->config() : Config::load(folder));
  const Architecture& architecture = architecture_of(*loaded.config_);
  const Json aliases = parse_json(architecture.aliases, "aliases");
  for (const auto& [alias, name] : aliases.items()) {
    if (const Json* value = loaded.config_->find(alias)) loaded.config_->set_missing({{name.get<std::string>(), *value}});
  }
  loaded.config_->set_missing(parse_json(architecture.sizes, "sizes"));
  const std::optional<Head> adapted = adapter ? adapter->head(architecture) : std::nullopt;
  loaded.head_ = head ? *head : adapted ? *adapted : head_of(*loaded.config_);
  loaded.checkpoint_ = std::make_unique<Checkpoint>(Checkpoint::open(base));
  loaded.weights_ = std::make_unique<Weights>(*loaded.checkpoint_, architecture.base_prefix, type);
  try {
    if (adapter) adapter->apply(*loaded.checkpoint_, *loaded.weights_, loaded.config_->model_type());
    loaded.model_ = architecture.make(*loaded.config_, loaded.head_, {loaded.weights_.get(), ""});
  } catch (Error& e) {
    if (e.where.starts_with(folder) || e.where.starts_with(base)) throw;
    if (e.code == ErrorCode::kNotFound && head && !loaded.config_->architecture().empty() && head_of(*loaded.config_) != *head) {
      throw Error(e.code, "holds a " + loaded.config_->architecture() + ", which has not the head for this task (no tensor " + e.where + ")", folder);
    }
    throw Error(e.code, e.reason, folder + ": " + e.where);
  }
  return loaded;
}

LoadType load_type_named(const std::string& name) {
  if (name == "auto") return LoadType::kAuto;
  if (name == "f32") return LoadType::kF32;
  if (name == "bf16") return LoadType::kBf16;
  if (name == "q8") return LoadType::kQ8;
  throw Error(ErrorCode::kInvalidArgument, "\"" + name + "\" is not one of auto, f32, bf16, q8", "--dtype");
}

}  // namespace polymath
