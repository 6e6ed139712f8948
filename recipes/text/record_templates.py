"""Records tests/cases/templates/*.jsonl: templates written for this project, and what jinja2 makes of them as Transformers sets it up.

    python recipes/text/record_templates.py ../../tests/cases/templates

A line holds {"template", "variables", "now"} with "result", or with "error" (jinja2's message; it only informs) and, for a syntax error, its
"line". In chats.jsonl a line holds {"templates", "special_tokens", "chat", "variables"}: the arguments of apply_chat_template. Needs
what templates.py needs.
"""

import json
import sys
import warnings
from pathlib import Path

from transformers import PreTrainedTokenizerFast

import template_lists
import templates
from random_templates import VARIABLES

# Where the engine says that it does not support what jinja2 renders; docs/templates.md lists them.
LEFT_OUT = ("{{ 'a' * 3 ** 99 }}",)


def lines_of(text):
    return [line for line in text.strip("\n").split("\n")]


def plain(path, sources):
    with open(path, "w") as file:
        for source in sources:
            result = templates.render(source, VARIABLES)
            if result is None:
                print("left out, its text is not the same twice:", source[:100])
                continue
            names = {k: v for k, v in VARIABLES.items() if k in source}
            if templates.render(source, names) != result:
                names = VARIABLES
            file.write(json.dumps({"template": source, "variables": names, "now": templates.NOW_SECONDS} | result, ensure_ascii=False) + "\n")


CHATML = """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
    {{- '# Tools\\n<tools>' }}
    {%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}
    {{- '\\n</tools><|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- elif message.content is iterable %}
        {%- set content = message.content | selectattr('type', 'equalto', 'text') | map(attribute='text') | join('\\n') %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == 'assistant' %}
        {{- '<|im_start|>assistant\\n' }}{% generation %}{{- content }}
        {%- for call in message.tool_calls or [] %}
            {%- if call.function %}{%- set call = call.function %}{%- endif %}
            {{- '\\n<tool_call>\\n{"name": "' + call.name + '", "arguments": ' }}
            {{- call.arguments if call.arguments is string else call.arguments | tojson }}{{- '}\\n</tool_call>' }}
        {%- endfor %}{{- '<|im_end|>\\n' }}{% endgeneration %}
    {%- elif message.role == 'tool' %}
        {%- if loop.first or loop.previtem.role != 'tool' %}{{- '<|im_start|>user' }}{%- endif %}
        {{- '\\n<tool_response>\\n' + content + '\\n</tool_response>' }}
        {%- if loop.last or loop.nextitem.role != 'tool' %}{{- '<|im_end|>\\n' }}{%- endif %}
    {%- elif message.role != 'system' %}
        {{- raise_exception('Unknown role: ' ~ message.role) }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n' }}{%- endif %}{%- endif %}
"""
STRICT = """{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}\
{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'].strip() + ' [/INST]' }}{% else %}{{ message['content'].strip() + eos_token }}{% endif %}{% endfor %}"""
SIMPLE = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"
DOCUMENTS = "{% for d in documents or [] %}[{{ loop.index }}] {{ d.title }}: {{ d.text }}\n{% endfor %}{{ messages[-1].content }}{{ tools is none }}{{ extra|default('-') }}"
DROPPING = "{% for m in messages %}{{ m.content[:3] if m.content is string else m.content[0].text }}{% endfor %}"
TRIMMING = "{% for m in messages %}{{ m.content | trim }}|{% endfor %}"
TOKENS = "{{ bos_token }}{{ eos_token }}{{ unk_token is defined }}{{ additional_special_tokens }}{{ messages|length }}"
TEMPLATES = {"chatml": CHATML, "strict": STRICT, "simple": SIMPLE, "documents": DOCUMENTS, "dropping": DROPPING, "trimming": TRIMMING, "tokens": TOKENS}

TOOL = {"type": "function", "function": {"name": "get_weather", "description": "The weather of a city: \"now\" & <then>.", "parameters": {"type": "object", "properties": {
    "city": {"type": "string", "description": "Город"}, "days": {"type": "integer", "enum": [1, 3, 7]}}, "required": ["city"]}}}
BARE_TOOL = {"name": "sum", "parameters": {"type": "object", "properties": {"xs": {"type": "array", "items": {"type": "number"}}}}}


def user(content):
    return {"role": "user", "content": content}


def assistant(content, **more):
    return {"role": "assistant", "content": content} | more


