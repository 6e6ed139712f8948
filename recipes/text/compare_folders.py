"""Compares `polymath tokenize` with Transformers' classes over folders without a tokenizer.json, line by line.

    python recipes/text/compare_folders.py PROGRAM DATA_FOLDER OUT_FOLDER [LINES] [NAME...]

Makes a folder per class in OUT_FOLDER from the real vocabularies of DATA_FOLDER/tokenizers (vocab.txt, vocab.json and merges.txt,
sentencepiece models; Marian's and M2M100's files), and compares ids, tokens, offsets (where the class is a fast one) and decoded
text over LINES lines (default 4,000): half hostile, half from DATA_FOLDER. Needs transformers 4.57.6, sentencepiece and protobuf.
"""

import json
import random
import shutil
import sys
from pathlib import Path

from transformers import AutoTokenizer

from compare_tokenizers import real_lines, run
from hostile_texts import hostile


def sentencepiece_vocab(path):
    from sentencepiece import SentencePieceProcessor
    model = SentencePieceProcessor(model_file=str(path))
    return [model.id_to_piece(i) for i in range(model.get_piece_size())]


def changed(path, to, more=(), pegasus=False):
    """The model with control pieces behind its own, or with Pegasus's first three."""
    from transformers.convert_slow_tokenizer import import_protobuf
    pb = import_protobuf()
    model = pb.ModelProto()
    model.ParseFromString(path.read_bytes())
    for piece in more:
        model.pieces.add(piece=piece, score=0, type=3)
    if pegasus:
        rest = [p for p in model.pieces if p.type == 1]
        del model.pieces[:]
        for piece, kind in (("<pad>", 3), ("</s>", 3), ("<unk>", 2)):
            model.pieces.add(piece=piece, score=0, type=kind)
        model.pieces.extend(rest)
        model.trainer_spec.pad_id, model.trainer_spec.eos_id, model.trainer_spec.unk_id, model.trainer_spec.bos_id = 0, 1, 2, -1
    to.write_bytes(model.SerializeToString())
    return to


