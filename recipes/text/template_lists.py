"""Templates written for tests/cases/templates, each a construct with its corners; random_templates.VARIABLES are their variables."""

STATEMENTS = r"""
a{% if t %}b{% endif %}c
{% if n %}a{% elif i == 7 %}b{% else %}c{% endif %}
{% if e %}a{% elif le %}b{% elif de %}c{% else %}d{% endif %}
{% if missing %}a{% else %}b{% endif %}
{% if i: %}colon{% endif %}
{% if 1, 2 %}tuple{% endif %}
{% for x in l %}{{ x }},{% endfor %}
{% for x in l: %}{{ x }},{% endfor %}
{% for x in le %}{{ x }}{% else %}none{% endfor %}
{% for x in missing %}{{ x }}{% else %}none{% endfor %}
{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }};{% endfor %}
{% for x in ls %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }};{% endfor %}
{% for x in l %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{% endfor %}
{% for x in ls %}{{ loop.cycle('odd', 'even') }} {% endfor %}
{% for x in [1, 1, 2, 2, 1] %}{{ loop.changed(x) }} {% endfor %}
{% for x in l %}{{ loop }}{% endfor %}
{% for x in l if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ x }} {% endfor %}
{% for x in l if x > 5 %}{{ x }}{% else %}none{% endfor %}
{% for x in range(10) if x is odd %}{{ loop.last }}{{ x }} {% endfor %}
{% for a, b in [(1, 2), (3, 4)] %}{{ a }}{{ b }} {% endfor %}
{% for a, b in [(1, 2), (3, 4)] if b > 2 %}{{ a }}{{ b }} {% endfor %}
{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{% for a, in [(1,), (2,)] %}{{ a }}{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }} {% endfor %}
{% for k in d %}{{ k }} {% endfor %}
{% for k, v in d|dictsort %}{{ k }}={{ v }} {% endfor %}
{% for c in u %}{{ c }}|{% endfor %}
{% for x in 'abc' %}{{ loop.nextitem|default('end') }}{% endfor %}
{% for x in l %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}
{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}
{% for x in l %}{% continue %}{% else %}else after continue{% endfor %}
{% for x in l %}{% break %}{% else %}else after break{% endfor %}
{% for x in l %}{% for y in ls %}{% if y == 'A' %}{% break %}{% endif %}{{ x }}{{ y }} {% endfor %}{% endfor %}
{% for x in l %}{% for y in le %}{% else %}{% break %}{% endfor %}never{% endfor %}
{% for x in l %}{% for y in l %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}
{% for x in l %}{% set outer = loop %}{% for y in ls %}{{ outer.index }}.{{ loop.index }} {% endfor %}{% endfor %}
{% for x in [[1, [2, [3]]], 4] recursive %}{% if x is iterable %}({{ loop(x) }}){% else %}{{ x }}@{{ loop.depth }}{% endif %}{% endfor %}
{% for u in users recursive %}{{ u.name }}{{ loop(u.tags or []) if u is mapping }}{% else %}-{% endfor %}
{% for x in l %}{{ loop(x) }}{% endfor %}
{% for x in range(5)|map('string') %}{{ loop.length }}{{ x }}{% endfor %}
{% for x in range(5)|map('string') %}{% if loop.index == 3 %}{{ loop.length }}{{ loop.last }}{% endif %}{{ x }}{% endfor %}
{% for loop in l %}{% endfor %}
{% for x in l %}{% set loop = 1 %}{% endfor %}
{% for x in l %}{% endfor %}{{ x }}
{% for i in l %}{{ i }}{% endfor %}{{ i }}
{% set x = 1 %}{% for y in l %}{% set x = y %}{% endfor %}{{ x }}
{% set x = 1 %}{% for y in l %}{{ x }}{% set x = y %}{{ x }}{% endfor %}
{% for y in l %}{% if loop.first %}{% set z1 = y %}{% endif %}[{{ z1 }}]{% endfor %}
{% set ns = namespace(n=0) %}{% for x in l %}{% set ns.n = ns.n + x %}{% endfor %}{{ ns.n }}
{% set ns = namespace() %}{{ ns.a }}{{ ns.a is defined }}{% set ns.a = 1 %}{{ ns.a }}
{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns.b }}{{ ns }}
{% set ns = namespace(items=3) %}{{ ns.items }}{{ ns['items'] }}
{% set a, b = 1, 2 %}{{ a }}{{ b }}
{% set a, b = 'xy' %}{{ b }}{{ a }}
{% set ns = namespace() %}{% set ns.a, ns.b = 1, 2 %}{{ ns.a + ns.b }}
{% set ns = namespace(x=1) %}{% set y, ns.x = (5, 6) %}{{ y }}{{ ns.x }}
{% set d.a = 1 %}
{% set missing.a = 1 %}
{% set a, b = 1 %}
{% set a, b = (1, 2, 3) %}
{% set a, b, c = (1, 2) %}
{% set x %}a{{ i }}b{% endset %}[{{ x }}]
{% set x | upper %}a{{ i }}b{% endset %}[{{ x }}]
{% set x | trim | replace('a', 'b') %}  aaa {% endset %}[{{ x }}]
{% set x %}{% set y = 1 %}{{ y }}{% endset %}{{ x }}{{ y }}
{% set ns = namespace() %}{% set ns.x %}block{% endset %}{{ ns.x }}
{% set x = 1, 2 %}{{ x }}
{% set x = l if t else 2 %}{{ x }}
{% set (a, b) = (1, 2) %}{{ a }}{{ b }}
{% if t %}{% set x = 1 %}{% endif %}{{ x }}
{% if n %}{% set i = 1 %}{% endif %}{{ i }}
{% if n %}{% set q = 1 %}{% else %}{% set r = 2 %}{% endif %}{{ q }}{{ r }}
{% macro m() %}hi{% endmacro %}{{ m() }}{{ m() }}
{% macro m(a, b) %}[{{ a }}{{ b }}]{% endmacro %}{{ m(1, 2) }}{{ m(1) }}{{ m(b=1, a=2) }}{{ m() }}
{% macro m(a, b=2, c='x') %}[{{ a }}{{ b }}{{ c }}]{% endmacro %}{{ m(1) }}{{ m(1, c=3) }}{{ m(1, 5, 6) }}
{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}
{% macro m(a=b, b=1) %}{{ a }}{{ b }}{% endmacro %}{{ m() }}
{% macro m(a) %}{{ a is defined }}{% endmacro %}{{ m() }}{{ m(1) }}
{% macro m(a) %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, x=4) }}{{ m() }}
{% macro m() %}{{ varargs|join('-') }}{% endmacro %}{{ m(1, 2) }}{{ m(*[3, 4]) }}
{% macro m() %}{{ kwargs.a }}{% endmacro %}{{ m(a=1) }}{{ m(**{'a': 2}) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b=2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}
{% macro m(a, b=1, c) %}{% endmacro %}
{% macro m(a, a) %}{% endmacro %}
{% macro m(x) %}{{ x }}{% if x > 0 %}{{ m(x - 1) }}{% endif %}{% endmacro %}{{ m(5) }}
{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}b{% endmacro %}{{ a() }}
{{ m() }}{% macro m() %}x{% endmacro %}
{% set x = 1 %}{% macro m() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}
{% macro m() %}{{ i }}{% set i = 1 %}{{ i }}{% endmacro %}{{ m() }}{{ i }}
{% macro m() %}{% set inner = 1 %}{% endmacro %}{{ m() }}{{ inner }}
{% macro m() %}{{ late }}{% endmacro %}{{ m() }}{% set late = 3 %}{{ m() }}
{% for x in l %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}
{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}inside{% endcall %}
{% macro m() %}{{ caller(1, 2) }}{% endmacro %}{% call(a, b) m() %}{{ a }}-{{ b }}{% endcall %}
{% macro m(x) %}{{ caller(x) }}{% endmacro %}{% call(a, b=9) m(3) %}{{ a }}-{{ b }}{% endcall %}
{% macro m() %}{{ caller is defined }}{% if caller %}{{ caller() }}{% endif %}{% endmacro %}{{ m() }}{% call m() %}z{% endcall %}
{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}
{% macro m(caller=none) %}{{ caller() if caller }}{% endmacro %}{% call m() %}y{% endcall %}{{ m() }}
{% macro m(caller) %}{{ caller() }}{% endmacro %}
{% macro o() %}<{{ caller() }}>{% endmacro %}{% call o() %}{% call o() %}in{% endcall %}{% endcall %}
{% set x = 5 %}{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}{{ x }}{% set x = 6 %}{{ x }}{% endcall %}{{ x }}
{% call 1 %}{% endcall %}
{% macro m() %}{% endmacro %}{{ m.name }}{{ m.arguments }}{{ m.caller }}{{ m.catch_kwargs }}{{ m.catch_varargs }}{{ m }}
{% macro m(a, b=1) %}{{ kwargs }}{% endmacro %}{{ m.name }}{{ m.arguments }}{{ m.catch_kwargs }}
{% macro _m() %}p{% endmacro %}{{ _m() }}
{% filter upper %}abc {{ s }}{% endfilter %}
{% filter trim|upper %}  abc {% endfilter %}
{% filter replace('a', 'b') %}banana{% endfilter %}
{% filter length %}abc{% endfilter %}
{% filter upper %}{% set y = 1 %}{{ y }}{% endfilter %}{{ y }}
{% with %}{% set a = 1 %}{{ a }}{% endwith %}{{ a }}
{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}
{% with a = 1, b = a %}{{ a }}[{{ b }}]{% endwith %}
{% with i = i + 1 %}{{ i }}{% endwith %}{{ i }}
{% with a, b = (1, 2) %}{{ a }}{{ b }}{% endwith %}
{% print 1 + 1 %}
{% print 1, 2, 'a' %}
{% block title %}{{ i }}{% endblock %}
{% block title %}x{% endblock title %}y
{% set q = 1 %}{% block a %}{{ q }}{% set q = 2 %}{{ q }}{% endblock %}{{ q }}
{% for x in l %}{% block b %}[{{ x }}]{% endblock %}{% endfor %}
{% block a %}{% endblock %}{% block a %}{% endblock %}
{% autoescape false %}<{{ i }}>{% endautoescape %}
{% generation %}a{{ i }}{% endgeneration %}b
{% for x in l %}{% generation %}{{ x }}{{ loop.index }}{% endgeneration %}{% endfor %}
{% generation %}{% set x = 1 %}{{ x }}{% endgeneration %}{{ x }}
{%- generation -%} a {%- endgeneration -%} b
{% include 'x' %}
{% if n %}{% include 'x' %}{% endif %}ok
{% if n %}{% import 'x' as y %}{% from 'a' import b, c as d with context %}{% extends 'q' %}{% endif %}ok
{% import 'x' as y %}
{% raw %}{{ x }}{% if %}{# #}{% endraw %}
{%- raw -%}  {{ x }}  {%- endraw -%} y
  {% raw %}a{% endraw %}  b
{% raw %}
 a
 {% endraw %}
b
a {# comment #} b
a {#- comment -#} b
  {# comment #}
b
a{# {{ x }} {% if %} #}b
{{ '{{' }}{{ '}}' }}{{ '{%' }}
{{ {'a': {'b': 1}} }}
{{ {'a': {'b': 1}}['a']['b'] }}
{% if {'a': 1} %}x{% endif %}
a{b}c{ d }}%}#}
{
{{ i }}}
{% set x = {'%}': 1} %}{{ x }}
{{ joiner }}{{ 1 }}
{% set j = joiner() %}{{ j() }}a{{ j() }}b{{ j() }}
{% set j = joiner('|') %}{{ j() }}a{{ j() }}{{ j.sep }}{{ j.used }}
{% set c = cycler('a', 'b', 3) %}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.next() }}{{ c.next() }}{% set _ = c.reset() %}{{ c.next() }}{{ c.items }}{{ c.pos }}
{{ cycler() }}
{{ raise_exception('Roles must alternate') }}
{% if f > 100 %}{{ raise_exception('no') }}{% endif %}fine
{{ strftime_now('%Y-%m-%d %H:%M:%S %j %a %B %y %p %I %%') }}
{{ strftime_now('%d %b %Y') }}{{ strftime_now('') }}{{ strftime_now('plain') }}
{{ strftime_now(1) }}
{{ range(3) }}{{ range(1, 4) }}{{ range(5, 0, -2) }}{{ range(3)|list }}{{ range(0)|list }}{{ range(3)|length }}
{{ range(100001) }}
{{ range(0, 10, 0) }}
{{ range(3)[1] }}{{ range(10)[2:5] }}{{ range(10)[::-1]|list }}{{ range(3)[9] }}{{ 2 in range(3) }}{{ 5 in range(3) }}{{ 2.0 in range(3) }}{{ range(2) == range(0, 2) }}
{{ range(3).start }}{{ range(3).stop }}{{ range(1, 9, 2).step }}
{{ dict(a=1, b=2) }}{{ dict([('x', 1)], y=2) }}{{ dict({'k': 1}) }}{{ dict() }}
{{ dict([1]) }}
{{ dict }}{{ namespace }}{{ cycler }}
{{ lipsum is defined }}{{ range is callable }}{{ dict is callable }}
"""

