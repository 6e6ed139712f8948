"""Compares the engine with jinja2 over random templates.

    python recipes/text/compare_templates.py CASES_PROGRAM COUNT [SEED]

CASES_PROGRAM is build/tests/text_test. Each template is rendered with jinja2 as Transformers sets it up; the program replays the cases and
shows the differences. Two thirds of the templates are whole, the others have a piece broken out of them. Needs what templates.py needs.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import warnings

import templates
from random_templates import VARIABLES, Maker


def render_all(sources, path, elsewhere=False):
    """Writes one line per source. A child renders them: Python may take forever over 9 ** 9 ** 9, and then it is killed and that source skipped."""
    done = 0
    with open(path, "w") as file:
        while done < len(sources):
            file.flush()
            child = os.fork()
            if child == 0:
                resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
                held = [(i for i in ()) for _ in range(200_000)] if elsewhere else []  # so that what comes later lies elsewhere
                with open(path, "a") as out:
                    for source in sources[done:]:
                        signal.alarm(2)
                        print(json.dumps(templates.render(source, VARIABLES)), file=out, flush=True)
                os._exit(0)
            os.waitpid(child, 0)
            with open(path) as lines:
                done = sum(1 for _ in lines)
            if done < len(sources):
                file.seek(0, os.SEEK_END)
                file.write("null\n")
                file.flush()
                done += 1
    with open(path) as lines:
        return [json.loads(line) for line in lines]


def cases(count, seed):
    maker = Maker(seed)
    sources = [maker.damaged() if maker.r.random() < 0.33 else maker.template() for _ in range(count)]
    with tempfile.NamedTemporaryFile() as file:
        # A text that differs when objects lie elsewhere holds an address.
        for source, result, again in zip(sources, render_all(sources, file.name), render_all(sources, file.name, elsewhere=True)):
            if result is not None and result == again:
                yield {"template": source, "variables": VARIABLES, "now": templates.NOW_SECONDS} | result


def main(program, count, seed="1"):
    warnings.simplefilter("ignore")
    templates.fix_time()
    kinds = {"result": 0, "line": 0, "error": 0}
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False) as file:
        for case in cases(int(count), int(seed)):
            kinds[next(kind for kind in kinds if kind in case)] += 1
            file.write(json.dumps(case) + "\n")
    print(f"{sum(kinds.values())} templates: {kinds['result']} render, {kinds['line']} are syntax errors, {kinds['error']} fail", flush=True)
    code = subprocess.run([program, "--gtest_filter=MoreTemplateCases*", "--gtest_brief=1"], env=os.environ | {"POLYMATH_TEMPLATE_CASES": file.name}).returncode
    os.unlink(file.name)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
