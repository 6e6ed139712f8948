#include "text/jinja_resolver.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "text/jinja_builtins.h"
#include "text/jinja_lexer.h"
#include "text/jinja_operators.h"
#include "text/python_text.h"

namespace polymath::jinja {
namespace {

using Action = Load::Action;

// The names of a scope. A branch of an `if` is a layer on top of its scope: what it adds is merged afterwards.
struct Symbols {
  Symbols* parent = nullptr;  // the scope around
  Symbols* base = nullptr;    // the scope that this is a branch of
  Function* function = nullptr;
  int function_depth = 0;
  std::map<std::string, int> refs;                 // slots
  std::map<int, std::pair<Action, std::string>> loads;  // how each slot begins
  std::set<std::string> stores;
  std::map<std::string, int> slots;                // of the scope without its branches: one slot for a name in all of them

  const Symbols* scope() const { return base ? base->scope() : this; }

  const int* own(const std::string& name) const {
    for (const Symbols* s = this; s; s = s->base) {
      if (const auto found = s->refs.find(name); found != s->refs.end()) return &found->second;
    }
    return nullptr;
  }
  // The scope that has the name, and its slot.
  std::pair<const Symbols*, int> find(const std::string& name) const {
    for (const Symbols* s = this; s; s = s->scope()->parent) {
      if (const int* slot = s->own(name)) return {s->scope(), *slot};
    }
    return {nullptr, -1};
  }
  bool has_outside(const std::string& name) const { return scope()->parent && scope()->parent->find(name).first; }

  int define(const std::string& name, Action action) {
    auto& known = const_cast<Symbols*>(scope())->slots;
    const auto [found, is_new] = known.try_emplace(name, function->slots);
    if (is_new) ++function->slots;
    refs[name] = found->second;
    loads[found->second] = {action, name};
    return found->second;
  }
  int declare(const std::string& name) {
    stores.insert(name);
    return define(name, Action::kParameter);
  }
  void store(const std::string& name) {
    stores.insert(name);
    if (!own(name)) define(name, has_outside(name) ? Action::kAlias : Action::kUndefined);
  }
  void load(const std::string& name) {
    if (!find(name).first) define(name, Action::kResolve);
  }

  bool stored(const std::string& name) const {
    for (const Symbols* s = this; s; s = s->base) {
      if (s->stores.contains(name)) return true;
    }
    return false;
  }
  void merge(const std::vector<Symbols>& branches) {
    std::set<std::string> fresh;
    for (const Symbols& branch : branches) {
      for (const std::string& name : branch.stores) {
        if (!stored(name)) fresh.insert(name);
      }
    }
    for (const Symbols& branch : branches) {
      for (const auto& [name, slot] : branch.refs) refs[name] = slot;
      for (const auto& [slot, load] : branch.loads) loads[slot] = load;
      stores.insert(branch.stores.begin(), branch.stores.end());
    }
    // Not all branches assign it, so it begins as what it is outside.
    for (const std::string& name : fresh) loads[*own(name)] = {has_outside(name) ? Action::kAlias : Action::kResolve, name};
  }

  Slot slot_of(const Symbols* owner, int index) const { return {function_depth - owner->function_depth, index}; }

  Loads finish() const {
    Loads out;
    for (const auto& [slot, load] : loads) {
      Load entry{load.first, slot, {}, load.second};
      if (load.first == Action::kAlias) {
        const auto [owner, index] = parent->find(load.second);
        entry.source = slot_of(owner, index);
      }
      out.push_back(std::move(entry));
    }
    return out;
  }
};

// What a scope's statements load and store; scopes in it are looked into by themselves.
class Analysis {
 public:
  explicit Analysis(Symbols& symbols) : symbols_(&symbols) {}

  void visit(const std::vector<NodePtr>& nodes) {
    for (const NodePtr& node : nodes) visit(*node);
  }

  void visit(const Node& node) {
    switch (node.kind) {
      case NodeKind::kName:
        if (node.context == Context::kParameter) symbols_->declare(node.name);
        else if (node.context == Context::kStore) symbols_->store(node.name);
        else symbols_->load(node.name);
        return;
      case NodeKind::kNamespaceRef: symbols_->load(node.name); return;
      case NodeKind::kIf: visit_if(node); return;
      case NodeKind::kMacro: symbols_->store(node.name); return;
      case NodeKind::kSet:
        visit(*node.y);
        visit(*node.x);
        return;
      case NodeKind::kFor: visit(*node.y); return;
      case NodeKind::kCallBlock:
        if (node.x) visit(*node.x);
        return;
      case NodeKind::kFilterBlock: visit(*node.x); return;
      case NodeKind::kWith: visit(node.other); return;
      case NodeKind::kSetBlock: visit(*node.x); return;
      case NodeKind::kScope:
      case NodeKind::kBlock: return;
      default: node.for_each_child([&](const Node& child) { visit(child); });
    }
  }

