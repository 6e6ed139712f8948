"""The forward goldens: which classes, which configs, and which config swaps have to move each one's output."""

from dataclasses import dataclass, field

HEADS = ["Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering"]


@dataclass
class Family:
    prefix: str  # of the class names
    config: dict  # a tiny config with sizes that are no multiples of 16
    swaps: dict  # config fields that change the arithmetic without changing a tensor's shape
    longest: int = 23
    segments: int = 0
    positions: int | None = None
    small: dict = field(default_factory=lambda: {"hidden_size": 20, "num_attention_heads": 4, "intermediate_size": 28})
    heads: list = field(default_factory=lambda: HEADS)
    targets: str = ""  # of an encoder-decoder: decoder_input_ids are "given", or "derived" where they are missing

    @property
    def tiny(self):
        """For variants, where the field counts and not the sizes."""
        if self.prefix in ("Albert", "ModernBert"):  # too badly conditioned when smaller
            return self.small
        sizes = dict(hidden_size=12, num_attention_heads=3, intermediate_size=20, dim=12, n_heads=3, hidden_dim=20,
                     embedding_size=8)
        return {k: sizes.get(k, v) for k, v in self.small.items()}


@dataclass
class Spec:
    name: str
    family: str
    cls: str
    config: dict = field(default_factory=dict)  # on top of the family's
    swaps: dict = field(default_factory=dict)  # on top of the family's; None drops one
    full: bool = False
    major: int = 5  # the Transformers that records it
    longest: int | None = None
    own_head: bool = False  # the checkpoint's lm_head is another one than the table that Transformers ties it to
    idle: tuple = ()  # parts of names of tensors, inputs and fields that cannot matter here


_SIZES = dict(vocab_size=67, hidden_size=36, num_attention_heads=4, intermediate_size=52, num_hidden_layers=2)
_BERT = dict(_SIZES, max_position_embeddings=40, type_vocab_size=2, pad_token_id=0, layer_norm_eps=4e-3)
_BERT_SWAPS = dict(hidden_act="relu", layer_norm_eps=1e-12, num_attention_heads=2, num_hidden_layers=1)
_ROBERTA = dict(_BERT, type_vocab_size=1, pad_token_id=1, max_position_embeddings=43, bos_token_id=0, eos_token_id=2)
_ROBERTA_SWAPS = dict(_BERT_SWAPS, pad_token_id=3)
_DEBERTA = dict(_SIZES, type_vocab_size=0, pad_token_id=0, layer_norm_eps=4e-3, max_position_embeddings=40,
                relative_attention=True, max_relative_positions=-1, position_buckets=8, norm_rel_ebd="layer_norm",
                share_att_key=True, pos_att_type=["p2c", "c2p"], position_biased_input=False,
                legacy=True)
_DEBERTA_SWAPS = dict(_BERT_SWAPS, norm_rel_ebd="none", pos_att_type=["c2p"], max_relative_positions=15)
_MODERN = dict(vocab_size=67, hidden_size=40, num_attention_heads=4, intermediate_size=52, num_hidden_layers=4,
               max_position_embeddings=64, norm_eps=4e-3, pad_token_id=3, bos_token_id=0, eos_token_id=1,
               cls_token_id=0, sep_token_id=1, local_attention=8,
               layer_types=["full_attention", "sliding_attention", "sliding_attention", "full_attention"],
               rope_parameters={"full_attention": {"rope_type": "default", "rope_theta": 5000.0},
                                "sliding_attention": {"rope_type": "default", "rope_theta": 100.0}})
