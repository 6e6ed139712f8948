"""Writes src/text/unicode_tables.cc: what PyPI `tokenizers` knows of each code point.

    python recipes/text/unicode_tables.py ../../src/text/unicode_tables.cc

The package's parts follow several versions of Unicode (9 for normalization, 8 for punctuation and control characters,
16 for Oniguruma's classes, 17 for case and numbers), so each fact is asked of the package itself, over all code
points; only the grapheme classes come from the `regex` package. Needs: tokenizers 0.23, regex 2025.11.3 for
Unicode 17 (later ones know 18), and Python 3.11 for Unicode 14.
"""

import sys
import unicodedata

import regex
from tokenizers import Regex, normalizers, pre_tokenizers

CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
CATEGORIES = ("Cn Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co Cs").split()
GRAPHEME = ("Other CR LF Control Extend ZWJ Prepend SpacingMark L V T LV LVT").split()


def chunks(size=4096):
    for i in range(0, len(CODES), size):
        yield CODES[i:i + size]


def matches(splitter):
    """The code points that `splitter` removes from a text."""
    found = set(CODES)
    for part in chunks():
        # A letter on each side keeps every code point apart from its neighbours.
        text = "".join("a" + chr(c) for c in part) + "a"
        for piece, (begin, end) in splitter.pre_tokenize_str(text):
            found.difference_update(ord(c) for c in piece)
    return found - {ord("a")}


def by_regex(pattern):
    found = matches(pre_tokenizers.Split(Regex(pattern), "removed"))
    alone = pre_tokenizers.Split(Regex(pattern), "removed").pre_tokenize_str("a")
    return found | ({ord("a")} if not alone else set())


def removed(normalizer):
    return {c for c in CODES if normalizer.normalize_str(chr(c)) == ""}


def words():
    """\\w of the pre-tokenizer Whitespace: what it does not cut from an "a"."""
    found = set()
    for part in chunks():
        for c in part:
            if len(pre_tokenizers.Whitespace().pre_tokenize_str("a" + chr(c))) == 1 and chr(c).strip() == chr(c):
                found.add(c)
    spaces = matches(pre_tokenizers.WhitespaceSplit())
    return found - spaces


def punctuation():
    return matches(pre_tokenizers.Punctuation("removed"))


def numbers():
    digits = pre_tokenizers.Digits(individual_digits=True)
    return {c for c in CODES if len(digits.pre_tokenize_str("a" + chr(c))) == 2}


def not_mn():
    bert = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
    return removed(bert)


def lowercase():
    lower = normalizers.Lowercase()
    return {c: lower.normalize_str(chr(c)) for c in CODES if lower.normalize_str(chr(c)) != chr(c)}


def normalizing():
    """Code points that normalization changes or moves: those with a decomposition or a combining class."""
    nfd, nfkd = normalizers.NFD(), normalizers.NFKD()
    found = set()
    for c in CODES:
        s = chr(c)
        if nfkd.normalize_str(s) != s:
            found.add(c)
        # A mark of some class moves before U+0345 (class 240) or behind U+0334 (class 1).
        elif nfd.normalize_str("\u0345" + s) != "\u0345" + s or nfd.normalize_str(s + "\u0334") != s + "\u0334":
            found.add(c)
    return found | {0x345, 0x334, 0x335, 0x336, 0x337, 0x338}


def scripts():
    """The classes of the pre-tokenizer UnicodeScripts as numbers; 0 joins with all."""
    splitter = pre_tokenizers.UnicodeScripts()

    def joined(text):
        return len(splitter.pre_tokenize_str(text)) <= 1
    samples, classes = [], {}
    last = None
    for c in CODES:
        s = chr(c)
        if last is not None and joined(last + s) and joined("a" + s) == joined("a" + last) and joined("\u4e00" + s) == joined("\u4e00" + last):
            classes[c] = classes[ord(last)]
        elif joined("a" + s) and joined("\u4e00" + s):
            classes[c] = 0
        else:
            for i, sample in enumerate(samples):
                if joined(sample + s):
                    classes[c] = i + 1
                    break
            else:
                samples.append(s)
                classes[c] = len(samples)
        last = s
    return classes


