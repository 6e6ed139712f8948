"""Records tests/cases/eval/: small data files of every format, and what Transformers' answers on them are worth by the Python packages.

    pip install scikit-learn seqeval sacrebleu rouge-score scipy      # beside transformers 4.57.6
    python recipes/record_evaluations.py

expected.jsonl holds {"task", "model", "data", "arguments", "figures"}: `polymath eval` has to give these figures. The models are those of
tests/golden/: random, so that answers vary. Words are tagged as the usual training scripts do: the first token decides.
"""

import csv
import json
import random
from collections import Counter

import numpy as np
import torch
from common import GOLDEN
from pipeline_texts import LONG, NEWS, UNICODE
from record_metrics import classes, correlations, entities, rouge, squad, translation
from sklearn.metrics import f1_score
from transformers import AutoModel, AutoModelForTokenClassification, AutoTokenizer, pipeline

OUT = GOLDEN.parent / "cases/eval"
PIPELINES = GOLDEN / "pipelines"
SENTENCES = [s for s in UNICODE if "\n" not in s] + [s.strip() for s in (LONG + NEWS).replace(";", ".").split(". ") if s.strip()]
WORDS = [w for s in SENTENCES for w in s.split()]


def lines(name, rows):
    (OUT / name).write_text("".join(row + "\n" for row in rows))


def make_data(r):
    with open(OUT / "reviews.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "label", "sentence"])
        for i, s in enumerate(SENTENCES):
            writer.writerow([i, r.choice(["NEGATIVE", "positive"]), r.choice([s, s + ',\n"quoted"'])])
    lines("stars.txt", [f"{r.randrange(5)} {s}" for s in SENTENCES])
    lines("pairs.jsonl", [json.dumps({"premise": s, "hypothesis": r.choice(SENTENCES), "gold": r.choice(["entailment", "neutral", "contradiction"])}, ensure_ascii=False) for s in SENTENCES])
    lines("scores.tsv", [f"{r.uniform(0, 5):.2f}\t{s}\t{r.choice(['Indeed ' + s, 'not ' + s, r.choice(SENTENCES)])}" for s in SENTENCES])
    sentence = lambda: [r.choice(WORDS) for _ in range(r.randrange(1, 14))]
    tag = lambda: r.choice(["O", "O", "O", "B-PER", "I-PER", "B-location", "I-location", "I-ORG"])
    lines("entities.conll", [line for _ in range(25) for line in [*(f"{w}\tX\t{tag()}" for w in sentence()), ""]])
    pos = lambda: r.choice(["NOUN", "VERB", "ADJ", "DET", "PUNCT"])
    lines("pos.conllu", [line for _ in range(20) for line in ["# text = x", "1-2\tab\t" + "\t".join("_" * 8), *(
        f"{i + 1}\t{w}\t_\t{pos()}\t_\t_\t_\t_\t_\t_" for i, w in enumerate(sentence())), ""]])
    for name, possible in (("squad1.json", 1.0), ("squad2.json", 0.6)):
        articles = []
        for text in (LONG, NEWS):
            words, qas = text.split(), []
            for i in range(8):
                at = r.randrange(len(words) - 3)
                answers = [{"text": a, "answer_start": text.index(a)} for a in (" ".join(words[at:at + n]) for n in r.sample([1, 2, 3], 2))]
                answers = answers if r.random() < possible else []
                qas.append({"id": f"{name}-{len(articles)}-{i}", "question": f"Who or what is near {words[at - 1]}?", "answers": answers, "is_impossible": not answers})
            articles.append({"title": "t", "paragraphs": [{"context": text, "qas": qas}]})
        (OUT / name).write_text(json.dumps({"version": "v2.0" if possible < 1 else "1.1", "data": articles}, ensure_ascii=False, indent=1))
    lines("source.en", SENTENCES[:12])


def classified(task, name, inputs, truth, **parameters):
    answers = pipeline(task, model=str(PIPELINES / name))(inputs, **parameters)
    predicted = [a["labels"][0] if "labels" in a else a["label"] for a in answers]
    c = classes({"truth": truth, "predicted": predicted})
    assert len(set(predicted)) > 1, name
    labels = list(json.loads((PIPELINES / name / "config.json").read_text())["id2label"].values())
    binary = {"f1_binary": f1_score(truth, predicted, pos_label=labels[1])} if len(labels) == 2 else {}
    return {"examples": len(truth), **binary, "accuracy": c["accuracy"], "f1": c["macro"], "f1_weighted": c["weighted"], "matthews": float(c["matthews"]), "classes": named(c["classes"])}


def named(table):
    return {label: dict(zip(("precision", "recall", "f1", "support"), row)) for label, row in table.items()}


def tagged(name, sentences):
    tokenizer, model = AutoTokenizer.from_pretrained(PIPELINES / name), AutoModelForTokenClassification.from_pretrained(PIPELINES / name).eval()
    out, unseen = [], 0
    for words in sentences:
        encoding = tokenizer(words, is_split_into_words=True, truncation=True, return_tensors="pt")
        with torch.no_grad():
            best = model(**encoding).logits[0].argmax(-1).tolist()
        tags = {}
        for i, word in enumerate(encoding.word_ids()):
            if word is not None and word not in tags:
                tags[word] = model.config.id2label[best[i]]
        unseen += len(words) - len(tags)
        out.append([tags.get(w, "O") for w in range(len(words))])
    assert len({t for s in out for t in s}) > 1, name
    return out, unseen


def columns(path, token, tag):
    blocks, skip = [[]], ("#", "1-2")
    for line in path.read_text().split("\n"):
        if not line:
            blocks.append([])
        elif not line.startswith(skip) or path.suffix == ".conll":
            blocks[-1].append((line.split("\t")[token], line.split("\t")[tag]))
    blocks = [b for b in blocks if b]
    return [[w for w, _ in b] for b in blocks], [[t for _, t in b] for b in blocks]


def of_entities(name, path):
    words, truth = columns(path, 0, 2)
    truth = [[t.replace("location", "LOC") for t in s] for s in truth]
    predicted, unseen = tagged(name, words)
    e, c = entities({"truth": truth, "predicted": predicted}), classes({"truth": sum(truth, []), "predicted": sum(predicted, [])})
    figures = {"words": sum(map(len, truth)), "accuracy": c["accuracy"], "entity_precision": e["micro"][0], "entity_recall": e["micro"][1], "entity_f1": e["micro"][2],
               "entity_f1_macro": e["macro"][2], "entities": named(e["types"])}
    return figures | ({"words_unseen": unseen} if unseen else {})


def of_pos(name, path):
    words, truth = columns(path, 1, 3)
    c = classes({"truth": sum(truth, []), "predicted": sum(tagged(name, words)[0], [])})
    return {"accuracy": c["accuracy"], "f1": c["macro"], "f1_weighted": c["weighted"], "classes": named(c["classes"])}


def answered(name, path, version_2, **parameters):
    data = json.loads(path.read_text())
    questions = [(q, p["context"]) for a in data["data"] for p in a["paragraphs"] for q in p["qas"]]
    answer = pipeline("question-answering", model=str(PIPELINES / name))
    scores = []
    for i, (q, context) in enumerate(questions):
        given = answer(question=q["question"], context=context, **parameters)
        if q["answers"] and i % 3 == 0:  # a random model is never right by itself
            q["answers"][-1] = {"text": "The " + given["answer"].upper(), "answer_start": given["start"]}
        scores.append(squad({"predicted": given["answer"], "answers": [a["text"] for a in q["answers"]], "version_2": version_2}))
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1))
    return {"examples": len(scores), **{k: float(np.mean([s[k] for s in scores])) for k in ("exact_match", "f1")}}