  // A loop's target: its names are the scope's own.
  void declare(const Node& target) {
    if (target.kind == NodeKind::kName) symbols_->declare(target.name);
    else target.for_each_child([&](const Node& child) { declare(child); });
  }

 private:
  void visit_if(const Node& node) {
    visit(*node.x);
    Symbols* original = symbols_;
    std::vector<Symbols> branches(3);
    const std::vector<NodePtr>* bodies[] = {&node.list, &node.other, &node.third};
    for (std::size_t i = 0; i < 3; ++i) {
      branches[i].base = original;
      branches[i].function = original->function;
      branches[i].function_depth = original->function_depth;
      symbols_ = &branches[i];
      visit(*bodies[i]);
      symbols_ = original;
    }
    original->merge(branches);
  }

  Symbols* symbols_;
};

// Which of these names are loaded in nodes before a store of them; looks into scopes, but not into blocks.
void find_undeclared(const Node& node, std::set<std::string>& names, std::set<std::string>& found) {
  if (node.kind == NodeKind::kBlock) return;
  if (node.kind == NodeKind::kName) {
    if (node.context != Context::kLoad) names.erase(node.name);
    else if (names.contains(node.name)) found.insert(node.name);
    return;
  }
  node.for_each_child([&](const Node& child) { find_undeclared(child, names, found); });
}

std::set<std::string> undeclared(const std::vector<NodePtr>& body, std::set<std::string> names) {
  std::set<std::string> found;
  for (const NodePtr& node : body) find_undeclared(*node, names, found);
  return found;
}

const Node* find_store(const Node& node, const std::string& name) {
  if (node.kind == NodeKind::kName) return node.context == Context::kStore && node.name == name ? &node : nullptr;
  const Node* found = nullptr;
  node.for_each_child([&](const Node& child) {
    if (!found) found = find_store(child, name);
  });
  return found;
}

struct Scope {
  Symbols symbols;
  bool in_loop = false;   // break and continue are allowed
  bool soft = false;      // in an `if`: unknown filters fail only when they run
  bool outermost = false;

  Scope inner(bool new_function = false, Function* function = nullptr) {
    Scope scope;
    scope.symbols.parent = &symbols;
    scope.symbols.function = new_function ? function : symbols.function;
    scope.symbols.function_depth = symbols.function_depth + (new_function ? 1 : 0);
    scope.in_loop = !new_function && in_loop;
    if (new_function) symbols.function->outlives = true;
    return scope;
  }
};

// The value of arithmetic over numbers that stand in the template.
std::optional<Value> constant(const Node& node) {
  try {
    if (node.kind == NodeKind::kConst && node.value.number()) return node.value;
    if (node.kind == NodeKind::kUnary && node.name != "not") {
      const std::optional<Value> of = constant(*node.x);
      return of ? std::optional<Value>(unary(node.name, *of)) : std::nullopt;
    }
    if (node.kind != NodeKind::kBinary) return std::nullopt;
    const std::optional<Value> left = constant(*node.x), right = constant(*node.y);
    if (!left || !right) return std::nullopt;
    Machine m{Limits{}};
    return binary(m, node.name, *left, *right);
  } catch (const Error&) {
    return std::nullopt;
  }
}

// Whether jinja2 may work an expression out while it compiles.
bool is_constant(const Node& node) {
  if (node.kind == NodeKind::kName || node.kind == NodeKind::kCall) return false;
  if ((node.kind == NodeKind::kFilter || node.kind == NodeKind::kTest) && !node.builtin) return false;
  bool yes = true;
  node.for_each_child([&](const Node& child) { yes = yes && is_constant(child); });
  return yes;
}

// Whether a constant makes the right side of `or` (of `and`) superfluous; true where that is not plain to see.
bool decides(const Node& left, bool is_or) {
  const std::optional<Value> value = left.kind == NodeKind::kConst ? left.value : constant(left);
  if (!value) return true;
  Machine m{Limits{}};
  return truth(m, *value) == is_or;
}

// jinja2 writes a constant into the Python that it makes, and there `-2 ** x` means -(2 ** x).
void bind_sign_last(Node& node) {
  const std::optional<Value> base = constant(*node.x);
  if (!base || constant(*node.y) || !std::signbit(base->as_double())) return;
  auto positive = std::make_unique<Node>(NodeKind::kConst, node.x->line);
  positive->value = unary("-", *base);
  node.x = std::move(positive);
  node.flag = true;
}

bool has_block(const Node& node) {
  bool found = node.kind == NodeKind::kBlock;
  node.for_each_child([&](const Node& child) { found = found || has_block(child); });
  return found;
}

class Resolver {
 public:
  explicit Resolver(bool has_blocks) : has_blocks_(has_blocks) {}