def grapheme():
    classes = {}
    for i, name in enumerate(GRAPHEME):
        if i:
            for c in CODES:
                if regex.match(rf"\p{{GCB={name}}}", chr(c)):
                    classes[c] = i
    for c in CODES:
        if regex.match(r"\p{Extended_Pictographic}", chr(c)):
            assert c not in classes
            classes[c] = len(GRAPHEME)
    return classes


def numbers_as_lines(numbers, width=160):
    lines, line = [], " "
    for n in numbers:
        text = f" {n:#x}," if n > 9 else f" {n},"
        if len(line) + len(text) > width:
            lines.append(line)
            line = " "
        line += text
    return "\n".join(lines + [line])


def runs(value):
    out, last = [], None
    for c in range(0x110000):
        v = value(c)
        if v != last:
            out.append((c, v))
            last = v
    return out


def array(name, kind, numbers, what):
    return f"// {what}\nextern const {kind} {name}[] = {{\n{numbers_as_lines(numbers)}\n}};\nextern const std::size_t {name}Size = {len(numbers)};\n"


def main(path):
    assert unicodedata.unidata_version == "14.0.0"
    assert not regex.match(r"\p{GCB=Extend}", "\u05c9")  # new in Unicode 18
    category = {}
    for i, name in enumerate(CATEGORIES):
        if name not in ("Cn", "Cs"):
            for c in by_regex(rf"\p{{{name}}}"):
                assert c not in category, (hex(c), name)
                category[c] = i
    sets = [words(), by_regex(r"[[:alpha:]]"), numbers(), punctuation(),
            removed(normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False)) - {0, 0xFFFD},
            not_mn(), removed(normalizers.StripAccents()), normalizing()]
    clusters = grapheme()
    for c, name in ((0x20, "Zs"), (0x41, "Lu"), (0x61, "Ll"), (0x4E00, "Lo"), (0x301, "Mn")):
        assert CATEGORIES[category[c]] == name
    records = {}

    def record(c):
        # Whether all versions from 14 on agree on the category: 14 is the oldest that PCRE2 may have been built with.
        unsettled = category.get(c, 0) == 0 or CATEGORIES[category[c]] != unicodedata.category(chr(c))
        key = (category.get(c, 0), sum(1 << i for i, s in enumerate(sets) if c in s), clusters.get(c, 0), unsettled)
        return records.setdefault(key, len(records))
    ranges = runs(record)
    assert len(records) < 256
    script = scripts()
    assert max(script.values()) < 256
    script_runs = runs(lambda c: script.get(c, 0))

    # Lower case as (first, last, step, difference) where that is constant.
    lower = lowercase()
    special = {c: s for c, s in lower.items() if len(s) > 1}
    assert special == {0x130: "i\u0307"}, special
    cases = []
    for c in sorted(lower):
        if c in special:
            continue
        delta = ord(lower[c]) - c
        if cases and cases[-1][3] == delta:
            first, last, step, _ = cases[-1]
            if first == last and c - last <= 2:
                cases[-1] = (first, c, c - last, delta)
                continue
            if first != last and c - last == step:
                cases[-1] = (first, c, step, delta)
                continue
        cases.append((c, c, 1, delta))
    with open(path, "w") as out:
        out.write("// Made by recipes/text/unicode_tables.py; do not edit.\n#include \"text/unicode_tables.h\"\n\nnamespace polymath::unicode {\n\n")
        out.write(array("kRuns", "std::uint32_t", [c << 8 | v for c, v in ranges], "First code point of a run << 8 | index into kRecords."))
        flat = [(k[3] << 24 | k[0] << 16 | k[2] << 8 | k[1]) for k in sorted(records, key=records.get)]
        out.write(array("kRecords", "std::uint32_t", flat, "Unsettled << 24 | general category << 16 | grapheme class << 8 | flags."))
        out.write(array("kScriptRuns", "std::uint32_t", [c << 8 | v for c, v in script_runs], "First code point of a run << 8 | script class."))
        out.write(array("kLowerRuns", "std::uint32_t", [n for first, last, step, delta in cases for n in (first, last, step, delta & 0xFFFFFFFF)],
                        "Lower case: first, last, step, difference."))
        out.write("\n}  // namespace polymath::unicode\n")
    print(len(ranges), "runs", len(records), "records", len(script_runs), "script runs", len(cases), "case runs")


if __name__ == "__main__":
    main(sys.argv[1])
