"""Compares the engine with Transformers over the chat templates of real tokenizers and many conversations.

    python recipes/text/compare_real_templates.py CASES_PROGRAM PROGRAM TOKENIZERS_FOLDER

CASES_PROGRAM is build/tests/text_test, PROGRAM build/polymath. TOKENIZERS_FOLDER holds *tokenizer_configs.py (a dict of tokenizer configs,
as openvino.genai's tests have) and *tokenizer_config.json. All conversations are replayed with the first program; the second renders some of them from
folders. Needs what templates.py needs.
"""

import importlib.util
import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from transformers.utils.chat_template_utils import render_jinja_template

import templates
from record_templates import BARE_TOOL, CONVERSATIONS, TOOL, assistant, user

SYSTEM = {"role": "system", "content": "You are a helpful, honest assistant.\nToday is a day."}
MORE = [
    [SYSTEM, user("What is 2 + 2?"), assistant("4"), user("And 3 + 3?")],
    [SYSTEM, user("Hi"), assistant("Hello"), user("Bye"), assistant("See you")],
    [{"role": "developer", "content": "Terse."}, user("Hi")],
    [user("q"), assistant("<think>\nhm\n</think>\n\nanswer"), user("q2"), assistant("<think>x</think>y")],
    [user("q"), assistant("answer", reasoning_content="because"), user("q2")],
    [user("w"), assistant("", tool_calls=[{"id": "abcdef123", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "Rome"}}}]),
     {"role": "tool", "tool_call_id": "abcdef123", "name": "get_weather", "content": "22.0"}, assistant("22."), user("thanks")],
    [SYSTEM, user("w"), assistant(None, tool_calls=[{"id": "1", "type": "function", "function": {"name": "a", "arguments": {}}}, {"id": "2", "type": "function", "function": {"name": "b", "arguments": {"x": [1, {"y": None}]}}}]),
     {"role": "tool", "tool_call_id": "1", "content": "r1"}, {"role": "tool", "tool_call_id": "2", "content": {"k": "v"}}],
    [user("x"), {"role": "ipython", "content": "out"}, {"role": "function", "name": "f", "content": "y"}],
    [user([{"type": "text", "text": "only text"}]), assistant([{"type": "text", "text": "fine"}])],
    [user([{"type": "image"}, {"type": "text", "text": "what?"}])],
    [SYSTEM, SYSTEM, user("two systems")],
    [user("tabs\tand  spaces  \n\n"), assistant("\n lead"), user("<|im_end|></s>{{ x }}")],
    [{"role": "system", "content": ""}, user("empty system")],
    [{"role": "user", "content": "named", "name": "Ann"}, {"role": "assistant", "content": "ok", "extra": [1]}],
]
# A long one, and one without an end of turns.
MORE.append([user(f"turn {i} ż") if i % 2 == 0 else assistant(f"answer {i}") for i in range(41)])


def real_templates(folder):
    """(name, template name, source, special tokens) of every template there."""
    for path in sorted(Path(folder).iterdir()):
        if path.name.endswith("tokenizer_configs.py"):
            spec = importlib.util.spec_from_file_location("configs", path)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            configs = module.get_tokenizer_configs()
        elif path.name.endswith("tokenizer_config.json"):
            configs = {path.name: json.loads(path.read_text())}
        else:
            continue
        for name, config in configs.items():
            tokens = {k: v if isinstance(v, str) else v["content"] for k, v in config.items() if k.endswith("_token") and isinstance(v, (str, dict)) and v}
            given = config.get("chat_template")
            for part, source in (given.items() if isinstance(given, dict) else [("default", given)]):
                if source:
                    yield name, part, source, tokens


def expected(source, tokens, chat, variables):
    chat = json.loads(json.dumps(chat))
    try:
        messages = chat.pop("messages")
        messages[0]
        if chat.get("continue_final_message") and chat.get("add_generation_prompt"):
            raise ValueError("not compatible")
        return {"result": render_jinja_template([messages], chat_template=source, **chat, **(tokens | variables))[0][0]}
    except Exception as error:
        return templates.failure(error)


def options():
    for tools, prompt in itertools.product((None, [TOOL], [BARE_TOOL, TOOL]), (False, True)):
        yield {"tools": tools, "add_generation_prompt": prompt}, {}
    yield {"continue_final_message": True}, {}
    yield {"add_generation_prompt": True}, {"enable_thinking": False, "thinking": True, "date_string": "1 Jan 2025"}
    yield {"documents": [{"title": "T", "text": "words", "contents": "words", "doc_id": "1"}]}, {"custom_tools": [TOOL], "tools_in_user_message": False, "builtin_tools": ["brave_search"]}


def main(cases_program, program, folder):
    templates.fix_time()
    count = errors = 0
    seen = set()
    by_folder = []
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False) as file:
        for name, part, source, tokens in real_templates(folder):
            if (source, str(tokens)) in seen:
                continue
            seen.add((source, str(tokens)))
            for conversation in CONVERSATIONS + MORE:
                for chat, variables in options():
                    chat = {"messages": conversation} | chat
                    result = expected(source, tokens, chat, variables)
                    count += 1
                    errors += "error" in result
                    file.write(json.dumps({"name": name, "templates": {"default": source}, "special_tokens": tokens, "chat": chat, "variables": variables,
                                           "now": templates.NOW_SECONDS} | result) + "\n")
            if "strftime_now" not in source:
                by_folder.append((source, tokens))
    print(f"{len(seen)} templates, {count} conversations, {errors} of them errors in Transformers", flush=True)
    code = subprocess.run([cases_program, "--gtest_filter=MoreTemplateCases*", "--gtest_brief=1"], env=os.environ | {"POLYMATH_TEMPLATE_CASES": file.name}).returncode
    os.unlink(file.name)
    different = rendered = 0
    with tempfile.TemporaryDirectory() as scratch:
        for source, tokens in by_folder:
            Path(scratch, "tokenizer_config.json").write_text(json.dumps({"chat_template": source, **tokens}))
            for conversation in (MORE[0], MORE[5], CONVERSATIONS[4]):
                chat = {"messages": conversation, "add_generation_prompt": True, "tools": [TOOL]}
                result = expected(source, tokens, chat, {})
                run = subprocess.run([program, "template", scratch, "-"], input=json.dumps(chat).encode(), capture_output=True)
                rendered += 1
                right = run.stdout.decode() == result["result"] and run.returncode == 0 if "result" in result else run.returncode == 1 and run.stderr.startswith(b"polymath: error: ")
                different += not right
                if not right and different < 5:
                    print("the program differs:", ascii(source)[:100], run.stderr.decode()[:300])
    print(f"{rendered} rendered from folders, {different} differ")
    return code or different > 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
