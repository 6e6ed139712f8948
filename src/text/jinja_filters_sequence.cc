// Filters over sequences. Those that jinja2 writes as generators give their values one by one here, too: a template sees when they
// are used up, and an error in them shows only when they are asked.
#include <algorithm>
#include <unordered_set>

#include "text/jinja_builtins.h"
#include "text/jinja_operators.h"
#include "text/python_text.h"

namespace polymath::jinja {
namespace {

Value ignore_case(const Value& v) { return v.string() ? Value::text(python::lower(v.as_text())) : v; }

// A generator: `produce` gives the next value. It begins with the first value that is asked for.
class Generator final : public Iterator {
 public:
  Generator(const char* name, int depth, std::function<bool(Machine&, Value&)> produce) : Iterator(depth), name_(name), produce_(std::move(produce)) {}
  bool next(Machine& m, Value& out) override {
    if (!produce_) return false;
    Machine::Level level(m);
    m.spend(4);
    bool more = false;
    try {
      more = produce_(m, out);
    } catch (...) {
      produce_ = nullptr;  // a generator that raised is at its end
      throw;
    }
    if (!more) produce_ = nullptr;
    return more;
  }
  std::string repr(Machine&) const override { return std::string("<generator object ") + name_ + " at 0x7f0000000000>"; }

