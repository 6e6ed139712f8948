#include "text/jinja_eval.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "text/jinja_builtins.h"
#include "text/jinja_loop.h"
#include "text/jinja_operators.h"
#include "text/python_text.h"

namespace polymath::jinja {
namespace {

enum class Flow { kNormal, kBreak, kContinue };

// The variables of one call of a function.
struct Activation final : Object {
  explicit Activation(const Function& function, std::shared_ptr<Activation> outer) : slots(static_cast<std::size_t>(function.slots)), outer(std::move(outer)) {}
  std::vector<Value> slots;
  std::shared_ptr<Activation> outer;
  void clear() { slots.clear(); }
};
using ActivationPtr = std::shared_ptr<Activation>;

class Runner {
 public:
  Runner(const Dict& variables, Machine& m) : variables_(variables), m_(m) {}

  void run(const Program& program) {
    const ActivationPtr a = activate(program.function, nullptr);
    enter(program.loads, *a);
    body(program.body, a);
    check_joined();
  }

 private:
  friend class Macro;
  friend class FilteredIterator;

  ActivationPtr activate(const Function& function, ActivationPtr outer) {
    auto a = std::make_shared<Activation>(function, std::move(outer));
    m_.spend(a->slots.size() / 4);
    return function.outlives ? m_.own(std::move(a)) : a;
  }

  // Variables.

  static Value& at(Activation& a, const Slot& slot) {
    Activation* owner = &a;
    for (int i = 0; i < slot.hops; ++i) owner = owner->outer.get();
    return owner->slots[static_cast<std::size_t>(slot.index)];
  }

  Value global(const std::string& name) const {
    if (name == "self") return {};  // jinja2's own, whatever the variables say
    if (const auto found = exported_.find(name); found != exported_.end()) return found->second;
    if (const Value* found = variables_.find(name)) return *found;
    return find_global(name);
  }

  void enter(const Loads& loads, Activation& a) {
    for (const Load& load : loads) {
      Value& slot = a.slots[static_cast<std::size_t>(load.index)];
      switch (load.action) {
        case Load::Action::kParameter: break;
        case Load::Action::kResolve: slot = global(load.name); break;
        case Load::Action::kAlias: slot = Value(at(a, load.source)); break;
        case Load::Action::kUndefined: slot = {}; break;
      }
    }
    m_.spend(loads.size());
  }

  static void leave(const Loads& loads, Activation& a) {
    for (const Load& load : loads) a.slots[static_cast<std::size_t>(load.index)] = {};
  }

  void assign(const Node& target, const Value& value, const ActivationPtr& a) {
    switch (target.kind) {
      case NodeKind::kName: at(*a, target.slot) = value; return;
      case NodeKind::kNamespaceRef: {
        auto* ns = at(*a, target.slot).as<Namespace>();
        if (!ns) fail("cannot assign attribute on non-namespace object");
        ns->attributes.set(target.attribute, value);
        return;
      }
      default: break;
    }
    // Python's unpacking takes one more than it needs, to see that there is no more.
    const std::shared_ptr<Iterator> source = m_.try_iterate(value);
    if (!source) fail("cannot unpack non-iterable " + type_name(value) + " object");
    const std::size_t count = target.list.size();
    std::vector<Value> items;
    for (Value item; items.size() <= count && source->next(m_, item);) items.push_back(item);
    if (items.size() > count) fail("too many values to unpack (expected " + std::to_string(count) + ")");
    if (items.size() < count) fail("not enough values to unpack (expected " + std::to_string(count) + ", got " + std::to_string(items.size()) + ")");
    for (std::size_t i = 0; i < count; ++i) assign(*target.list[i], items[i], a);
  }

  void check_namespaces(const Node& target, Activation& a) {
    if (target.kind == NodeKind::kNamespaceRef && !at(a, target.slot).as<Namespace>()) fail("cannot assign attribute on non-namespace object");
    target.for_each_child([&](const Node& child) { check_namespaces(child, a); });
  }

  // Statements.

