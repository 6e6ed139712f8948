"""Runs every forward golden again under the installed Transformers and lists where its answer is another one.

    python recipes/check_goldens.py [NAME...]
"""

import sys

import transformers

from common import GOLDEN, TOLERANCE, cases_in, distance, forward, load_model, read_json


def main(names):
    count = other = 0
    for folder in sorted((GOLDEN / "forward").iterdir()):
        if names and folder.name not in names:
            continue
        try:
            model = load_model(folder)
            far = {case: distance(forward(model, inputs), want) for case, inputs, want in cases_in(folder)}
        except Exception as error:  # a class or a config that this version does not have
            print(f"{folder.name}: {type(error).__name__}: {str(error)[:150]}")
            other += 1
            continue
        count += len(far)
        worst = {case: f"{d:.0e}" for case, d in far.items() if not d <= TOLERANCE}
        if worst:
            other += 1
            print(f"{folder.name}: {worst}")
    print(f"{transformers.__version__}: {count} cases run, {other} goldens answer otherwise")


if __name__ == "__main__":
    main(sys.argv[1:])