  void body(const std::vector<NodePtr>& nodes, Scope& scope) {
    for (const NodePtr& node : nodes) statement(*node, scope);
  }

 private:
  void statement(Node& node, Scope& scope) {
    if (node.kind == NodeKind::kSet || node.kind == NodeKind::kSetBlock || node.kind == NodeKind::kMacro) node.flag = scope.outermost && has_blocks_;
    switch (node.kind) {
      case NodeKind::kOutput:
      case NodeKind::kSet:
        node.for_each_child([&](Node& child) { expression(child, scope); });
        return;
      case NodeKind::kFor: return for_loop(node, scope);
      case NodeKind::kIf: {
        const bool soft = scope.soft;
        scope.soft = true;
        if_statement(node, scope);
        scope.soft = soft;
        return;
      }
      case NodeKind::kSetBlock: {
        expression(*node.x, scope);
        Scope inner = scope.inner();
        Analysis(inner.symbols).visit(node.list);
        body(node.list, inner);
        if (node.y) expression(*node.y, inner);
        node.loads = inner.symbols.finish();
        return;
      }
      case NodeKind::kMacro:
        node.slot = slot(node.name, scope, node.line);
        return macro(node, scope);
      case NodeKind::kCallBlock:
        macro(node, scope);
        if (!node.x) return;
        for (const NodePtr& keyword : node.x->other) {
          if (keyword->name == "caller") fail_syntax("keyword argument repeated: caller", node.line);
        }
        expression(*node.x, scope);
        return;
      case NodeKind::kFilterBlock: {
        Scope inner = scope.inner();
        Analysis analysis(inner.symbols);
        analysis.visit(node.list);
        analysis.visit(*node.x);
        body(node.list, inner);
        expression(*node.x, inner);
        node.loads = inner.symbols.finish();
        return;
      }
      case NodeKind::kWith: {
        for (const NodePtr& value : node.other) expression(*value, scope);
        Scope inner = scope.inner();
        Analysis analysis(inner.symbols);
        analysis.visit(node.list);
        analysis.visit(node.third);
        for (const NodePtr& to : node.list) expression(*to, inner);
        body(node.third, inner);
        node.loads = inner.symbols.finish();
        return;
      }
      case NodeKind::kScope: {
        Scope inner = scope.inner();
        Analysis analysis(inner.symbols);
        analysis.visit(*node.x);
        analysis.visit(node.list);
        expression(*node.x, inner);
        body(node.list, inner);
        node.loads = inner.symbols.finish();
        return;
      }
      case NodeKind::kBlock: {
        node.function = std::make_unique<Function>();
        Scope inner;
        inner.symbols.function = node.function.get();
        Analysis(inner.symbols).visit(node.list);
        body(node.list, inner);
        node.loads = inner.symbols.finish();
        return;
      }
      case NodeKind::kBreak:
      case NodeKind::kContinue:
        if (!scope.in_loop) fail_syntax(node.kind == NodeKind::kBreak ? "'break' outside loop" : "'continue' not properly in loop", node.line);
        return;
      default: return;  // kUnavailable
    }
  }

  void if_statement(Node& node, Scope& scope) {
    expression(*node.x, scope);
    body(node.list, scope);
    for (const NodePtr& branch : node.other) if_statement(*branch, scope);
    body(node.third, scope);
  }

  void for_loop(Node& node, Scope& outer) {
    expression(*node.y, outer);
    if (node.flag) node.function = std::make_unique<Function>();
    // A recursive loop is a function of its own, but for the iterable.
    Scope scope = outer.inner(node.flag, node.function.get()), test = outer.inner(node.flag, node.function.get()),
          otherwise = outer.inner(node.flag, node.function.get());
    if (node.flag || undeclared(node.list, {"loop"}).contains("loop")) {
      node.loop = scope.symbols.declare("loop");
    }
    Analysis analysis(scope.symbols);
    analysis.declare(*node.x);
    analysis.visit(node.list);
    Analysis(otherwise.symbols).visit(node.other);
    if (node.z) {
      Analysis test_analysis(test.symbols);
      test_analysis.declare(*node.third[0]);
      test_analysis.visit(*node.z);
      expression(*node.third[0], test);
      expression(*node.z, test);
      scope.symbols.function->outlives = true;  // the filter is asked as the loop goes
      node.filter_loads = test.symbols.finish();
    }
    if (const Node* store = find_store(node, "loop")) fail_syntax("Can't assign to special loop variable in for-loop target", store->line);
    expression(*node.x, scope);
    scope.in_loop = true;
    body(node.list, scope);
    body(node.other, otherwise);
    node.loads = scope.symbols.finish();
    node.other_loads = otherwise.symbols.finish();
  }

