"""The forward goldens of decoder-only architectures beside Llama's: as forward_specs, a family each and what it records."""

from forward_specs import _LLAMA, _LLAMA_SWAPS, Family, Spec

_SIZES = dict(vocab_size=67, pad_token_id=3, bos_token_id=0, eos_token_id=1)
_LONG = 200  # positions, as the tests of caches need them
_SC, _TC, _QA = "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering"


def _gpt2_sizes(d, heads, layers, **more):
    return dict(n_embd=d, n_head=heads, n_layer=layers, **more)


def _rope(theta, **more):
    return {"rope_type": "default", "rope_theta": theta} | more


_GEMMA = _SIZES | dict(hidden_size=36, num_attention_heads=6, num_key_value_heads=2, head_dim=8, intermediate_size=52, num_hidden_layers=3,
                       max_position_embeddings=64, rms_norm_eps=0.1, query_pre_attn_scalar=20)  # a norm after a product hides the product's size but for eps
_GEMMA_SWAPS = dict(hidden_activation="relu", rms_norm_eps=1e-12, num_hidden_layers=1, query_pre_attn_scalar=4, sliding_window=4,
                    layer_types=["full_attention"] * 3)
_SMALL_GEMMA = dict(hidden_size=24, num_attention_heads=4, num_key_value_heads=2, head_dim=6, intermediate_size=28, num_hidden_layers=2,
                    layer_types=["sliding_attention", "full_attention"])

DECODERS = {
    "bloom": Family("Bloom", _SIZES | dict(hidden_size=36, n_head=6, n_layer=3, layer_norm_epsilon=4e-3),
                    dict(layer_norm_epsilon=1e-12, n_layer=1, n_head=2, apply_residual_connection_post_layernorm=True),
                    longest=37, small=dict(hidden_size=20, n_head=4, n_layer=2)),
    "gemma2": Family("Gemma2", _GEMMA | dict(sliding_window=7, layer_types=["sliding_attention", "full_attention", "sliding_attention"],
                                             attn_logit_softcapping=3.0, final_logit_softcapping=2.0, rope_parameters=_rope(500.0)),
                     _GEMMA_SWAPS | dict(attn_logit_softcapping=None, rope_parameters=_rope(10000.0)), longest=37, positions=0,
                     small=_SMALL_GEMMA),
    "gemma3_text": Family("Gemma3Text", _GEMMA | dict(sliding_window=7, layer_types=["sliding_attention", "full_attention", "sliding_attention"],
                                                      rope_parameters={"full_attention": _rope(500.0), "sliding_attention": _rope(50.0)}),
                          _GEMMA_SWAPS | dict(rope_parameters={"full_attention": _rope(10000.0), "sliding_attention": _rope(50.0)}),
                          longest=37, positions=0, small=_SMALL_GEMMA),
    "gpt2": Family("GPT2", _SIZES | _gpt2_sizes(36, 6, 3, n_inner=52, n_positions=40, layer_norm_epsilon=4e-3),
                   dict(activation_function="relu", layer_norm_epsilon=1e-12, n_layer=1, n_head=2, scale_attn_weights=False,
                        scale_attn_by_inverse_layer_idx=True),
                   longest=37, positions=0, segments=9, small=_gpt2_sizes(20, 4, 2, n_inner=None)),
    "gpt_neo": Family("GPTNeo", _SIZES | dict(hidden_size=36, num_heads=6, num_layers=3, intermediate_size=52, max_position_embeddings=40,
                                              attention_types=[[["global", "local"], 1], [["local"], 1]], window_size=7, layer_norm_epsilon=4e-3),
                      dict(activation_function="relu", layer_norm_epsilon=1e-12, num_heads=2, window_size=4),
                      longest=37, positions=0, segments=9,
                      small=dict(hidden_size=20, num_heads=4, num_layers=2, intermediate_size=None, attention_types=[[["global", "local"], 1]])),
    "gpt_neox": Family("GPTNeoX", _SIZES | dict(hidden_size=36, num_attention_heads=3, num_hidden_layers=3, intermediate_size=52,
                                                max_position_embeddings=64, layer_norm_eps=4e-3,
                                                rope_parameters=_rope(500.0, partial_rotary_factor=0.5)),
                       dict(hidden_act="relu", layer_norm_eps=1e-12, num_hidden_layers=1, use_parallel_residual=False,
                            rope_parameters=_rope(10000.0, partial_rotary_factor=0.5)),
                       longest=37, positions=0,
                       small=dict(hidden_size=24, num_attention_heads=4, num_hidden_layers=2, intermediate_size=28)),
    "mixtral": Family("Mixtral", _LLAMA | dict(num_local_experts=5, num_experts_per_tok=2, intermediate_size=20),
                      _LLAMA_SWAPS | dict(num_experts_per_tok=3, sliding_window=5), longest=37, positions=0,
                      small=dict(hidden_size=24, num_attention_heads=4, num_key_value_heads=2, head_dim=6, intermediate_size=12, num_hidden_layers=2)),
    "opt": Family("OPT", _SIZES | dict(hidden_size=36, num_attention_heads=3, num_hidden_layers=3, ffn_dim=52, max_position_embeddings=40),
                  dict(activation_function="gelu", num_hidden_layers=1, num_attention_heads=2, do_layer_norm_before=False),
                  longest=37, positions=0,
                  small=dict(hidden_size=20, num_attention_heads=4, num_hidden_layers=2, ffn_dim=28)),
    "phi3": Family("Phi3", {k: v for k, v in _LLAMA.items() if k != "head_dim"} | dict(rope_parameters=_rope(500.0, partial_rotary_factor=0.7)),
                   _LLAMA_SWAPS | dict(rope_parameters=_rope(10000.0, partial_rotary_factor=0.7), sliding_window=5), longest=37, positions=0,
                   small=dict(hidden_size=24, num_attention_heads=4, num_key_value_heads=2, intermediate_size=28, num_hidden_layers=2)),
    "smollm3": Family("SmolLM3", {k: v for k, v in _LLAMA.items() if k != "head_dim"} | dict(no_rope_layers=[1, 0, 1], tie_word_embeddings=True),
                      _LLAMA_SWAPS | dict(no_rope_layers=[1, 1, 1]), longest=37, positions=0,
                      small=dict(hidden_size=24, num_attention_heads=4, num_key_value_heads=2, intermediate_size=28, num_hidden_layers=2,
                                 no_rope_layers=[0, 1])),
}