 private:
  const char* name_;
  std::function<bool(Machine&, Value&)> produce_;
};

Value generator(const char* name, int depth, std::function<bool(Machine&, Value&)> produce) {
  return Value::object(std::make_shared<Generator>(name, depth, std::move(produce)));
}

int depth_of(const Arguments& arguments) {
  int depth = 0;
  for (const Value& v : arguments.positional) depth = std::max(depth, v.depth());
  for (const auto& [name, v] : arguments.named) depth = std::max(depth, v.depth());
  return depth;
}

const Value* named(const Arguments& arguments, std::string_view name) {
  for (const auto& [key, value] : arguments.named) {
    if (key == name) return &value;
  }
  return nullptr;
}

Value call_by_name(Machine& m, bool is_filter, const Value& name, const Value& item, const Arguments& rest, std::size_t skip) {
  const Builtin* found = !name.string() ? nullptr : is_filter ? find_filter(name.as_text()) : find_test(name.as_text());
  if (!found) fail(std::string("No ") + (is_filter ? "filter" : "test") + " named " + repr(m, name) + ".");
  Arguments arguments;
  arguments.positional.push_back(item);
  arguments.positional.insert(arguments.positional.end(), rest.positional.begin() + static_cast<std::ptrdiff_t>(skip), rest.positional.end());
  arguments.named = rest.named;
  return invoke(m, *found, std::move(arguments));
}

Value map(Machine&, Bound& b) {
  auto rest = std::make_shared<Arguments>(std::move(b.rest));
  auto source = std::make_shared<std::shared_ptr<Iterator>>();
  const Value value = b[0];
  return generator("sync_do_map", std::max(value.depth(), depth_of(*rest)), [=](Machine& m, Value& out) {
    if (!*source) {
      if (!truth(m, value)) return false;
      *source = m.iterate(value);
      if (rest->positional.empty()) {
        if (!named(*rest, "attribute")) fail("map requires a filter argument");
        for (const auto& [key, v] : rest->named) {
          if (key != "attribute" && key != "default") fail("Unexpected keyword argument " + python::repr(key));
        }
      }
    }
    Value item;
    if (!(*source)->next(m, item)) return false;
    if (rest->positional.empty()) {
      const Value* missing = named(*rest, "default");
      out = attribute_path(m, item, *named(*rest, "attribute"), missing && !missing->none_value() ? *missing : Value());
    } else {
      out = call_by_name(m, true, rest->positional[0], item, *rest, 1);
    }
    return true;
  });
}

template <bool kKeep, bool kAttribute>
Value select(Machine&, Bound& b) {
  auto rest = std::make_shared<Arguments>(std::move(b.rest));
  auto source = std::make_shared<std::shared_ptr<Iterator>>();
  const Value value = b[0];
  return generator("select_or_reject", std::max(value.depth(), depth_of(*rest)), [=](Machine& m, Value& out) {
    constexpr std::size_t kTestAt = kAttribute ? 1 : 0;
    if (!*source) {
      if (!truth(m, value)) return false;
      if (kAttribute && rest->positional.empty()) fail("Missing parameter for attribute name");
      *source = m.iterate(value);
    }
    for (Value item; (*source)->next(m, item);) {
      const Value looked_at = kAttribute ? attribute_path(m, item, rest->positional[0]) : item;
      const Value verdict = rest->positional.size() > kTestAt ? call_by_name(m, false, rest->positional[kTestAt], looked_at, *rest, kTestAt + 1) : looked_at;
      if (truth(m, verdict) != kKeep) continue;
      out = item;
      return true;
    }
    return false;
  });
}

bool flag(Machine& m, const Bound& b, std::size_t i) { return b.has(i) && truth(m, b[i]); }

Value path(const Bound& b, std::size_t i) { return b.has(i) ? b[i] : Value::none(); }

Value unique(Machine& m, Bound& b) {
  auto seen = std::make_shared<std::unordered_set<std::string>>();
  auto source = std::make_shared<std::shared_ptr<Iterator>>();
  const Value value = b[0], attribute = path(b, 2);
  const bool case_sensitive = flag(m, b, 1);
  return generator("sync_do_unique", std::max(value.depth(), attribute.depth()), [=](Machine& machine, Value& out) {
    if (!*source) *source = machine.iterate(value);
    for (Value item; (*source)->next(machine, item);) {
      const Value key = attribute_path(machine, item, attribute);
      if (!seen->insert(hash_key(machine, case_sensitive ? key : ignore_case(key))).second) continue;
      out = item;
      return true;
    }
    return false;
  });
}

Value items(Machine&, Bound& b) {
  const Value value = b[0];
  auto at = std::make_shared<std::size_t>(0);
  return generator("do_items", value.depth() + 1, [=](Machine&, Value& out) {
    if (value.undefined()) return false;
    if (!value.is(Kind::kDict)) fail("Can only get item pairs from a mapping.");
    const auto& entries = value.as_dict().entries();
    if (*at == entries.size()) return false;
    out = Value::tuple({entries[*at].first, entries[*at].second});
    ++*at;
    return true;
  });
}

Value batch(Machine&, Bound& b) {
  auto source = std::make_shared<std::shared_ptr<Iterator>>();
  auto waiting = std::make_shared<Value>();  // the item that begins the next batch
  const Value value = b[0], count = b[1], fill = b.has(2) ? b[2] : Value::none();
  return generator("do_batch", std::max(value.depth(), fill.depth()) + 1, [=](Machine& m, Value& out) {
    if (!*source) *source = m.iterate(value);
    std::vector<Value> row;
    if (!waiting->missing()) row.push_back(std::exchange(*waiting, Value()));
    bool more = false;
    for (Value item; (more = (*source)->next(m, item));) {
      if (equal(m, Value::integer(static_cast<std::int64_t>(row.size())), count)) {
        *waiting = item;
        break;
      }
      row.push_back(item);
    }
    if (!more && row.empty()) return false;
    if (!more && !fill.none_value() && less(m, Value::integer(static_cast<std::int64_t>(row.size())), count)) {
      const std::size_t missing = static_cast<std::size_t>(index_of(count, "linecount")) - row.size();
      m.will_make(missing > SIZE_MAX / 64 ? SIZE_MAX / 2 : missing * sizeof(Value));
      row.insert(row.end(), missing, fill);
    }
    out = Value::list(std::move(row));
    return true;
  });
}

Value slice_filter(Machine&, Bound& b) {
  auto all = std::make_shared<std::vector<Value>>();
  auto at = std::make_shared<std::int64_t>(-1);
  const Value value = b[0], count = b[1], fill = b.has(2) ? b[2] : Value::none();
  return generator("sync_do_slice", std::max(value.depth(), fill.depth()) + 1, [=](Machine& m, Value& out) {
    if (*at < 0) {
      *all = m.items_of(value);
      *at = 0;
      if (count.undefined()) fail(count.undefined_message());
      if (!count.integral()) fail("'" + type_name(count) + "' object cannot be interpreted as an integer");
      if (count.as_int() == 0) fail("integer division or modulo by zero");
    }
    const std::int64_t slices = count.as_int(), length = static_cast<std::int64_t>(all->size());
    if (*at >= slices) return false;
    const std::int64_t each = length / slices, extra = length % slices, number = (*at)++;
    const std::int64_t start = std::min(number, extra) + number * each, end = std::min(number + 1, extra) + (number + 1) * each;
    std::vector<Value> row(all->begin() + start, all->begin() + end);
    if (!fill.none_value() && number >= extra) row.push_back(fill);
    m.step();
    out = Value::list(std::move(row));
    return true;
  });
}

Value first(Machine& m, Bound& b) {
  Value out;
  return m.iterate(b[0])->next(m, out) ? out : Value::undefined("No first item, sequence was empty.");
}

std::shared_ptr<Iterator> reversed(Machine& m, const Value& v) {
  if (v.is(Kind::kObject)) return v.as<Host>()->reversed(m);
  if (!v.string() && !v.sequence() && !v.is(Kind::kDict) && !v.undefined()) return nullptr;
  std::vector<Value> items = m.items_of(v);
  std::reverse(items.begin(), items.end());
  for (Value& item : items) {
    if (v.markup()) item = like(v, item.as_text());  // unlike going forward, this asks for v[i]
  }
  return std::make_shared<ListIterator>(std::move(items));
}

Value last(Machine& m, Bound& b) {
  const std::shared_ptr<Iterator> items = reversed(m, b[0]);
  if (!items) fail("'" + type_name(b[0]) + "' object is not reversible");
  Value out;
  return items->next(m, out) ? out : Value::undefined("No last item, sequence was empty.");
}

Value reverse(Machine& m, Bound& b) {
  if (b[0].string()) {
    const auto length = static_cast<std::int64_t>(b[0].text_length());
    return like(b[0], python::slice(b[0].as_text(), b[0].text_length(), length - 1, length, -1));
  }
  if (std::shared_ptr<Iterator> items = reversed(m, b[0])) return Value::object(std::move(items));
  if (!m.try_iterate(b[0])) fail("argument must be iterable");
  std::vector<Value> items = m.items_of(b[0]);
  std::reverse(items.begin(), items.end());
  return Value::list(std::move(items));
}

Value list(Machine& m, Bound& b) { return Value::list(m.items_of(b[0])); }

Value length(Machine& m, Bound& b) {
  const std::optional<std::int64_t> n = m.length(b[0]);
  if (!n) fail("object of type '" + type_name(b[0]) + "' has no len()");
  return Value::integer(*n);
}

Value join(Machine& m, Bound& b) {
  const std::string between = b.has(1) ? soft_text(m, b[1]) : "";
  const bool by_attribute = b.has(2) && !b[2].none_value();
  const std::shared_ptr<Iterator> source = m.iterate(b[0]);
  std::string out;
  bool is_first = true;
  for (Value item; source->next(m, item);) {
    if (!is_first) out += between;
    is_first = false;
    out += to_string(m, by_attribute ? attribute_path(m, item, b[2]) : item);
    m.will_make(out.size());
    m.spend(1);
  }
  return Value::text(std::move(out));
}

std::vector<Value> comma_paths(const Value& attribute) {
  std::vector<Value> paths;
  if (!attribute.string()) return {attribute};
  for (std::string_view part : python::split(attribute.as_text(), ",", -1)) paths.push_back(Value::text(std::string(part)));
  return paths;
}

Value sort_filter(Machine& m, Bound& b) {
  const bool case_sensitive = flag(m, b, 2);
  const std::vector<Value> paths = comma_paths(path(b, 3));
  std::vector<Keyed> keyed;
  for (const Value& item : m.items_of(b[0])) {
    std::vector<Value> key;
    for (const Value& p : paths) {
      const Value part = attribute_path(m, item, p);
      key.push_back(case_sensitive ? part : ignore_case(part));
    }
    keyed.push_back({Value::list(std::move(key)), item});
  }
  sort(m, keyed, b.has(1) && index_of(b[1], "reverse") != 0);
  std::vector<Value> out;
  for (Keyed& k : keyed) out.push_back(std::move(k.item));
  return Value::list(std::move(out));
}

Value dictsort(Machine& m, Bound& b) {
  const bool case_sensitive = flag(m, b, 1);
  const std::string by = b.has(2) ? (b[2].string() ? b[2].as_text() : "?") : "key";
  if (by != "key" && by != "value") fail("You can only sort by either \"key\" or \"value\"");
  if (b[0].undefined()) fail(b[0].undefined_message());
  if (!b[0].is(Kind::kDict)) fail("'" + type_name(b[0]) + "' object has no attribute 'items'");
  std::vector<Keyed> keyed;
  for (const auto& [key, value] : b[0].as_dict().entries()) {
    const Value& sorted_by = by == "key" ? key : value;
    keyed.push_back({case_sensitive ? sorted_by : ignore_case(sorted_by), Value::tuple({key, value})});
  }
  sort(m, keyed, b.has(3) && index_of(b[3], "reverse") != 0);
  std::vector<Value> out;
  for (Keyed& k : keyed) out.push_back(std::move(k.item));
  return Value::list(std::move(out));
}

Value groupby(Machine& m, Bound& b) {
  const Value missing = b.has(2) && !b[2].none_value() ? b[2] : Value();
  const bool case_sensitive = flag(m, b, 3);
  std::vector<Keyed> keyed;
  for (const Value& item : m.items_of(b[0])) {
    const Value key = attribute_path(m, item, b[1], missing);
    keyed.push_back({case_sensitive ? key : ignore_case(key), item});
  }
  sort(m, keyed, false);
  std::vector<Value> groups;
  for (std::size_t i = 0; i < keyed.size();) {
    const Value key = keyed[i].key;
    std::vector<Value> members;
    for (; i < keyed.size() && (members.empty() || equal(m, keyed[i].key, key)); ++i) members.push_back(keyed[i].item);
    const Value shown = case_sensitive ? key : attribute_path(m, members[0], b[1], missing);
    groups.push_back(Value::tuple({shown, Value::list(std::move(members))}, /*group=*/true));
  }
  return Value::list(std::move(groups));
}

template <bool kMax>
Value extreme(Machine& m, Bound& b) {
  const bool case_sensitive = flag(m, b, 1);
  const Value attribute = path(b, 2);
  const std::shared_ptr<Iterator> source = m.iterate(b[0]);
  Value best, best_key;
  for (Value item; source->next(m, item);) {
    Value key = attribute_path(m, item, attribute);
    if (!case_sensitive) key = ignore_case(key);
    if (best.missing() || (kMax ? less(m, key, best_key, ">") : less(m, key, best_key, "<"))) best = item, best_key = key;
  }
  return best.missing() ? Value::undefined("No aggregated item, sequence was empty.") : best;
}

Value sum(Machine& m, Bound& b) {
  const bool by_attribute = b.has(1) && !b[1].none_value();
  Value total = b.has(2) ? b[2] : Value::integer(0);
  if (total.string()) fail("sum() can't sum strings [use ''.join(seq) instead]");
  const std::shared_ptr<Iterator> source = m.iterate(b[0]);
  for (Value item; source->next(m, item);) {
    total = binary(m, "+", total, by_attribute ? attribute_path(m, item, b[1]) : item);
    m.made(total);
  }
  return total;
}

Value random(Machine&, Bound&) { fail_unsupported("the filter random: a template renders the same text each time"); }

constexpr Builtin kFilters[] = {
    {"batch", "value linecount fill_with=", batch},
    {"count", "/ obj", length},
    {"dictsort", "value case_sensitive= by= reverse=", dictsort},
    {"first", "seq", first},
    {"groupby", "value attribute default= case_sensitive=", groupby},
    {"items", "value", items},
    {"join", "value d= attribute=", join},
    {"last", "seq", last},
    {"length", "/ obj", length},
    {"list", "value", list},
    {"map", "value *", map},
    {"max", "value case_sensitive= attribute=", extreme<true>},
    {"min", "value case_sensitive= attribute=", extreme<false>},
    {"random", "seq", random},
    {"reject", "value *", select<false, false>},
    {"rejectattr", "value *", select<false, true>},
    {"reverse", "value", reverse},
    {"select", "value *", select<true, false>},
    {"selectattr", "value *", select<true, true>},
    {"slice", "value slices fill_with=", slice_filter},
    {"sort", "value reverse= case_sensitive= attribute=", sort_filter},
    {"sum", "iterable attribute= start=", sum},
    {"unique", "value case_sensitive= attribute=", unique},
};

}  // namespace

std::span<const Builtin> sequence_filters() { return kFilters; }

Value attribute_path(Machine& m, const Value& item, const Value& path, const Value& missing) {
  std::vector<Value> parts;
  if (path.string()) {
    for (std::string_view part : python::split(path.as_text(), ".", -1)) {
      const bool is_index = python::all(part, [](char32_t c) { return python::is(c, python::Fact::kDigit); });
      parts.push_back(is_index ? Value::integer(python::parse_int(part).value_or(0)) : Value::text(std::string(part)));
    }
  } else if (!path.none_value()) {
    parts.push_back(path);
  }
  Value v = item;
  for (const Value& part : parts) {
    v = m.get_item(v, part);
    if (v.undefined() && !missing.missing()) v = missing;
  }
  return v;
}

void sort(Machine& m, std::vector<Keyed>& values, bool reverse) {
  // Merges, with insertions at the bottom as Python does them: each comparison asks only whether a later one is less.
  if (reverse) std::reverse(values.begin(), values.end());
  const auto before = [&](const Keyed& a, const Keyed& b) { return less(m, a.key, b.key); };
  std::vector<Keyed> buffer(values.size());
  std::function<void(std::size_t, std::size_t)> run = [&](std::size_t begin, std::size_t end) {
    if (end - begin <= 64) {
      // The run that is there already, ascending, or turned round where it falls; then binary insertion.
      std::size_t sorted = begin + 1;
      if (end - begin > 1) {
        const bool falls = before(values[begin + 1], values[begin]);
        for (sorted = begin + 2; sorted < end && before(values[sorted], values[sorted - 1]) == falls; ++sorted) {
        }
        if (falls) std::reverse(values.begin() + static_cast<std::ptrdiff_t>(begin), values.begin() + static_cast<std::ptrdiff_t>(sorted));
      }
      for (; sorted < end; ++sorted) {
        std::size_t low = begin, high = sorted;
        while (low < high) {
          const std::size_t middle = low + (high - low) / 2;
          if (before(values[sorted], values[middle])) high = middle;
          else low = middle + 1;
        }
        std::rotate(values.begin() + static_cast<std::ptrdiff_t>(low), values.begin() + static_cast<std::ptrdiff_t>(sorted),
                    values.begin() + static_cast<std::ptrdiff_t>(sorted + 1));
      }
      return;
    }
    const std::size_t middle = begin + (end - begin) / 2;
    run(begin, middle);
    run(middle, end);
    std::size_t left = begin, right = middle, out = begin;
    while (left < middle && right < end) buffer[out++] = before(values[right], values[left]) ? values[right++] : values[left++];
    while (left < middle) buffer[out++] = values[left++];
    while (right < end) buffer[out++] = values[right++];
    std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(begin), buffer.begin() + static_cast<std::ptrdiff_t>(end), values.begin() + static_cast<std::ptrdiff_t>(begin));
  };
  if (!values.empty()) run(0, values.size());
  if (reverse) std::reverse(values.begin(), values.end());
}

}  // namespace polymath::jinja