EXPRESSIONS = r"""
{{ 1 }}{{ 1.0 }}{{ 1e3 }}{{ 1.5e-7 }}{{ 0x1F }}{{ 0b101 }}{{ 0o17 }}{{ 1_000 }}{{ 00 }}
{{ 1e16 }}{{ 1e15 }}{{ 123456789.123456789 }}{{ 0.1 + 0.2 }}{{ 1/3 }}{{ 1e-5 }}{{ 0.0001 }}{{ 2.0**70 }}{{ -0.0 }}
{{ 9223372036854775807 }}{{ -9223372036854775807 }}
{{ 'a' }}{{ "b" }}{{ 'it\'s' }}{{ "q\"q" }}{{ 'a\\b' }}{{ 'tab\there' }}{{ 'nl\nx' }}
{{ '\x41\u00e9\U0001F600\101\0' }}{{ '\q\é' }}
{{ 'a' 'b' "c" }}
{{ '\x4' }}
{{ '\u12' }}
{{ '\U99999999' }}
{{ true }}{{ True }}{{ false }}{{ False }}{{ none }}{{ None }}
{{ [] }}{{ [1, 'a', none, true, 1.5] }}{{ [1,] }}{{ [[1], [2, [3]]] }}
{{ () }}{{ (1,) }}{{ (1, 2) }}{{ 1, 2 }}{{ (1) }}
{{ {} }}{{ {'a': 1, 2: 'b', none: 3, true: 4, (1, 2): 5} }}{{ {'a': 1, 'a': 2} }}{{ {1: 'a', 1.0: 'b', true: 'c'} }}
{{ {[]: 1} }}
{{ {'x': 'it\'s', "y": 'q"q', 'z': '"\'', 'u': 'é', 'c': '\x01\x7f\u200b\ud7ff'} }}
{{ 1 + 2 }}{{ 1 - 2 }}{{ 2 * 3 }}{{ 7 / 2 }}{{ 4 / 2 }}{{ 7 // 2 }}{{ -7 // 2 }}{{ 7 % 3 }}{{ -7 % 3 }}{{ 7 % -3 }}{{ 2 ** 10 }}{{ 2 ** -1 }}{{ 2 ** 0.5 }}
{{ 7.5 // 2 }}{{ -7.5 // 2 }}{{ 7.5 % 2 }}{{ -7.5 % 2 }}{{ 7.5 % -2 }}{{ 1.0 // 0.1 }}{{ 1e308 * 10 }}{{ -1e308 * 10 }}
{{ 2 ** 3 ** 2 }}{{ -2 ** 2 }}{{ 2 + 3 * 4 }}{{ (2 + 3) * 4 }}{{ 10 - 2 - 3 }}{{ 100 / 10 / 2 }}{{ 2 * 3 % 4 }}
{{ true + true }}{{ true * 3 }}{{ -true }}{{ +true }}{{ true / 2 }}{{ true == 1 }}{{ 1.0 == 1 }}{{ true and 2 }}
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ 1 % 0 }}
{{ 1.5 / 0 }}
{{ 0 ** -1 }}
{{ 1 + 'a' }}
{{ 'a' + 1 }}
{{ [] + () }}
{{ none + 1 }}
{{ 'a' - 'b' }}
{{ -'a' }}
{{ 'a' + 'b' }}{{ 'ab' * 3 }}{{ 3 * 'ab' }}{{ 'a' * 0 }}{{ 'a' * -1 }}{{ [1] + [2] }}{{ [0] * 3 }}{{ (1,) + (2,) }}{{ (1, 2) * 2 }}
{{ 'a' ~ 1 ~ none ~ true ~ 1.5 ~ [1] ~ missing }}{{ 1 ~ 2 }}
{{ 1 + 2 ~ 3 }}{{ 'a' ~ 'b' * 2 }}
{{ 1 < 2 }}{{ 2 <= 2 }}{{ 3 > 4 }}{{ 3 >= 3 }}{{ 1 == 1.0 }}{{ 1 != 2 }}{{ 'a' < 'b' }}{{ 'B' < 'a' }}{{ 'a' < 'ab' }}{{ [1, 2] < [1, 3] }}{{ [1] < [1, 0] }}{{ (1, 'a') < (1, 'b') }}
{{ 1 < 2 < 3 }}{{ 1 < 3 < 2 }}{{ 1 == 1 != 2 }}{{ 1 < 2 > 0 }}{{ 3 > 2 > 2 }}
{{ 1 == '1' }}{{ none == none }}{{ none == false }}{{ [] == [] }}{{ [] == () }}{{ {} == {} }}{{ {'a': 1, 'b': 2} == {'b': 2, 'a': 1} }}{{ missing == missing }}{{ missing == none }}{{ 'é' == 'é' }}
{{ 1 < 'a' }}
{{ none < 1 }}
{{ [1] < (1,) }}
{{ {} < {} }}
{{ missing < 1 }}
{{ 'a' in 'abc' }}{{ '' in 'a' }}{{ 1 in [1, 2] }}{{ 'a' in d }}{{ 1 in (1,) }}{{ 3 not in l }}{{ 'x' not in 'abc' }}{{ 1.0 in [1] }}{{ none in [none] }}{{ 'a' in missing }}{{ missing in [] }}
{{ 1 in 'abc' }}
{{ 1 in 5 }}
{{ [] in d }}
{{ not true }}{{ not '' }}{{ not not 1 }}{{ not 1 == 2 }}{{ not (1 and 0) }}{{ not missing }}
{{ 1 and 2 }}{{ 0 and 2 }}{{ 1 or 2 }}{{ 0 or '' or 'c' }}{{ '' and missing.x }}{{ 1 or missing.x }}{{ none or missing }}
{{ 'a' if t }}{{ 'a' if n }}{{ 'a' if n else 'b' }}{{ 1 if t else 2 if n else 3 }}{{ (1 if t) + 1 }}
{{ ('a' if n) is defined }}{{ ('a' if n) + 1 }}
{{ 'a' if t else 1|nofilter }}
{{ s[0] }}{{ s[-1] }}{{ s[99] }}{{ s[1:4] }}{{ s[:3] }}{{ s[-3:] }}{{ s[::-1] }}{{ s[::2] }}{{ s[5:1:-1] }}{{ s[10:2] }}
{{ u[0] }}{{ u[1:4] }}{{ u[::-1] }}{{ u[-1] }}{{ u[-4:-1] }}{{ u|length }}
{{ l[0] }}{{ l[-1] }}{{ l[5] }}{{ l[1:] }}{{ l[:-1] }}{{ l[::-1] }}{{ l[::2] }}{{ l[-99:99] }}{{ l[9:] }}{{ (1, 2, 3)[1:] }}
{{ l[none:none:none] }}{{ l[true] }}{{ l['0'] }}{{ l[1.0] }}{{ l[0:'a'] }}
{{ l[::0] }}
{{ d[1:2] }}
{{ 5[0] }}{{ none[0] }}{{ true.x }}
{{ i[0:1] }}
{{ missing[0:1] }}
{{ l[0, 1] }}{{ d['a', 'b'] }}{{ {(1, 2): 'p'}[1, 2] }}
{{ l[0:1, 2] }}
{{ l.0 }}{{ l.1 }}{{ nest.0.1 }}{{ 'abc'.1 }}
{{ d.a }}{{ d['a'] }}{{ d.items }}
{{ d['items'] }}{{ d.b.upper() }}{{ d.c[1] }}{{ d.zzz }}{{ d['zzz'] }}{{ dd.x.y[1] }}
{{ d.zzz.y }}
{{ missing }}{{ missing.a }}
{{ missing['a'] }}
{{ missing() }}
{{ missing.__class__ }}{{ missing.__class__ is defined }}
{{ missing.__nosuch__ }}
{{ d.zzz.__class__.x }}
{{ missing + 1 }}
{{ -missing }}
{{ missing|list }}{{ missing|length }}{{ missing|string }}{{ missing|default('x') }}{{ missing|first }}{{ missing|join(',') }}{{ missing ~ 'a' }}{{ [missing] }}{{ missing is sequence }}
{{ missing|int }}
{{ missing|tojson }}
{{ s.zzz }}{{ s.zzz.y }}
{{ s.upper }}
{{ ''.__class__ }}{{ l.append }}{{ d.update }}{{ s._x }}{{ ''.__class__ is defined }}{{ l.append is defined }}
{{ ''.__class__.__mro__ }}
{{ l.append(1) }}
{{ d.update({}) }}
{{ d.pop('a') }}
{{ d.setdefault('q', 1) }}
{{ l.sort() }}{{ 1 }}
{{ l.clear() }}
{{ i() }}
{{ s() }}
{{ s.upper()() }}
{{ (1).real }}{{ (1.5).imag }}{{ i.numerator }}{{ i.denominator }}{{ t.real }}{{ i.bit_length() }}{{ f.is_integer() }}{{ (2.0).is_integer() }}
{{ s.upper(1) }}
{{ s.split(sep=',', maxsplit=1) }}{{ s.split(maxsplit=1) }}
{{ s.strip(chars='H') }}
{{ s.replace('l') }}
{{ dict(*[[('a', 1)]], **{'b': 2}) }}
{{ dict(**{'a': 1}, **{'b': 2}) }}
{{ dict(a=1, a=2) }}
{{ dict(**1) }}
{{ range(*[1, 3])|list }}
{{ range(*5) }}
{{ range(1, stop=3) }}
{{ i is odd }}{{ i is even }}{{ i is divisibleby 7 }}{{ i is divisibleby(2) }}{{ i is number }}{{ i is integer }}{{ i is float }}{{ f is float }}{{ f is integer }}{{ t is number }}{{ t is integer }}{{ t is boolean }}{{ t is true }}{{ 1 is true }}{{ false is false }}
{{ s is string }}{{ l is string }}{{ l is sequence }}{{ d is sequence }}{{ d is mapping }}{{ l is mapping }}{{ s is iterable }}{{ i is iterable }}{{ i is sequence }}{{ range(3) is sequence }}{{ d.items() is sequence }}{{ d.items() is iterable }}{{ (1, 2) is sequence }}
{{ n is none }}{{ missing is none }}{{ missing is undefined }}{{ n is defined }}{{ d.zzz is defined }}{{ d.a is defined }}{{ missing is not defined }}{{ s is not none }}
{{ 'abc' is lower }}{{ 'ABC' is upper }}{{ 'Abc' is lower }}{{ '1' is lower }}{{ '' is upper }}{{ 'ß' is lower }}
{{ 1 is sameas 1 }}{{ none is sameas none }}{{ true is sameas 1 }}{{ l is sameas l }}{{ [] is sameas [] }}{{ missing is sameas missing }}
{{ 1 is eq 1 }}{{ 1 is ne 2 }}{{ 1 is lt 2 }}{{ 1 is le 1 }}{{ 2 is gt 1 }}{{ 2 is ge 3 }}{{ 1 is equalto 1 }}{{ 2 is greaterthan 1 }}{{ 1 is lessthan 2 }}{{ 1 is in [1] }}{{ 1 is not in [1] }}{{ 'a' is in 'abc' }}
{{ s is callable }}{{ s.upper is callable }}{{ missing is callable }}{{ range is callable }}{{ ('a'|safe) is escaped }}{{ 'a' is escaped }}
{{ 'upper' is filter }}{{ 'nope' is filter }}{{ 'odd' is test }}{{ 'nope' is test }}{{ 1 is filter }}{{ 'tojson' is filter }}
{{ 1 is odd is true }}
{{ 1 is nosuch }}
{{ 1 or 'a'|nosuch }}
{{ 0 and 'a'|nosuch }}
{{ i or 'a'|nosuch }}
{{ 0 or 'a'|nosuch }}
{{ -2 ** i }}{{ (1 - 3) ** i }}{{ -i ** 2 }}{{ (-2) ** z }}
{{ 'a'|nosuch }}
{% if n %}{{ 'a'|nosuch }}{% endif %}ok
{% if t %}{{ 'a'|nosuch }}{% endif %}
{% if n %}{% for x in l %}{{ x|nosuch }}{% endfor %}{% endif %}
{{ 'x' is odd }}
{{ 1 is divisibleby 0 }}
{{ [] is filter }}
{{ i is odd and s is string or n }}{{ i is odd if t }}{{ not i is odd }}{{ (i is odd) == true }}{{ i is eq i + 1 }}
{{ -1|abs }}{{ (-1)|abs }}{{ -i|string }}{{ 2 ** 3|string }}
{{ 1 if t else 2|string }}{{ 'a' ~ 'b'|upper }}{{ ('a' ~ 'b')|upper }}{{ l|first|string ~ 'x' }}
{{ s|upper|lower|title }}{{ s |  upper  | length }}
{{ {'a': [1, {'b': (1, 2.0, none)}]} }}
{{ [1, 2][0] }}{{ 'abc'[1] }}{{ {'a': 1}.a }}{{ (1, 2)[1] }}{{ [1, 2]|length }}{{ 'a b'.split()[1] }}
{{ users[0].name }}{{ users[0]['tags'][0] }}{{ users[-1].city.zip }}{{ users[1].city }}{{ users[1].city.zip }}
{{ ('a', 'b')|first }}{{ nest[0][1] }}{{ nest[2] }}{{ nest[2][0] }}
{{ d.keys() }}{{ d.values() }}{{ d.items() }}{{ de.items() }}{{ d.keys()|list }}{{ d.keys()[0] }}{{ d.items()|first }}{{ d.keys()|length }}{{ 'a' in d.keys() }}{{ d.keys() == d.keys() }}{{ d.values() == d.values() }}
{{ [1, 2,, 3] }}
{{ (1, 2 }}
{{ [1, 2) }}
{{ {'a' 1} }}
{{ {'a': } }}
{{ 1 + }}
{{ * 2 }}
{{ a b }}
{{ }}
{{ 'unclosed }}
{{ 1 2 }}
{{ a.}}
{{ a.'b' }}
{{ a|}}
{{ a|1 }}
{{ a is }}
{{ a[ }}
{{ a[] }}
{{ f(a b) }}
{{ f(a=1, 2) }}
{{ f(**a, 2) }}
{{ f(*a, *b) }}
{{ 1 if }}
{{ 1 else 2 }}
{{ a ? b : c }}
{{ a && b }}
{{ a = 1 }}
{{ $x }}
{{ a; b }}
{{ 1.2.3 }}{{ 1..2 }}
{{ x.1.5 }}
{{ 0b2 }}
{{ 08 }}
{{ not }}
{{ é }}{{ Ünï }}{{ x² }}
{{ [i for i in l] }}
{{ lambda: 1 }}
"""