  Flow body(const std::vector<NodePtr>& nodes, const ActivationPtr& a) {
    for (const NodePtr& node : nodes) {
      const Flow flow = statement(*node, a);
      if (flow != Flow::kNormal) return flow;
    }
    return Flow::kNormal;
  }

  Flow statement(const Node& node, const ActivationPtr& a) {
    Machine::Level level(m_);
    m_.step();
    m_.line = node.line;
    switch (node.kind) {
      case NodeKind::kOutput:
        for (const NodePtr& child : node.list) {
          if (child->kind == NodeKind::kData) m_.write(child->value.as_text());
          else print(*child, a);
        }
        return Flow::kNormal;
      case NodeKind::kIf: return if_statement(node, a);
      case NodeKind::kFor:
        if (node.function) {
          m_.write(call_loop(node, evaluate(*node.y, a), a, 0));
          return Flow::kNormal;
        }
        return for_loop(node, evaluate(*node.y, a), a, a, 0);
      case NodeKind::kSet: {
        check_namespaces(*node.x, *a);
        assign(*node.x, evaluate(*node.y, a), a);
        if (node.flag) export_names(*node.x, *a);
        return Flow::kNormal;
      }
      case NodeKind::kSetBlock: {
        enter(node.loads, *a);
        std::string text;
        const Flow flow = collect(node.list, a, text);
        if (flow != Flow::kNormal) return flow;
        m_.line = node.line;
        Value value = Value::text(std::move(text));
        if (node.y) value = apply_filters(*node.y, value, a);
        assign(*node.x, value, a);
        if (node.flag) export_names(*node.x, *a);
        leave(node.loads, *a);
        return Flow::kNormal;
      }
      case NodeKind::kMacro:
        at(*a, node.slot) = macro(node, a);
        if (node.flag) exported_[node.name] = at(*a, node.slot);
        return Flow::kNormal;
      case NodeKind::kCallBlock: {
        const Value caller = macro(node, a);
        Arguments none;
        write_text(node.x ? call(*node.x, a, &caller) : m_.call(caller, none));
        return Flow::kNormal;
      }
      case NodeKind::kFilterBlock: {
        enter(node.loads, *a);
        std::string text;
        const Flow flow = collect(node.list, a, text);
        if (flow != Flow::kNormal) return flow;
        m_.line = node.line;
        write_text(apply_filters(*node.x, Value::text(std::move(text)), a));
        leave(node.loads, *a);
        return Flow::kNormal;
      }
      case NodeKind::kWith: {
        // Values belong to the scope outside, but one by one: their targets do not touch it.
        enter(node.loads, *a);
        for (std::size_t i = 0; i < node.list.size(); ++i) assign(*node.list[i], evaluate(*node.other[i], a), a);
        const Flow flow = body(node.third, a);
        if (flow == Flow::kNormal) leave(node.loads, *a);
        return flow;
      }
      case NodeKind::kScope: {
        enter(node.loads, *a);
        if (truth(m_, evaluate(*node.x, a))) fail_unsupported("autoescape");
        const Flow flow = body(node.list, a);
        if (flow == Flow::kNormal) leave(node.loads, *a);
        return flow;
      }
      case NodeKind::kBlock: {
        const ActivationPtr inner = activate(*node.function, nullptr);
        enter(node.loads, *inner);
        body(node.list, inner);
        return Flow::kNormal;
      }
      case NodeKind::kUnavailable: fail("no loader for this environment specified");
      case NodeKind::kBreak: return Flow::kBreak;
      case NodeKind::kContinue: return Flow::kContinue;
      default: fail("internal: not a statement");
    }
  }

  Flow if_statement(const Node& node, const ActivationPtr& a) {
    if (truth(m_, evaluate(*node.x, a))) return body(node.list, a);
    for (const NodePtr& branch : node.other) {
      m_.line = branch->line;
      if (truth(m_, evaluate(*branch->x, a))) return body(branch->list, a);
    }
    return body(node.third, a);
  }

  void print(const Node& node, const ActivationPtr& a) {
    m_.line = node.line;
    const Value value = evaluate(node, a);
    if (value.string()) m_.write(value.as_text());
    else m_.write(to_string(m_, value));
  }

