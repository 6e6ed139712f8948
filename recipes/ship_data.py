"""Makes the files that the shipped models are trained and measured on, from public data sets (models/*/README.md names them).

    python3 recipes/ship_data.py SETS OUT     # SETS: the folder with sentiment-sst-trec/, ner/, qa/, nli/, ...; OUT: a new folder

Standard library only. Nothing of a test split is read. recipes/ship_models.sh uses what this writes.
"""
import csv
import gzip
import json
import lzma
import pathlib
import random
import re
import shutil
import sys
import zipfile

SETS, OUT = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
KINDS = {"PER": "PER", "LOC": "LOC", "ORG": "ORG", "MISC": "MISC", "person": "PER", "location": "LOC", "corporation": "ORG", "group": "ORG",
         "product": "MISC", "creative-work": "MISC"}


def sentiment():
    folder = SETS / "sentiment-sst-trec"
    for part, names in (("train", ("stsa.binary.train", "rt-polarity.minus-sst-dev-test.all", "custrev.all", "mpqa.all")), ("dev", ("stsa.binary.dev",))):
        lines = [line for name in names for line in (folder / name).read_text().split("\n") if len(line) > 2]
        (OUT / f"sentiment.{part}.txt").write_text("".join(f"{'positive' if line[0] == '1' else 'negative'} {line[2:]}\n" for line in lines))


def sentences_of(path):
    """Lists of (token, tag) with the four kinds of entities."""
    sentences = [[]]
    for line in path.read_text().splitlines():
        cells = line.split()
        if len(cells) < 2:
            sentences.append([])
            continue
        prefix, _, kind = cells[-1].partition("-")
        tag = f"{prefix}-{KINDS[kind]}" if prefix in "BI" and kind in KINDS else "O"
        sentences[-1].append((cells[0], tag))
    return [s for s in sentences if s]


def write_conll(path, sentences):
    path.write_text("".join("".join(f"{token}\t{tag}\n" for token, tag in s) + "\n" for s in sentences))


def ner():
    folder = SETS / "ner"
    wikigold = sentences_of(folder / "wikigold.train.conll")
    btc = {part: sentences_of(folder / f"btc.{part}.conll") for part in "abegh"}
    gold_at, btc_at = len(wikigold) * 85 // 100, len(btc["h"]) * 75 // 100
    train = sentences_of(folder / "wnut17.train.conll") + wikigold[:gold_at] + btc["a"] + btc["b"] + btc["e"] + btc["g"] + btc["h"][:btc_at]
    write_conll(OUT / "ner.train.conll", train)
    write_conll(OUT / "ner.wnut17.conll", sentences_of(folder / "wnut17.dev.conll"))
    write_conll(OUT / "ner.wikigold.conll", wikigold[gold_at:])
    write_conll(OUT / "ner.btc.conll", btc["h"][btc_at:])


def pos():
    folder = SETS / "ud-english-ewt"
    (OUT / "pos.train.conllu").write_bytes(lzma.decompress((folder / "en_ewt-train-rebuilt.conllu.xz").read_bytes()))
    shutil.copy(folder / "en_ewt-ud-dev.conllu", OUT / "pos.dev.conllu")


