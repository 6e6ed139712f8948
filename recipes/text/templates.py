"""jinja2 as Transformers 4.57.6 sets it up for chat templates, and what it makes of one. Needs: transformers 4.57.6, jinja2 3.1."""

import copy
import datetime
import re

import jinja2
import transformers.utils.chat_template_utils as chat_template_utils

# A moment for strftime_now, so that recorded texts stay true.
NOW = datetime.datetime(2024, 2, 29, 13, 5, 9)
NOW_SECONDS = int((NOW - datetime.datetime(1970, 1, 1)).total_seconds())


class FixedDatetime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


def fix_time():
    chat_template_utils.datetime = FixedDatetime


def failure(error):
    """{"error"}, and where the message is the template's own or jinja2's about what is undefined, the whole "message"."""
    out = {"error": f"{type(error).__name__}: {error}"[:200]}
    if type(error) in (jinja2.exceptions.TemplateError, jinja2.UndefinedError):
        out["message"] = str(error)
    return out


def render(source, variables):
    """{"result"} or {"error"}, with the line of a syntax error; None where the text holds an address."""
    try:
        text = chat_template_utils._compile_jinja_template.__wrapped__(source).render(**copy.deepcopy(variables))
    except jinja2.TemplateSyntaxError as error:
        return {"error": str(error.message)[:200], "line": error.lineno}
    except (Exception, RecursionError) as error:
        return failure(error)
    letters = re.sub(r"\W", "", text.lower())
    if re.search(r"0x7[0-9a-f]{6}|at0x[0-9a-f]{6,}|[0-9a-f]{6}7x0", letters):
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return None  # half a surrogate pair
    return {"result": text}