  // What jinja2 joins to the output as it is. That something is no text shows when all is there.
  void write_text(const Value& value) {
    if (value.string()) m_.write(value.as_text());
    else if (!unjoined_) unjoined_ = "sequence item: expected str instance, " + type_name(value) + " found";
  }
  void check_joined() {
    if (unjoined_) fail(*unjoined_);
  }

  // Blocks see what the template's outermost level has set.
  void export_names(const Node& target, Activation& a) {
    if (target.kind == NodeKind::kName) exported_[target.name] = at(a, target.slot);
    target.for_each_child([&](const Node& child) { export_names(child, a); });
  }

  // What statements write, as a text of its own.
  Flow collect(const std::vector<NodePtr>& nodes, const ActivationPtr& a, std::string& text) {
    std::string* before = std::exchange(m_.out, &text);
    const std::optional<std::string> unjoined = std::exchange(unjoined_, std::nullopt);
    try {
      const Flow flow = body(nodes, a);
      if (flow == Flow::kNormal) check_joined();
      m_.out = before;
      unjoined_ = unjoined;
      return flow;
    } catch (...) {
      m_.out = before;
      throw;
    }
  }

  Flow for_loop(const Node& node, const Value& iterable, const ActivationPtr& a, const ActivationPtr& outer, int depth);
  std::string call_loop(const Node& node, const Value& iterable, const ActivationPtr& outer, int depth);
  Value macro(const Node& node, const ActivationPtr& a);

  // Expressions.

  Value evaluate(const Node& node, const ActivationPtr& a) {
    m_.spend(1);
    switch (node.kind) {
      case NodeKind::kConst:
      case NodeKind::kData: return node.value;
      case NodeKind::kName: {
        const Value& value = at(*a, node.slot);
        if (!value.missing()) return value;
        if (node.name == "self") fail_unsupported("the name self");
        return Value::undefined(python::repr(node.name) + " is undefined");
      }
      default: break;
    }
    Machine::Level level(m_);
    switch (node.kind) {
      case NodeKind::kTuple: return made(node, Value::tuple(evaluate_all(node.list, a)));
      case NodeKind::kList: return made(node, Value::list(evaluate_all(node.list, a)));
      case NodeKind::kDict: {
        Dict dict;
        for (const NodePtr& pair : node.list) {
          const Value key = evaluate(*pair->x, a);
          dict.set(m_, key, evaluate(*pair->y, a));
        }
        return Value::dict(std::move(dict));
      }
      case NodeKind::kGetAttribute: {
        const Value of = evaluate(*node.x, a);
        m_.line = node.line;
        return m_.get_attribute(of, node.name);
      }
      case NodeKind::kGetItem: return get_item(node, a);
      case NodeKind::kCall: return call(node, a, nullptr);
      case NodeKind::kFilter: return apply_filters(node, {}, a);
      case NodeKind::kTest: {
        Arguments arguments;
        arguments.positional.push_back(evaluate(*node.x, a));
        collect_arguments(node, a, arguments);
        return invoke_builtin(node, std::move(arguments), "test");
      }
      case NodeKind::kUnary: {
        const Value value = evaluate(*node.x, a);
        m_.line = node.line;
        return node.name == "not" ? Value::boolean(!truth(m_, value)) : unary(node.name, value);
      }
      case NodeKind::kBinary: {
        const Value left = evaluate(*node.x, a), right = evaluate(*node.y, a);
        const Value result = binary(m_, node.name, left, right);
        return made(node, node.flag ? unary("-", result) : result);
      }
      case NodeKind::kAnd: {
        Value left = evaluate(*node.x, a);
        return truth(m_, left) ? evaluate(*node.y, a) : left;
      }
      case NodeKind::kOr: {
        Value left = evaluate(*node.x, a);
        return truth(m_, left) ? left : evaluate(*node.y, a);
      }
      case NodeKind::kCompare: {
        Value left = evaluate(*node.x, a);
        for (const NodePtr& operand : node.list) {
          Value right = evaluate(*operand->x, a);
          m_.line = node.line;
          if (!compare(m_, operand->name, left, right)) return Value::boolean(false);
          left = std::move(right);
        }
        return Value::boolean(true);
      }
      case NodeKind::kConcat: {
        std::string text;
        for (const NodePtr& part : node.list) {
          const Value value = evaluate(*part, a);
          if (value.string()) text += value.as_text();
          else text += to_string(m_, value);
          m_.will_make(text.size());
        }
        return made(node, Value::text(std::move(text)));
      }
      case NodeKind::kConditional:
        if (truth(m_, evaluate(*node.x, a))) return evaluate(*node.y, a);
        if (node.z) return evaluate(*node.z, a);
        return Value::undefined("the inline if-expression on line " + std::to_string(node.line) + " evaluated to false and no else section was defined.");
      default: fail("internal: not an expression");
    }
  }