  void macro(Node& node, Scope& outer) {
    node.function = std::make_unique<Function>();
    Scope scope = outer.inner(true, node.function.get());
    Function& function = *node.function;
    const auto analyze = [&] {
      Analysis analysis(scope.symbols);
      analysis.visit(node.list);
      analysis.visit(node.other);
      analysis.visit(node.third);
    };
    analyze();
    std::set<std::string> own;
    int caller_at = -1;
    for (std::size_t i = 0; i < node.list.size(); ++i) {
      const std::string& name = node.list[i]->name;
      if (!own.insert(name).second) fail_syntax("duplicate argument " + python::repr(name) + " in function definition", node.line);
      if (name == "caller") caller_at = static_cast<int>(i);
    }
    const std::set<std::string> special = undeclared(node.third, {"caller", "kwargs", "varargs"});
    if (special.contains("caller")) {
      if (caller_at < 0) function.caller = scope.symbols.declare("caller");
      else if (static_cast<std::size_t>(caller_at) < node.list.size() - node.other.size()) {
        fail_syntax("When defining macros or call blocks the special \"caller\" argument must be omitted or be given a default.", node.line);
      }
      function.uses_caller = true;
    }
    if (special.contains("kwargs") && !own.contains("kwargs")) function.kwargs = scope.symbols.declare("kwargs");
    if (special.contains("varargs") && !own.contains("varargs")) function.varargs = scope.symbols.declare("varargs");
    for (const NodePtr& argument : node.list) function.arguments.push_back(scope.symbols.find(argument->name).second);
    for (const NodePtr& value : node.other) expression(*value, scope);
    body(node.third, scope);
    node.loads = scope.symbols.finish();
  }

  void expression(Node& node, Scope& scope) {
    switch (node.kind) {
      case NodeKind::kName:
      case NodeKind::kNamespaceRef: node.slot = slot(node.name, scope, node.line); return;
      case NodeKind::kFilter:
      case NodeKind::kTest: {
        const bool is_filter = node.kind == NodeKind::kFilter;
        node.builtin = is_filter ? find_filter(node.name) : find_test(node.name);
        if (!node.builtin && !scope.soft) fail_syntax(std::string("No ") + (is_filter ? "filter" : "test") + " named " + python::repr(node.name) + ".", node.line);
        break;
      }
      case NodeKind::kAnd:
      case NodeKind::kOr: {
        // jinja2 never looks at the right side where constants on the left decide.
        const bool soft = scope.soft;
        expression(*node.x, scope);
        scope.soft = soft || (is_constant(*node.x) && decides(*node.x, node.kind == NodeKind::kOr));
        expression(*node.y, scope);
        scope.soft = soft;
        return;
      }
      case NodeKind::kBinary:
        if (node.name == "**") bind_sign_last(node);
        break;
      case NodeKind::kConditional: {
        const bool soft = scope.soft;
        scope.soft = true;
        node.for_each_child([&](Node& child) { expression(child, scope); });
        scope.soft = soft;
        return;
      }
      default: break;
    }
    node.for_each_child([&](Node& child) { expression(child, scope); });
  }

  static Slot slot(const std::string& name, Scope& scope, int line) {
    const auto [owner, index] = scope.symbols.find(name);
    if (!owner) fail_syntax("Tried to resolve a name to a reference that was unknown to the frame (" + python::repr(name) + ")", line);
    return scope.symbols.slot_of(owner, index);
  }

  bool has_blocks_;
};

}  // namespace

Program resolve(std::vector<NodePtr> body) {
  Program program;
  program.body = std::move(body);
  Scope root;
  root.symbols.function = &program.function;
  Analysis(root.symbols).visit(program.body);
  root.outermost = true;
  const bool has_blocks = std::any_of(program.body.begin(), program.body.end(), [](const NodePtr& node) { return has_block(*node); });
  Resolver(has_blocks).body(program.body, root);
  program.loads = root.symbols.finish();
  return program;
}

}  // namespace polymath::jinja
