"""Compares `polymath run TASK --lines` with pipeline() of Transformers 4.57.6 on random checkpoints and random calls.

    python recipes/compare_pipelines.py [FIRST [LAST]] [--only PART] [--calls N] [--keep FOLDER]   # seeds; under 4.57.6

A seed makes a family, a tokenizer folder in one of its many shapes, labels, and calls with right and wrong parameters.
Prints each difference; answers that float64 arithmetic changes do not count. What a difference taught goes into
pipeline_calls.py or pipeline_models.py, so that the tests replay it.
"""

import argparse
import collections
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import transformers

import golden_tokenizers as tok
import pipeline_models as shapes
from common import edit_json, randomize, read_json, write_json
from corpus import TRAIN
from pipeline_texts import ENTITY_WORDS, LONG, NEWS, SHORT, UNICODE
from record_pipelines import answer, spread

PROGRAM = Path(os.environ.get("POLYMATH", Path(__file__).resolve().parent.parent / "build" / "polymath"))
HEADS = {"feature-extraction": "Model", "fill-mask": "ForMaskedLM", "token-classification": "ForTokenClassification",
         "question-answering": "ForQuestionAnswering", "text-classification": "ForSequenceClassification",
         "zero-shot-classification": "ForSequenceClassification"}
FAMILIES = {  # class prefix: config, tokenizers
    "Bert": (shapes.bert, [tok.bert_uncased, tok.bert_cased]),
    "DistilBert": (shapes.distil, [tok.distilbert, tok.bert_uncased]),
    "Electra": (shapes.small_embeddings, [tok.electra]),
    "Roberta": (shapes.roberta, [tok.roberta]),
    "XLMRoberta": (shapes.roberta, [tok.xlm_roberta, tok.xlm_roberta_nmt]),
    "Camembert": (shapes.roberta, [tok.camembert]),
    "Albert": (shapes.small_embeddings, [tok.albert]),
    "MPNet": (lambda **more: {k: v for k, v in shapes.roberta(**more).items() if k != "type_vocab_size"}, [tok.mpnet]),
    "DebertaV2": (shapes.deberta, [tok.deberta_v2]),
    "ModernBert": (shapes.modern, [tok.modernbert]),
}
LABELS = [
    ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"], ["B-PER", "I-PER", "O", "B-LOC", "I-LOC", "B-MISC", "I-MISC"],
    ["NOUN", "VERB", "ADJ", "PUNCT"], ["O", "PER", "LOC"], ["O", "B-PER", "I-PER", "E-PER", "S-PER", "L-LOC", "U-LOC"],
    ["O"], ["I-PER", "I-LOC", "O"], ["B-per", "B-A-B", "I-A-B", "-", "I-"], ["LABEL_0", "LABEL_1"], ["o", "B_PER"],
    ["O", "I_PER", "B-", "B-O", "I-O"],
]
NLI = [["CONTRADICTION", "NEUTRAL", "ENTAILMENT"], ["entailment", "neutral", "contradiction"], ["no", "yes"],
       ["x", "Entail", "y", "entailment"], ["not_entailment", "entailment"], ["neutral"], ["a", "b", "c", "d"],
       ["ENTAILMENT"]]
