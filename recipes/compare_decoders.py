"""compare_forward for decoder-only architectures: the same arguments, under either version."""

import re

import transformers

import compare_forward as base
from common import MAJOR

FAMILIES = {"Bloom": "transformer", "GPT2": "transformer", "GPTNeo": "transformer", "GPTNeoX": "gpt_neox", "Gemma2": "model", "Gemma3": "model",
            "Gemma3Text": "model", "Llama": "model", "Mistral": "model", "Mixtral": "model", "OPT": "model", "Phi3": "model", "Qwen2": "model",
            "Qwen3": "model", "SmolLM3": "model"}
ONLY = {"Gemma3": r"ForCausalLM", "Gemma3Text": r"(Model|ForSequenceClassification)"}
CLASSES = {p: [n for n in dir(transformers) if re.fullmatch(p + ONLY.get(p, r"(Model|LMHeadModel|For(?!mer)[A-Z]\w+)"), n)
               and not n.endswith("Output")] for p in FAMILIES}
WITH_TYPES = ("GPT2", "GPTNeo")  # whose token types are tokens


def random_rope(r, half, most):
    kind = r.choice(["default", "longrope", "dynamic", None])
    if kind is None:
        return base.random_rope(r)
    rope = {"rope_type": kind, "rope_theta": r.choice([10.0, 500.0, 10000.0])}
    if kind == "dynamic":
        rope["factor"] = r.choice([1.0, 2.0, 3.5])
    if kind == "longrope":
        rope |= {name: [round(r.uniform(1, 5), 2) for _ in range(half)] for name in ("short_factor", "long_factor")}
        rope["original_max_position_embeddings"] = r.choice([4, 10, most])
        if r.random() < 0.3:
            rope["attention_factor"] = 1.3
        if r.random() < 0.3:
            rope["factor"] = 4.0
    return rope


def set_rope(r, config, rope):
    """As v5 keeps it, or as v4 does."""
    if MAJOR == 5 and r.random() < 0.8:
        config["rope_parameters"] = rope
        return
    config["rope_theta"] = rope.pop("rope_theta")
    if rope["rope_type"] != "default":
        config["rope_scaling"] = rope