  Value made(const Node& node, Value value) {
    m_.line = node.line;
    m_.made(value);
    return value;
  }

  std::vector<Value> evaluate_all(const std::vector<NodePtr>& nodes, const ActivationPtr& a) {
    std::vector<Value> out;
    out.reserve(nodes.size());
    for (const NodePtr& node : nodes) out.push_back(evaluate(*node, a));
    return out;
  }

  Value get_item(const Node& node, const ActivationPtr& a) {
    const Value of = evaluate(*node.x, a);
    if (node.y->kind != NodeKind::kSlice) {
      const Value key = evaluate(*node.y, a);
      m_.line = node.line;
      return m_.get_item(of, key);
    }
    const auto bound = [&](const NodePtr& n) { return n ? evaluate(*n, a) : Value(); };
    const Value start = bound(node.y->x), stop = bound(node.y->y), step = bound(node.y->z);
    return made(node, slice(of, start, stop, step));
  }

  void collect_arguments(const Node& node, const ActivationPtr& a, Arguments& arguments) {
    for (const NodePtr& argument : node.list) arguments.positional.push_back(evaluate(*argument, a));
    for (const NodePtr& keyword : node.other) arguments.named.emplace_back(keyword->name, evaluate(*keyword->x, a));
    if (node.y) {
      const std::vector<Value> more = m_.items_of(evaluate(*node.y, a));
      arguments.positional.insert(arguments.positional.end(), more.begin(), more.end());
    }
    if (node.z) {
      const Value more = evaluate(*node.z, a);
      if (more.undefined()) fail(more.undefined_message());
      if (!more.is(Kind::kDict)) fail("argument after ** must be a mapping, not " + type_name(more));
      for (const auto& [key, value] : more.as_dict().entries()) {
        if (!key.string()) fail("keywords must be strings");
        for (const auto& [name, other] : arguments.named) {
          if (name == key.as_text()) fail("got multiple values for keyword argument " + python::repr(name));
        }
        arguments.named.emplace_back(key.as_text(), value);
      }
      m_.spend(arguments.named.size() * arguments.named.size() / 16);
    }
  }

  Value call(const Node& node, const ActivationPtr& a, const Value* caller) {
    const Value callee = evaluate(*node.x, a);
    Arguments arguments;
    collect_arguments(node, a, arguments);
    if (caller) arguments.named.emplace_back("caller", *caller);
    m_.line = node.line;
    // A loop marked as recursive is called with what it goes on over.
    Value result = m_.call(callee, arguments);
    m_.line = node.line;
    return result;
  }

  Value invoke_builtin(const Node& node, Arguments&& arguments, const char* kind) {
    m_.line = node.line;
    if (!node.builtin) fail(std::string("No ") + kind + " named " + python::repr(node.name) + " found.");
    return invoke(m_, *static_cast<const Builtin*>(node.builtin), std::move(arguments));
  }

  // A chain of filters; `block` is what its innermost one gets where that has no value of its own.
  Value apply_filters(const Node& node, const Value& block, const ActivationPtr& a) {
    Machine::Level level(m_);
    Arguments arguments;
    if (!node.x) arguments.positional.push_back(block);
    else if (node.x->kind == NodeKind::kFilter) arguments.positional.push_back(apply_filters(*node.x, block, a));
    else arguments.positional.push_back(evaluate(*node.x, a));
    collect_arguments(node, a, arguments);
    return invoke_builtin(node, std::move(arguments), "filter");
  }

