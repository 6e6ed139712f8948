"""Records tests/golden/generation/processors.jsonl: scores before and after the logits processors of Transformers 4.57.6.

    v4/bin/python recipes/record_processors.py

Each line: the sequence, the source, the scores (float32), the parameters of generate(), the prompt's length, and the scores that come out
("-inf" for tokens that are out). The scores have ties and tokens that are out already, on purpose.
"""

import json

import torch
from transformers import GenerationConfig, GenerationMixin, PretrainedConfig

from common import GOLDEN, generator

VOCABULARY = 41


class Bare(GenerationMixin):
    """A model that has a vocabulary and nothing else."""

    def __init__(self):
        self.config = PretrainedConfig(vocab_size=VOCABULARY)
        self.generation_config = GenerationConfig()


SAMPLES = [dict(do_sample=True, **more) for more in (
    dict(), dict(temperature=0.3), dict(temperature=2.5), dict(top_k=3), dict(top_k=3, num_beams=4), dict(top_k=1000),
    dict(top_k=0, top_p=0.5), dict(top_k=0, top_p=0.9), dict(top_k=0, top_p=0.01), dict(top_k=0, top_p=0.0, num_beams=3),
    dict(top_k=12, top_p=0.7, temperature=1.7), dict(top_k=0, min_p=0.1), dict(top_k=0, min_p=0.9, num_beams=2), dict(top_k=0, min_p=0.0),
    dict(top_k=0, typical_p=0.2), dict(top_k=0, typical_p=0.7), dict(top_k=0, typical_p=0.95, num_beams=2), dict(top_k=9, typical_p=0.5),
    dict(top_k=0, epsilon_cutoff=0.03), dict(top_k=0, epsilon_cutoff=0.6, num_beams=2), dict(top_k=0, eta_cutoff=0.03),
    dict(top_k=0, eta_cutoff=0.5), dict(top_k=0, eta_cutoff=0.4, num_beams=3),
    dict(top_k=20, top_p=0.9, min_p=0.02, typical_p=0.9, epsilon_cutoff=0.01, eta_cutoff=0.02, temperature=0.8, renormalize_logits=True),
    dict(repetition_penalty=1.5, no_repeat_ngram_size=2, top_k=6), dict(bad_words_ids=[[3], [4, 5], [1]], top_p=0.8))]
OTHERS = [
    dict(), dict(repetition_penalty=1.9), dict(repetition_penalty=0.4), dict(encoder_repetition_penalty=2.5), dict(no_repeat_ngram_size=1),
    dict(no_repeat_ngram_size=2), dict(no_repeat_ngram_size=3), dict(no_repeat_ngram_size=99), dict(encoder_no_repeat_ngram_size=2),
    dict(encoder_no_repeat_ngram_size=3), dict(bad_words_ids=[[7], [8, 9], [5, 6, 7], [2]]),
    dict(sequence_bias=[[[3], 4.5], [[4], -2.0], [[8, 9], 7.0], [[5, 6, 7], -1.0]]), dict(min_length=9), dict(min_new_tokens=4),
    dict(min_length=9, min_new_tokens=2), dict(forced_eos_token_id=[2, 5], max_length=8), dict(forced_eos_token_id=3, max_length=7),
    dict(exponential_decay_length_penalty=[1, 1.5]), dict(exponential_decay_length_penalty=[9, 1.5]), dict(suppress_tokens=[0, 5, 40, 99]),
    dict(begin_suppress_tokens=[0, 5, 40]), dict(remove_invalid_values=True), dict(renormalize_logits=True),
    dict(repetition_penalty=1.3, no_repeat_ngram_size=2, bad_words_ids=[[7]], min_length=20, suppress_tokens=[3], renormalize_logits=True)]


def cases():
    g = generator("processors")
    for round_, parameters in enumerate(OTHERS + SAMPLES + OTHERS + SAMPLES):
        ids = torch.randint(0, 12, (1, 7), generator=g)
        source = torch.randint(0, 12, (1, 9), generator=g)
        scores = torch.randn(1, VOCABULARY, generator=g) * (3 if round_ % 2 else 1)
        scores[0, torch.randint(0, VOCABULARY, (6,), generator=g)] = 0.25  # a tie
        if round_ % 3 == 0 and "remove_invalid_values" not in parameters:
            scores[0, torch.randint(20, VOCABULARY, (5,), generator=g)] = float("-inf")
        if "remove_invalid_values" in parameters:
            scores[0, :4] = torch.tensor([float("inf"), float("-inf"), float("nan"), 1.0])
        yield parameters, ids, source, scores, (7 if round_ % 4 == 1 else 5)


def plain(scores):
    return [v if abs(v) < 1e39 else str(v) for v in scores[0].tolist()]


def main():
    model, lines = Bare(), []
    for parameters, ids, source, scores, prompt in cases():
        config = GenerationConfig(eos_token_id=[2, 1] if len(parameters) % 2 else 2, pad_token_id=0, **({"max_length": 30} | parameters))
        model._prepare_special_tokens(config, device="cpu")
        model._prepare_generated_length(config, "max_length" not in parameters, "min_length" not in parameters, "input_ids", prompt, ids)
        processors = model._get_logits_processor(config, prompt, source, device="cpu")
        fields = {"eos_token_id": config.eos_token_id, "max_length": config.max_length} | parameters
        lines.append(json.dumps({"parameters": fields, "ids": ids[0].tolist(), "source": source[0].tolist(), "prompt": prompt,
                                 "min_length": config.min_length, "scores": plain(scores), "result": plain(processors(ids, scores.clone()))}))
    (GOLDEN / "generation").mkdir(exist_ok=True)
    (GOLDEN / "generation" / "processors.jsonl").write_text("\n".join(lines) + "\n")
    print(len(lines), "cases")


if __name__ == "__main__":
    main()