FILTERS = r"""
{{ -5|abs }}{{ (-5)|abs }}{{ (-2.5)|abs }}{{ true|abs }}{{ 0|abs }}
{{ 'a'|abs }}
{{ users[0]|attr('name') }}{{ s|attr('upper') is callable }}{{ d|attr('zzz') is defined }}{{ l|attr('append') is defined }}
{{ range(7)|batch(3)|list }}{{ range(7)|batch(3, 'x')|list }}{{ []|batch(2)|list }}{{ range(4)|batch(2, 0)|list }}{{ range(3)|batch(0)|list }}
{{ range(7)|slice(3)|list }}{{ range(7)|slice(3, 'x')|list }}{{ []|slice(2)|list }}{{ range(2)|slice(4)|list }}{{ range(2)|slice(4, '-')|list }}
{{ range(2)|slice(0)|list }}
{{ 'hello WORLD'|capitalize }}{{ 'ǆabc'|capitalize }}{{ ''|capitalize }}{{ 5|capitalize }}{{ 'ßA'|capitalize }}
[{{ 'ab'|center(7) }}][{{ 'ab'|center(6) }}][{{ 'abc'|center(2) }}]{{ 'a'|center|length }}[{{ 'é'|center(4) }}]
{{ l|count }}{{ s|length }}{{ d|length }}{{ u|length }}{{ range(9)|length }}{{ d.items()|length }}{{ missing|length }}
{{ 5|length }}
{{ l|map('string')|length }}
{{ missing|default }}{{ missing|default('x') }}{{ ''|default('x') }}{{ ''|default('x', true) }}{{ n|default('x') }}{{ n|default('x', boolean=true) }}{{ missing|d(1) }}{{ d.zzz|d('q') }}{{ 0|d(5, true) }}{{ missing|default(default_value=3) }}
{{ d|dictsort }}{{ {'b': 1, 'A': 2, 'a': 3}|dictsort }}{{ {'b': 1, 'A': 2, 'a': 3}|dictsort(true) }}{{ {'b': 1, 'a': 3, 'c': 2}|dictsort(by='value') }}{{ {'b': 1, 'a': 3}|dictsort(reverse=true) }}{{ {'b': 1, 'a': 3}|dictsort(false, 'value', true) }}
{{ d|dictsort(by='x') }}
{{ {1: 1, 'a': 2}|dictsort }}
{{ l|dictsort }}
{{ '<a href="x">\'&\'</a>'|escape }}{{ '<'|e }}{{ '<'|e|e }}{{ '<'|forceescape|forceescape }}{{ 5|e }}{{ ('<'|e) ~ '<' }}{{ ('<'|e) + '<' }}{{ '<' + ('<'|e) }}{{ ('<b>'|safe) + '<i>' }}{{ '%s'|safe % '<' }}{{ '{}'|safe ~ '' }}
{{ ('<b>'|safe).join(['<', '>'|safe]) }}{{ ('a<b'|safe).replace('a', '<') }}{{ ('a'|safe)|upper ~ '' }}{{ [('a'|safe)] }}{{ ('{}'|safe).format('<') }}{{ ('ab'|safe)[0] }}{{ [('ab'|safe)[0:1]] }}{{ ('a'|safe) * 2 + '<' }}{{ [('a b'|safe).split()] }}
{{ 1000|filesizeformat }}{{ 1|filesizeformat }}{{ 0|filesizeformat }}{{ 999|filesizeformat }}{{ 1500|filesizeformat }}{{ 1234567|filesizeformat }}{{ 1024|filesizeformat(true) }}{{ 123456789012|filesizeformat(binary=true) }}{{ 1e30|filesizeformat }}{{ '2000'|filesizeformat }}
{{ l|first }}{{ s|first }}{{ le|first }}{{ d|first }}{{ range(3)|first }}{{ d.items()|first }}{{ le|first is defined }}
{{ 5|first }}
{{ l|last }}{{ s|last }}{{ le|last }}{{ d|last }}{{ u|last }}{{ range(3)|last }}{{ d.values()|last }}
{{ l|map('string')|last }}
{{ 5|last }}
{{ '1.5'|float }}{{ '1e3'|float }}{{ 'x'|float }}{{ 'x'|float(2.5) }}{{ 3|float }}{{ true|float }}{{ ' 2 '|float }}{{ 'inf'|float }}{{ 'nan'|float }}{{ none|float }}{{ '1_0.5'|float }}{{ l|float }}{{ '٣'|float }}{{ '.5'|float }}{{ '5.'|float }}{{ '-Infinity'|float }}{{ '0x1'|float }}
{{ '12'|int }}{{ '12.9'|int }}{{ 12.9|int }}{{ -12.9|int }}{{ 'x'|int }}{{ 'x'|int(7) }}{{ '0x1f'|int(base=16) }}{{ '1f'|int(0, 16) }}{{ '101'|int(0, 2) }}{{ true|int }}{{ none|int }}{{ ' 5 '|int }}{{ '1_000'|int }}{{ '٣٤'|int }}{{ '-3'|int }}{{ '+3'|int }}{{ l|int(9) }}{{ ''|int }}{{ '1e2'|int }}{{ 'nan'|float|int }}{{ '0b11'|int(0, 0) }}{{ '017'|int(5, 0) }}{{ '0o17'|int(0, 8) }}
{{ 'inf'|float|int }}
{{ '%s-%s'|format(1, 'a') }}{{ '%(a)s'|format(a=5) }}{{ '%d%%'|format(3) }}{{ 'x'|format }}
{{ '%s'|format(1, a=2) }}
{{ '%s %s'|format(1) }}
{{ users|groupby('age') }}
{% for g in users|groupby('age') %}{{ g.grouper }}:{{ g.list|map(attribute='name')|join(',') }} {% endfor %}
{% for k, v in users|groupby('name') %}{{ k }}:{{ v|length }} {% endfor %}{{ [{'a': 'B'}, {'a': 'b'}, {'a': 'a'}]|groupby('a') }}{{ [{'a': 'B'}, {'a': 'b'}]|groupby('a', case_sensitive=true) }}
{{ users|groupby('city.zip', default='none') }}
{{ users|groupby('tags') }}
{{ ['ab', 'ac', 'b']|groupby(0) }}
{{ 'a\nb\n\nc'|indent }}|{{ 'a\nb'|indent(2) }}|{{ 'a\nb'|indent(2, true) }}|{{ 'a\n\nb'|indent(2, false, true) }}|{{ 'a\nb'|indent('> ') }}|{{ 'a\nb'|indent(width='--', first=true) }}|{{ ''|indent }}|{{ 'a\n'|indent }}|{{ 'a\r\nb\rc'|indent }}|{{ 'a\n'|indent(blank=true) }}|{{ '\n'|indent(2, true, true) }}
{{ 5|indent }}
{{ l|sort(missing) }}
{{ l|sort(reverse='a') }}
{{ ('a'|striptags) is escaped }}{{ (-0.125)|round(-1) }}
{{ d|items|list }}{{ missing|items|list }}{% for k, v in d|items %}{{ k }}{% endfor %}
{{ l|items|list }}
{{ [1, 'a', none, 1.5]|join }}{{ [1, 2]|join(', ') }}{{ 'abc'|join('-') }}{{ users|join(', ', attribute='name') }}{{ d|join(',') }}{{ le|join(',') }}{{ range(3)|join(0) }}{{ [missing, 1]|join('-') }}{{ users|join('|', 'city') }}
{{ 5|join }}
{{ 'abc'|list }}{{ d|list }}{{ (1, 2)|list }}{{ d.items()|list }}{{ range(3)|list }}{{ u|list|length }}{{ ('ab'|safe)|list }}
{{ 5|list }}
{{ 'ÀB'|lower }}{{ 'ΑΣ ΑΣΑ Σ'|lower }}{{ 'İ'|lower|length }}{{ 5|lower }}{{ none|lower }}{{ 'ǅ'|lower }}{{ 'àß'|upper }}{{ 'ŉǰ'|upper|length }}{{ 'ﬁ'|upper }}{{ true|upper }}
{{ ls|map('upper')|list }}{{ users|map(attribute='name')|list }}{{ users|map(attribute='city')|list }}{{ users|map(attribute='city.zip', default='-')|list }}{{ nest|map('first')|list }}{{ nest|map('join', '-')|list }}{{ [' a ']|map('trim')|map('upper')|first }}{{ [[1, 2], [3]]|map(attribute=0)|list }}{{ l|map('string')|join }}{{ ['a']|map('replace', 'a', 'b')|list }}{{ le|map('nosuch')|list }}{{ missing|map('upper')|list }}{{ [1]|map('default', d='x')|first is defined if false }}
{{ l|map('nosuch')|list }}
{{ l|map|list }}
{{ l|map(attribute='a', x=1)|list }}
{% set m = l|map('string') %}{{ m|first }}{{ m|list }}{{ m|list }}
{% set m = l|map('nosuch') %}never asked
{{ 5|map('string')|list }}
{{ l|max }}{{ l|min }}{{ ls|max }}{{ ls|min }}{{ ls|min(true) }}{{ ls|max(case_sensitive=true) }}{{ users|max(attribute='age') }}{{ users|min(attribute='name') }}{{ le|max }}{{ le|min is defined }}{{ 'hello'|max }}{{ [1, 2.5]|max }}
{{ [1, 'a']|max }}
{{ mix|reject('none')|list }}{{ mix|select('string')|list }}{{ mix|select|list }}{{ mix|reject|list }}{{ l|select('odd')|list }}{{ l|reject('gt', 1)|list }}{{ l|select('in', [1, 2])|list }}{{ l|select('>', 1)|list }}{{ l|select('==', 1)|list }}{{ [missing, 1]|select('defined')|list }}
{{ l|select('nosuch')|list }}
{{ users|selectattr('city')|map(attribute='name')|list }}{{ users|rejectattr('city')|map(attribute='name')|list }}{{ users|selectattr('age', 'eq', 36)|list|length }}{{ users|selectattr('tags', 'defined')|first }}{{ users|rejectattr('age', 'gt', 30)|list }}{{ users|selectattr('city.zip', 'equalto', '9')|list }}
{{ users|selectattr|list }}
{{ 'banana'|replace('a', 'o') }}{{ 'banana'|replace('a', 'o', 2) }}{{ 'abc'|replace('', '-') }}{{ 'abc'|replace('', '-', 2) }}{{ 5|replace(5, 6) }}{{ 'aaa'|replace('aa', 'b') }}{{ 'a'|replace('a', 1) }}{{ 'żż'|replace('ż', 'z', count=1) }}{{ none|replace('N', 'n') }}
{{ l|reverse|list }}{{ s|reverse }}{{ u|reverse }}{{ d|reverse|list }}{{ range(3)|reverse|list }}{{ l|map('string')|reverse|list }}{{ d.items()|reverse|list }}
{{ 5|reverse }}
{{ 42.55|round }}{{ 42.55|round(1) }}{{ 42.55|round(1, 'floor') }}{{ 42.55|round(1, 'ceil') }}{{ 42|round }}{{ 2.5|round }}{{ 3.5|round }}{{ -2.5|round }}{{ 1234.5|round(-2) }}{{ 1250|round(-2) }}{{ 1350|round(-2) }}{{ 42|round(2, 'ceil') }}{{ 2.675|round(2) }}{{ true|round }}{{ 1e20|round }}{{ 0.5|round|int }}{{ 42.1|round(0, 'ceil') }}{{ -42.1|round(method='floor') }}
{{ 42.55|round(1, 'x') }}
{{ 'a'|round }}
{{ l|sort }}{{ ls|sort }}{{ ls|sort(case_sensitive=true) }}{{ l|sort(true) }}{{ l|sort(reverse=true) }}{{ users|sort(attribute='name')|map(attribute='name')|list }}{{ users|sort(attribute='age,name')|map(attribute='name')|list }}{{ users|sort(true, attribute='age')|map(attribute='name')|list }}{{ 'hello'|sort }}{{ d|sort }}{{ [[2, 1], [1, 2]]|sort }}{{ [(2, 'a'), (1, 'b')]|sort(attribute=1) }}{{ [none]|sort }}{{ [none, none]|sort }}{{ [true, 0, 2.5, -1]|sort }}
{{ [1, 'a']|sort }}
{{ [none, 1]|sort }}
{{ 5|sort }}
{{ users|sort(attribute='city') }}
{{ range(100)|sort(reverse=true)|first }}{{ (range(80)|list + range(80)|list)|sort|join(',') }}
{{ 5|string }}{{ none|string }}{{ l|string }}{{ missing|string }}{{ d|string|length }}{{ 1.0|string }}{{ 5|string + 'x' }}
{{ '<b>a</b>  <!-- c -->  b\n c'|striptags }}{{ 'a < b > c'|striptags }}{{ 5|striptags }}{{ '<a'|striptags }}
{{ l|sum }}{{ [1.5, 2]|sum }}{{ l|sum(start=10) }}{{ users|sum(attribute='age') }}{{ le|sum }}{{ [[1], [2]]|sum(start=[]) }}{{ [true, true]|sum }}{{ [0.1, 0.2, 0.3]|sum }}
{{ ['a']|sum }}
{{ ['a']|sum(start='') }}
{{ 'hello world-foo (bar) [baz] {q} <x> it\'s'|title }}{{ 'ÀÉ ß'|title }}{{ ''|title }}{{ 5|title }}{{ 'a\tb\nc'|title }}{{ 'ǆa'|title }}
{{ d|tojson }}{{ [1, 2.0, none, true, 'é"\\/\n\t\x01\x7f<>&\'']|tojson }}{{ {'b': 1, 'a': 2}|tojson(sort_keys=true) }}{{ 'é😀\x7f'|tojson(ensure_ascii=true) }}{{ d|tojson(indent=2) }}{{ nest|tojson(indent=1) }}{{ [] | tojson(indent=2) }}{{ {} | tojson(indent=2) }}{{ d|tojson(indent='\t') }}{{ d|tojson(indent=0) }}{{ d|tojson(separators=(',', ':')) }}{{ d|tojson(indent=2, separators=(', ', ' = ')) }}{{ (1, 2)|tojson }}{{ {1: 2, none: 3, true: 4, 1.5: 5}|tojson }}{{ 1e16|tojson }}{{ 'inf'|float|tojson }}{{ ('<'|safe)|tojson }}{{ d|tojson(true) }}{{ d|tojson(indent=none) }}{{ d|tojson(indent=true) }}{{ [[], {}, [[]], {'a': []}]|tojson(indent=4) }}
{{ range(3)|tojson }}
{{ missing|tojson }}
{{ d.items()|tojson }}
{{ {(1, 2): 3}|tojson }}
{{ {1: 1, 'a': 2}|tojson(sort_keys=true) }}
{{ d|tojson(foo=1) }}
{{ users|groupby('age')|tojson }}
[{{ '  a b  '|trim }}][{{ 'xxaxx'|trim('x') }}][{{ 'abcba'|trim('ab') }}][{{ 5|trim }}][{{ '\u00a0\u2003a\x1c'|trim }}][{{ none|trim }}][{{ 'éaé'|trim(chars='é') }}]
{{ 'a'|trim(1) }}
{{ 'foo bar baz qux'|truncate(9) }}|{{ 'foo bar baz qux'|truncate(9, true) }}|{{ 'foo bar baz qux'|truncate(11) }}|{{ 'foo bar baz qux'|truncate(11, false, '...', 0) }}|{{ 'foobarbazqux'|truncate(5, leeway=0) }}|{{ 'foo bar'|truncate }}|{{ 'żółw żółw żółw'|truncate(8, true, '…', 0) }}|{{ 'a b c d e f g h'|truncate(6, end='') }}
{{ 'foo bar baz qux'|truncate(2, true, '...', 0) }}
{{ [1, 1.0, true, 'a', 'A', 2]|unique|list }}{{ ['a', 'A']|unique(true)|list }}{{ users|unique(attribute='age')|map(attribute='name')|list }}{{ 'hello'|unique|join }}{{ le|unique|list }}
{{ [[1], [1]]|unique|list }}
{{ 'a b/c?d=é&x'|urlencode }}{{ {'a': 1, 'b c': 'd/e'}|urlencode }}{{ [('a', 1), ('b', 2)]|urlencode }}{{ 5|urlencode }}{{ ''|urlencode }}
{{ 'foo bar  baz'|wordcount }}{{ "it's a_b ż-ź"|wordcount }}{{ ''|wordcount }}{{ 5|wordcount }}
{{ {'class': 'a', 'id': none, 'x': '<>"'}|xmlattr }}|{{ {'a': 1}|xmlattr(false) }}|{{ {}|xmlattr }}
{{ {'a b': 1}|xmlattr }}
{{ s|upper() }}{{ s|default('x')|length }}{{ s|replace(',', '')|upper|trim|list|first }}
{{ s|upper(1) }}
{{ s|replace('a') }}
{{ s|trim(foo=1) }}
{{ s|default(value=1) }}
{{ l|join(', ', 'x', 'y') }}
{{ l|random is defined if false }}
{{ s|string|safe|e }}{{ '<'|safe|string|e }}{{ s|list|join|length }}
{{ [3, 1, 2]|sort|reverse|list }}{{ l|map('float')|sum }}{{ users|map(attribute='name')|map('lower')|sort|join('+') }}{{ users|selectattr('age', 'gt', 30)|map(attribute='name')|join }}
{{ [{'a': {'b': [1, 2]}}]|map(attribute='a.b.1')|list }}{{ [{'x': 1}, {'y': 2}]|map(attribute='x')|select('defined')|list }}{{ [[1, 2], [3, 4]]|map('last')|list }}{{ ['1', '2']|map('int')|sum }}{{ ['a', 'b']|map('indent', 2, true)|list }}
"""