CONVERSATIONS = [
    [user("Hi")],
    [user("  Hi there \n"), assistant(" Hello! "), user("And you?")],
    [{"role": "system", "content": "Be brief."}, user("Hi"), assistant("Hello")],
    [user(""), assistant("")],
    [user("日本語 😀 ż\u0301"), assistant("Ünïcödé <b>&\"'")],
    [user([{"type": "text", "text": "One"}, {"type": "image"}, {"type": "text", "text": "two"}]), assistant("ok")],
    [user("Weather?"), assistant(None, tool_calls=[{"type": "function", "id": "c1", "function": {"name": "get_weather", "arguments": {"city": "Köln", "days": 3}}}]),
     {"role": "tool", "name": "get_weather", "tool_call_id": "c1", "content": "{\"temp\": 21.5}"}, assistant("21.5 degrees")],
    [user("Sum"), assistant("", tool_calls=[{"name": "sum", "arguments": "{\"xs\": [1, 2]}"}, {"function": {"name": "sum", "arguments": {"xs": [1.0, 2e20]}}}]),
     {"role": "tool", "content": "3"}, {"role": "tool", "content": "2e20"}],
    [assistant("I begin")],
    [{"role": "critic", "content": "no"}],
    [user("a"), user("b")],
    [{"content": "no role"}],
    [{"role": "user"}],
    [user("a"), assistant("The answer is "), ],
    [user("a"), assistant([{"type": "text", "text": "First "}, {"type": "text", "text": "second "}, {"type": "image"}])],
    [user("a"), assistant([{"type": "image"}])],
    [user("a"), assistant("x CONTINUE_FINAL_MESSAGE_TAG y")],
    [],
    [user(f"turn {i}") if i % 2 == 0 else assistant(f"answer {i}") for i in range(9)],
]


def chats(path):
    count = 0
    with open(path, "w") as file:
        def record(named, tokens, chat, variables):
            from tokenizers import Tokenizer, models
            tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()), **tokens)
            tokenizer.chat_template = named["default"] if list(named) == ["default"] else named
            line = {"templates": named, "special_tokens": tokens, "chat": chat, "variables": variables}
            arguments = {k: v for k, v in chat.items() if k != "messages"} | variables
            try:
                line["result"] = tokenizer.apply_chat_template(json.loads(json.dumps(chat["messages"])), tokenize=False, **arguments)
            except Exception as error:
                line |= templates.failure(error)
            file.write(json.dumps(line, ensure_ascii=False) + "\n")

        tokens = {"bos_token": "<s>", "eos_token": "</s>"}
        for name, source in TEMPLATES.items():
            for conversation in CONVERSATIONS:
                record({"default": source}, tokens, {"messages": conversation}, {})
                count += 1
            for conversation in CONVERSATIONS[:3] + CONVERSATIONS[13:18]:
                record({"default": source}, tokens, {"messages": conversation, "continue_final_message": True}, {})
            record({"default": source}, tokens, {"messages": CONVERSATIONS[0], "add_generation_prompt": True}, {})
            record({"default": source}, tokens | {"additional_special_tokens": ["<a>", "<b>"], "unk_token": "<unk>"}, {"messages": CONVERSATIONS[0]}, {"bos_token": "<mine>", "extra": 5})
        for conversation in CONVERSATIONS[:8]:
            for tools in ([TOOL], [BARE_TOOL, TOOL], []):
                record({"default": CHATML}, tokens, {"messages": conversation, "tools": tools, "add_generation_prompt": True}, {"enable_thinking": False})
        several = {"default": SIMPLE, "tool_use": CHATML, "rag": DOCUMENTS}
        document = {"title": "A", "text": "b"}
        for chat in ({}, {"tools": [TOOL]}, {"tools": []}, {"chat_template": "rag", "documents": [document]}, {"chat_template": "rag", "tools": [TOOL]}, {"chat_template": "{{ messages|length }}"},
                     {"documents": []}, {"documents": ["x"]}, {"tools": ["x"]}, {"tools": [1]}, {"add_generation_prompt": True, "continue_final_message": True}):
            record(several, tokens, {"messages": CONVERSATIONS[2]} | chat, {})
        record({"rag": DOCUMENTS}, tokens, {"messages": CONVERSATIONS[0]}, {})
        record({"tool_use": CHATML}, tokens, {"messages": CONVERSATIONS[0], "tools": [TOOL]}, {})


def main(folder):
    warnings.simplefilter("ignore")
    templates.fix_time()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    plain(folder / "statements.jsonl", lines_of(template_lists.STATEMENTS) + [page.strip("\n") if i else page for i, page in enumerate(template_lists.PAGES.split("\n----\n"))])
    plain(folder / "expressions.jsonl", lines_of(template_lists.EXPRESSIONS))
    plain(folder / "filters.jsonl", lines_of(template_lists.FILTERS))
    plain(folder / "methods.jsonl", lines_of(template_lists.METHODS))
    plain(folder / "formats.jsonl", lines_of(template_lists.FORMATS))
    plain(folder / "errors.jsonl", lines_of(template_lists.ERRORS))
    chats(folder / "chats.jsonl")
    print(sum(len(path.read_text().splitlines()) for path in folder.glob("*.jsonl")), "cases")


if __name__ == "__main__":
    main(*sys.argv[1:])