def _of(kind, cls, name=None, config=None, swaps=None, small=True, **more):
    family = DECODERS[kind]
    about = name or ("Base" if cls == "Model" else cls.removeprefix("For"))
    labels = {_SC: dict(num_labels=3), _TC: dict(num_labels=5)}.get(cls, {})
    pad = {}
    if cls == _SC:  # all cases: the last token may be one that the mask hides
        pad, more = dict(pad_token_id=5), dict(full=True) | more
    return Spec(f"{kind}-{about}", kind, family.prefix + cls, (family.small if small else {}) | labels | (config or {}), pad | (swaps or {}), **more)


def decoder_specs():
    yield from _bloom()
    yield from _gemma()
    yield from _gpt2()
    yield from _gpt_neo()
    yield from _gpt_neox()
    yield from _mixtral()
    yield from _opt()
    yield from _phi3()
    yield from _smollm3()
    yield from _lengths()
    yield from _v4()


def _bloom():
    yield _of("bloom", "Model", small=False, full=True)
    for cls in ("ForCausalLM", _SC, _TC, _QA):
        yield _of("bloom", cls)
    yield _of("bloom", "ForCausalLM", "untied", dict(tie_word_embeddings=False, apply_residual_connection_post_layernorm=True),
              dict(apply_residual_connection_post_layernorm=None))
    yield _of("bloom", "Model", "slow-but-exact", dict(slow_but_exact=True, pretraining_tp=2, hidden_size=22, n_head=11), dict(pretraining_tp=1, n_head=None),
              idle=("attention.dense.bias", "dense_4h_to_h.bias"))


def _gpt2():
    yield _of("gpt2", "Model", small=False, full=True)
    yield _of("gpt2", "LMHeadModel", config=dict(n_positions=_LONG))
    for cls in (_SC, _TC, _QA):
        yield _of("gpt2", cls)
    yield _of("gpt2", "LMHeadModel", "untied", dict(tie_word_embeddings=False, activation_function="silu", scale_attn_weights=False),
              dict(scale_attn_weights=True))
    yield _of("gpt2", "LMHeadModel", "layer-scale", dict(scale_attn_by_inverse_layer_idx=True),
              dict(scale_attn_by_inverse_layer_idx=False))