def spoken(name):
    """FindRestaurants, card_arrival, AddToPlaylist -> find restaurants, card arrival, add to playlist."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").strip().lower()


def dialogues():
    with lzma.open(SETS / "sgd" / "sgd.train.compact.jsonl.xz", "rt") as file:
        for line in file:
            yield json.loads(line)


def qa():
    folder = SETS / "qa"
    qamr = json.loads((folder / "qamr.train.squad.json").read_text())
    questions = [(q["question"], p["context"], a["text"], a["answer_start"]) for article in qamr["data"] for p in article["paragraphs"] for q in p["qas"]
                 for a in q["answers"][:1]]
    rng = random.Random(1)
    # A question among several sentences of its corpus, as paragraphs are.
    contexts = sorted({c for _, c, _, _ in questions})
    rows = []
    for question, context, answer, start in questions:
        if rng.random() < 0.7:
            before, after = (" ".join(rng.sample(contexts, rng.randint(0, 2))) for _ in range(2))
            before = before + " " if before else ""
            context, start = f"{before}{context} {after}".rstrip(), start + len(before)
        rows.append({"question": question, "context": context, "answers": [{"text": answer, "answer_start": start}]})
    rng.shuffle(rows)
    (OUT / "qa.train.jsonl").write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))
    shutil.copy(folder / "xquad.en.articles0-31.json", OUT / "qa.xquad.json")


def pairs_with_labels(texts, labels, rng, wrong):
    """(text, label) -> an entailed hypothesis, and `wrong` that are not."""
    templates = ["This example is {}.", "This text is about {}.", "The user asks about {}.", "The topic is {}.", "This is about {}.", "{}"]
    for text, label in texts:
        hypothesis = rng.choice(templates)
        yield text, hypothesis.format(label), "entailment"
        for other in rng.sample([l for l in labels if l != label], wrong):
            yield text, hypothesis.format(other), "not_entailment"


def nli():
    rng = random.Random(1)
    rows = []
    for line in (SETS / "nli" / "rte123.train.jsonl").read_text().splitlines():
        row = json.loads(line)
        rows.append((row["premise"], row["hypothesis"], row["label"]))
    with (SETS / "nli" / "sick.train.tsv").open() as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            rows.append((row["sentence_A"], row["sentence_B"], "entailment" if row["entailment_judgment"] == "ENTAILMENT" else "not_entailment"))
    snips = json.loads((SETS / "intents" / "snips.train_full.json").read_text())
    texts = [("".join(piece["text"] for piece in item["data"]).strip(), spoken(intent)) for intent, items in snips.items() for item in rng.sample(items, 300)]
    rows += pairs_with_labels(texts, sorted({l for _, l in texts}), rng, 2)
    texts, slots = [], []
    for dialogue in dialogues():
        before = None
        for turn in dialogue["turns"]:
            if turn["speaker"] != "USER":
                continue
            for frame in turn["frames"]:
                intent = frame.get("intent")
                if intent and intent != "NONE" and intent != before:
                    texts.append((turn["text"], spoken(intent)))
                    before = intent
                for slot in frame.get("asks") or []:
                    slots.append((turn["text"], spoken(slot)))
    for some in (texts, slots):
        some = rng.sample(some, min(len(some), 6000))
        rows += pairs_with_labels(some, sorted({l for _, l in some}), rng, 2)
    for name in ("msr-para-train.tsv",):
        for line in (SETS / "sentence-pairs" / name).read_text(encoding="utf-8-sig").splitlines()[1:]:
            cells = line.split("\t")
            if cells[0] == "1":
                rows.append((cells[3], cells[4], "entailment"))
    rng.shuffle(rows)
    with (OUT / "nli.train.tsv").open("w") as file:
        file.write("text\ttext_pair\tlabel\n")
        for text, hypothesis, label in rows:
            file.write("\t".join((" ".join(text.split()), " ".join(hypothesis.split()), label)) + "\n")


def zero_shot():
    """Sentences of intents that nothing above is trained on, and their labels as people would write them."""
    rng = random.Random(2)
    with (SETS / "intents" / "banking77.train.csv").open() as file:
        banking = [(row["text"], spoken(row["category"])) for row in csv.DictReader(file)]
    clinc = [(text, spoken(intent)) for text, intent in json.loads((SETS / "intents" / "clinc150_full.train_val.json").read_text())["val"]]
    for name, rows in (("banking77", banking), ("clinc150", clinc)):
        labels = sorted({label for _, label in rows})
        (OUT / f"zero-shot.{name}.labels.json").write_text(json.dumps(labels))
        (OUT / f"zero-shot.{name}.jsonl").write_text("".join(json.dumps({"text": t, "label": l}) + "\n" for t, l in rng.sample(rows, 500)))


def plain_text():
    """Paragraphs for the masked language model: novels, and pages of an encyclopaedia."""
    rng = random.Random(3)
    lines = []
    with lzma.open(SETS / "lm-eltec-eng" / "eltec_eng_train.jsonl.xz", "rt") as file:
        for line in file:
            lines += [p for p in json.loads(line)["text"].split("\n") if 60 < len(p) < 1200]
    lines = rng.sample(lines, 20000)
    lines += [p for p in (SETS / "chat" / "wiki_demo.txt").read_text().split("\n") if 60 < len(p)]
    rng.shuffle(lines)
    (OUT / "text.train.txt").write_text("\n".join(lines[400:]) + "\n")
    (OUT / "text.dev.txt").write_text("\n".join(lines[:400]) + "\n")


def translation():
    for language in ("en", "de", "fr"):
        for part in ("train", "val"):
            (OUT / f"multi30k.{part}.{language}").write_bytes(gzip.decompress((SETS / "multi30k" / f"{part}.{language}.gz").read_bytes()))


OUT.mkdir(parents=True)
for make in (sentiment, ner, pos, qa, nli, zero_shot, plain_text, translation):
    make()
for path in sorted(OUT.iterdir()):
    print(f"{path.stat().st_size:10}  {path.name}")