def written(task, name, sources, references, stem=False, **parameters):
    pipe = pipeline(task, model=str(PIPELINES / name))
    hypotheses = [next(iter(pipe(s, truncation=True, **parameters)[0].values())) for s in sources]
    figures = {}
    if task != "summarization":
        t = translation({"hypotheses": hypotheses, "references": references})
        figures |= {"bleu": t["bleu"], "bleu_lowercase": t["bleu_lower"], "chrf": t["chrf"], "chrf++": t["chrf++"]}
    if "translation" not in task:
        scores = [rouge({"hypothesis": h, "reference": r})["stemmed" if stem else "plain"] for h, r in zip(hypotheses, references)]
        figures |= {k: float(np.mean([s[i] for s in scores])) for i, k in enumerate(("rouge1", "rouge2", "rougeL", "rougeLsum"))}
    if task == "text2text-generation":
        figures["exact_match"] = float(np.mean([h == r for h, r in zip(hypotheses, references)]))
    return figures, hypotheses


def similar(folder, pairs, scores):
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    settings = json.loads((folder / "sentence_bert_config.json").read_text())

    def embed(text):
        encoding = tokenizer(text, truncation=True, max_length=settings["max_seq_length"], return_tensors="pt")
        with torch.no_grad():
            return model(**encoding).last_hidden_state[0].mean(0)

    cosines = [float(torch.nn.functional.cosine_similarity(embed(a), embed(b), dim=0)) for a, b in pairs]
    return correlations({"x": scores, "y": cosines})