def random_config(r, prefix):
    pick = r.choice

    def some(field, *values, often=0.5):
        if r.random() < often:
            config[field] = pick(values)

    groups, kv, layers = pick([1, 2, 3]), pick([1, 2, 4]), pick([1, 2, 2, 3])
    heads, head_dim, most = groups * kv, pick([2, 4, 6, 8, 10, 16]), pick([16, 24, 48])
    d, inner = heads * head_dim, pick([1, 7, 16, 37])
    config = dict(vocab_size=pick([17, 33, 64]), pad_token_id=pick([0, 1, 3, 16]), bos_token_id=0, eos_token_id=1)
    some("tie_word_embeddings", True, False)
    if r.random() < 0.4:
        config["num_labels"] = pick([1, 2, 3, 7])
    acts, eps = base.ACTS, (1e-12, 1e-6, 1e-3, 0.1)
    if prefix in WITH_TYPES:
        config["type_vocab_size"] = pick([0, 5])
    if prefix == "GPT2":
        config |= dict(n_embd=d, n_head=heads, n_layer=layers, n_positions=most, n_inner=pick([None, inner]))
        some("activation_function", *acts)
        some("layer_norm_epsilon", *eps)
        some("scale_attn_weights", True, False)
        some("scale_attn_by_inverse_layer_idx", True, False)
        return config
    if prefix == "GPTNeo":
        kinds = [[[pick(["global", "local"]) for _ in range(layers)], 1]]
        config |= dict(hidden_size=d, num_heads=heads, num_layers=layers, max_position_embeddings=most, intermediate_size=pick([None, inner]),
                       attention_types=kinds)
        some("activation_function", *acts)
        some("layer_norm_epsilon", *eps)
        some("window_size", 1, 3, 7, often=0.8)
        return config
    if prefix == "Bloom":
        config |= dict(hidden_size=d, n_head=heads, n_layer=layers, max_position_embeddings=most)
        some("layer_norm_epsilon", *eps)
        some("apply_residual_connection_post_layernorm", True)
        if d % 2 == 0 and r.random() < 0.3:
            config |= dict(slow_but_exact=True, pretraining_tp=pick([1, 2]))
        return config
    config |= dict(hidden_size=d, num_attention_heads=heads, num_hidden_layers=layers, max_position_embeddings=most)
    if prefix == "OPT":
        config["ffn_dim"] = inner
        some("activation_function", *acts)
        some("do_layer_norm_before", False)
        some("word_embed_proj_dim", 3, d)
        some("enable_bias", False, often=0.3)
        some("layer_norm_elementwise_affine", False, often=0.3)
        some("_remove_final_layer_norm", True, often=0.3)
        return config
    config["intermediate_size"] = inner
    gemma, neox = prefix.startswith("Gemma"), prefix == "GPTNeoX"
    some("hidden_activation" if gemma else "hidden_act", *acts)
    some("layer_norm_eps" if neox else "rms_norm_eps", *eps)
    if neox:
        some("use_parallel_residual", False)
        some("attention_bias", False)
    else:
        config["num_key_value_heads"] = kv
    if prefix in ("Llama", "Mistral", "Mixtral", "Qwen3", "Gemma2", "Gemma3", "Gemma3Text"):
        head_dim = config["head_dim"] = pick([head_dim, 4, 12])
    if prefix in ("Mistral", "Mixtral", "Phi3"):
        some("sliding_window", None, 1, 3, 7, often=0.8)
    if prefix == "Mixtral":
        config["num_local_experts"] = pick([1, 3, 8])
        config["num_experts_per_tok"] = pick([1, min(2, config["num_local_experts"])])
    if prefix in ("Llama", "SmolLM3"):
        some("attention_bias", True, often=0.3)
        some("mlp_bias", True, often=0.3)
    if prefix == "SmolLM3":
        some("no_rope_layers", [pick([0, 1]) for _ in range(layers)])
        some("no_rope_layer_interval", 1, 2, 3)
        if r.random() < 0.4:
            config |= dict(use_sliding_window=True, sliding_window=pick([1, 3, 7]))
    if gemma:
        some("attention_bias", True, often=0.3)
        some("query_pre_attn_scalar", 3, 16)
        some("sliding_window", 2, 3, 7, often=0.8)
        some("final_logit_softcapping", None, 3.0, 30.0)
        some("attn_logit_softcapping", None, 3.0, 50.0)
        some("layer_types", [pick(["full_attention", "sliding_attention"]) for _ in range(layers)])
        if prefix != "Gemma2":
            some("use_bidirectional_attention", True, often=0.3)
            some("sliding_window_pattern", 1, 2, 3, often=0.2)
    partial = pick([1.0, 0.5, 0.25, 0.7]) if neox or prefix == "Phi3" else 1.0
    rotary = int(head_dim * partial)
    rope = random_rope(r, rotary // 2, most)
    if prefix == "Phi3":
        if rope["rope_type"] not in ("default", "longrope"):
            rope = {"rope_type": "default", "rope_theta": 500.0}
        some("original_max_position_embeddings", 4, 10, most)
    if r.random() < 0.2:
        return config
    if prefix in ("Gemma3", "Gemma3Text") and MAJOR == 5 and r.random() < 0.7:
        config["rope_parameters"] = {"full_attention": rope, "sliding_attention": random_rope(r, rotary // 2, most)}
        return config
    if prefix.startswith("Gemma3"):
        some("rope_local_base_freq", 10.0, 300.0)
    if partial != 1.0 and MAJOR == 5:
        rope["partial_rotary_factor"] = partial
    elif partial != 1.0:
        config["rotary_pct" if neox else "partial_rotary_factor"] = partial
    set_rope(r, config, rope)
    if neox and "rope_theta" in config:
        config["rotary_emb_base"] = config.pop("rope_theta")
    return config


if __name__ == "__main__":
    base.FAMILIES, base.CLASSES, base.random_config = FAMILIES, CLASSES, random_config
    base.main()
