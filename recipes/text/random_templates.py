"""Small random templates: expressions over values of every kind, and statements around them."""

import random

VARIABLES = {
    "s": "Hello, World", "e": "", "u": "Żółw ß ﬁ 日本 😀 Σας", "sp": "  a b\tc \n", "lines": "one\ntwo\r\n\nthree", "i": 7, "z": 0, "neg": -3, "f": 2.5, "g": -0.125,
    "big": 1e300, "t": True, "n": None, "l": [3, 1, 2], "le": [], "ls": ["b", "A", "c", "a", "B"], "mix": [1, "1", 2.0, None, True], "nest": [[1, 2], [3], []],
    "d": {"a": 1, "b": "two", "items": 5, "c": [1, 2]}, "de": {}, "dd": {"x": {"y": [10, 20]}, "k": "v"},
    "users": [{"name": "Ada", "age": 36, "tags": ["x"]}, {"name": "bob", "age": 25}, {"name": "Cy", "age": 36, "city": {"zip": "9"}}],
}
STRINGS = ["''", "'a'", "'b c'", "\"it's\"", "'%s-%s'", "'{} {}'", "'é'", "'a\\nb'", "'A,b,,c'", "'x.y'", "' pad '", "'3'", "'-4.5'", "'<b>&\"'", "'0x1f'", "'abcabc'"]
NUMBERS = ["0", "1", "2", "3", "-1", "10", "1.5", "0.1", "-2.5", "1e3", "0x10", "1_000", "100000000000", "3.0"]
NAMES = list(VARIABLES) + ["missing", "loop", "ns"]
FILTERS = {
    "abs": [], "batch": ["n", "n, v"], "capitalize": [], "center": ["n"], "count": [], "default": ["v", "v, true"], "d": ["s"], "dictsort": ["", "false, 'value'", "reverse=true"],
    "escape": [], "first": [], "float": ["", "n"], "format": ["v", "v, v"], "groupby": ["'age'", "'age', default=0", "'name', case_sensitive=true"], "indent": ["", "n", "n, true", "2, true, true", "'> '"],
    "int": ["", "n", "0, 16"], "join": ["", "s", "', ', attribute='name'"], "last": [], "length": [], "list": [], "lower": [], "map": ["'upper'", "attribute='name'", "'default', 1", "attribute='zz', default='q'"],
    "max": ["", "attribute='age'"], "min": ["", "true"], "reject": ["", "'odd'", "'none'", "'eq', v"], "rejectattr": ["'age'", "'age', 'gt', 30"], "replace": ["s, s", "s, s, n"], "reverse": [], "round": ["", "n", "1, 'floor'", "0, 'ceil'"],
    "safe": [], "select": ["", "'string'", "'in', v", "'lt', n"], "selectattr": ["'tags'", "'city', 'defined'", "'age', 'eq', 36"], "slice": ["n", "2, v"], "sort": ["", "true", "attribute='age,name'", "case_sensitive=true"], "string": [],
    "striptags": [], "sum": ["", "start=n", "attribute='age'"], "title": [], "tojson": ["", "indent=2", "ensure_ascii=true", "sort_keys=true", "separators=(',', ':')"], "trim": ["", "s"], "truncate": ["n", "n, true", "n, false, '~', 0"],
    "unique": ["", "true"], "upper": [], "urlencode": [], "wordcount": [], "items": [], "xmlattr": [], "filesizeformat": ["", "true"], "attr": ["'items'", "'name'"], "forceescape": [],
}
TESTS = ["defined", "undefined", "none", "string", "number", "integer", "float", "mapping", "sequence", "iterable", "boolean", "true", "false", "odd", "even", "lower", "upper", "callable", "escaped",
         "divisibleby(n)", "divisibleby n", "eq v", "ne(v)", "lt(v)", "ge v", "in v", "sameas v", "filter", "test", "equalto(v)", "greaterthan(n)"]