  const Dict& variables_;
  Machine& m_;
  std::unordered_map<std::string, Value> exported_;
  std::optional<std::string> unjoined_;  // why what was written so far cannot be joined
};

class Macro final : public Host {
 public:
  Macro(const Node& node, ActivationPtr outer, Runner& runner) : node_(node), outer_(std::move(outer)), runner_(runner) {}
  std::string type_name() const override { return "Macro"; }
  const char* module() const override { return "jinja2.runtime."; }
  std::string repr(Machine&) const override { return node_.name.empty() ? "<Macro anonymous>" : "<Macro " + python::repr(node_.name) + ">"; }
  bool callable() const override { return true; }

  Value attribute(Machine&, std::string_view name) override {
    if (name == "name") return node_.name.empty() ? Value::none() : Value::text(node_.name);
    if (name == "arguments") {
      std::vector<Value> names;
      for (const NodePtr& argument : node_.list) names.push_back(Value::text(argument->name));
      return Value::tuple(std::move(names));
    }
    if (name == "catch_kwargs") return Value::boolean(node_.function->kwargs >= 0);
    if (name == "catch_varargs") return Value::boolean(node_.function->varargs >= 0);
    if (name == "caller") return Value::boolean(node_.function->uses_caller);
    if (name == "explicit_caller") return Value::boolean(takes_caller());
    return {};
  }

  Value call(Machine& m, Arguments& given) override {
    const Function& f = *node_.function;
    const ActivationPtr a = runner_.activate(f, outer_);
    const auto slot = [&](int index) -> Value& { return a->slots[static_cast<std::size_t>(index)]; };
    const auto take = [&](std::string_view name) {
      const auto found = std::find_if(given.named.begin(), given.named.end(), [&](const auto& n) { return n.first == name; });
      if (found == given.named.end()) return Value();
      Value value = std::move(found->second);
      given.named.erase(found);
      return value;
    };
    const std::size_t count = f.arguments.size(), positional = std::min(given.positional.size(), count);
    for (std::size_t i = 0; i < positional; ++i) slot(f.arguments[i]) = given.positional[i];
    bool found_caller = positional == count && takes_caller();
    for (std::size_t i = positional; i < count; ++i) {
      slot(f.arguments[i]) = take(node_.list[i]->name);
      found_caller |= node_.list[i]->name == "caller";
    }
    if (f.uses_caller && !found_caller) {
      Value caller = take("caller");
      slot(f.caller) = caller.missing() || caller.none_value() ? Value::undefined("No caller defined") : caller;
    }
    const std::string called = "macro " + (node_.name.empty() ? "None" : python::repr(node_.name));
    if (f.kwargs >= 0) {
      Dict rest;
      for (const auto& [name, value] : given.named) rest.set(name, value);
      slot(f.kwargs) = Value::dict(std::move(rest));
    } else if (!given.named.empty()) {
      for (const auto& [name, value] : given.named) {
        if (name == "caller") fail(called + " was invoked with two values for the special caller argument. This is most likely a bug.");
      }
      fail(called + " takes no keyword argument " + python::repr(given.named[0].first));
    }
    if (f.varargs >= 0) {
      slot(f.varargs) = Value::tuple(std::vector<Value>(given.positional.begin() + static_cast<std::ptrdiff_t>(positional), given.positional.end()));
    } else if (given.positional.size() > count) {
      fail(called + " takes not more than " + std::to_string(count) + " argument(s)");
    }
    runner_.enter(node_.loads, *a);
    for (std::size_t i = 0; i < count; ++i) {
      Value& argument = slot(f.arguments[i]);
      if (!argument.missing()) continue;
      const std::size_t without_default = count - node_.other.size();
      if (i >= without_default) slot(f.arguments[i]) = runner_.evaluate(*node_.other[i - without_default], a);
      else argument = Value::undefined("parameter " + python::repr(node_.list[i]->name) + " was not provided");
    }
    std::string text;
    runner_.collect(node_.third, a, text);
    Value result = Value::text(std::move(text));
    m.made(result);
    return result;
  }