_MODERN_SWAPS = dict(hidden_activation="relu", norm_eps=1e-12, num_attention_heads=2, num_hidden_layers=2,
                     local_attention=4, layer_types=["sliding_attention"] * 4,
                     rope_parameters={"full_attention": {"rope_type": "default", "rope_theta": 160000.0},
                                      "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}})

_LLAMA = dict(vocab_size=67, hidden_size=36, num_attention_heads=6, num_key_value_heads=2, head_dim=6, intermediate_size=52, num_hidden_layers=3,
              max_position_embeddings=64, rms_norm_eps=4e-3, pad_token_id=3, bos_token_id=0, eos_token_id=1, tie_word_embeddings=False,
              rope_parameters={"rope_type": "default", "rope_theta": 500.0})
_LLAMA_SWAPS = dict(hidden_act="relu", rms_norm_eps=1e-12, num_hidden_layers=1, rope_parameters={"rope_type": "default", "rope_theta": 10000.0})
_DECODER_HEADS = ["Model", "ForCausalLM", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering"]


def _decoder(prefix, config=None, swaps=None):
    return Family(prefix, _LLAMA | (config or {}), _LLAMA_SWAPS | (swaps or {}), longest=37, positions=0,
                  small=dict(hidden_size=24, num_attention_heads=4, num_key_value_heads=2, head_dim=8, intermediate_size=28), heads=_DECODER_HEADS)


_SEQ2SEQ = dict(vocab_size=67, d_model=20, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=5,
                encoder_ffn_dim=36, decoder_ffn_dim=28, max_position_embeddings=40, pad_token_id=1, bos_token_id=0, eos_token_id=2,
                decoder_start_token_id=2)
_SEQ2SEQ_SWAPS = dict(activation_function="relu", encoder_attention_heads=2, decoder_attention_heads=2, encoder_layers=1, decoder_layers=1,
                      scale_embedding=True)
_SEQ2SEQ_SMALL = dict(d_model=12, encoder_attention_heads=3, decoder_attention_heads=4, encoder_ffn_dim=20, decoder_ffn_dim=16)


def _seq2seq_family(prefix, heads, targets, config=None, swaps=None):
    return Family(prefix, _SEQ2SEQ | (config or {}), _SEQ2SEQ_SWAPS | (swaps or {}), small=_SEQ2SEQ_SMALL, heads=heads, targets=targets)


_T5 = dict(vocab_size=67, d_model=20, d_kv=6, d_ff=28, num_layers=2, num_decoder_layers=3, num_heads=3, relative_attention_num_buckets=8,
           relative_attention_max_distance=20, layer_norm_epsilon=4e-3, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0)
_T5_HEADS = ["Model", "ForConditionalGeneration", "EncoderModel", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering"]


def _t5_family(prefix, config=None, heads=_T5_HEADS):
    return Family(prefix, _T5 | (config or {}), dict(dense_act_fn="silu", num_layers=1, num_decoder_layers=1, relative_attention_max_distance=9, layer_norm_epsilon=1e-12),
                  small=dict(d_model=12, d_kv=5, d_ff=16, num_heads=2, num_decoder_layers=2), heads=heads, targets="given")


FAMILIES = {
    "bart": _seq2seq_family("Bart", ["Model", "ForConditionalGeneration", "ForSequenceClassification", "ForQuestionAnswering"], "derived",
                            swaps=dict(decoder_start_token_id=5)),
    "m2m_100": _seq2seq_family("M2M100", ["Model", "ForConditionalGeneration"], "given", dict(scale_embedding=True), dict(
        activation_function="gelu", scale_embedding=False, pad_token_id=6)),
    "marian": _seq2seq_family("Marian", ["Model", "MTModel"], "given", dict(activation_function="swish")),
    "mbart": _seq2seq_family("MBart", ["Model", "ForConditionalGeneration", "ForSequenceClassification", "ForQuestionAnswering"], "derived"),
    "mt5": _t5_family("MT5", dict(feed_forward_proj="gated-gelu", num_decoder_layers=2), _T5_HEADS[:2]),
    "pegasus": _seq2seq_family("Pegasus", ["Model", "ForConditionalGeneration"], "given"),
    "llama": _decoder("Llama"),
    "mistral": _decoder("Mistral", dict(sliding_window=7), dict(sliding_window=4)),
    "qwen2": _decoder("Qwen2", dict(use_sliding_window=True, sliding_window=7, max_window_layers=1,
                                    layer_types=["full_attention", "sliding_attention", "sliding_attention"]), dict(sliding_window=4)),
    "qwen3": _decoder("Qwen3"),
    "t5": _t5_family("T5"),
    "bert": Family("Bert", _BERT, _BERT_SWAPS, segments=2, positions=0),
    "roberta": Family("Roberta", _ROBERTA, _ROBERTA_SWAPS, segments=1, positions=2),
    "xlm-roberta": Family("XLMRoberta", dict(_ROBERTA, num_attention_heads=3),
                          dict(_ROBERTA_SWAPS, num_attention_heads=4), segments=1, positions=2),
    "camembert": Family("Camembert", dict(_ROBERTA, pad_token_id=4), dict(_ROBERTA_SWAPS, pad_token_id=1),
                        segments=1, positions=5, longest=21),
    "distilbert": Family("DistilBert",
                         dict(vocab_size=67, dim=36, n_heads=3, hidden_dim=52, n_layers=2, max_position_embeddings=40,
                              pad_token_id=0),
                         dict(activation="relu", n_heads=4, n_layers=1), positions=0,
                         small=dict(dim=20, n_heads=4, hidden_dim=28, n_layers=2)),
    "electra": Family("Electra", dict(_BERT, embedding_size=20), _BERT_SWAPS, segments=2, positions=0,
                      small=dict(embedding_size=12, hidden_size=20, num_attention_heads=4, intermediate_size=28)),
    "albert": Family("Albert", dict(_BERT, embedding_size=20, hidden_act="gelu_new", num_hidden_layers=4),
                     dict(_BERT_SWAPS, num_hidden_layers=3), segments=2, positions=0,
                     small=dict(embedding_size=12, hidden_size=20, num_attention_heads=4, intermediate_size=28)),
    "mpnet": Family("MPNet", {k: v for k, v in _ROBERTA.items() if k != "type_vocab_size"},
                    {k: v for k, v in _ROBERTA_SWAPS.items() if k not in ("pad_token_id", "num_attention_heads")},
                    longest=38, positions=2),
    "deberta-v2": Family("DebertaV2", _DEBERTA, _DEBERTA_SWAPS, longest=37),
    "modernbert": Family("ModernBert", _MODERN, _MODERN_SWAPS, longest=37, positions=0,
                         small=dict(hidden_size=24, num_attention_heads=4, intermediate_size=28),
                         heads=HEADS),
}

_ENTITIES = {"id2label": {str(i): s for i, s in enumerate(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"])},
             "label2id": {s: i for i, s in enumerate(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"])}}
_LABELS = {"ForTokenClassification": _ENTITIES, "ForSequenceClassification": {"num_labels": 2}}


def _heads():
    """Every family in every head; bases at full size with all cases, heads smaller with the main cases."""
    for kind, family in FAMILIES.items():
        for head in family.heads if not family.targets else []:
            extra = dict(_LABELS.get(head, {}))
            if head != "Model":
                extra |= {"num_hidden_layers": 2} | family.small
                if kind == "distilbert":
                    extra.pop("num_hidden_layers")
                if kind == "qwen2":
                    extra["layer_types"] = ["full_attention", "sliding_attention"]
                if kind == "modernbert":
                    extra["layer_types"] = ["sliding_attention", "full_attention"]
                    if head == "ForQuestionAnswering":
                        extra["intermediate_size"] = 20  # with 28, one token's only logit happens to be almost 0
            swaps = {}
            if kind == "modernbert" and head != "Model":
                swaps = {"classifier_activation": "relu", "layer_types": ["full_attention"] * 2, "num_hidden_layers": 1}
            if kind == "deberta-v2" and head == "ForSequenceClassification":
                swaps = {"pooler_hidden_act": "relu"}
            short = "Base" if head == "Model" else head.removeprefix("For")
            yield Spec(f"{kind}-{short}", kind, family.prefix + head, extra, swaps, full=head == "Model")
    small = {"num_hidden_layers": 2}
    yield Spec("bert-PreTraining", "bert", "BertForPreTraining", small | FAMILIES["bert"].small)
    yield Spec("bert-NextSentencePrediction", "bert", "BertForNextSentencePrediction", small | FAMILIES["bert"].small)
    yield Spec("electra-PreTraining", "electra", "ElectraForPreTraining", small | FAMILIES["electra"].small)
    yield Spec("albert-PreTraining", "albert", "AlbertForPreTraining", small | FAMILIES["albert"].small)


_ONE_LAYER = dict(hidden_size=12, num_attention_heads=3, intermediate_size=20, num_hidden_layers=1, vocab_size=40,
                  max_position_embeddings=25)
_ACTIVATIONS = ["gelu_new", "relu", "silu", "gelu_pytorch_tanh", "tanh", "quick_gelu", "gelu_fast", "sigmoid", "relu6",
                "mish", "linear", "leaky_relu", "swish", "gelu_python", "gelu_accurate", "laplace", "relu2", "gelu_10"]


def _variants():
    for act in _ACTIVATIONS:
        yield Spec(f"bert-act-{act}", "bert", "BertModel", dict(_ONE_LAYER, hidden_act=act),
                   dict(hidden_act="silu" if "relu" in act else "relu", num_hidden_layers=0, num_attention_heads=2))
    sc, tc = "ForSequenceClassification", "ForTokenClassification"
    tiny = {"num_hidden_layers": 2} | FAMILIES["bert"].tiny
    yield Spec("bert-one-label", "bert", "Bert" + sc, tiny | dict(num_labels=1, problem_type="regression"))
    yield Spec("bert-five-labels", "bert", "Bert" + sc,
               tiny | dict(num_labels=5, problem_type="multi_label_classification"))
    yield Spec("bert-default-eps", "bert", "BertModel", tiny | dict(layer_norm_eps=1e-12), dict(layer_norm_eps=1e-2))
    yield Spec("bert-three-segments", "bert", "BertModel", tiny | dict(type_vocab_size=3))
    untied = tiny | dict(tie_word_embeddings=False)
    yield Spec("bert-untied", "bert", "BertForMaskedLM", untied, idle=("predictions.bias",))
    yield Spec("roberta-untied", "roberta", "RobertaForMaskedLM", untied, idle=("lm_head.bias",))
    for kind, cls in [("bert", "BertModel"), ("roberta", "RobertaModel"), ("electra", "ElectraModel"),
                      ("albert", "AlbertModel"), ("bert", "BertForMaskedLM")]:
        for how in ["relative_key", "relative_key_query"]:
            part = "" if cls.endswith("Model") else "-MaskedLM"
            yield Spec(f"{kind}-{how}{part}", kind, cls,
                       FAMILIES[kind].tiny | dict(num_hidden_layers=2, position_embedding_type=how),
                       dict(num_attention_heads=None,
                            position_embedding_type="relative_key" if how.endswith("query") else "relative_key_query"),
                       full=not part, major=4, idle=("position_ids", "position_embeddings", "pad_token_id"))
    yield Spec("roberta-pad-0", "roberta", "RobertaModel", tiny | dict(pad_token_id=0, type_vocab_size=2),
               dict(pad_token_id=1), full=True)
    yield Spec("roberta-pad-9", "roberta", "RobertaModel", tiny | dict(pad_token_id=9, max_position_embeddings=50),
               full=True)
    yield Spec("distilbert-sinusoidal", "distilbert", "DistilBertModel",
               FAMILIES["distilbert"].tiny | dict(sinusoidal_pos_embds=True), full=True)
    yield Spec("distilbert-relu", "distilbert", "DistilBertModel",
               FAMILIES["distilbert"].tiny | dict(activation="relu"), dict(activation="gelu"))
    yield Spec("electra-equal-sizes", "electra", "ElectraModel", tiny | dict(embedding_size=12))
    small = FAMILIES["albert"].tiny
    yield Spec("albert-groups", "albert", "AlbertModel", small | dict(num_hidden_layers=6, num_hidden_groups=3),
               dict(num_hidden_layers=3), full=True)
    yield Spec("albert-inner", "albert", "AlbertModel", small | dict(num_hidden_layers=3, inner_group_num=2),
               dict(inner_group_num=1, num_hidden_layers=2))
    yield Spec("albert-groups-inner", "albert", "AlbertForMaskedLM",
               small | dict(num_hidden_layers=3, num_hidden_groups=2, inner_group_num=2),
               dict(num_hidden_layers=2, inner_group_num=1))
    yield Spec("mpnet-buckets", "mpnet", "MPNetModel", tiny | dict(relative_attention_num_buckets=40), longest=39)
    yield Spec("mpnet-pad-0", "mpnet", "MPNetModel", tiny | dict(pad_token_id=0, max_position_embeddings=150),
               longest=141, full=True)  # MPNet's positions take 1 for the pad, whatever the config says


def _deberta():
    small, model = dict(num_hidden_layers=2) | FAMILIES["deberta-v2"].tiny, "DebertaV2Model"

    def spec(name, config, swaps=None, cls=model, **more):
        return Spec(f"deberta-v2-{name}", "deberta-v2", cls, small | config, swaps or {}, **more)

    both = ["c2p", "p2c"]
    yield spec("v2", dict(conv_kernel_size=3, conv_act="gelu", norm_rel_ebd="layer_norm", share_att_key=True,
                          position_buckets=6, max_relative_positions=20), dict(conv_act="tanh"), full=True)
    yield spec("conv-5-groups", dict(conv_kernel_size=5, conv_groups=2), dict(conv_act="gelu"))
    yield spec("own-projections", dict(share_att_key=False, pos_att_type=both), full=True)
    yield spec("c2p", dict(share_att_key=False, pos_att_type=["c2p"]), dict(pos_att_type=[]),
               idle=("encoder.LayerNorm.bias",))
    yield spec("p2c", dict(share_att_key=False, pos_att_type=["p2c"]), dict(pos_att_type=[]))
    yield spec("p2c-shared", dict(pos_att_type=["p2c"]))
    yield spec("no-position-attention", dict(pos_att_type=[]),
               dict(norm_rel_ebd=None, max_relative_positions=None), idle=("encoder.LayerNorm", "rel_embeddings"))
    yield spec("absolute", dict(relative_attention=False, position_biased_input=True, pos_att_type=None,
                                norm_rel_ebd="none"),
               dict(norm_rel_ebd=None, max_relative_positions=None, pos_att_type=None), full=True)
    yield spec("biased-input", dict(position_biased_input=True), full=True)
    yield spec("no-buckets", dict(position_buckets=-1, max_relative_positions=12), dict(max_relative_positions=None),
               full=True)
    yield spec("no-buckets-no-limit", dict(position_buckets=-1, max_relative_positions=-1),
               dict(max_relative_positions=None))
    yield spec("no-rel-norm", dict(norm_rel_ebd="none"), dict(norm_rel_ebd=None))
    yield spec("segments", dict(type_vocab_size=2), full=True)
    yield spec("embedding-size", dict(embedding_size=8), cls=model)
    yield spec("type-as-string", dict(pos_att_type="p2c|c2p"), cls="DebertaV2ForTokenClassification")
    yield spec("new-mlm-head", dict(legacy=False), cls="DebertaV2ForMaskedLM")
    yield spec("pooler", dict(pooler_hidden_act="tanh", num_labels=3), dict(pooler_hidden_act="gelu"),
               cls="DebertaV2ForSequenceClassification")


def _modern():
    small = FAMILIES["modernbert"].tiny
    two = dict(num_hidden_layers=2, layer_types=["sliding_attention", "full_attention"])
    swaps = dict(layer_types=["full_attention"] * 2, num_hidden_layers=1)

    def spec(name, config, more=None, cls="ModernBertModel", **kw):
        return Spec(f"modernbert-{name}", "modernbert", cls, small | two | config, swaps | (more or {}), **kw)

    biases = dict(norm_bias=True, attention_bias=True, mlp_bias=True, classifier_bias=True)
    yield spec("biases", biases, full=True)
    yield spec("mean", dict(classifier_pooling="mean", num_labels=3),
               dict(classifier_pooling="cls"), "ModernBertForSequenceClassification")
    yield spec("head-biases", biases | dict(classifier_activation="silu", classifier_pooling="mean"),
               dict(classifier_pooling="cls", classifier_activation="gelu"), "ModernBertForSequenceClassification")
    yield spec("no-decoder-bias", dict(decoder_bias=False, classifier_bias=True, hidden_activation="silu"), {},
               "ModernBertForMaskedLM")
    yield spec("untied", dict(tie_word_embeddings=False), {}, "ModernBertForMaskedLM")
    yield spec("odd-window", dict(local_attention=7))
    ropes = _MODERN["rope_parameters"]
    scaled = {k: v | dict(rope_type="linear", factor=3.0) for k, v in ropes.items()}
    yield spec("rope-linear", dict(rope_parameters=scaled))
    yarn = {k: v | dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16) for k, v in ropes.items()}
    yield spec("rope-yarn", dict(rope_parameters=yarn))


def _llama():
    def spec(name, config, more=None, cls="LlamaForCausalLM", kind="llama", **kw):
        return Spec(f"{kind}-{name}", kind, cls, FAMILIES[kind].small | dict(num_hidden_layers=2) | config, more or {}, **kw)

    rope = dict(rope_theta=500.0)
    yield spec("rope-linear", dict(rope_parameters=rope | dict(rope_type="linear", factor=3.0)), {})
    yield spec("rope-llama3", dict(rope_parameters=rope | dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                                               original_max_position_embeddings=32)), {})
    yield spec("rope-yarn", dict(rope_parameters=rope | dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16)), {})
    yield spec("biases", dict(attention_bias=True, mlp_bias=True), {}, full=True)
    yield spec("tied", dict(tie_word_embeddings=True), {})
    yield spec("one-kv-head", dict(num_key_value_heads=1, head_dim=10), {})
    yield spec("many-kv-heads", dict(num_key_value_heads=4), {})
    yield spec("no-window", dict(sliding_window=None), dict(sliding_window=5), "MistralForCausalLM", "mistral")
    yield spec("no-window", dict(use_sliding_window=False, layer_types=["full_attention"] * 2), dict(sliding_window=None), "Qwen2ForCausalLM", "qwen2")


def _seq2seq():
    """Encoder-decoders: a key's bias is idle in all of them."""
    def spec(name, kind, cls, config=None, swaps=None, idle=(), **kw):
        return Spec(f"{kind}-{name}", kind, FAMILIES[kind].prefix + cls, FAMILIES[kind].small | (config or {}), swaps or {}, idle=("k_proj.bias", *idle), **kw)

    for kind, family in FAMILIES.items():
        for head in family.heads if family.targets else []:
            name = "Base" if head == "Model" else head.removeprefix("For")
            sizes = {"d_model": 20} | family.config if head == "Model" else {}
            if kind == "marian" and head != "Model":  # it keeps no table of positions
                sizes = {"max_position_embeddings": 210}
            labels = {"num_labels": 4} if head == "ForSequenceClassification" else _LABELS.get(head, {})
            swaps = {"num_decoder_layers": None} if head in ("EncoderModel", "ForTokenClassification") else {}
            if kind == "t5" and head == "ForConditionalGeneration":
                swaps = {"scale_decoder_outputs": False}
            if kind.endswith("t5") and head in ("ForSequenceClassification", "ForQuestionAnswering"):
                swaps = {"decoder_start_token_id": 5}
            yield spec(name, kind, head, sizes | labels, swaps, full=head == "Model", longest=37 if kind.endswith("t5") else None)
    generation = "ForConditionalGeneration"
    yield spec("untied", "bart", generation, dict(tie_word_embeddings=False, scale_embedding=True, activation_function="gelu_new"),
               dict(scale_embedding=False), idle=("shared",))
    yield spec("long", "bart", "Model", dict(encoder_layers=1, decoder_layers=1, max_position_embeddings=210),
               dict(encoder_layers=0, decoder_layers=0), longest=150)
    yield spec("own-head", "t5", generation, dict(feed_forward_proj="gated-gelu", tie_word_embeddings=False), dict(scale_decoder_outputs=True), own_head=True)
    yield spec("own-head", "mt5", generation, dict(feed_forward_proj="gated-silu", tie_word_embeddings=False), dict(dense_act_fn="gelu"), own_head=True)
    yield spec("gelu", "t5", generation, dict(feed_forward_proj="gelu", relative_attention_num_buckets=9, num_decoder_layers=None), dict(num_decoder_layers=1))
    yield spec("gated-relu", "t5", "EncoderModel", dict(feed_forward_proj="gated-relu", relative_attention_num_buckets=12, relative_attention_max_distance=150),
               dict(num_decoder_layers=None), longest=140)
    yield spec("two-vocabularies", "marian", "MTModel", dict(share_encoder_decoder_embeddings=False, decoder_vocab_size=53, scale_embedding=True, d_model=13,
                                                             encoder_attention_heads=1, decoder_attention_heads=13),
               dict(scale_embedding=False, encoder_attention_heads=13, decoder_attention_heads=1), idle=("shared",))
    yield spec("untied", "mbart", generation, dict(tie_word_embeddings=False, scale_embedding=True), dict(scale_embedding=False), idle=("shared",))
    yield spec("odd-size", "m2m_100", generation, dict(d_model=15, encoder_attention_heads=5, decoder_attention_heads=3, tie_word_embeddings=False,
                                                       scale_embedding=False, pad_token_id=0, decoder_start_token_id=3),
               dict(scale_embedding=True, encoder_attention_heads=3, decoder_attention_heads=5), idle=("shared",))
    yield spec("eos-7", "bart", "ForSequenceClassification", dict(eos_token_id=7, num_labels=3, decoder_start_token_id=0, pad_token_id=4), dict(eos_token_id=None))


def _more_heads():
    for kind, family in FAMILIES.items():
        if family.heads is _DECODER_HEADS or family.targets:
            continue
        extra = {} if kind == "distilbert" else {"num_hidden_layers": 2}
        swaps = {}
        if kind == "modernbert":
            extra["layer_types"] = ["sliding_attention", "full_attention"]
            swaps = dict(layer_types=["full_attention"] * 2, num_hidden_layers=1, classifier_activation="relu")
        if kind == "electra":
            swaps = dict(summary_type="last", summary_use_proj=None, summary_activation="tanh")
        sizes = family.small if kind == "electra" else family.tiny  # the tiny one is too badly conditioned
        yield Spec(f"{kind}-MultipleChoice", kind, family.prefix + "ForMultipleChoice", extra | sizes, swaps)
    tiny = {"num_hidden_layers": 2} | FAMILIES["electra"].tiny
    for how in ("last", "mean"):
        yield Spec(f"electra-choice-{how}", "electra", "ElectraForMultipleChoice",
                   tiny | dict(summary_type=how, summary_use_proj=False, summary_activation="tanh"),
                   dict(summary_type="first"))
    decoder = dict(num_hidden_layers=2, is_decoder=True)
    swap = dict(is_decoder=False)
    for kind, cls in [("bert", "BertLMHeadModel"), ("bert", "BertModel"), ("roberta", "RobertaForCausalLM"),
                      ("xlm-roberta", "XLMRobertaForTokenClassification"), ("camembert", "CamembertForCausalLM"),
                      ("electra", "ElectraForCausalLM")]:
        yield Spec(f"decoder-{cls}", kind, cls, FAMILIES[kind].tiny | decoder, swap, full=cls == "BertModel")
    yield Spec("albert-PreTraining-three", "albert", "AlbertForPreTraining", FAMILIES["albert"].tiny | dict(num_labels=3))
    yield Spec("bert-act-hardswish", "bert", "BertModel", dict(_ONE_LAYER, hidden_act="hardswish"),
               dict(hidden_act="silu", num_hidden_layers=0, num_attention_heads=2))
    yield Spec("deberta-v2-spelled", "deberta-v2", "DebertaV2Model", FAMILIES["deberta-v2"].tiny | dict(
        num_hidden_layers=2, pos_att_type="P2C | c2p", norm_rel_ebd="LAYER_NORM"), dict(pos_att_type=["c2p"]))
    ropes = _MODERN["rope_parameters"]
    llama = {k: v | dict(rope_type="llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0,
                         original_max_position_embeddings=16) for k, v in ropes.items()}
    dynamic = {k: v | dict(rope_type="dynamic", factor=2.0) for k, v in ropes.items()}
    yarn = {k: v | dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16, truncate=False)
            for k, v in ropes.items()}
    two = dict(num_hidden_layers=2, layer_types=["sliding_attention", "full_attention"])
    for name, rope in [("llama3", llama), ("dynamic", dynamic), ("yarn-truncate", yarn)]:
        yield Spec(f"modernbert-rope-{name}", "modernbert", "ModernBertModel",
                   FAMILIES["modernbert"].small | two | dict(rope_parameters=rope),
                   dict(layer_types=["full_attention"] * 2, num_hidden_layers=1))


def all_specs():
    for part in (_heads, _variants, _deberta, _modern, _llama, _seq2seq, _more_heads):
        yield from part()
