"""The forward goldens of decoder-only architectures beside Llama's: as forward_specs, a family each and what it records."""

from forward_specs import Family, Spec

_SIZES = dict(vocab_size=67, pad_token_id=3, bos_token_id=0, eos_token_id=1)
_LONG = 200  # positions, as the tests of caches need them
_SC, _TC, _QA = "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering"


def _gpt2_sizes(d, heads, layers, **more):
    return dict(n_embd=d, n_head=heads, n_layer=layers, **more)


def _rope(theta, **more):
    return {"rope_type": "default", "rope_theta": theta} | more


DECODERS = {
    "bloom": Family("Bloom", _SIZES | dict(hidden_size=36, n_head=6, n_layer=3, layer_norm_epsilon=4e-3),
                    dict(layer_norm_epsilon=1e-12, n_layer=1, n_head=2, apply_residual_connection_post_layernorm=True),
                    longest=37, small=dict(hidden_size=20, n_head=4, n_layer=2)),
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
    "opt": Family("OPT", _SIZES | dict(hidden_size=36, num_attention_heads=3, num_hidden_layers=3, ffn_dim=52, max_position_embeddings=40),
                  dict(activation_function="gelu", num_hidden_layers=1, num_attention_heads=2, do_layer_norm_before=False),
                  longest=37, positions=0,
                  small=dict(hidden_size=20, num_attention_heads=4, num_hidden_layers=2, ffn_dim=28)),
}


def _of(kind, cls, name=None, config=None, swaps=None, small=True, **more):
    family = DECODERS[kind]
    about = name or ("Base" if cls == "Model" else cls.removeprefix("For"))
    labels = {_SC: dict(num_labels=3), _TC: dict(num_labels=5)}.get(cls, {})
    pad = dict(pad_token_id=5) if cls == _SC else {}
    return Spec(f"{kind}-{about}", kind, family.prefix + cls, (family.small if small else {}) | labels | (config or {}), pad | (swaps or {}), **more)


def decoder_specs():
    yield from _bloom()
    yield from _gpt2()
    yield from _gpt_neo()
    yield from _gpt_neox()
    yield from _opt()


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
