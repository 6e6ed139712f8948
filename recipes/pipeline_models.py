"""The checkpoints with tokenizers that the pipeline goldens run on: class, config, tokenizer, tasks, odd details."""

from dataclasses import dataclass, field

from tokenizers import AddedToken

import golden_tokenizers as tok


@dataclass
class Checkpoint:
    name: str
    cls: str
    tokenizer: object  # a function of golden_tokenizers
    tasks: list
    config: dict = field(default_factory=dict)
    tokenizer_args: dict = field(default_factory=dict)
    added: list = field(default_factory=list)  # tokens put on top of the trained vocabulary
    drop: tuple = ()  # files to delete: older folders have no tokenizer.json
    tokenizer_config: dict = field(default_factory=dict)  # edits of tokenizer_config.json; None removes a field
    config_json: dict = field(default_factory=dict)  # edits of config.json
    # generation_config.json: what save_pretrained writes, or these fields, or (None) no file
    generation: object = "saved"


def bert(**more):
    return dict(hidden_size=18, num_attention_heads=3, intermediate_size=30, num_hidden_layers=2,
                max_position_embeddings=130, layer_norm_eps=1e-5) | more


def roberta(**more):
    return bert(max_position_embeddings=132, type_vocab_size=1) | more


def distil(**more):
    return dict(dim=18, n_heads=3, hidden_dim=30, n_layers=2, max_position_embeddings=130) | more


def small_embeddings(**more):
    return bert(embedding_size=14) | more


def deberta(**more):
    return bert(relative_attention=True, position_buckets=16, max_relative_positions=-1, norm_rel_ebd="layer_norm",
                share_att_key=True, pos_att_type=["p2c", "c2p"], position_biased_input=False, type_vocab_size=0) | more


def modern(**more):
    return dict(hidden_size=18, num_attention_heads=3, intermediate_size=30, num_hidden_layers=3, local_attention=10,
                max_position_embeddings=200, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2,
                attn_implementation="sdpa", reference_compile=False) | more


def decoder(**more):
    return dict(hidden_size=24, num_attention_heads=4, num_key_value_heads=2, head_dim=8, intermediate_size=30,
                num_hidden_layers=2, max_position_embeddings=400, bos_token_id=1, eos_token_id=2, pad_token_id=None) | more


def encdec(**more):
    return dict(d_model=24, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=3,
                encoder_ffn_dim=30, decoder_ffn_dim=28, max_position_embeddings=200) | more


def t5(**more):
    return dict(d_model=24, d_kv=6, d_ff=30, num_layers=2, num_heads=4, decoder_start_token_id=0) | more


def bart(**more):
    return dict(d_model=16, encoder_layers=1, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=2, encoder_ffn_dim=24,
                decoder_ffn_dim=20, max_position_embeddings=130) | more


def labels(*names):
    return dict(id2label=dict(enumerate(names)), label2id={name: i for i, name in enumerate(names)})


NER = labels("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG")
POS = labels("NOUN", "VERB", "ADJ", "DET", "PRON-X", "PUNCT")
FEATURE, FILL, NER_TASK, QA = ["feature-extraction"], ["fill-mask"], ["token-classification"], ["question-answering"]
TEXT, ZERO = ["text-classification"], ["zero-shot-classification"]
WRITE, TRANSLATE, SUM, T2T = ["text-generation"], ["translation"], ["summarization"], ["text2text-generation"]

# With tied embeddings a small random decoder repeats itself unless it is forbidden.
MBART = dict(no_repeat_ngram_size=1, bos_token_id=0, eos_token_id=2, pad_token_id=1, forced_eos_token_id=2)

CHATML = ("{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
          "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")

ADDED = ["lovely film", AddedToken("met", single_word=True, normalized=False),
         AddedToken("😀", lstrip=True, rstrip=True), AddedToken("<ent>", special=True)]

