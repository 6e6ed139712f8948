// The table of architectures: one line each, and what their config classes take for fields that config.json leaves out.
#include "models/model.h"

namespace polymath {


std::unique_ptr<Model> make_albert(const Config&, Head, const Scope&);
std::unique_ptr<Model> make_awd_lstm(const Config&, Head, const Scope&);
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
      {"awd_lstm", "AwdLstm", "awd_lstm", make_awd_lstm, R"({"embedding_size": 400, "hidden_size": 1150, "num_hidden_layers": 3})",
       "{}", "{}", /*from_scratch=*/true, /*recurrent=*/true},
      {"bart", "Bart", "model", make_bart,
       R"({"d_model": 1024, "encoder_layers": 12, "encoder_ffn_dim": 4096, "encoder_attention_heads": 16, "decoder_layers": 12, "decoder_ffn_dim": 4096, "decoder_attention_heads": 16, "max_position_embeddings": 1024, "num_labels": 3})",
       R"({"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 2, "forced_eos_token_id": 2})", kBartAliases},
      {"bert", "Bert", "bert", make_bert, kBase, "{}", "{}", /*from_scratch=*/true},
      {"bloom", "Bloom", "transformer", make_bloom, R"({"hidden_size": 64, "n_layer": 2, "n_head": 8, "hidden_dropout": 0.0})",
       R"({"bos_token_id": 1, "eos_token_id": 2})",
       R"({"num_attention_heads": "n_head", "num_hidden_layers": "n_layer"})"},
      {"camembert", "Camembert", "roberta", make_roberta, kBase},
      {"deberta-v2", "DebertaV2", "deberta", make_deberta_v2,
       R"({"hidden_size": 1536, "num_hidden_layers": 24, "num_attention_heads": 24, "intermediate_size": 6144, "max_position_embeddings": 512})"},
      {"distilbert", "DistilBert", "distilbert", make_distilbert,
       R"({"dim": 768, "n_layers": 6, "n_heads": 12, "hidden_dim": 3072, "max_position_embeddings": 512})", "{}",
       R"({"hidden_size": "dim", "num_attention_heads": "n_heads", "num_hidden_layers": "n_layers"})"},
      {"electra", "Electra", "electra", make_electra,
       R"({"hidden_size": 256, "num_hidden_layers": 12, "num_attention_heads": 4, "intermediate_size": 1024, "max_position_embeddings": 512})"},
      {"gemma2", "Gemma2", "model", make_gemma2,
       R"({"hidden_size": 2304, "num_hidden_layers": 26, "num_attention_heads": 8, "intermediate_size": 9216, "max_position_embeddings": 8192})",
       R"({"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 1})"},
      {"gemma3_text", "Gemma3Text|Gemma3", "model", make_gemma2,
       R"({"hidden_size": 2304, "num_hidden_layers": 26, "num_attention_heads": 8, "intermediate_size": 9216, "max_position_embeddings": 131072})",
       R"({"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 1})"},
      {"gpt2", "GPT2", "transformer", make_gpt2, R"({"n_embd": 768, "n_layer": 12, "n_head": 12})",
       R"({"bos_token_id": 50256, "eos_token_id": 50256})",
       R"({"hidden_size": "n_embd", "num_attention_heads": "n_head", "num_hidden_layers": "n_layer"})", /*from_scratch=*/true},
      {"gpt_neo", "GPTNeo", "transformer", make_gpt_neo, R"({"hidden_size": 2048, "num_layers": 24, "num_heads": 16})",
       R"({"bos_token_id": 50256, "eos_token_id": 50256})",
       R"({"num_attention_heads": "num_heads", "num_hidden_layers": "num_layers"})"},
      {"gpt_neox", "GPTNeoX", "gpt_neox", make_gpt_neox,
       R"({"hidden_size": 6144, "num_hidden_layers": 44, "num_attention_heads": 64, "intermediate_size": 24576, "max_position_embeddings": 2048, "classifier_dropout": 0.1})",
       R"({"bos_token_id": 0, "eos_token_id": 2})"},
      {"llama", "Llama", "model", make_llama,
       R"({"hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "intermediate_size": 11008, "max_position_embeddings": 2048})",
       R"({"bos_token_id": 1, "eos_token_id": 2})"},
      {"m2m_100", "M2M100", "model", make_m2m_100,
       R"({"d_model": 1024, "encoder_layers": 12, "encoder_ffn_dim": 4096, "encoder_attention_heads": 16, "decoder_layers": 12, "decoder_ffn_dim": 4096, "decoder_attention_heads": 16, "max_position_embeddings": 1024, "vocab_size": 128112, "activation_function": "relu", "scale_embedding": true, "attention_dropout": 0.1})",
       R"({"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 2})", kBartAliases},
      {"marian", "Marian", "model", make_marian, kBart,
       R"({"pad_token_id": 58100, "eos_token_id": 0, "decoder_start_token_id": 58100, "forced_eos_token_id": 0})", kBartAliases},
      {"mbart", "MBart", "model", make_mbart, kBart,
       R"({"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "forced_eos_token_id": 2})", kBartAliases},
      {"mistral", "Mistral", "model", make_llama,
       R"({"hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "intermediate_size": 14336, "max_position_embeddings": 131072})",
       R"({"bos_token_id": 1, "eos_token_id": 2})"},
      {"mixtral", "Mixtral", "model", make_mixtral,
       R"({"hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "intermediate_size": 14336, "max_position_embeddings": 131072, "rms_norm_eps": 1e-5, "rope_theta": 1e6})",
       R"({"bos_token_id": 1, "eos_token_id": 2})"},
      {"modernbert", "ModernBert", "model", make_modernbert,
       R"({"hidden_size": 768, "num_hidden_layers": 22, "num_attention_heads": 12, "intermediate_size": 1152, "max_position_embeddings": 8192})"},
      {"mpnet", "MPNet", "mpnet", make_mpnet, kBase},
      {"mt5", "MT5", "transformer", make_t5,
       R"({"d_model": 512, "d_kv": 64, "d_ff": 1024, "num_layers": 8, "num_heads": 6, "feed_forward_proj": "gated-gelu"})",
       R"({"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0})", kT5Aliases},
      {"opt", "OPT", "model", make_opt, R"({"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "ffn_dim": 3072})",
       R"({"pad_token_id": 1, "bos_token_id": 2, "eos_token_id": 2})"},
      {"pegasus", "Pegasus", "model", make_pegasus, kBart,
       R"({"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0, "forced_eos_token_id": 1})", kBartAliases},
      {"phi3", "Phi3", "model", make_llama,
       R"({"hidden_size": 3072, "num_hidden_layers": 32, "num_attention_heads": 32, "intermediate_size": 8192, "max_position_embeddings": 4096, "original_max_position_embeddings": 4096, "rms_norm_eps": 1e-5})",
       R"({"pad_token_id": 32000, "bos_token_id": 1, "eos_token_id": 32000})"},
      {"qwen2", "Qwen2", "model", make_llama, kQwen},
      {"qwen3", "Qwen3", "model", make_llama, kQwen},
      {"roberta", "Roberta", "roberta", make_roberta, kBase},
      {"smollm3", "SmolLM3", "model", make_llama,
       R"({"hidden_size": 2048, "num_hidden_layers": 36, "num_attention_heads": 16, "intermediate_size": 11008, "max_position_embeddings": 32768, "rope_theta": 2e6})",
       R"({"pad_token_id": 128004, "bos_token_id": 128000, "eos_token_id": 128001})"},
      {"t5", "T5", "transformer", make_t5, R"({"d_model": 512, "d_kv": 64, "d_ff": 2048, "num_layers": 6, "num_heads": 8})",
       R"({"pad_token_id": 0, "eos_token_id": 1})", kT5Aliases},
      {"xlm-roberta", "XLMRoberta", "roberta", make_roberta, kBase},
  };
  return kAll;
}

}  // namespace polymath