def make(data, out):
    spm, llama = data / "spm.test_model.model", data / "llama2.tokenizer.model"
    out.mkdir(parents=True, exist_ok=True)
    with_cls = changed(spm, out / "with_cls.model", ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", "<sep>", "<cls>"))
    pegasus = changed(spm, out / "pegasus.model", pegasus=True)

    def folder(name, cls, files, **settings):
        path = out / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        for file, content in files.items():
            if isinstance(content, Path):
                shutil.copy(content, path / file)
            else:
                (path / file).write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False))
        (path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": cls} | settings))

    # A WordPiece vocabulary: the words of GPT-1's byte pairs.
    gpt1 = json.loads((data / "openai-gpt1.encoder_bpe_40000.json").read_text())
    pieces = [t[:-4] if t.endswith("</w>") else "##" + t for t in gpt1 if t != "<unk>"]
    letters = [c for c in map(chr, range(33, 0x2000)) if c.isprintable()] + list("中文日本語한국🦆")
    words = ["[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<s>", "</s>", "<pad>", "<unk>", "<mask>", "<cls>", "<sep>"]
    vocab = "\n".join(dict.fromkeys(words + letters + ["##" + c for c in letters] + pieces)) + "\n"
    for cls in ("Bert", "DistilBert", "Electra", "MobileBert"):
        folder(cls.lower(), cls + "Tokenizer", {"vocab.txt": vocab})
    folder("bert-cased", "BertTokenizer", {"vocab.txt": vocab}, do_lower_case=False, tokenize_chinese_chars=False)
    folder("bert-accents", "BertTokenizer", {"vocab.txt": vocab}, strip_accents=False, clean_up_tokenization_spaces=True)
    folder("funnel", "FunnelTokenizer", {"vocab.txt": vocab})
    folder("mpnet", "MPNetTokenizer", {"vocab.txt": vocab})

    bpe = json.loads((data / "gpt2.vocab.json").read_text())
    for token in ("<s>", "<pad>", "</s>", "<unk>", "<mask>", "[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", "__end__"):
        bpe.setdefault(token, len(bpe))
    merges = {"vocab.json": bpe, "merges.txt": data / "gpt2.merges.txt"}
    folder("gpt2", "GPT2Tokenizer", merges)
    folder("gpt2-prefix", "GPT2Tokenizer", merges, add_prefix_space=True)
    folder("gpt2-bos", "GPT2Tokenizer", merges, add_bos_token=True)
    for cls in ("Roberta", "Bart", "LED", "Longformer", "Mvp", "Deberta", "Blenderbot", "CodeGen"):
        folder(cls.lower(), cls + "Tokenizer", merges)
    folder("qwen2", "Qwen2Tokenizer", merges)
    folder("roberta-added", "RobertaTokenizer", merges | {"added_tokens.json": {"#tag": len(bpe), "São": len(bpe) + 1}}, add_prefix_space=True)
    folder("openai-gpt", "OpenAIGPTTokenizer", {"vocab.json": gpt1, "merges.txt": data / "openai-gpt1.vocab_40000.bpe"})

    for cls, file in (("T5", "spiece.model"), ("MT5", "spiece.model"), ("XLMRoberta", "sentencepiece.bpe.model"), ("Camembert", "sentencepiece.bpe.model"),
                      ("Albert", "spiece.model"), ("DebertaV2", "spm.model"), ("MBart", "sentencepiece.bpe.model"), ("MBart50", "sentencepiece.bpe.model"),
                      ("Nllb", "sentencepiece.bpe.model"), ("Pegasus", "spiece.model"), ("BigBird", "spiece.model"), ("XGLM", "sentencepiece.bpe.model"),
                      ("XLNet", "spiece.model"), ("Reformer", "spiece.model"), ("RemBert", "sentencepiece.model"), ("Barthez", "sentencepiece.bpe.model")):
        folder(cls.lower(), cls + "Tokenizer", {file: pegasus if cls == "Pegasus" else with_cls if cls in ("Albert", "DebertaV2", "BigBird", "RemBert", "XLNet") else spm})
    folder("albert-cased", "AlbertTokenizer", {"spiece.model": with_cls}, do_lower_case=False, keep_accents=True)
    folder("xlmroberta-ja", "XLMRobertaTokenizer", {"sentencepiece.bpe.model": data / "spm.test_ja_model.model"})
    folder("nllb-fra", "NllbTokenizer", {"sentencepiece.bpe.model": spm}, src_lang="fra_Latn", legacy_behaviour=True)
    folder("llama", "LlamaTokenizer", {"tokenizer.model": llama})
    folder("llama-new", "LlamaTokenizer", {"tokenizer.model": llama}, legacy=False, add_eos_token=True)

    numbered = {piece: i for i, piece in enumerate(["</s>", "<unk>", *[p for p in sentencepiece_vocab(spm) if p not in ("</s>", "<unk>")], ">>fra<<", "<pad>"])}
    folder("marian", "MarianTokenizer", {"source.spm": spm, "target.spm": spm, "vocab.json": numbered}, source_lang="en", target_lang="fr")
    folder("marian-added", "MarianTokenizer", {"source.spm": spm, "target.spm": spm, "vocab.json": numbered, "added_tokens.json": {"#tag": len(numbered)}})
    fairseq = {piece: i for i, piece in enumerate(dict.fromkeys(["<s>", "<pad>", "</s>", "<unk>", *sentencepiece_vocab(spm)]))}
    folder("m2m100", "M2M100Tokenizer", {"sentencepiece.bpe.model": spm, "vocab.json": fairseq}, src_lang="en")
    folder("m2m100-fr", "M2M100Tokenizer", {"sentencepiece.bpe.model": spm, "vocab.json": fairseq}, src_lang="fr")


def expected(tok, line):
    if tok.is_fast:
        e = tok(line, verbose=False).encodings[0]
        return {"ids": e.ids, "offsets": [list(o) for o in e.offsets], "tokens": e.tokens}
    ids = tok(line, verbose=False)["input_ids"]
    return {"ids": ids, "tokens": tok.convert_ids_to_tokens(ids)}


def main(program, data, out, count="4000", *names):
    data, out, count = Path(data), Path(out), int(count)
    make(data / "tokenizers", out)
    lines = list(hostile(count // 2)) + real_lines(data, count // 2)
    total = differing = 0
    for folder in sorted(path for path in out.iterdir() if path.is_dir()):
        if names and folder.name not in names:
            continue
        try:
            tok = AutoTokenizer.from_pretrained(folder)
        except Exception as error:
            print(f"{folder.name}: Transformers does not load it: {str(error)[:150]!r}")
            continue
        used, wanted = [], []
        for line in lines:
            try:
                wanted.append(expected(tok, line))
                used.append(line)
            except BaseException:  # also what the library panics with
                pass
        got = run(program, str(folder), "-", "--json", "--json-in", lines=used)
        plain = run(program, str(folder), "-", "--json-in", lines=used)
        bad = abs(len(got) - len(used)) + sum(a != b or c != " ".join(map(str, b["ids"])) for a, b, c in zip(got, wanted, plain))
        for line, a, b in zip(used, got, wanted):
            if a != b:
                field = next((f for f in b if a.get(f) != b[f]), "fields")
                print(f"  {folder.name}: {ascii(line)[:120]}: {field} {ascii(a.get(field))[:200]} instead of {ascii(b.get(field))[:200]}")
                break
        rng, size = random.Random(3), len(tok)
        sequences = [w["ids"] for w in wanted[:1000]] + [[rng.randrange(size) for _ in range(1 + rng.randrange(12))] for _ in range(2000)]
        bad_text = 0
        for keep in (False, True):
            texts, kept = [], []
            for s in sequences:
                try:
                    texts.append(tok.decode(s, skip_special_tokens=not keep))
                    kept.append(s)
                except BaseException:
                    pass
            decoded = run(program, str(folder), "-", "--decode", "--json", *(["--keep-special"] if keep else []), lines=kept)
            bad_text += abs(len(decoded) - len(kept)) + sum(a != b for a, b in zip(decoded, texts))
            for s, a, b in zip(kept, decoded, texts):
                if a != b:
                    print(f"  {folder.name}: decode {s[:20]}: {ascii(a)[:150]} instead of {ascii(b)[:150]}")
                    break
        print(f"{folder.name}: {'fast' if tok.is_fast else 'slow'}, {len(used)} lines, {bad} differ; {2 * len(sequences)} decoded, {bad_text} differ", flush=True)
        total += len(used)
        differing += bad + bad_text
    print(f"{total} lines in all, {differing} differences")
    return differing > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