METHODS = {
    "strip": ["", "s"], "lstrip": ["", "s"], "rstrip": ["", "s"], "split": ["", "s", "s, n", "none, n", "sep=s, maxsplit=1"], "rsplit": ["", "s, n", "none, 1"], "splitlines": ["", "true"], "startswith": ["s", "(s, s)", "s, n"], "endswith": ["s", "(s,)"],
    "replace": ["s, s", "s, s, n"], "upper": [""], "lower": [""], "title": [""], "capitalize": [""], "swapcase": [""], "casefold": [""], "join": ["v"], "find": ["s", "s, n", "s, n, n"], "rfind": ["s"], "index": ["s", "v"], "count": ["s", "v"], "format": ["v", "v, v", "name=v"],
    "isdigit": [""], "isalpha": [""], "isalnum": [""], "isspace": [""], "islower": [""], "isupper": [""], "istitle": [""], "isnumeric": [""], "isdecimal": [""], "isidentifier": [""], "isascii": [""], "isprintable": [""], "items": [""], "keys": [""], "values": [""], "get": ["s", "s, v"],
    "copy": [""], "append": ["v"], "pop": [""], "update": ["v"], "zfill": ["n"], "center": ["n", "n, s"], "ljust": ["n"], "rjust": ["n, '*'"], "partition": ["s"], "rpartition": ["s"], "removeprefix": ["s"], "removesuffix": ["s"], "expandtabs": ["", "n"], "encode2": [""], "is_integer": [""],
}
FORMATS = ["%s", "%d", "%5d", "%-5s|", "%05.1f", "%x", "%r", "%c", "%+d", "%e", "%g", "%%", "%.2f", "%o", "%#x", "% d", "%i", "%.3s", "%10.4s|", "%*d", "%(a)s", "%q", "%"]
SPECS = ["{}", "{0}", "{1}", "{:>8}", "{:<8}|", "{:^9}|", "{:*^9}", "{:05d}", "{:,}", "{:_}", "{:.2f}", "{:+}", "{:x}", "{:#b}", "{:e}", "{:g}", "{:%}", "{!r}", "{!s:>6}", "{!a}", "{{}}", "{name}", "{0.a}", "{0[a]}", "{0[0]}", "{:{}}", "{", "}", "{:.3}", "{:n}", "{:c}", "{:010,.2f}", "{:=+8}", "{:s}", "{:d}", "{0!x}", "{:z.1f}"]