def _gpt_neo():
    yield _of("gpt_neo", "Model", small=False, full=True)
    yield _of("gpt_neo", "ForCausalLM", config=dict(max_position_embeddings=_LONG))
    for cls in (_SC, _TC, _QA):
        yield _of("gpt_neo", cls)
    yield _of("gpt_neo", "ForCausalLM", "untied", dict(tie_word_embeddings=False, activation_function="relu",
                                                       attention_types=[[["local"], 2]]), dict(activation_function="gelu"))


def _gpt_neox():
    yield _of("gpt_neox", "Model", small=False, full=True)
    for cls in ("ForCausalLM", _SC, _TC, _QA):
        yield _of("gpt_neox", cls)
    # A quarter of five columns: one frequency turns two.
    yield _of("gpt_neox", "ForCausalLM", "sequential", dict(hidden_size=20, use_parallel_residual=False, attention_bias=False, tie_word_embeddings=True,
                                                            rope_parameters=_rope(500.0, partial_rotary_factor=0.25)),
              dict(use_parallel_residual=True, rope_parameters=_rope(500.0, partial_rotary_factor=0.8)))
    yield _of("gpt_neox", "Model", "linear", dict(rope_parameters=_rope(500.0, partial_rotary_factor=1.0, rope_type="linear", factor=3.0)))


def _opt():
    yield _of("opt", "Model", small=False, full=True, idle=("k_proj.bias",))
    yield _of("opt", "ForCausalLM", config=dict(max_position_embeddings=_LONG), idle=("k_proj.bias",))
    for cls in (_SC, _QA):
        yield _of("opt", cls, idle=("k_proj.bias",))
    yield _of("opt", "ForCausalLM", "350m", dict(do_layer_norm_before=False, word_embed_proj_dim=12), dict(do_layer_norm_before=None), idle=("k_proj.bias",))
    yield _of("opt", _SC, "350m-SequenceClassification", dict(do_layer_norm_before=False, word_embed_proj_dim=12), dict(do_layer_norm_before=None),
              idle=("k_proj.bias",))
    yield _of("opt", "ForCausalLM", "plain-norms", dict(layer_norm_elementwise_affine=False, enable_bias=False, tie_word_embeddings=False,
                                                        activation_function="gelu"), dict(activation_function="relu"))
    yield _of("opt", "Model", "no-final-norm", dict(_remove_final_layer_norm=True), dict(do_layer_norm_before=None, _remove_final_layer_norm=False),
              idle=("k_proj.bias",))


def _gemma():
    logits = dict(final_logit_softcapping=5.0)
    yield _of("gemma2", "Model", small=False, full=True)
    yield _of("gemma2", "ForCausalLM", swaps=logits)
    for cls in (_SC, _TC):
        yield _of("gemma2", cls)
    yield _of("gemma2", "ForCausalLM", "uncapped", dict(tie_word_embeddings=False, attention_bias=True, attn_logit_softcapping=None,
                                                        final_logit_softcapping=None, hidden_activation="silu"),
              logits | dict(attn_logit_softcapping=2.0))
    yield _of("gemma3_text", "Model", small=False, full=True)
    yield _of("gemma3_text", _SC)
    yield Spec("gemma3_text-CausalLM", "gemma3_text", "Gemma3ForCausalLM", _SMALL_GEMMA)
    yield Spec("gemma3_text-capped", "gemma3_text", "Gemma3ForCausalLM",
               _SMALL_GEMMA | dict(tie_word_embeddings=False, attention_bias=True, final_logit_softcapping=3.0), logits)
    yield _of("gemma3_text", "Model", "scaled", dict(rope_parameters={
        "full_attention": _rope(500.0, rope_type="linear", factor=4.0), "sliding_attention": _rope(50.0)}))
    yield _of("gemma3_text", "Model", "both-ways", dict(use_bidirectional_attention=True, sliding_window=8), full=True)


def _mixtral():
    yield _of("mixtral", "Model", small=False, full=True)
    for cls in ("ForCausalLM", _SC, _TC, _QA):
        yield _of("mixtral", cls)
    yield _of("mixtral", "ForCausalLM", "one-of-three", dict(num_local_experts=3, num_experts_per_tok=1, sliding_window=7, tie_word_embeddings=True),
              dict(num_experts_per_tok=2), idle=("mlp.gate.weight",))  # one expert's share is all


