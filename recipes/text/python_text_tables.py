"""Writes src/text/python_text_tables.cc: what Python's str methods know of each code point.

    python recipes/text/python_text_tables.py ../../src/text/python_text_tables.cc

Each fact is asked of a str method, over all code points. Needs Python 3.11, so that the answers are Unicode 14's.
"""

import sys
import unicodedata

CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def flags(c):
    s = chr(c)
    # Which σ stands for Σ shows what the rule of its final form thinks of the next code point.
    stops = ("aΣ" + s).lower()[1] == "σ"
    skipped = not stops and ("aΣ" + s + "a").lower()[1] == "σ"
    facts = [s.isalpha(), s.isdecimal(), s.isdigit(), s.isnumeric(), s.islower(), s.isupper(), s.istitle() and not s.isupper(), s.isspace(),
             s.isprintable(), s.isidentifier(), ("a" + s).isidentifier(), (s + "a").title()[-1] == "a", stops, skipped]
    return sum(1 << i for i, fact in enumerate(facts) if fact)


def number_lines(numbers, width=150):
    lines, line = [], " "
    for n in numbers:
        text = f" {n:#x}," if n > 9 else f" {n},"
        if len(line) + len(text) > width:
            lines.append(line)
            line = " "
        line += text
    return "\n".join(lines + [line])


def array(name, kind, numbers, what):
    return f"// {what}\nextern const {kind} {name}[] = {{\n{number_lines(numbers)}\n}};\nextern const std::size_t {name}Size = {len(numbers)};\n"


def runs(value):
    out, last = [], None
    for c in CODES:
        v = value(c)
        if v != last:
            out.append((c, v))
            last = v
    return out


def case_tables(name, mapping):
    """(first, last, step, difference) of one-to-one mappings, and code, length, codes of the others."""
    simple, special = [], []
    for c in sorted(mapping):
        to = mapping[c]
        if len(to) > 1:
            special += [c, len(to), *map(ord, to)]
            continue
        delta = ord(to) - c
        if simple and simple[-1][3] == delta:
            first, last, step, _ = simple[-1]
            if (first == last and c - last <= 2) or (first != last and c - last == step):
                simple[-1] = (first, c, c - last, delta)
                continue
        simple.append((c, c, 1, delta))
    return (array(f"k{name}Runs", "std::uint32_t", [n & 0xFFFFFFFF for run in simple for n in run], "First, last, step, difference.") +
            array(f"k{name}Special", "std::uint32_t", special, "Code point, length, code points."))


def main(path):
    assert unicodedata.unidata_version == "14.0.0"
    records = {}
    run_list = runs(lambda c: records.setdefault(flags(c), len(records)))
    assert len(records) < 256
    upper = {c: chr(c).upper() for c in CODES if chr(c).upper() != chr(c)}
    lower = {c: chr(c).lower() for c in CODES if chr(c).lower() != chr(c)}
    title = {c: chr(c).title() for c in CODES if chr(c).title() != chr(c).upper()}
    fold = {c: chr(c).casefold() for c in CODES if chr(c).casefold() != chr(c).lower()}
    with open(path, "w") as out:
        out.write("// Made by recipes/text/python_text_tables.py; do not edit.\n#include \"text/python_text_tables.h\"\n\nnamespace polymath::python {\n\n")
        out.write(array("kFlagRuns", "std::uint32_t", [c << 8 | v for c, v in run_list], "First code point of a run << 8 | index into kFlags."))
        out.write(array("kFlags", "std::uint16_t", sorted(records, key=records.get), "Sets of facts, in the order of Fact."))
        for name, mapping in (("Upper", upper), ("Lower", lower), ("Title", title), ("Fold", fold)):
            out.write(case_tables(name, mapping))
        out.write("\n}  // namespace polymath::python\n")
    print(len(run_list), "runs", len(records), "records")


if __name__ == "__main__":
    main(sys.argv[1])