CHECKPOINTS = [
    # base models
    Checkpoint("feature-bert-uncased", "BertModel", tok.bert_uncased, FEATURE, bert(), dict(model_max_length=40)),
    Checkpoint("feature-modernbert", "ModernBertModel", tok.modernbert, FEATURE, modern()),
    Checkpoint("feature-mpnet", "MPNetModel", tok.mpnet, FEATURE, roberta(pad_token_id=2, type_vocab_size=None),
               tokenizer_config=dict(do_lower_case=False)),
    Checkpoint("feature-albert", "AlbertModel", tok.albert, FEATURE, small_embeddings(), dict(model_max_length=64)),
    Checkpoint("feature-bart", "BartModel", tok.bart, FEATURE, bart(), dict(model_max_length=50)),
    # masked language models
    Checkpoint("fill-bart", "BartForConditionalGeneration", tok.bart, FILL, bart()),
    Checkpoint("fill-bert-uncased", "BertForMaskedLM", tok.bert_uncased, FILL + FEATURE, bert(),
               dict(model_max_length=48)),
    Checkpoint("fill-roberta", "RobertaForMaskedLM", tok.roberta, FILL, roberta()),
    Checkpoint("fill-xlm-roberta", "XLMRobertaForMaskedLM", tok.xlm_roberta, FILL, roberta(),
               dict(model_max_length=64)),
    Checkpoint("fill-albert", "AlbertForMaskedLM", tok.albert, FILL, small_embeddings()),
    Checkpoint("fill-modernbert", "ModernBertForMaskedLM", tok.modernbert, FILL, modern(), dict(truncation_side="left")),
    Checkpoint("fill-mpnet", "MPNetForMaskedLM", tok.mpnet, FILL, roberta(pad_token_id=2, type_vocab_size=None)),
    Checkpoint("fill-camembert-spm", "CamembertForMaskedLM", tok.camembert, FILL, roberta(), dict(fast=False)),
    # token classification
    Checkpoint("ner-bert-cased", "BertForTokenClassification", tok.bert_cased, NER_TASK, bert() | NER,
               dict(model_max_length=32)),
    Checkpoint("ner-roberta", "RobertaForTokenClassification", tok.roberta, NER_TASK, roberta() | NER,
               dict(model_max_length=40, add_prefix_space=True)),
    Checkpoint("ner-roberta-no-space", "RobertaForTokenClassification", tok.roberta, NER_TASK, roberta() | NER,
               dict(model_max_length=30), drop=("vocab.json", "merges.txt")),
    Checkpoint("ner-xlm-roberta", "XLMRobertaForTokenClassification", tok.xlm_roberta_nmt, NER_TASK, roberta() | NER,
               dict(model_max_length=32), drop=("sentencepiece.bpe.model",)),
    Checkpoint("ner-deberta", "DebertaV2ForTokenClassification", tok.deberta_v2, NER_TASK, deberta() | NER),
    Checkpoint("ner-electra-left", "ElectraForTokenClassification", tok.electra, NER_TASK, small_embeddings() | NER,
               dict(model_max_length=24, padding_side="left")),
    Checkpoint("pos-distilbert", "DistilBertForTokenClassification", tok.distilbert, NER_TASK, distil() | POS,
               dict(model_max_length=64), drop=("tokenizer.json",)),
    # question answering
    Checkpoint("qa-bert-uncased", "BertForQuestionAnswering", tok.bert_uncased, QA, bert(), dict(model_max_length=64)),
    Checkpoint("qa-bart", "BartForQuestionAnswering", tok.bart, QA, bart(), dict(model_max_length=72)),
    Checkpoint("qa-roberta", "RobertaForQuestionAnswering", tok.roberta, QA, roberta(), dict(model_max_length=72)),
    Checkpoint("qa-deberta-left", "DebertaV2ForQuestionAnswering", tok.deberta_v2, QA, deberta(),
               dict(model_max_length=56, padding_side="left")),
    Checkpoint("qa-distilbert", "DistilBertForQuestionAnswering", tok.distilbert, QA, distil(),
               dict(model_max_length=128)),
    Checkpoint("qa-xlm-roberta", "XLMRobertaForQuestionAnswering", tok.xlm_roberta, QA, roberta(),
               dict(model_max_length=80)),
    # text classification
    Checkpoint("sentiment-distilbert", "DistilBertForSequenceClassification", tok.distilbert, TEXT,
               distil(**labels("NEGATIVE", "POSITIVE")), dict(model_max_length=60)),
    Checkpoint("sentiment-electra-five", "ElectraForSequenceClassification", tok.electra, TEXT,
               small_embeddings(**labels("1 star", "2 stars", "3 stars", "4 stars", "5 stars")), added=ADDED),
    Checkpoint("sentiment-electra-vocab", "ElectraForSequenceClassification", tok.electra, TEXT,
               small_embeddings(vocab_size=420, **labels("bad", "good")), drop=("tokenizer.json",),
               tokenizer_config=dict(sep_token="<other>", added_tokens_decoder=None)),
    Checkpoint("regression-bert", "BertForSequenceClassification", tok.bert_cased, TEXT,
               bert(num_labels=1, problem_type="regression")),
    Checkpoint("single-output-albert", "AlbertForSequenceClassification", tok.albert, TEXT,
               small_embeddings(num_labels=1), tokenizer_config=dict(model_input_names=["input_ids"])),
    Checkpoint("multi-label-roberta", "RobertaForSequenceClassification", tok.roberta, TEXT,
               roberta(problem_type="multi_label_classification", **labels("joy", "anger", "fear", "surprise")),
               tokenizer_config=dict(add_prefix_space=True)),
    Checkpoint("all-scores-modernbert", "ModernBertForSequenceClassification", tok.modernbert, TEXT,
               modern(return_all_scores=True, classifier_pooling="mean", num_labels=3)),
    # entailment
    Checkpoint("nli-roberta", "RobertaForSequenceClassification", tok.roberta, ZERO,
               roberta(**labels("CONTRADICTION", "NEUTRAL", "ENTAILMENT")), dict(model_max_length=48),
               drop=("tokenizer.json",)),
    Checkpoint("nli-bart", "BartForSequenceClassification", tok.bart, ZERO + TEXT,
               bart(**labels("contradiction", "neutral", "entailment")), dict(model_max_length=60)),
    Checkpoint("nli-deberta-first", "DebertaV2ForSequenceClassification", tok.deberta_v2, ZERO + TEXT,
               deberta(**labels("entailment", "neutral", "contradiction")), dict(model_max_length=60)),
    Checkpoint("nli-bert-two", "BertForSequenceClassification", tok.bert_uncased, ZERO,
               bert(**labels("not_entailment", "Entailed"))),
    Checkpoint("nli-distilbert-nameless", "DistilBertForSequenceClassification", tok.distilbert, ZERO,
               distil(num_labels=3), dict(model_max_length=44, truncation_side="left")),
    # decoders
    Checkpoint("write-llama", "LlamaForCausalLM", tok.llama, WRITE, decoder(), dict(model_max_length=300),
               generation=dict(bos_token_id=1, eos_token_id=2)),
    Checkpoint("write-qwen2", "Qwen2ForCausalLM", tok.qwen2, WRITE, decoder(num_key_value_heads=4, head_dim=None),
               dict(chat_template=CHATML), generation=dict(
                   bos_token_id=5, pad_token_id=0, eos_token_id=[9, 30, 411], do_sample=True, repetition_penalty=1.1,
                   temperature=0.7, top_p=0.8, top_k=20)),
    Checkpoint("write-mistral-legacy", "MistralForCausalLM", tok.llama, WRITE,
               decoder(sliding_window=8), dict(model_max_length=60), generation=None,
               config_json=dict(num_beams=3, max_length=40, no_repeat_ngram_size=3, pad_token_id=0,
                                task_specific_params={"text-generation": {"do_sample": False, "max_length": 35}})),
    Checkpoint("write-gpt2", "GPT2LMHeadModel", tok.gpt2, WRITE,
               dict(n_embd=24, n_layer=2, n_head=4, n_positions=300, pad_token_id=None), generation=None,
               config_json=dict(prefix="Well, ", task_specific_params={"text-generation": {"do_sample": False, "top_k": 5}})),
    Checkpoint("write-gemma2", "Gemma2ForCausalLM", tok.llama, WRITE,
               # pipeline() of 4.57.6 loads with an attention that leaves soft-capping out
               decoder(sliding_window=9, query_pre_attn_scalar=10, pad_token_id=0, attn_logit_softcapping=10000.0), dict(model_max_length=200, padding_side="left")),
    Checkpoint("write-bloom", "BloomForCausalLM", tok.qwen2, WRITE, dict(hidden_size=24, n_layer=2, n_head=4),
               dict(chat_template=CHATML, padding_side="left")),
    # encoder-decoders
    Checkpoint("t2t-t5", "T5ForConditionalGeneration", tok.t5, T2T + TRANSLATE + ["translation_en_to_de"],
               t5(feed_forward_proj="gated-gelu", tie_word_embeddings=False), dict(model_max_length=60),
               config_json=dict(task_specific_params={
                   "translation_en_to_de": {"prefix": "translate English to German: ", "max_length": 22, "num_beams": 2, "early_stopping": True},
                   "translation_en_to_fr": {"prefix": "translate English to French: ", "max_length": 30}})),
    Checkpoint("translate-nllb", "M2M100ForConditionalGeneration", tok.nllb, TRANSLATE, encdec(),
               generation=dict(no_repeat_ngram_size=1, max_length=200, eos_token_id=2, pad_token_id=1, bos_token_id=0, decoder_start_token_id=2)),
    Checkpoint("sum-bart", "BartForConditionalGeneration", tok.bart, SUM + T2T,
               encdec(task_specific_params={"summarization": {
                   "length_penalty": 2.0, "max_length": 40, "min_length": 6, "num_beams": 3, "early_stopping": True,
                   "no_repeat_ngram_size": 3, "prefix": "short: "}}), dict(model_max_length=100)),
    Checkpoint("sum-pegasus", "PegasusForConditionalGeneration", tok.pegasus, SUM,
               encdec(), dict(model_max_length=120),
               generation=dict(num_beams=8, length_penalty=0.8, max_length=32, eos_token_id=[1, 40], pad_token_id=0,
                               decoder_start_token_id=0)),
    Checkpoint("translate-marian", "MarianMTModel", tok.marian, TRANSLATE + ["translation_en_to_fr"],
               encdec(static_position_embeddings=True, scale_embedding=True, max_position_embeddings=300,
                      eos_token_id=0, forced_eos_token_id=0), dict(model_max_length=128), generation="marian"),
    Checkpoint("translate-m2m100", "M2M100ForConditionalGeneration", tok.m2m100, TRANSLATE + ["translation_en_to_fr"],
               encdec(vocab_size=560), generation=dict(no_repeat_ngram_size=1, num_beams=5, max_length=200, early_stopping=True, eos_token_id=2, pad_token_id=1,
                                         bos_token_id=0, decoder_start_token_id=2)),
    Checkpoint("translate-mbart", "MBartForConditionalGeneration", tok.mbart, TRANSLATE, encdec(), generation=MBART),
    Checkpoint("translate-mbart50", "MBartForConditionalGeneration", tok.mbart50, TRANSLATE,
               encdec(normalize_before=True), generation=MBART),
    # tokenizers of older folders, and a tokenizer_config.json that overrules tokenizer.json
    Checkpoint("sentiment-bert-overruled", "BertForSequenceClassification", tok.bert_uncased, TEXT,
               bert(**labels("bad", "good")),
               tokenizer_config=dict(do_lower_case=False, strip_accents=False, tokenize_chinese_chars=False)),
    Checkpoint("sentiment-albert-spm", "AlbertForSequenceClassification", tok.albert, TEXT,
               small_embeddings(**labels("bad", "good")), dict(fast=False, model_max_length=50)),
    Checkpoint("ner-deberta-spm", "DebertaV2ForTokenClassification", tok.deberta_v2, NER_TASK, deberta() | NER,
               dict(fast=False, model_max_length=36)),
    Checkpoint("qa-bert-vocab", "BertForQuestionAnswering", tok.bert_cased, QA, bert(),
               dict(model_max_length=70, strip_accents=True), added=ADDED[:3], drop=("tokenizer.json",)),
]