EXTRA = ["", " ", "\n\t ", "a", "👩‍👩‍👧‍👦👍🏽", "हिन्दी में लिखा हुआ वाक्य। क्षत्रिय", "ภาษาไทยไม่มีช่องว่าง", "これは日本語の文章です。東京タワー", "한국어 문장입니다.",
         "مرحبا بالعالم، كيف حالك؟", "x" * 150, "don't can't I'm we've, they're \"quoted\" (text) [x] {y}.", "İstanbul ŞİŞLİ ǅ ﬀ ß ẞ",
         "\u200bzero\u200dwidth\ufeff", "[CLS] [SEP] <s> </s> [MASK] <mask> [PAD] <pad> [UNK] <unk>", "1,234.56 €5 50% C++ a_b-c/d",
         "A\u0301B\u0308 o\u0302\u0301", "new\r\nline\x0b\x0c\x85\u2028x", "\x00\x01\x7f", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ½ ² ①", "Hello,world!How.are?you", "##ing ing## ▁under Ġspace"]


def text_of(r):
    kind = r.random()
    if kind < 0.35:
        return r.choice(SHORT + UNICODE + EXTRA)
    if kind < 0.6:
        words = (LONG + NEWS).split()
        at = r.randrange(len(words))
        return " ".join(words[at:at + r.randrange(1, 30)])
    if kind < 0.7:
        return r.choice([LONG, NEWS, LONG + NEWS, TRAIN[r.randrange(len(TRAIN))]])
    return r.choice(["", " ", "\n"]).join(r.choice(SHORT + UNICODE + EXTRA) for _ in range(r.randrange(1, 4)))


def junk(r):
    return r.choice([None, 0, -1, 1, 2, 3, 7, 100000, 1.5, True, False, "", "x", "1", [], ["x"], [1], {}, {"a": 1}, [None]])


def some(r, parameters, often, **choices):
    for name, values in choices.items():
        if r.random() < often:
            parameters[name] = r.choice(values)() if callable(r.choice(values)) else r.choice(values)


def tokenizer_arguments(r, names=True):
    a = {}
    some(r, a, 0.35, truncation=[True, False, "longest_first", "only_first", "only_second", "do_not_truncate", "x", 1],
         max_length=[1, 2, 3, 4, 8, 20, 60, None], padding=[True, False, "max_length", "longest", "do_not_pad", "x"],
         add_special_tokens=[True, False])
    some(r, a, 0.08, stride=[0, 2, 5], pad_to_multiple_of=[8, 7], padding_side=["left", "right"],
         return_token_type_ids=[True, False], return_attention_mask=[True, False], return_overflowing_tokens=[False],
         return_special_tokens_mask=[False], return_offsets_mapping=[False], verbose=[False], nonsense=[1],
         return_length=[False], split_special_tokens=[True, False], is_split_into_words=[False])
    return a


def batch(r, parameters):
    some(r, parameters, 0.12, batch_size=[1, 2, 3, 8])
    some(r, parameters, 0.03, num_workers=[0], unknown=[1])
    if parameters and r.random() < 0.04:
        parameters[r.choice(sorted(parameters))] = junk(r)


def one_or_many(r, make):
    kind = r.random()
    if kind < 0.7:
        return make()
    if kind < 0.97:
        return [make() for _ in range(r.choice([0, 1, 1, 2, 3, 5]))]
    return junk(r)


def feature_extraction(r, tokenizer, config):
    p = {}
    some(r, p, 0.3, truncation=[True, False, "only_first"], return_tensors=[True, False])
    if r.random() < 0.4:
        p["tokenize_kwargs"] = tokenizer_arguments(r)
    batch(r, p)
    return one_or_many(r, lambda: text_of(r)), p


def text_classification(r, tokenizer, config):
    p = tokenizer_arguments(r) if r.random() < 0.4 else {}
    some(r, p, 0.3, top_k=[1, 2, 3, 10, None, 0, -1, "x", True], function_to_apply=["none", "sigmoid", "softmax", "NONE", "SoftMax", "x"],
         return_all_scores=[True, False])
    batch(r, p)

    def item():
        if r.random() < 0.65:
            return text_of(r)
        pair = {"text": text_of(r), "text_pair": text_of(r)}
        if r.random() < 0.2:
            pair.pop(r.choice(sorted(pair)))
        if r.random() < 0.05:
            pair["x"] = "y"
        return r.choice([pair, pair, pair, [[pair.get("text", "a"), pair.get("text_pair", "b")]], [pair.get("text", "a"), "b"]])
    return one_or_many(r, item), p


def fill_mask(r, tokenizer, config):
    p = {}
    vocabulary = list(tokenizer.get_vocab())
    some(r, p, 0.5, top_k=[1, 2, 3, 5, 8, 0, 600])
    if r.random() < 0.35:
        pool = [r.choice(vocabulary) for _ in range(6)] + ["the", " the", "Ġthe", "▁the", "London", "unseen-word", "", " ", "😀", "東"]
        p["targets"] = r.choice([r.sample(pool, r.randrange(1, 6)), r.choice(pool), []])
    if r.random() < 0.3:
        p["tokenizer_kwargs"] = tokenizer_arguments(r)
    batch(r, p)

    def item():
        text = text_of(r)
        for _ in range(r.choice([0, 1, 1, 1, 1, 2, 3])):
            at = r.randrange(len(text) + 1)
            text = text[:at] + r.choice(["", " "]) + str(tokenizer.mask_token) + r.choice(["", " "]) + text[at:]
        return text
    return one_or_many(r, item), p


def token_classification(r, tokenizer, config):
    p = {}
    some(r, p, 0.7, aggregation_strategy=["none", "simple", "first", "average", "max", "SIMPLE", "x"] if r.random() < 0.2 else
         ["none", "simple", "first", "average", "max"])
    names = list(config.id2label.values())
    some(r, p, 0.3, ignore_labels=[[], [names[0]], names[:2], ["O", "PER", "LOC"], names, ["x"], "O"])
    some(r, p, 0.08, grouped_entities=[True, False], ignore_subwords=[True, False])
    most = tokenizer.model_max_length
    some(r, p, 0.3 if most < 1000 else 0.05, stride=[0, 1, 2, 5, 9, most - 1, most - 2, most - 4, most] if most < 1000 else [0, 5])
    split = r.random() < 0.25
    if split:
        p["is_split_into_words"] = r.random() < 0.93
        some(r, p, 0.3, delimiter=["", " ", "_", " | ", "\n"])
    batch(r, p)

    def words():
        return r.choice(ENTITY_WORDS + [text_of(r).split(), text_of(r).split(" ")])
    return one_or_many(r, words if split and r.random() < 0.9 else lambda: text_of(r)), p


def question_answering(r, tokenizer, config):
    p = {}
    some(r, p, 0.4, top_k=[1, 2, 3, 5, 20, 0], max_answer_len=[1, 2, 5, 15, 40, 200, 0], handle_impossible_answer=[True, False],
         align_to_words=[True, False])
    some(r, p, 0.3, doc_stride=[0, 1, 4, 10, 20, 64, 200], max_seq_len=[1, 8, 16, 24, 32, 50, 100, 384])
    some(r, p, 0.15, padding=[True, False, "max_length", "longest", "do_not_pad", "x"], max_question_len=[1, 5, 64])
    some(r, p, 0.02, topk=[2])
    batch(r, p)

    def item():
        question = r.choice(["Who?", "Where is the bridge?", "Who met Charles?", "?", "東京は？", text_of(r)])
        e = {"question": question, "context": r.choice([text_of(r), NEWS, LONG + NEWS, SHORT[0]])}
        if r.random() < 0.04:
            e[r.choice(sorted(e))] = r.choice([None, "", 5, ["a", "b"], []])
        if r.random() < 0.02:
            e.pop(r.choice(sorted(e)))
        return e
    if r.random() < 0.04:
        return {"question": ["Who?", "Where is the bridge?"], "context": r.choice([NEWS, [NEWS, SHORT[0]], [NEWS]])}, p
    return one_or_many(r, item), p


def zero_shot(r, tokenizer, config):
    p = {"candidate_labels": r.choice([["sports", "politics"], ["a", "b", "c"], "sports, politics ,, x", "one", ["one"], [], "", ",", ["é", "東京", "😀 x"],
                                       [r.choice(TRAIN)[:40], "b"], ["same", "same"], ("x " * 60).strip()])}
    some(r, p, 0.4, hypothesis_template=["This text is about {}.", "{}", "{} {}", "no braces", "{0} and {0}", "{{}} {}", "", "{!r}", "{:>12}", "{1}", "{x}", "{", "a {:.2} b"])
    some(r, p, 0.4, multi_label=[True, False])
    some(r, p, 0.05, multi_class=[True, False])
    if r.random() < 0.03:
        p.pop("candidate_labels")
    batch(r, p)
    return one_or_many(r, lambda: text_of(r)), p


TASKS = {"feature-extraction": feature_extraction, "fill-mask": fill_mask, "token-classification": token_classification,
         "question-answering": question_answering, "text-classification": text_classification, "zero-shot-classification": zero_shot}


def rewrite_tokenizer(r, folder, how):
    """The tokenizer's files in one of the shapes that from_pretrained takes."""
    config_path = folder / "tokenizer_config.json"
    config = read_json(config_path)
    has_old = any((folder / f).exists() for f in ("vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spm.model", "spiece.model"))
    if has_old and (folder / "tokenizer.json").exists() and r.random() < 0.3:
        (folder / "tokenizer.json").unlink()
        how.append("no tokenizer.json")
    elif has_old and r.random() < 0.3:
        for f in ("vocab.txt", "vocab.json", "merges.txt", "sentencepiece.bpe.model", "spm.model", "spiece.model"):
            (folder / f).unlink(missing_ok=True)
        how.append("only tokenizer.json")
    edits = {}
    some(r, edits, 0.12, do_lower_case=[True, False], strip_accents=[True, False, None], tokenize_chinese_chars=[True, False],
         add_prefix_space=[True, False], trim_offsets=[True, False], clean_up_tokenization_spaces=[True, False],
         padding_side=["left", "right"], truncation_side=["left", "right"], model_max_length=[20, 40, 64, 128, 1e30, None],
         model_input_names=[["input_ids", "attention_mask"], ["input_ids"], ["input_ids", "token_type_ids", "attention_mask"]])
    some(r, edits, 0.05, additional_special_tokens=[["<new>"], ["London", "the"], [], None], keep_accents=[True, False], remove_space=[True, False],
         split_by_punct=[True, False], extra_special_tokens=[{}, {"image_token": "<img>"}], never_split=[["London"]], do_basic_tokenize=[True, False],
         sp_model_kwargs=[{}], vocab_type=["spm"], legacy=[True], use_default_system_prompt=[False])
    for key, value in edits.items():
        how.append(f"{key}={value}")
        config[key] = value
    for key in ("mask_token", "pad_token", "sep_token", "unk_token", "cls_token"):
        if r.random() < 0.04:
            value = r.choice([None, "<other>", {"content": config.get(key) if isinstance(config.get(key), str) else "<o>", "lstrip": True, "rstrip": r.random() < 0.5,
                                                "normalized": False, "single_word": False, "__type": "AddedToken"}])
            config[key] = value
            how.append(f"{key}={value}")
    if r.random() < 0.25 and "added_tokens_decoder" in config:
        del config["added_tokens_decoder"]
        how.append("no added_tokens_decoder")
        if r.random() < 0.4:
            write_json(folder / "special_tokens_map.json", {k: r.choice([v, {"content": v, "lstrip": r.random() < 0.5, "rstrip": r.random() < 0.3, "normalized": r.random() < 0.3,
                                                                             "single_word": False}]) for k, v in config.items() if k.endswith("_token") and isinstance(v, str)})
            for k in list(config):
                if k.endswith("_token") and r.random() < 0.8:
                    del config[k]
            how.append("special_tokens_map.json " + (folder / "special_tokens_map.json").read_text().replace("\n", ""))
        if r.random() < 0.3:
            size = len(transformers.AutoTokenizer.from_pretrained(folder))
            write_json(folder / "added_tokens.json", {"<extra>": size, "lovely": size + 1})
            how.append("added_tokens.json")
    if r.random() < 0.15:
        config.pop("tokenizer_class", None)
        how.append("no tokenizer_class")
    elif r.random() < 0.1:
        config["tokenizer_class"] = r.choice(["PreTrainedTokenizerFast", config.get("tokenizer_class", "").removesuffix("Fast"), config.get("tokenizer_class", "").removesuffix("Fast") + "Fast",
                                              "BertTokenizer", "RobertaTokenizerFast", "Nonsense"])
        how.append("tokenizer_class=" + config["tokenizer_class"])
    if r.random() < 0.15:
        (folder / "special_tokens_map.json").unlink(missing_ok=True)
        how.append("no special_tokens_map.json")
    write_json(config_path, config)
    if r.random() < 0.06:
        config_path.unlink()
        how.append("no tokenizer_config.json")


def make(r, seed, folder, task):
    """A checkpoint for the task; returns what it is, or None where Transformers cannot load it."""
    prefix = r.choice(sorted(FAMILIES))
    config_of, tokenizers = FAMILIES[prefix]
    arguments = {}
    some(r, arguments, 0.5, model_max_length=[16, 24, 32, 50, 128])
    some(r, arguments, 0.1, padding_side=["left"])
    tokenizer = r.choice(tokenizers)(**arguments)
    if r.random() < 0.2:
        tokenizer.add_tokens(shapes.ADDED)
    more = {}
    if task == "token-classification":
        more = shapes.labels(*r.choice(LABELS))
    if task == "zero-shot-classification":
        more = shapes.labels(*r.choice(NLI))
        if r.random() < 0.1:
            more = {"num_labels": 3}
    if task == "text-classification":
        more = r.choice([{"num_labels": 1}, {"num_labels": 2}, {"num_labels": 3}, shapes.labels("bad", "good"), shapes.labels("a", "a", "b")])
        some(r, more, 0.15, problem_type=["regression", "multi_label_classification", "single_label_classification"], return_all_scores=[True, False])
        some(r, more, 0.1, function_to_apply=["none", "sigmoid", "softmax"])
    if r.random() < 0.15:
        more["task_specific_params"] = {task: {"top_k": 3}}
    cls = getattr(transformers, prefix + HEADS[task])
    config = {k: v for k, v in config_of(**more).items() if v is not None}
    config = cls.config_class(**({"pad_token_id": tokenizer.pad_token_id, "vocab_size": len(tokenizer) + 4} | config))
    how = [prefix, type(tokenizer).__name__, str(arguments), str(more)]
    torch.manual_seed(seed)
    model = randomize(cls(config), str(seed), gain=r.choice([1.0, 1.3]))
    model.tie_weights()
    tok.save(tokenizer, folder)
    names = tokenizer.model_input_names
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    spread(model.eval(), tokenizer)
    tokenizer.model_input_names = names
    model.save_pretrained(folder)
    if r.random() < 0.5:
        rewrite_tokenizer(r, folder, how)
    if r.random() < 0.1:
        config = read_json(folder / "config.json")
        for key in r.sample(["label2id", "id2label", "architectures", "pad_token_id"], 2):
            if key != "id2label" or config.get("id2label", None) is None or len(config["id2label"]) == 2:
                config.pop(key, None)
                how.append("no " + key)
        write_json(folder / "config.json", config)
    return " ".join(how)


def near(a, b, path=""):
    """Where two answers differ by more than the tolerance, or ""."""
    if isinstance(a, bool) != isinstance(b, bool):
        return f"{path}: {b!r}, not {a!r}"
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        same = a == b or (a != a and b != b) or (isinstance(a, float) and abs(a - b) <= 1e-4 * max(1, abs(a)))
        return "" if same else f"{path}: {b!r}, not {a!r}"
    if type(a) is not type(b):
        return f"{path}: {str(b)[:300]}, not {str(a)[:300]}"
    if isinstance(a, dict):
        if list(a) != list(b):
            return f"{path}: keys {list(b)}, not {list(a)}"
        return next(filter(None, (near(a[k], b[k], f"{path}.{k}") for k in a)), "")
    if isinstance(a, list):
        if len(a) != len(b):
            return f"{path}: {len(b)} items, not {len(a)}: {str(b)[:200]} not {str(a)[:200]}"
        return next(filter(None, (near(x, y, f"{path}[{i}]") for i, (x, y) in enumerate(zip(a, b)))), "")
    return "" if a == b else f"{path}: {b!r}, not {a!r}"


def scores_of(value):
    """All scores of an answer, sorted: what a tie leaves equal whatever the order."""
    if isinstance(value, dict):
        return sorted(x for k, v in value.items() for x in ([v] if k == "score" else v if k == "scores" else scores_of(v) if isinstance(v, (dict, list)) else []))
    if isinstance(value, list):
        return sorted(x for v in value for x in scores_of(v))
    return []


def has_tie(value):
    found = scores_of(value)
    return any(abs(x - y) <= 1e-6 + 1e-5 * abs(x) for x, y in zip(found, found[1:])) or any(x <= 1e-7 for x in found)


def worthless_tail(theirs, ours):
    """Spans of no score fill up a long top_k: which of them numpy takes is chance."""
    if isinstance(theirs, dict) and isinstance(ours, dict) and "answer" in theirs:
        return not near(theirs, ours)
    if not isinstance(theirs, (dict, list)) or not isinstance(ours, (dict, list)):
        return False
    if isinstance(theirs, list) and theirs and isinstance(theirs[0], list) or isinstance(ours, list) and ours and isinstance(ours[0], list):
        return len(theirs) == len(ours) and all(worthless_tail(t, o) for t, o in zip(theirs, ours))
    wide = [[a for a in (x if isinstance(x, list) else [x]) if a.get("score", 1) > 1e-6] for x in (theirs, ours)]
    return len(wide[0]) == len(wide[1]) and not near(*wide)


def one(seed, folder, only, calls, counts):
    r = random.Random(seed)
    task = r.choice(sorted(TASKS))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if only and only not in task:
        return 0
    about = f"seed {seed} {task} {make(r, seed, folder, task)}"
    load_error = None
    try:
        pipe = transformers.pipeline(task, model=str(folder), device="cpu")
        exact = transformers.pipeline(task, model=str(folder), device="cpu")
        exact.model.double()
        tokenizer, config = pipe.tokenizer, pipe.model.config
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        load_error = f"{type(error).__name__}: {str(error)[:150]}"
    bodies = [] if load_error else [dict(zip(("inputs", "parameters"), TASKS[task](r, tokenizer, config))) for _ in range(calls)]
    lines = "".join(json.dumps(b) + "\n" for b in bodies) or '{"inputs": "x"}\n'
    run = subprocess.run([PROGRAM, "run", task, "--model", folder, "--lines"], input=lines, capture_output=True, text=True)
    if load_error:
        if run.returncode == 0:
            print(f"{about}: loads, but Transformers: {load_error}", flush=True)
            return 1
        counts["cannot load"] += 1
        return 0
    got = [json.loads(line) for line in run.stdout.split("\n") if line]
    if run.returncode not in (0, 1) or len(got) != len(bodies):
        print(f"{about}: exit {run.returncode} after {len(got)} answers: {run.stderr.strip()[:400]}", flush=True)
        return 1
    bad = 0
    for body, ours in zip(bodies, got):
        theirs = answer(pipe, body)
        failed = isinstance(ours, dict) and "error" in ours
        what = ""
        if "error" in theirs:
            what = "" if failed else f"answers {str(ours)[:200]}, but Transformers: {theirs['error'][:300]}"
            counts["errors"] += not what
        elif failed:
            what = f"{ours['error'][:300]}; Transformers: {str(theirs['result'])[:200]}"
        else:
            what = near(theirs["result"], ours)
            if what:
                again = answer(exact, body)
                if near(theirs["result"], again.get("result")) or (has_tie(theirs["result"]) and not near(scores_of(theirs["result"]), scores_of(ours))):
                    counts["ties"] += 1
                    what = ""
                elif task == "question-answering" and worthless_tail(theirs["result"], ours):
                    counts["ties"] += 1
                    what = ""
            counts[task] += not what
        if what:
            bad += 1
            if bad <= 4:
                print(f"{about}\n    {json.dumps(body, ensure_ascii=False)[:700]}\n    {what}", flush=True)
    return bad


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("first", type=int, nargs="?", default=0)
    parser.add_argument("last", type=int, nargs="?")
    parser.add_argument("--only", default="")
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--keep")
    a = parser.parse_args()
    counts, bad = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(a.first, a.last if a.last is not None else a.first + 1):
            bad += one(seed, Path(a.keep or scratch) / "checkpoint", a.only, a.calls, counts)
    print(f"{bad} differences;", dict(counts))
    sys.exit(bad > 0)


if __name__ == "__main__":
    assert transformers.__version__ == "4.57.6", "pipelines are compared with Transformers 4.57.6"
    main()