def reference_of(r, text):
    """A reference that shares words with what the model wrote."""
    words = text.split() or ["x"]
    r.shuffle(words)
    return " ".join(words[: max(1, len(words) * 2 // 3)] + ["Extra"])


def record():
    OUT.mkdir(parents=True, exist_ok=True)
    r = random.Random(11)
    make_data(r)
    cases = []
    add = lambda task, model, data, figures, *arguments: cases.append(
        {"task": task, "model": model, "data": data, "arguments": list(arguments), "figures": figures})

    with open(OUT / "reviews.csv", newline="") as file:
        reviews = list(csv.DictReader(file))
    add("sentiment-analysis", "pipelines/sentiment-distilbert", ["reviews.csv"],
        classified("text-classification", "sentiment-distilbert", [x["sentence"] for x in reviews], [x["label"].upper() for x in reviews], truncation=True))
    stars = [line.split(" ", 1) for line in (OUT / "stars.txt").read_text().split("\n")[:-1]]
    names = json.loads((PIPELINES / "sentiment-electra-five/config.json").read_text())["id2label"]
    add("text-classification", "pipelines/sentiment-electra-five", ["stars.txt"],
        classified("text-classification", "sentiment-electra-five", [s.strip() for _, s in stars], [names[n] for n, _ in stars], truncation=True))
    pairs = [json.loads(line) for line in (OUT / "pairs.jsonl").read_text().split("\n")[:-1]]
    add("text-classification", "pipelines/nli-roberta", ["pairs.jsonl"],
        classified("text-classification", "nli-roberta", [{"text": x["premise"], "text_pair": x["hypothesis"]} for x in pairs], [x["gold"].upper() for x in pairs], truncation=True),
        "--columns", "label=gold", "--batch-size", "3")
    template = "They write of {}."
    readable = {"entailment": "old bridges", "neutral": "people and cities", "contradiction": "nothing"}
    add("zero-shot-classification", "pipelines/nli-deberta-first", ["pairs.jsonl"],
        classified("zero-shot-classification", "nli-deberta-first", [x["premise"] for x in pairs], [readable[x["gold"]] for x in pairs],
                   candidate_labels=sorted(readable.values()), hypothesis_template=template),
        "--columns", "text=premise,label=gold", "--label-map", ",".join(f"{k}={v.replace(' ', '_')}" for k, v in readable.items()),
        "--parameters", json.dumps({"hypothesis_template": template}))

    rows = [line.split("\t") for line in (OUT / "scores.tsv").read_text().split("\n")[:-1]]
    scores = [float(row[0]) for row in rows]
    for name in ("regression-bert", "single-output-albert"):
        answers = pipeline("text-classification", model=str(PIPELINES / name))([{"text": a, "text_pair": b} for _, a, b in rows], function_to_apply="none", truncation=True)
        add("text-classification", "pipelines/" + name, ["scores.tsv"], correlations({"x": scores, "y": [a["score"] for a in answers]}), "--columns", "label=0,text=1,text_pair=2")
    add("sentence-similarity", "sentences/mean-normalize", ["scores.tsv"], similar(GOLDEN / "sentences/mean-normalize", [row[1:] for row in rows], scores),
        "--columns", "label=0,text=1,text_pair=2")

    for name in ("ner-bert-cased", "ner-roberta"):
        add("ner", "pipelines/" + name, ["entities.conll"], of_entities(name, OUT / "entities.conll"), "--label-map", "location=LOC")
    add("token-classification", "pipelines/pos-distilbert", ["pos.conllu"], of_pos("pos-distilbert", OUT / "pos.conllu"))
    add("question-answering", "pipelines/qa-bert-uncased", ["squad1.json"], answered("qa-bert-uncased", OUT / "squad1.json", False))
    add("question-answering", "pipelines/qa-distilbert", ["squad2.json"], answered("qa-distilbert", OUT / "squad2.json", True, handle_impossible_answer=True, max_answer_len=30),
        "--parameters", json.dumps({"max_answer_len": 30}))

    sources = SENTENCES[:12]
    short = {"max_new_tokens": 12}
    for task, name, target in (("translation", "translate-marian", "target.de"), ("text2text-generation", "t2t-t5", "target.t2t")):
        _, hypotheses = written(task, name, sources, sources, **short)
        references = [reference_of(r, h) if i % 3 else h for i, h in enumerate(hypotheses)]
        references = [" ".join(x.split("\n")) for x in references]
        lines(target, references)
        add(task, "pipelines/" + name, ["source.en", target], written(task, name, sources, references, **short)[0], "--parameters", json.dumps(short))
    _, hypotheses = written("summarization", "sum-bart", sources, sources, **short)
    references = [reference_of(r, h) for h in hypotheses]
    lines("summaries.jsonl", [json.dumps({"text": s, "summary": t}, ensure_ascii=False) for s, t in zip(sources, references)])
    add("summarization", "pipelines/sum-bart", ["summaries.jsonl"], written("summarization", "sum-bart", sources, references, stem=True, **short)[0],
        "--parameters", json.dumps(short), "--stem")
    lines("expected.jsonl", [json.dumps(c, ensure_ascii=False) for c in cases])
    for c in cases:
        print(c["task"], c["model"], {k: round(v, 3) for k, v in c["figures"].items() if isinstance(v, float)})


if __name__ == "__main__":
    record()