METHODS = r"""
[{{ sp.strip() }}][{{ sp.lstrip() }}][{{ sp.rstrip() }}][{{ 'xxaxx'.strip('x') }}][{{ 'abcab'.lstrip('ab') }}][{{ 'abcab'.rstrip('ab') }}][{{ 'a'.strip(none) }}][{{ '\u3000a\x85'.strip() }}][{{ 'éaé'.strip('é') }}][{{ ''.strip() }}]
{{ 'a'.strip(1) }}
{{ 'a b  c'.split() }}{{ ' a  b '.split() }}{{ 'a,b,,c'.split(',') }}{{ 'a,b,c'.split(',', 1) }}{{ 'a b c d'.split(none, 2) }}{{ ' a b  c '.split(none, 1) }}{{ ''.split() }}{{ ''.split(',') }}{{ 'abc'.split('b') }}{{ 'a--b--c'.split('--') }}{{ 'a b'.split(' ', 0) }}{{ 'aaa'.split('aa') }}{{ 'x'.split(sep='y') }}{{ 'a\u2003b\u00a0c'.split() }}{{ ' a b '.split(maxsplit=0) }}
{{ 'a'.split('') }}
{{ 'a b  c'.rsplit() }}{{ 'a,b,c'.rsplit(',', 1) }}{{ 'aaa'.rsplit('aa') }}{{ ' a b  c '.rsplit(none, 1) }}{{ ''.rsplit(',') }}{{ 'a/b/c'.rsplit('/', 1)[0] }}{{ 'ą/ę/ó'.rsplit('/', 1) }}{{ ' a b '.rsplit(maxsplit=0) }}
{{ lines.splitlines() }}{{ lines.splitlines(true) }}{{ 'a\n'.splitlines() }}{{ '\n'.splitlines() }}{{ ''.splitlines() }}{{ 'a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i'.splitlines() }}{{ 'a\r\nb\rc\n\nd'.splitlines(keepends=true) }}
{{ s.startswith('Hello') }}{{ s.startswith('x') }}{{ s.startswith(('x', 'H')) }}{{ s.startswith('') }}{{ s.startswith('ello', 1) }}{{ s.startswith('ell', 1, 3) }}{{ s.endswith('d') }}{{ s.endswith(('x', 'ld')) }}{{ s.endswith('', 99) }}{{ s.endswith('lo', 0, 5) }}{{ u.endswith('ς') }}{{ s.startswith(()) }}{{ s.startswith('ell', -12) }}
{{ s.startswith(['H']) }}
{{ s.startswith(('x', 1)) }}
{{ s.startswith(1) }}
{{ 'banana'.replace('a', 'o') }}{{ 'banana'.replace('a', 'o', 1) }}{{ 'banana'.replace('', '-') }}{{ 'ab'.replace('', '-', 1) }}{{ 'ab'.replace('a', '') }}{{ ''.replace('', 'x') }}{{ 'żaż'.replace('', '.') }}{{ 'aaa'.replace('a', 'b', 0) }}{{ 'aaa'.replace('a', 'b', -1) }}
{{ 'a'.replace('a', 1) }}
{{ 'Abc dEF'.upper() }}{{ 'Abc dEF'.lower() }}{{ 'Abc dEF'.title() }}{{ 'abc DEF'.capitalize() }}{{ 'Abc dEF'.swapcase() }}{{ 'Straße ΣΑΣ ǆ ﬁ'.upper() }}{{ 'STRASSE ΣΑΣ Σ'.lower() }}{{ "it's o'neil 3rd x1y ǆa".title() }}{{ 'ﬁx ßa'.title() }}{{ 'ﬁX'.capitalize() }}{{ 'Straße ΣςK'.casefold() }}{{ 'aΣ ΣA ß'.swapcase() }}{{ 'Ꮳꮳ'.casefold() }}{{ 'A\u0345Σ'.lower() }}
{{ ','.join(['a', 'b']) }}{{ ''.join('abc') }}{{ '-'.join(d) }}{{ ', '.join(ls|map('upper')) }}{{ ','.join([]) }}{{ ','.join(d.keys()) }}
{{ ','.join([1]) }}
{{ ','.join(1) }}
{{ 'hello'.find('l') }}{{ 'hello'.find('z') }}{{ 'hello'.find('l', 3) }}{{ 'hello'.find('l', 0, 2) }}{{ 'hello'.rfind('l') }}{{ 'hello'.find('') }}{{ 'hello'.rfind('') }}{{ 'hello'.find('', 9) }}{{ 'żółw'.find('w') }}{{ 'żółwżw'.rfind('ż') }}{{ 'hello'.index('e') }}{{ 'hello'.rindex('l') }}{{ 'hello'.find('o', -1) }}{{ 'hello'.find('l', -3, -1) }}{{ 'hello'.find('h', none, 1) }}
{{ 'hello'.index('z') }}
{{ 'hello'.find(1) }}
{{ 'banana'.count('a') }}{{ 'banana'.count('ana') }}{{ 'banana'.count('') }}{{ 'banana'.count('a', 2) }}{{ 'banana'.count('a', 2, 4) }}{{ 'żż'.count('') }}{{ 'a'.count('', 9) }}
{{ '12'.isdigit() }}{{ '1²'.isdigit() }}{{ '1²'.isdecimal() }}{{ '½'.isnumeric() }}{{ ''.isdigit() }}{{ 'aé'.isalpha() }}{{ 'a1'.isalnum() }}{{ 'a_'.isalnum() }}{{ ' \t'.isspace() }}{{ 'ab'.islower() }}{{ 'Ab'.islower() }}{{ 'AB1'.isupper() }}{{ 'Ab Cd'.istitle() }}{{ 'AB'.istitle() }}{{ 'é'.isascii() }}{{ ''.isascii() }}{{ 'a\n'.isprintable() }}{{ ''.isprintable() }}{{ 'x1'.isidentifier() }}{{ '1x'.isidentifier() }}{{ 'ª'.islower() }}{{ 'ǅ'.istitle() }}
[{{ 'ab'.center(7) }}][{{ 'ab'.center(6, '*') }}][{{ 'abc'.center(6) }}][{{ 'ab'.ljust(4) }}][{{ 'ab'.rjust(4, '.') }}][{{ '5'.zfill(3) }}][{{ '-5'.zfill(4) }}][{{ '+5'.zfill(4) }}][{{ 'abc'.zfill(2) }}][{{ 'ż'.rjust(3, 'ó') }}][{{ 'a'.ljust(-1) }}]
{{ 'a'.center(5, 'xx') }}
{{ 'a'.center('x') }}
{{ 'a=b=c'.partition('=') }}{{ 'a=b=c'.rpartition('=') }}{{ 'abc'.partition('=') }}{{ 'abc'.rpartition('=') }}
{{ 'a'.partition('') }}
{{ 'TestHook'.removeprefix('Test') }}{{ 'TestHook'.removesuffix('Hook') }}{{ 'x'.removeprefix('y') }}{{ 'x'.removesuffix('') }}
[{{ 'a\tb'.expandtabs() }}][{{ 'a\tb'.expandtabs(4) }}][{{ 'ab\n\tc'.expandtabs(tabsize=2) }}][{{ 'a\tb'.expandtabs(0) }}]
{{ d.get('a') }}{{ d.get('zzz') }}{{ d.get('zzz', 5) }}{{ d.get('zzz') is none }}{{ d.keys() }}{{ d.values() }}{{ d.items() }}{{ d.copy() }}{{ d.copy() == d }}
{{ d.get([]) }}
{{ d.get() }}
{{ d.get(key='a') }}
{{ l.count(1) }}{{ l.index(2) }}{{ l.copy() }}{{ (1, 2, 1).count(1) }}{{ (1, 2).index(2) }}{{ l.index(1, 1) }}
{{ l.index(9) }}
{{ (1, 2).index(9) }}
{{ l.extend([1]) }}
{{ l.insert(0, 1) }}
{{ l.remove(1) }}
{{ l.reverse() }}
{{ d.clear() }}
{{ d.popitem() }}
{{ s.nosuch() }}
{{ l.items() }}
{{ i.upper() }}
{{ n.upper() }}
{{ 'a'.upper().lower().title().strip().split()[0] }}{{ s.split(', ')[1][0].lower() }}{{ ' '.join(s.split()[::-1]) }}{{ s.replace(',', '').split()|map('upper')|join('_') }}
{{ 'abc'.upper(*[]) }}{{ 'a,b'.split(*[',']) }}{{ 'a,b'.split(**{'sep': ','}) }}
{% set f = s.upper %}{{ f() }}{% set g = d.get %}{{ g('a') }}
"""