def _phi3():
    yield _of("phi3", "Model", small=False, full=True)
    for cls in ("ForCausalLM", _SC, _TC):
        yield _of("phi3", cls)
    yield _of("phi3", "ForCausalLM", "window", dict(sliding_window=6, tie_word_embeddings=True, rope_parameters=_rope(500.0)))


def _smollm3():
    yield _of("smollm3", "Model", small=False, full=True)
    for cls in ("ForCausalLM", _SC, _TC, _QA):
        yield _of("smollm3", cls)
    yield _of("smollm3", "ForCausalLM", "window", dict(use_sliding_window=True, sliding_window=6, no_rope_layers=None, no_rope_layer_interval=2,
                                                       tie_word_embeddings=False, attention_bias=True, mlp_bias=True),
              dict(sliding_window=4), idle=("layers.1.self_attn.k_proj.bias",))  # which does not rotate


def _lengths():
    """Rotations that hang on the length of the sequence: shorter and longer ones than the length where they change."""
    factors = dict(rope_type="longrope", short_factor=[1.0, 1.3], long_factor=[2.0, 5.0])
    swaps = dict(rope_parameters=None)
    yield _of("phi3", "ForCausalLM", "longrope", dict(original_max_position_embeddings=8, rope_parameters=_rope(500.0, partial_rotary_factor=0.7) | factors),
              swaps)
    yield _of("phi3", "Model", "longrope-attention", dict(original_max_position_embeddings=8, rope_parameters=_rope(
        500.0, partial_rotary_factor=0.7, attention_factor=1.5) | factors), swaps)
    llama = dict(hidden_size=24, num_attention_heads=4, num_key_value_heads=2, head_dim=8, intermediate_size=28, num_hidden_layers=2,
                 max_position_embeddings=8)
    yield Spec("llama-rope-dynamic", "llama", "LlamaForCausalLM", llama | dict(rope_parameters=_rope(500.0, rope_type="dynamic", factor=3.0)),
               dict(max_position_embeddings=64))
    yield Spec("llama-rope-longrope", "llama", "LlamaForCausalLM", llama | dict(max_position_embeddings=32, rope_parameters=_rope(
        500.0, rope_type="longrope", original_max_position_embeddings=8, short_factor=[1.0, 1.1, 1.2, 1.3], long_factor=[2.0, 3.0, 5.0, 9.0])),
               dict(max_position_embeddings=512))
    two = dict(hidden_size=24, num_attention_heads=4, intermediate_size=28, num_hidden_layers=2, layer_types=["sliding_attention", "full_attention"])
    yield Spec("modernbert-rope-dynamic-long", "modernbert", "ModernBertModel", two | dict(max_position_embeddings=8, rope_parameters={
        "full_attention": _rope(500.0, rope_type="dynamic", factor=3.0), "sliding_attention": _rope(50.0, rope_type="dynamic", factor=2.0)}),
               dict(layer_types=["full_attention"] * 2, num_hidden_layers=1))
    yield _of("gpt_neox", "Model", "dynamic", dict(max_position_embeddings=8, rope_parameters=_rope(
        500.0, partial_rotary_factor=1.0, rope_type="dynamic", factor=2.0)), swaps)


def _v4():
    """As 4.57.6 writes them: other fields for the rotations, other names of weights."""
    none = dict(rope_parameters=None)
    theta = none | dict(rope_theta=500.0)
    swaps = none | dict(rope_theta=20000.0)

    def spec(kind, config, swaps, **more):
        cls = "Gemma3ForCausalLM" if kind == "gemma3_text" else DECODERS[kind].prefix + "ForCausalLM"
        return Spec(f"{kind}-v4", kind, cls, DECODERS[kind].small | config, swaps, major=4, **more)

    yield spec("gemma2", theta, swaps)
    yield spec("gemma3_text", theta | dict(rope_local_base_freq=50.0, rope_scaling={"rope_type": "linear", "factor": 4.0}),
               swaps | dict(rope_local_base_freq=1000.0, rope_scaling=None))
    yield spec("gpt_neox", none | dict(rotary_pct=0.7, rotary_emb_base=500), none | dict(use_parallel_residual=False))
    yield spec("mixtral", theta, swaps)
    yield spec("phi3", theta | dict(partial_rotary_factor=0.7, original_max_position_embeddings=8, rope_scaling={
        "type": "longrope", "short_factor": [1.0, 1.3], "long_factor": [2.0, 5.0]}), swaps)
    yield spec("smollm3", theta, swaps)
