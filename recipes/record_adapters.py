"""Records tests/golden/forward/adapter-*: LoRA adapters as PEFT saves them, with their base model in the folder `base`.

    python recipes/record_adapters.py [NAME...]     # 4.57.6 with peft (0.21.2 when this was written)

The answers are PEFT's, unmerged, and have to differ from the base model's.
"""

import shutil
import sys

import peft
import torch
import transformers

from common import GOLDEN, MUST_MOVE, distance, edit_json, forward, generator, randomize, save_case, seed_of
from forward_inputs import make_cases, with_targets
from decoder_specs import DECODERS
from forward_specs import FAMILIES

ADAPTERS = {
    "adapter-bert": ("bert", "BertForSequenceClassification", dict(num_labels=4), dict(
        r=2, lora_alpha=3, target_modules=["query", "value", "dense"], task_type="SEQ_CLS", rank_pattern={"query": 3},
        alpha_pattern={r"layer\.1\.attention\.self\.query": 7, "value": 2}, modules_to_save=["classifier"])),
    "adapter-t5": ("t5", "T5ForConditionalGeneration", {}, dict(
        r=2, lora_alpha=3, target_modules=["q", "v", "wi", "o"], task_type="SEQ_2_SEQ_LM")),
    "adapter-bart": ("bart", "BartForConditionalGeneration", dict(encoder_layers=1), dict(
        r=1, lora_alpha=2, target_modules=["k_proj", "v_proj", "out_proj", "fc1"], lora_bias=True, task_type="SEQ_2_SEQ_LM")),
    "adapter-roberta-embeddings": ("roberta", "RobertaForMaskedLM", {}, dict(
        r=4, lora_alpha=5, target_modules=["word_embeddings", "key"], use_rslora=True)),
    "adapter-distilbert-dora": ("distilbert", "DistilBertForTokenClassification", {}, dict(
        r=2, lora_alpha=4, target_modules=["q_lin", "lin1"], use_dora=True, task_type="TOKEN_CLS",
        fan_in_fan_out=True)),
    "adapter-modernbert-bias": ("modernbert", "ModernBertModel", dict(
        num_hidden_layers=2, attention_bias=True), dict(
        r=1, lora_alpha=2, target_modules=["Wqkv", "Wo"], lora_bias=True, task_type="FEATURE_EXTRACTION")),
    "adapter-gpt2": ("gpt2", "GPT2ForSequenceClassification", dict(num_labels=4), dict(
        r=2, lora_alpha=5, target_modules=["c_attn", "c_proj", "c_fc"], task_type="SEQ_CLS", fan_in_fan_out=True)),
    "adapter-gpt2-dora": ("gpt2", "GPT2LMHeadModel", dict(n_inner=20), dict(
        r=2, lora_alpha=4, target_modules=["c_attn", "c_proj"], use_dora=True, task_type="CAUSAL_LM", fan_in_fan_out=True)),
    "adapter-phi3": ("phi3", "Phi3ForCausalLM", dict(hidden_size=24, num_attention_heads=4), dict(
        r=2, lora_alpha=5, target_modules=["qkv_proj", "gate_up_proj", "o_proj"], task_type="CAUSAL_LM")),
}


def record(name, folder):
    kind, cls, more, how = ADAPTERS[name]
    family = (FAMILIES | DECODERS)[kind]
    cls = getattr(transformers, cls)
    fields = {k: v for k, v in (family.config | {"num_hidden_layers": 2} | family.tiny | more).items()
              if k not in ("layer_types", "rope_parameters")}
    if kind == "distilbert" or family.targets:
        del fields["num_hidden_layers"]
    labels = fields.pop("num_labels", 2)
    torch.manual_seed(seed_of(name))
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "base").mkdir(parents=True)
    randomize(cls(cls.config_class(**fields)), name).save_pretrained(folder / "base")
    how_to_load = dict(attn_implementation="eager", dtype=torch.float32, num_labels=labels, ignore_mismatched_sizes=True)
    base = cls.from_pretrained(folder / "base", **how_to_load).eval()
    lora = peft.get_peft_model(base, peft.LoraConfig(**how))
    g = generator(name)
    with torch.no_grad():
        for key, p in lora.named_parameters():
            if p.requires_grad:
                p.add_(torch.randn(p.shape, generator=g) * (0.4 if "lora" in key else 0.2))
    lora.save_pretrained(folder)
    (folder / "README.md").unlink()
    edit_json(folder / "adapter_config.json", base_model_name_or_path="base")
    plain = cls.from_pretrained(folder / "base", **how_to_load).eval()
    model = peft.PeftModel.from_pretrained(cls.from_pretrained(folder / "base", **how_to_load), folder).eval().base_model.model
    start = plain.config.pad_token_id + 1 if family.positions else family.positions
    cases = make_cases(g, vocab=plain.config.vocab_size, pad=plain.config.pad_token_id, longest=19,
                       segments=family.segments, positions=start, full=False)
    if family.targets:
        cases = with_targets(g, cases, plain.config, cls.__name__, derives=family.targets == "derived")
    for k, (about, inputs) in enumerate(cases[:2]):
        want = forward(model, inputs)
        assert distance(forward(plain, inputs), want) > MUST_MOVE
        save_case(folder, k, about, inputs, want)


if __name__ == "__main__":
    assert transformers.__version__ == "4.57.6"
    for name in sys.argv[1:] or ADAPTERS:
        record(name, GOLDEN / "forward" / name)
        print(name, flush=True)