FORMATS = r"""
{{ '%s' % 1 }}{{ '%s %s' % (1, 'a') }}{{ '%s' % [1] }}{{ '%s' % (1,) }}{{ '%s' % none }}{{ '%s' % missing }}{{ '%r' % 'a' }}{{ '%s' % d }}{{ '%%' % () }}{{ '100%%' % [] }}
{{ '%d' % 3.9 }}{{ '%d' % true }}{{ '%5d|%-5d|%05d|%+d|% d|%+d' % (1, 2, 3, 4, 5, -6) }}{{ '%i' % 7 }}{{ '%u' % 7 }}{{ '%.3d' % 5 }}{{ '%+.3d' % 5 }}{{ '%08.3d' % -5 }}
{{ '%x %X %o %#x %#X %#o' % (255, 255, 8, 255, 255, 8) }}{{ '%x' % -255 }}{{ '%#x' % -1 }}{{ '%#06x' % 10 }}
{{ '%f %.2f %5.1f|%-8.2f|%08.3f %+.1f' % (1.5, 2.345, 3.14159, 2.5, -3.14159, 2.0) }}{{ '%e %.2E %g %G %g %g' % (12345.678, 0.00012, 0.0001, 1e-10, 1e6, 123456789) }}{{ '%.0f' % 2.5 }}{{ '%#.0f' % 2.0 }}{{ '%f' % 3 }}{{ '%.3s|%5s|%-5s|' % ('abcdef', 'ab', 'cd') }}{{ '%g' % 100000 }}{{ '%#g' % 1.0 }}
{{ '%c%c' % ('a', 98) }}{{ '%5c|' % 'é' }}{{ '%a %r' % ('é', 'é') }}{{ '%s' % 'ż' }}{{ '%*d|%-*d|%.*f' % (5, 1, 5, 2, 2, 3.14159) }}
{{ '%(a)s %(b)s' % d }}{{ '%(a)05d' % d }}{{ '%(name)s is %(age)d' % users[0] }}
{{ '%s %s' % (1,) }}
{{ '%s' % (1, 2) }}
{{ '%d' % 'a' }}
{{ '%x' % 1.5 }}
{{ '%(zzz)s' % d }}
{{ '%(a)s' % 1 }}
{{ '%(a)s %s' % d }}
{{ '%q' % 1 }}
{{ '%5%' % 1 }}
{{ '%-%' % () }}
{{ '%%%s%%' % 1 }}
{{ '%' % 1 }}
{{ '%c' % 'ab' }}
{{ '%f' % 'a' }}
{{ 'abc' % 1 }}
{{ 'abc' % () }}{{ 'abc' % {} }}{{ 'abc' % [] }}{{ 'abc' % d }}
{{ '{} {}'.format(1, 'a') }}{{ '{0} {1} {0}'.format('a', 'b') }}{{ '{a} {b}'.format(a=1, b=2) }}{{ '{{}} {}'.format(1) }}{{ ''.format() }}{{ '{}'.format(none) }}{{ '{}'.format([1, 'a']) }}{{ '{}'.format(1.0) }}{{ '{}'.format(true) }}
{{ '{0.name} {0[age]} {0[tags][0]}'.format(users[0]) }}{{ '{d[a]}'.format(d=d) }}{{ '{0[1]}'.format(l) }}{{ '{0.upper}'.format('a')|length > 5 }}{{ '{0.zzz}'.format(d) }}{{ '{0.__class__}'.format('a') }}
{{ '{!r} {!s} {!a}'.format('é', 'é', 'é') }}{{ '{!r:>6}|'.format('a') }}{{ '{0!r}'.format(none) }}
[{{ '{:5}'.format('a') }}][{{ '{:<5}'.format('a') }}][{{ '{:>5}'.format('a') }}][{{ '{:^5}'.format('a') }}][{{ '{:*^6}'.format('a') }}][{{ '{:.2}'.format('abc') }}][{{ '{:5.1}'.format('abc') }}][{{ '{:s}'.format('a') }}][{{ '{:é<3}'.format('a') }}][{{ '{:05}'.format('a') }}]
[{{ '{:5}'.format(1) }}][{{ '{:<5}'.format(1) }}][{{ '{:^5}'.format(1) }}][{{ '{:05}'.format(-1) }}][{{ '{:+}'.format(1) }}][{{ '{: }'.format(1) }}][{{ '{:,}'.format(1234567) }}][{{ '{:_}'.format(1234567) }}][{{ '{:x} {:X} {:o} {:b} {:c}'.format(255, 255, 8, 5, 97) }}][{{ '{:#x} {:#b} {:#o}'.format(255, 5, 8) }}][{{ '{:_x}'.format(1048576) }}][{{ '{:010,}'.format(1234) }}][{{ '{:=+8}'.format(5) }}][{{ '{:*>8d}'.format(5) }}][{{ '{:d}'.format(true) }}][{{ '{:5}'.format(true) }}][{{ '{:n}'.format(1234) }}][{{ '{:08,}'.format(123456) }}][{{ '{:09,}'.format(123456) }}][{{ '{:#010x}'.format(255) }}][{{ '{:5c}|'.format(65) }}]
[{{ '{:.2f}'.format(3.14159) }}][{{ '{:8.3f}'.format(3.14159) }}][{{ '{:e}'.format(12345.678) }}][{{ '{:.1E}'.format(0.00012) }}][{{ '{:g}'.format(1e10) }}][{{ '{:%}'.format(0.256) }}][{{ '{:.1%}'.format(0.256) }}][{{ '{:,.2f}'.format(1234567.891) }}][{{ '{:f}'.format(2) }}][{{ '{:.3}'.format(3.14159) }}][{{ '{:.3}'.format(314159.0) }}][{{ '{:.1}'.format(0.0) }}][{{ '{:10}'.format(1.5) }}][{{ '{:<10}'.format(1.5) }}][{{ '{:+.1f}'.format(-0.0) }}][{{ '{:z.1f}'.format(-0.01) }}][{{ '{:#.0f}'.format(2.0) }}][{{ '{:010.2f}'.format(-3.14159) }}][{{ '{:.0f}'.format(0.5) }}][{{ '{:}'.format(1e16) }}][{{ '{:.2f}'.format(true) }}][{{ '{:,}'.format(1234.5) }}][{{ '{:.5}'.format(1e16) }}][{{ '{:015,.2f}'.format(1234.5) }}]
[{{ '{:{}}'.format('a', 4) }}][{{ '{:{w}.{p}f}'.format(3.14159, w=8, p=2) }}][{{ '{:{a}{w}}'.format('x', a='^', w=5) }}]
{{ '{:d}'.format('a') }}
{{ '{:s}'.format(1) }}
{{ '{:d}'.format(1.5) }}
{{ '{:.2d}'.format(1) }}
{{ '{:5}'.format([1]) }}
{{ '{:5}'.format(none) }}
{{ '{:=5}'.format('a') }}
{{ '{:,}'.format('a') }}
{{ '{:+}'.format('a') }}
{{ '{:q}'.format(1) }}
{{ '{:5x5}'.format(1) }}
{{ '{'.format(1) }}
{{ '}'.format(1) }}
{{ '{}'.format() }}
{{ '{1}'.format(1) }}
{{ '{a}'.format(1) }}
{{ '{0}{}'.format(1, 2) }}
{{ '{}{0}'.format(1, 2) }}
{{ '{!x}'.format(1) }}
{{ '{!}'.format(1) }}
{{ '{!rx}'.format(1) }}
{{ '{0.}'.format(1) }}
{{ '{0[}'.format(1) }}
{{ '{0[]}'.format(l) }}
{{ '{0[0]x}'.format(l) }}
{{ '{:{}}'.format(1) }}
{{ '{.a}'.format(d) }}
{{ '{a{b}}'.format(1) }}
{{ '{0[a}]}'.format({'a}': 1}) }}
{{ '{a} {b}'.format_map({'a': 1, 'b': 2}) }}
{{ '{a}'.format_map(d) }}{{ '{zzz}'.format_map(d) }}
{{ '{}'.format(1, 2, 3) }}{{ '{0.real}'.format(5) }}{{ '{0[items]}'.format({'items': 1}) }}
{{ '{} {}'.format(*l[:2]) }}{{ '{a}'.format(**d) }}
"""

