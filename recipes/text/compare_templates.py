"""Compares the engine with jinja2 over random templates.

    python recipes/text/compare_templates.py CASES_PROGRAM COUNT [SEED]

CASES_PROGRAM is build/tests/text_test. Each template is rendered with jinja2 as Transformers sets it up; the program replays the cases and
shows the differences. Half of the templates are whole, the others have a piece broken out of them. Needs what templates.py needs.
"""

import json
import os
import subprocess
import sys
import tempfile

import templates
from random_templates import VARIABLES, Maker


def cases(count, seed):
    maker = Maker(seed)
    made = 0
    while made < count:
        source = maker.damaged() if maker.r.random() < 0.35 else maker.template()
        result = templates.render(source, VARIABLES)
        if result is None:
            continue
        made += 1
        yield {"template": source, "variables": VARIABLES, "now": templates.NOW_SECONDS} | result


def main(program, count, seed="1"):
    templates.fix_time()
    errors = 0
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False) as file:
        for case in cases(int(count), int(seed)):
            errors += "error" in case
            file.write(json.dumps(case) + "\n")
    print(f"{count} templates, {errors} of them errors in jinja2", flush=True)
    code = subprocess.run([program, "--gtest_filter=MoreTemplateCases*", "--gtest_brief=1"], env=os.environ | {"POLYMATH_TEMPLATE_CASES": file.name}).returncode
    os.unlink(file.name)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