 private:
  bool takes_caller() const {
    return std::any_of(node_.list.begin(), node_.list.end(), [](const NodePtr& argument) { return argument->name == "caller"; });
  }

  const Node& node_;
  ActivationPtr outer_;
  Runner& runner_;
};

// for x in y if z: asks z as the loop goes.
class FilteredIterator final : public Iterator {
 public:
  FilteredIterator(const Node& node, std::shared_ptr<Iterator> source, ActivationPtr a, Runner& runner)
      : Iterator(source->depth()), node_(node), source_(std::move(source)), a_(std::move(a)), runner_(runner) {}
  bool next(Machine& m, Value& out) override {
    if (!entered_) runner_.enter(node_.filter_loads, *a_), entered_ = true;
    for (Value item; source_->next(m, item);) {
      runner_.assign(*node_.third[0], item, a_);
      if (!jinja::truth(m, runner_.evaluate(*node_.z, a_))) continue;
      out = rebuilt(*node_.third[0]);
      return true;
    }
    return false;
  }

 private:
  // jinja2's generator yields its target, so that what unpacks comes out as a tuple.
  Value rebuilt(const Node& target) {
    if (target.kind == NodeKind::kName) return Runner::at(*a_, target.slot);
    std::vector<Value> items;
    for (const NodePtr& part : target.list) items.push_back(rebuilt(*part));
    return Value::tuple(std::move(items));
  }

  const Node& node_;
  std::shared_ptr<Iterator> source_;
  ActivationPtr a_;
  Runner& runner_;
  bool entered_ = false;
};

Value Runner::macro(const Node& node, const ActivationPtr& a) { return Value::object(std::make_shared<Macro>(node, a, *this)); }

Flow Runner::for_loop(const Node& node, const Value& iterable, const ActivationPtr& a, const ActivationPtr& outer, int depth) {
  Value sized = iterable;  // what has a length of its own
  std::shared_ptr<Iterator> source = m_.iterate(iterable);
  if (node.z) {
    source = std::make_shared<FilteredIterator>(node, std::move(source), a, *this);
    sized = {};
  }
  std::shared_ptr<Loop> loop;
  if (node.loop >= 0) {
    loop = m_.own(std::make_shared<Loop>(source, sized, depth));
    if (node.function) {
      loop->recurse = [this, &node, outer, depth](const Value& over) { return Value::text(call_loop(node, over, outer, depth + 1)); };
    }
    source = loop->source();
  }
  bool nothing = true;
  for (Value item; source->next(m_, item);) {
    m_.step();
    if (loop) a->slots[static_cast<std::size_t>(node.loop)] = Value::object(loop);
    m_.line = node.line;
    assign(*node.x, item, a);
    enter(node.loads, *a);
    const Flow flow = body(node.list, a);
    if (flow == Flow::kBreak) break;
    if (flow == Flow::kNormal) nothing = false;  // jinja2 marks that at the body's end, which `continue` and `break` do not reach
  }
  leave(node.loads, *a);
  source = nullptr;
  if (loop && loop.use_count() == 2) loop->clear();  // the template kept no hold of it: let go of what it went over
  if (!nothing || node.other.empty()) return Flow::kNormal;
  enter(node.other_loads, *a);
  const Flow flow = body(node.other, a);
  leave(node.other_loads, *a);
  return flow;
}

std::string Runner::call_loop(const Node& node, const Value& iterable, const ActivationPtr& outer, int depth) {
  Machine::Level level(m_);
  const ActivationPtr a = activate(*node.function, outer);
  std::string text;
  std::string* before = std::exchange(m_.out, &text);
  const std::optional<std::string> unjoined = std::exchange(unjoined_, std::nullopt);
  try {
    for_loop(node, iterable, a, outer, depth);
    check_joined();
  } catch (...) {
    m_.out = before;
    throw;
  }
  m_.out = before;
  unjoined_ = unjoined;
  return text;
}

}  // namespace

void run(const Program& program, const Dict& variables, Machine& m) { Runner(variables, m).run(program); }

}  // namespace polymath::jinja