ERRORS = r"""
{% if x %}
{% for x in y %}
{% endif %}
{% if x %}{% endfor %}
{% if x %}{% else %}{% else %}{% endif %}
{% nosuch %}
{% trans %}x{% endtrans %}
{% do x %}
{% debug %}
{% %}
{% 1 %}
{% if %}x{% endif %}
{% for x %}{% endfor %}
{% for in x %}{% endfor %}
{% for x in %}{% endfor %}
{% for 1 in x %}{% endfor %}
{% for a.b in x %}{% endfor %}
{% for x in y if %}{% endfor %}
{% set %}
{% set x %}
{% set x = %}
{% set 1 = 2 %}
{% set a.b.c = 1 %}
{% set a[0] = 1 %}
{% set x = 1 y %}
{% set true = 1 %}
{% set f() = 1 %}
{% set a + b = 1 %}
{% set [a] = 1 %}
{% macro %}{% endmacro %}
{% macro m %}{% endmacro %}
{% macro m( %}{% endmacro %}
{% macro m(1) %}{% endmacro %}
{% macro true() %}{% endmacro %}
{% macro m(a=) %}{% endmacro %}
{% call %}{% endcall %}
{% call x %}{% endcall %}
{% filter %}{% endfilter %}
{% filter nosuch %}{% endfilter %}
{% filter upper %}
{% with a %}{% endwith %}
{% with a = 1 %}
{% block %}{% endblock %}
{% block a-b %}{% endblock %}
{% block a %}
{% break %}
{% continue %}
{% for x in l %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}
{% for x in l %}{% generation %}{% break %}{% endgeneration %}{% endfor %}
{% if t %}{% continue %}{% endif %}
{% for x in l %}{% else %}{% break %}{% endfor %}
{% generation %}
{% endgeneration %}
{% raw %}
{% raw %}x
{# open
a{#
{{ x
{{ x }
{% x
{{ x %}
{% if x }}
{{ (x }}
{{ x) }}
{{ [x }}
{{ {x }}
{{ 'a }}
{{ "a' }}
{{ a\b }}
{{ ` }}
{{ a ! b }}
{{ x|nosuch }}
{{ x is nosuch }}
{{ nosuch.a.b }}
{{ nosuch() }}
{{ l.nosuch() }}
{{ d.nosuch.a }}
{{ raise_exception('stop here') }}
{{ raise_exception() }}
{{ raise_exception(d) }}
{% include %}
{% extends %}
{% import 'a' %}
{% from 'a' %}
{% from 'a' import _b %}
{% from 'a' import b c %}
{% autoescape %}{% endautoescape %}
{% print %}
{% elif x %}
{% else %}
{% endset %}
{% set x | nosuch %}{% endset %}
{% set x | upper = 1 %}
{% for x in l recursive if x %}{% endfor %}
{% for x in l if x recursive %}{{ x }}{% endfor %}
{% if a %}{% elif %}{% endif %}
{% macro m(a, caller, b=1) %}{{ caller() }}{% endmacro %}
{{ range(1, 2, 3, 4) }}
{{ range() }}
{{ range('a') }}
{{ range(1.5) }}
{{ dict(1) }}
{{ dict(1, 2) }}
{{ namespace(1) }}
{{ cycler(1).next(2) }}
{{ joiner(1, 2) }}
{{ 1|batch('a')|list }}
{{ l|batch }}
{{ l|batch(2, 3, 4)|list }}
{{ l|select('divisibleby')|list }}
{{ users|map(attribute='name')|sum }}
{{ l|join(attribute='x')|length }}{{ l|map('upper')|map('nosuch')|list }}
{{ s|int + 'x' }}
{{ s|list + 'x' }}
{{ l|first.x }}
{{ d.items().x }}{{ d.items().x.y }}
{{ loop.index }}
{{ loop }}{{ loop is defined }}
{{ caller() }}
{{ varargs }}{{ kwargs }}
{{ super }}{{ super() }}
"""