# Values, and the filters that mostly have something to say about them.
FITTING = [
    (["s", "u", "sp", "lines", "e", "'<b>a</b>'", "'a-b (c)'"], ["capitalize", "center", "count", "escape", "first", "indent", "last", "length", "list", "lower", "replace", "reverse", "safe", "string", "striptags", "title", "tojson", "trim", "truncate", "upper", "urlencode", "wordcount", "float", "int", "unique", "join", "sort", "default"]),
    (["l", "ls", "le", "mix", "nest", "range(4)", "(1, 2)", "ls|map('upper')"], ["batch", "count", "first", "join", "last", "list", "map", "max", "min", "reject", "reverse", "select", "slice", "sort", "sum", "tojson", "unique", "length", "string"]),
    (["users"], ["groupby", "map", "max", "min", "rejectattr", "selectattr", "sort", "sum", "tojson", "batch", "first", "join", "unique"]),
    (["d", "de", "dd", "users[0]"], ["dictsort", "items", "tojson", "list", "length", "xmlattr", "urlencode", "string", "attr", "first"]),
    (["i", "z", "neg", "f", "g", "t", "'12'", "'1.5'", "n"], ["abs", "float", "int", "round", "string", "filesizeformat", "default", "tojson", "format"]),
]


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def pick(self, options):
        return self.r.choice(options)

    def arguments(self, pattern, depth):
        out = []
        for part in pattern.split(", "):
            name, eq, value = part.rpartition("=")
            value = {"n": lambda: self.pick(["0", "1", "2", "3", "5", "9", "-1", "12"]), "s": lambda: self.string(depth), "v": lambda: self.expression(depth - 1)}.get(value, lambda: value)()
            out.append(name + eq + value)
        return ", ".join(out)

    def string(self, depth):
        return self.pick(STRINGS) if self.r.random() < 0.85 or depth <= 0 else self.expression(depth - 1)

    def literal(self, depth):
        k = self.r.random()
        if k < 0.3:
            return self.pick(STRINGS)
        if k < 0.6:
            return self.pick(NUMBERS)
        if k < 0.7:
            return self.pick(["true", "false", "none", "True", "None"])
        items = [self.expression(depth - 1) for _ in range(self.r.randrange(4))]
        if k < 0.8:
            return "[" + ", ".join(items) + "]"
        if k < 0.9:
            return "(" + "".join(i + ", " for i in items) + ")"
        return "{" + ", ".join(f"{self.pick(STRINGS + NUMBERS[:4])}: {i}" for i in items) + "}"

    def expression(self, depth=3):
        if depth <= 0:
            return self.pick([self.pick(NAMES[:-3]), self.pick(NAMES), self.pick(STRINGS), self.pick(NUMBERS)])
        kind = self.r.randrange(16)
        e = lambda: self.expression(depth - 1)
        if kind == 0:
            return self.literal(depth)
        if kind == 1 and self.r.random() < 0.6:
            kind_of = self.pick([["i", "z", "neg", "f", "g", "t", "2", "3", "-7", "0.5", "s|length"], ["s", "e", "u", "sp", "'a'", "s|upper"], ["l", "ls", "[1]", "nest"]])
            return f"({self.pick(kind_of)} {self.pick(['+', '-', '*', '/', '//', '%', '**', '~'] if kind_of[0] == 'i' else ['+', '~'])} {self.pick(kind_of)})"
        if kind == 1:
            return f"({e()} {self.pick(['+', '-', '*', '/', '//', '%', '**', '~', '+', '~'])} {e()})"
        if kind == 2:
            return f"({e()} {self.pick(['==', '!=', '<', '<=', '>', '>=', 'in', 'not in'])} {e()})"
        if kind == 3:
            return f"({e()} {self.pick(['and', 'or'])} {e()})"
        if kind == 4:
            return f"({e()} if {e()} else {e()})" if self.r.random() < 0.8 else f"({e()} if {e()})"
        if kind == 5:
            return f"(not {e()})" if self.r.random() < 0.6 else f"({self.pick('-+')}{e()})"
        if kind in (6, 7, 8):
            name = self.pick(list(FILTERS))
            if self.r.random() < 0.6:
                fitting = self.pick(FITTING)
                name = self.pick(fitting[1])
                pattern = self.pick(FILTERS[name] or [""])
                return f"({self.pick(fitting[0])}|{name}" + (f"({self.arguments(pattern, depth)})" if pattern else "") + self.pick(["", "|list", "|string", "|tojson"]) + ")"
            pattern = self.pick(FILTERS[name] or [""])
            return f"({e()}|{name}" + (f"({self.arguments(pattern, depth)})" if pattern else "") + self.pick(["", "", "|list", "|string"]) + ")"
        if kind == 9:
            test = self.pick(TESTS)
            for letter in "nv":
                test = test.replace(f"({letter})", f"({self.arguments(letter, depth)})").replace(f" {letter}", f" {self.pick(NAMES[:-3])}")
            return f"({e()} is {self.pick(['', '', 'not '])}{test})"
        if kind in (10, 11):
            name = self.pick(list(METHODS))
            pattern = self.pick(METHODS[name])
            if self.r.random() < 0.7 and "v" not in pattern:
                return f"{self.pick(['s', 'u', 'sp', 'lines', 'e'] + STRINGS)}.{name}({self.arguments(pattern, 0) if pattern else ''})"
            return f"{self.pick([self.pick(NAMES[:-3]), self.pick(STRINGS)])}.{name}({self.arguments(pattern, depth) if pattern else ''})"
        if kind == 12:
            return f"{self.pick(NAMES[:-3])}[{self.pick(['0', '-1', '1', '9', repr('a'), repr('items'), 'i', ':', '1:', ':-1', '::2', '::-1', '1:3', '-2:', 'none:2', 's', '1.0', 'true'])}]"
        if kind == 13:
            return f"{self.pick(NAMES[:-3])}.{self.pick(['a', 'b', 'items', 'name', 'x', '0', '1', 'upper', 'zzz', '_p', '__class__', 'append', 'real'])}"
        if kind == 14:
            if self.r.random() < 0.5:
                return f"({self.pick(FORMATS + [a + b for a in FORMATS[:6] for b in FORMATS[:6]])!r} % {self.pick([e(), f'({e()}, {e()})', f'({e()},)'])})"
            return f"{self.pick(SPECS)!r}.format({e()}" + self.pick([")", f", {e()})", f", name={e()})"])
        return self.pick([f"range({self.pick(['3', '1, 4', '5, 0, -2', 'i', 'f'])})", f"dict(a={e()})", "namespace(a=1)", f"cycler({e()}, 2).next()", "joiner('-')()", self.pick(NAMES)])

    def tag(self, inside):
        return self.pick(["{% ", "{%- ", "{% ", "{%+ "]) + inside + self.pick([" %}", " -%}", " %}"])

    def text(self):
        return self.pick(["", " ", "\n", "a", " b ", "\n\n  ", "x\n", "  ", "\t", "-"])

    def print_tag(self, depth=2):
        return self.pick(["{{ ", "{{- ", "{{ "]) + self.expression(depth) + self.pick([" }}", " -}}", " }}"])

    def body(self, depth, loop=False):
        return "".join(self.text() + self.statement(depth - 1, loop) for _ in range(self.r.randrange(1, 4))) + self.text()

    def statement(self, depth, loop=False):
        if depth <= 0:
            return self.pick([self.print_tag(1), "{{ x }}", "{{ y }}", "{{ loop.index }}" if loop else "{{ x }}", "{# c #}", "{%- set x = x ~ 'q' %}"])
        kind = self.r.randrange(14)
        e = lambda: self.expression(2)
        b = lambda inside=loop: self.body(depth, inside)
        if kind in (0, 1):
            return self.print_tag()
        if kind == 2:
            return self.tag(f"if {e()}") + b() + (self.tag(f"elif {e()}") + b() if self.r.random() < 0.4 else "") + (self.tag("else") + b() if self.r.random() < 0.5 else "") + self.tag("endif")
        if kind in (3, 4, 5):
            target, over = self.pick([("x", self.pick(["l", "ls", "u", "d", "users", "range(3)", "le", "missing"])), ("x", e()), ("k, v", "d.items()"), ("a, b", e()), ("(a, b), c", "[((1, 2), 3)]")])
            out = self.tag(f"for {target} in {over}" + self.pick(["", "", f" if {e()}", " if x is string"]))
            out += self.text() + self.pick(["{{ loop.index }}", "{{ loop.first }}{{ loop.last }}", "{{ loop.previtem }}/{{ loop.nextitem }}", "{{ loop.revindex }}{{ loop.length }}", "{{ x }}", "{{ loop.cycle('a', 'b') }}", "{{ loop.changed(x) }}", ""])
            out += self.pick(["", "", "{% if loop.index > 1 %}{% break %}{% endif %}", "{% if loop.index0 == 1 %}{% continue %}{% endif %}"]) + b(True)
            return out + (self.tag("else") + b() if self.r.random() < 0.3 else "") + self.tag("endfor")
        if kind in (6, 7):
            return self.tag(self.pick([f"set x = {e()}", f"set y = {e()}", f"set x, y = {e()}, {e()}", f"set x, y = {e()}", f"set ns.a = {e()}", "set ns = namespace(a=0, b=x)", f"set (x, y) = ({e()}, 1)"]))
        if kind == 8:
            return self.tag("set x" + self.pick(["", " | upper", " | trim | length"])) + b() + self.tag("endset")
        if kind == 9:
            name = self.pick(["m", "w"])
            signature = self.pick(["", "p", "p, q=1", "p='d', x=x"])
            return self.tag(f"macro {name}({signature})") + self.pick(["{{ p }}", "{{ varargs }}", "{{ kwargs }}", "{{ caller() }}", "{{ x }}", ""]) + b(False) + self.tag("endmacro") + self.pick(["{{ m(1) }}", "{{ m() }}", "{{ m(1, 2) }}", "{{ m(p=x) }}", "{{ w(q=2) }}", ""])
        if kind == 10:
            return self.tag("call" + self.pick(["", "(p)"]) + " " + self.pick(["m()", "m(1)", "w(x)"])) + b(False) + self.tag("endcall")
        if kind == 11:
            return self.tag("filter " + self.pick(["upper", "trim", "replace('a', x)", "indent(2)", "title|trim", "length"])) + b() + self.tag("endfilter")
        if kind == 12:
            return self.tag("with " + self.pick([f"x = {e()}", "x = 1, y = x", f"a, b = {e()}", ""])) + b() + self.tag("endwith")
        return self.pick(["{% raw %}{{ x }}{%- endraw %}", "{% generation %}g{{ x }}{% endgeneration %}", "{#- note -#}", "{% raw -%}  {% x %} {% endraw -%}  ", "{% if false %}{{ 1|nofilter }}{% endif %}", "{% print x, y %}", "{% block b" + str(self.r.randrange(10**6)) + " %}{{ x }}{% endblock %}"])

    def template(self):
        if self.r.random() < 0.45:
            return "{{ " + self.expression(self.pick([1, 2, 2, 3])) + " }}"
        return self.body(self.pick([2, 3]))

    def damaged(self):
        """A template with a piece gone, doubled or changed: mostly a syntax error."""
        text = self.template()
        for _ in range(self.r.randrange(1, 3)):
            at = self.r.randrange(len(text) + 1)
            cut = self.r.randrange(4)
            text = text[:at] + self.pick(["", "", self.pick("{}%#|()[]'\".,:=~!@$ \n"), self.pick(["endif", "if ", " is ", "not ", "{% ", "%}", "else", "**", "{#"])]) + text[at + cut:]
        return text
