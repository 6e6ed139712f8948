// Global functions of templates: jinja2's, and the two that Transformers adds.
#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <memory>

#include "text/jinja_builtins.h"
#include "text/python_text.h"

namespace polymath::jinja {
namespace {

constexpr std::int64_t kMostRange = 100'000;  // jinja2's sandbox

Value range(Machine&, Bound& b) {
  auto out = std::make_shared<Range>();
  const std::int64_t one = index_of(b[0], "range");
  out->start = b.has(1) ? one : 0;
  out->stop = b.has(1) ? index_of(b[1], "range") : one;
  out->step = b.has(2) ? index_of(b[2], "range") : 1;
  if (out->step == 0) fail("range() arg 3 must not be zero");
  const __int128 distance = static_cast<__int128>(out->stop) - out->start, step = out->step;
  __int128 count = 0;
  if (step > 0 && distance > 0) count = (distance - 1) / step + 1;
  if (step < 0 && distance < 0) count = (distance + 1) / step + 1;
  if (count > kMostRange) fail("Range too big. The sandbox blocks ranges larger than MAX_RANGE (" + std::to_string(kMostRange) + ").");
  out->count = static_cast<std::int64_t>(count);
  return Value::object(std::move(out));
}

// dict(mapping or pairs, name=value, ...)
Dict make_dict(Machine& m, const Bound& b) {
  Dict dict;
  if (b.rest.positional.size() > 1) fail("dict expected at most 1 argument, got " + std::to_string(b.rest.positional.size()));
  if (!b.rest.positional.empty()) {
    const Value& from = b.rest.positional[0];
    if (from.is(Kind::kDict)) dict = from.as_dict();
    else if (from.undefined()) fail(from.undefined_message());  // dict() asks it for keys
    else {
      const std::shared_ptr<Iterator> source = m.iterate(from);
      for (Value item; source->next(m, item);) {
        if (!m.try_iterate(item)) fail("cannot convert dictionary update sequence element to a sequence");
        const std::vector<Value> pair = m.items_of(item);
        if (pair.size() != 2) fail("dictionary update sequence element has length " + std::to_string(pair.size()) + "; 2 is required");
        dict.set(m, pair[0], pair[1]);
        m.spend(2);
      }
    }
  }
  for (const auto& [name, value] : b.rest.named) dict.set(name, value);
  m.spend(dict.size());
  return dict;
}

Value dict(Machine& m, Bound& b) { return Value::dict(make_dict(m, b)); }

Value make_namespace(Machine& m, Bound& b) {
  auto out = std::make_shared<Namespace>();
  out->attributes = make_dict(m, b);
  return Value::object(m.own(std::move(out)));
}

struct Cycler final : Host, std::enable_shared_from_this<Cycler> {
  Value items;
  std::size_t at = 0;
  std::string type_name() const override { return "Cycler"; }
  const char* module() const override { return "jinja2.utils."; }
  std::string repr(Machine&) const override { return "<jinja2.utils.Cycler object at 0x7f0000000000>"; }
  int depth() const override { return items.depth(); }

