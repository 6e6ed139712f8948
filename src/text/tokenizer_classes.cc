#include "text/tokenizer_classes.h"

#include <utility>

namespace polymath {
namespace {

using enum ClassRule;

constexpr TokenizerClass bert(const char* name, bool type_ids = true) {
  return {name, kBert, nullptr, nullptr, "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]", type_ids};
}
constexpr TokenizerClass roberta(const char* name, ClassRule rule = kRoberta) {
  return {name, rule, "<s>", "</s>", "<unk>", "</s>", "<pad>", "<s>", "<mask>", false, false, true};
}
constexpr TokenizerClass gpt(const char* name, const char* pad = nullptr, ClassRule rule = kNone) {
  return {name, rule, "<|endoftext|>", "<|endoftext|>", "<|endoftext|>", nullptr, pad};
}
constexpr TokenizerClass llama(const char* name) {
  return {name, kLlama, "<s>", "</s>", "<unk>", nullptr, nullptr, nullptr, nullptr, false, true};
}

constexpr TokenizerClass kClasses[] = {
    {"PreTrainedTokenizer", kNone, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, true},
    bert("BertTokenizer"), bert("ElectraTokenizer"), bert("ConvBertTokenizer"), bert("LayoutLMTokenizer"), bert("LxmertTokenizer"),
    bert("MobileBertTokenizer"), bert("SqueezeBertTokenizer"), bert("RetriBertTokenizer", false), bert("DistilBertTokenizer", false),
    bert("DPRContextEncoderTokenizer"), bert("DPRQuestionEncoderTokenizer"), bert("DPRReaderTokenizer", false),
    {"RoFormerTokenizer", kBert, nullptr, nullptr, "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]", true},
    {"SplinterTokenizer", kBert, nullptr, nullptr, "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]", true},
    {"FunnelTokenizer", kBert, "<s>", "</s>", "<unk>", "<sep>", "<pad>", "<cls>", "<mask>", true},
    {"MPNetTokenizer", kMpnet, "<s>", "</s>", "[UNK]", "</s>", "<pad>", "<s>", "<mask>", false, false, true},
    {"AlbertTokenizer", kNone, "[CLS]", "[SEP]", "<unk>", "[SEP]", "<pad>", "[CLS]", "[MASK]", true, false, true},
    {"RemBertTokenizer", kNone, "[CLS]", "[SEP]", "<unk>", "[SEP]", "<pad>", "[CLS]", "[MASK]", true, false, true},
    {"DebertaTokenizer", kNone, "[CLS]", "[SEP]", "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]", true, false, true},
    {"DebertaV2Tokenizer", kNone, "[CLS]", "[SEP]", "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]", true},
    {"BigBirdTokenizer", kNone, "<s>", "</s>", "<unk>", "[SEP]", "<pad>", "[CLS]", "[MASK]", false, false, true},
    {"FNetTokenizer", kNone, nullptr, nullptr, "<unk>", "[SEP]", "<pad>", "[CLS]", "[MASK]", true, false, true},
    roberta("RobertaTokenizer"), roberta("LongformerTokenizer"), roberta("BartTokenizer"), roberta("LEDTokenizer"), roberta("MvpTokenizer"),
    roberta("BlenderbotTokenizer"),
    roberta("XLMRobertaTokenizer", kNone), roberta("CamembertTokenizer", kNone), roberta("BarthezTokenizer", kNone),
    roberta("MBartTokenizer", kNone), roberta("NllbTokenizer", kNone),
    {"MBart50Tokenizer", kNone, nullptr, "</s>", "<unk>", "</s>", "<pad>", "<s>", "<mask>", false, false, true},
    {"XGLMTokenizer", kNone, "<s>", "</s>", "<unk>", "</s>", "<pad>", "<s>"},
    {"XLNetTokenizer", kNone, "<s>", "</s>", "<unk>", "<sep>", "<pad>", "<cls>", "<mask>", true, true, true},
    gpt("GPT2Tokenizer"), gpt("CodeGenTokenizer"), gpt("WhisperTokenizer"), gpt("GPTNeoXTokenizer", nullptr, kGptNeoX),
    {"Qwen2Tokenizer", kNone, nullptr, "<|endoftext|>", "<|endoftext|>", nullptr, "<|endoftext|>"},
    {"CLIPTokenizer", kNone, "<|startoftext|>", "<|endoftext|>", "<|endoftext|>", nullptr, "<|endoftext|>"},
    {"OpenAIGPTTokenizer", kNone, nullptr, nullptr, "<unk>"},
    {"BloomTokenizer", kNone, "<s>", "</s>", "<unk>", nullptr, "<pad>"},
    {"T5Tokenizer", kNone, nullptr, "</s>", "<unk>", nullptr, "<pad>"},
    {"MT5Tokenizer", kNone, nullptr, "</s>", "<unk>", nullptr, "<pad>"},
    {"ReformerTokenizer", kNone, nullptr, "</s>", "<unk>"},
    {"PegasusTokenizer", kNone, nullptr, "</s>", "<unk>", nullptr, "<pad>", nullptr, "<mask_2>"},
    {"HerbertTokenizer", kNone, nullptr, nullptr, "<unk>", "</s>", "<pad>", "<s>", "<mask>", true},
    llama("LlamaTokenizer"), llama("CodeLlamaTokenizer"),
    {"GemmaTokenizer", kLlama, "<bos>", "<eos>", "<unk>", nullptr, "<pad>", nullptr, nullptr, false, true},
    {"CohereTokenizer", kLlama, "<BOS_TOKEN>", "<|END_OF_TURN_TOKEN|>", "<UNK>", nullptr, nullptr, nullptr, nullptr, false, true},
};

constexpr std::pair<std::string_view, std::string_view> kModels[] = {
    {"albert", "AlbertTokenizer"}, {"bart", "BartTokenizer"}, {"bert", "BertTokenizer"}, {"big_bird", "BigBirdTokenizer"},
    {"blenderbot", "BlenderbotTokenizer"}, {"bloom", "BloomTokenizer"}, {"camembert", "CamembertTokenizer"}, {"clip", "CLIPTokenizer"},
    {"convbert", "ConvBertTokenizer"}, {"deberta", "DebertaTokenizer"}, {"deberta-v2", "DebertaV2Tokenizer"},
    {"distilbert", "DistilBertTokenizer"}, {"electra", "ElectraTokenizer"}, {"fnet", "FNetTokenizer"}, {"funnel", "FunnelTokenizer"},
    {"gemma", "GemmaTokenizer"}, {"gemma2", "GemmaTokenizer"}, {"gemma3", "GemmaTokenizer"}, {"gemma3_text", "GemmaTokenizer"},
    {"gpt2", "GPT2Tokenizer"}, {"gpt_neo", "GPT2Tokenizer"}, {"gpt_neox", "GPTNeoXTokenizer"}, {"gptj", "GPT2Tokenizer"},
    {"layoutlm", "LayoutLMTokenizer"}, {"led", "LEDTokenizer"}, {"llama", "LlamaTokenizer"}, {"longformer", "LongformerTokenizer"},
    {"m2m_100", "M2M100Tokenizer"}, {"marian", "MarianTokenizer"}, {"mbart", "MBartTokenizer"}, {"mistral", "LlamaTokenizer"},
    {"mixtral", "LlamaTokenizer"}, {"mobilebert", "MobileBertTokenizer"}, {"mpnet", "MPNetTokenizer"}, {"mt5", "MT5Tokenizer"},
    {"openai-gpt", "OpenAIGPTTokenizer"}, {"opt", "GPT2Tokenizer"}, {"pegasus", "PegasusTokenizer"}, {"phi", "CodeGenTokenizer"},
    {"phi3", "LlamaTokenizer"}, {"qwen2", "Qwen2Tokenizer"}, {"qwen2_moe", "Qwen2Tokenizer"}, {"qwen3", "Qwen2Tokenizer"},
    {"qwen3_moe", "Qwen2Tokenizer"}, {"rembert", "RemBertTokenizer"}, {"roberta", "RobertaTokenizer"},
    {"roberta-prelayernorm", "RobertaTokenizer"}, {"roformer", "RoFormerTokenizer"}, {"splinter", "SplinterTokenizer"},
    {"squeezebert", "SqueezeBertTokenizer"}, {"t5", "T5Tokenizer"}, {"umt5", "T5Tokenizer"}, {"whisper", "WhisperTokenizer"},
    {"xglm", "XGLMTokenizer"}, {"xlm-roberta", "XLMRobertaTokenizer"}, {"xlm-roberta-xl", "XLMRobertaTokenizer"}, {"xlnet", "XLNetTokenizer"},
    {"xmod", "XLMRobertaTokenizer"},
};

}  // namespace

const TokenizerClass& tokenizer_class(std::string_view name) {
  if (name.ends_with("Fast")) name.remove_suffix(4);
  for (const TokenizerClass& known : kClasses) {
    if (known.name == name) return known;
  }
  return kClasses[0];
}

std::string_view tokenizer_class_of_model(std::string_view model_type) {
  for (const auto& [type, name] : kModels) {
    if (type == model_type) return name;
  }
  return {};
}

}  // namespace polymath