# Several lines each, parted by a line of dashes: whitespace control, and errors below the first line.
PAGES = r"""
{% for message in users %}
    {% if loop.first %}
        {{- 'first: ' -}}
    {% endif %}
    {{ message.name }}
{% endfor %}
end
----
{%- for user in users -%}
    {{ user.name }}
    {%- if not loop.last -%}, {% endif -%}
{%- endfor -%}
----
{% macro row(cells) %}
  {% for c in cells %}
    <{{ c }}>
  {% endfor %}
{% endmacro %}
{% for r in nest %}
{{ row(r) }}
{% endfor %}
----

  {% if t %}

  a

  {% endif %}

b


----
line one
{{ i }}
{% if t %}
{{ nosuch.x }}
{% endif %}
----
line one
{% if t %}

{% bad %}
----
a
{{ 1 +
   2 }}
{{ 1
   +
   }}
----
{# a
b #}
{% raw %}
x
{% endraw %}
{{ 'a
b' }}
{{ ) }}
----
{%- set tools = users -%}
{{- '<tools>\n' }}
{%- for tool in tools %}
    {{- tool | tojson }}
    {{- '\n' }}
{%- endfor %}
{{- '</tools>' -}}
----
{% set x %}
  a
  b
{% endset %}
[{{ x }}]
----
{%- if t %}
x
{%- else %}
y
{%- endif %}
   z
----
{% for x in l %}
{%- if x == 1 %}{% continue %}{% endif -%}
{{ x }}
{% endfor -%}
end
----
{{ s
   | upper
   | replace('O',
             '0') }}
----
{% for x in l %}
{% for y in ls %}
{{ x }}{{ y }}
{% endif %}
----
{{ {'a': 1,
    'b': [2,
          3]} }}
----
{% macro m(a,
           b=2) -%}
  {{ a }}{{ b }}
{%- endmacro %}
{{ m(1,
     b=3) }}
----
{#
lines
#}x
----
a
  {% if t %}
  b
  {% endif %}
c
----
a
	{% if t %}
	b
{% endif %}   
c
----
a {% if t %} b {% endif %} c
a {%- if t %} b {%- endif %} c
a {%- if t -%} b {%- endif -%} c
----
a
 {%- if t -%} 
 b 
 {%- endif -%} 
 c
----
a
  {%+ if t %}
  b
  {%+ endif %}
c
----
  {% if t +%}
b{% endif +%}
c
----
  {{ i }}
  {{- i }}
  {{ i -}}
  x
----
{{ i }}

{{ i }}
x {{- -1 -}} y
----
{% set a = 1 -%}

   a
  {% set a = 1 %}  {% set b = 2 %}
x
----
{% for x in l -%}
  {{ x }}
{%- endfor %}
{% for x in l %}

{{ x }}
{% endfor %}
x
 	{%- if t %}y{% endif %}
----
  {% raw %}
 a
 {% endraw %}
b
  {%- raw -%}
 c {{ x }}
  {%- endraw -%}

d
----
a {# one #}
b {#- two -#}
 c
  {# three #}
{#+ four #}
d
----
{{ 'a\
b' }}{{ 'c
d' }}
----
{% for x in l %}  {% if x == 2 %}  two
  {% else %}
    other
  {% endif %}  {% endfor %}
----
{% macro m() %}
  text
{% endmacro %}
[{{ m() }}]
  {{ m() }}
{% call(x) m() %}
{% endcall %}
{% filter trim %}
   x
{% endfilter %}
"""