  Value attribute(Machine&, std::string_view name) override {
    if (name == "items") return items;
    if (name == "pos") return Value::integer(static_cast<std::int64_t>(at));
    if (name == "current") return items.items()[at];
    if (name != "next" && name != "reset") return {};
    return Value::object(std::make_shared<FunctionValue>(
        "<bound method Cycler." + std::string(name) + " of " + "<jinja2.utils.Cycler object at 0x7f0000000000>>",
        [self = shared_from_this(), is_next = name == "next"](Machine&, Arguments& arguments) {
          if (!arguments.positional.empty() || !arguments.named.empty()) fail("Cycler's methods take no arguments");
          const Value current = self->items.items()[self->at];
          self->at = is_next ? (self->at + 1) % self->items.items().size() : 0;
          return is_next ? current : Value::none();
        },
        items.depth() + 1));
  }
};

Value cycler(Machine&, Bound& b) {
  if (b.rest.positional.empty()) fail("at least one item has to be provided");
  if (!b.rest.named.empty()) fail("Cycler() got an unexpected keyword argument");
  auto out = std::make_shared<Cycler>();
  out->items = Value::tuple(std::move(b.rest.positional));
  return Value::object(std::move(out));
}

struct Joiner final : Host {
  Value separator;
  bool used = false;
  std::string type_name() const override { return "Joiner"; }
  const char* module() const override { return "jinja2.utils."; }
  std::string repr(Machine&) const override { return "<jinja2.utils.Joiner object at 0x7f0000000000>"; }
  int depth() const override { return separator.depth() + 1; }
  bool callable() const override { return true; }
  Value attribute(Machine&, std::string_view name) override { return name == "sep" ? separator : name == "used" ? Value::boolean(used) : Value(); }
  Value call(Machine&, Arguments& arguments) override {
    if (!arguments.positional.empty() || !arguments.named.empty()) fail("Joiner.__call__() takes no arguments");
    return std::exchange(used, true) ? separator : Value::text("");
  }
};

Value joiner(Machine&, Bound& b) {
  auto out = std::make_shared<Joiner>();
  out->separator = b.has(0) ? b[0] : Value::text(", ");
  return Value::object(std::move(out));
}

Value raise_exception(Machine& m, Bound& b) { fail(to_string(m, b[0])); }

Value strftime_now(Machine& m, Bound& b) {
  if (!b[0].string()) fail("strftime() argument 1 must be str, not " + type_name(b[0]));
  std::tm civil{};
  std::int64_t microseconds = 0;
  if (m.civil_now) {
    const std::time_t seconds = *m.civil_now;
    gmtime_r(&seconds, &civil);
  } else {
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    const std::time_t seconds = static_cast<std::time_t>(now / 1'000'000);
    microseconds = now % 1'000'000;
    localtime_r(&seconds, &civil);
  }
  // Python fills %f itself, and leaves the zone of a time without one empty.
  std::string format;
  const std::string& given = b[0].as_text();
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given[i] != '%' || i + 1 == given.size()) {
      format += given[i];
      continue;
    }
    const char c = given[++i];
    if (c == 'f') {
      std::string digits = std::to_string(microseconds);
      format += std::string(6 - digits.size(), '0') + digits;
    } else if (c != 'z' && c != 'Z') {
      (format += '%') += c;
    }
  }
  if (format.find('\0') != std::string::npos) fail("embedded null character");
  if (format.empty()) return Value::text("");
  if (format.size() > 4096) throw Error(ErrorCode::kResource, "a format of strftime_now is longer than 4096 bytes");
  std::string out(format.size() * 64 + 256, '\0');
  out.resize(std::strftime(out.data(), out.size(), format.c_str(), &civil));
  return Value::text(std::move(out));
}

Value lipsum(Machine&, Bound&) { fail_unsupported("the function lipsum: a template renders the same text each time"); }

struct Global {
  Builtin builtin;
  const char* shown;
};

constexpr Global kGlobals[] = {
    {{"cycler", "*", cycler}, "<class 'jinja2.utils.Cycler'>"},
    {{"dict", "*", dict}, "<class 'dict'>"},
    {{"joiner", "sep=", joiner}, "<class 'jinja2.utils.Joiner'>"},
    {{"lipsum", "*", lipsum}, "<function generate_lorem_ipsum at 0x7f0000000000>"},
    {{"namespace", "*", make_namespace}, "<class 'jinja2.utils.Namespace'>"},
    {{"raise_exception", "message", raise_exception}, "<function _compile_jinja_template.<locals>.raise_exception at 0x7f0000000000>"},
    {{"range", "/ start stop= step=", range}, "<function safe_range at 0x7f0000000000>"},
    {{"strftime_now", "format", strftime_now}, "<function _compile_jinja_template.<locals>.strftime_now at 0x7f0000000000>"},
};

}  // namespace

std::string Namespace::repr(Machine& m) const {
  if (showing_) return "<Namespace {...}>";  // it holds itself
  struct Showing {
    bool& flag;
    explicit Showing(bool& f) : flag(f) { flag = true; }
    ~Showing() { flag = false; }
  } showing(showing_);
  std::string out;
  for (const auto& [key, value] : attributes.entries()) {
    out += (out.empty() ? "" : ", ") + jinja::repr(m, key) + ": " + jinja::repr(m, value);
    m.will_make(out.size());
  }
  return "<Namespace {" + out + "}>";
}

Value Namespace::attribute(Machine&, std::string_view name) {
  const Value* found = attributes.find(name);
  return found ? *found : Value();
}

Value find_global(std::string_view name) {
  for (const Global& global : kGlobals) {
    if (global.builtin.name != name) continue;
    return Value::object(std::make_shared<FunctionValue>(global.shown, [&builtin = global.builtin](Machine& m, Arguments& arguments) { return invoke(m, builtin, std::move(arguments)); }));
  }
  return {};
}

}  // namespace polymath::jinja
