// A template as a tree. One struct serves all nodes, so that walks over the tree need no table of its own; what x, y, z and the
// lists hold is said beside each kind.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "text/jinja_value.h"

namespace polymath::jinja {

enum class NodeKind : std::uint8_t {
  // Expressions.
  kConst,          // value
  kData,           // value: text outside of tags
  kName,           // name
  kNamespaceRef,   // name . attribute, as a target
  kTuple,          // list
  kList,           // list
  kDict,           // list of kPair
  kPair,           // x: key, y: value
  kGetAttribute,   // x . name
  kGetItem,        // x [y]
  kSlice,          // x: start, y: stop, z: step
  kCall,           // x (list, other: kKeyword, *y, **z)
  kKeyword,        // name = x
  kFilter,         // x | name (list, other, *y, **z); x is null in a filter block
  kTest,           // x is name (...)
  kUnary,          // name x: - + not
  kBinary,         // x name y: + - * / // % **
  kAnd,            // x, y
  kOr,             // x, y
  kCompare,        // x, list of kOperand
  kOperand,        // name: == != < <= > >= in notin; x
  kConcat,         // list
  kConditional,    // y if x else z
  // Statements.
  kOutput,         // list
  kFor,            // x: target, y: iterable, z: filter, list: body, other: else, third: the filter's own target
  kIf,             // x: test, list: body, other: elifs (kIf), third: else
  kSet,            // x: target, y: value
  kSetBlock,       // x: target, y: filter, list: body
  kMacro,          // name, list: arguments, other: defaults, third: body
  kCallBlock,      // x: call (null: generation), list: arguments, other: defaults, third: body
  kFilterBlock,    // x: filter, list: body
  kWith,           // list: targets, other: values, third: body
  kScope,          // x: an expression that must be false (autoescape), list: body
  kBlock,          // name, list: body
  kUnavailable,    // extends, include, import: there are no other templates
  kBreak,
  kContinue,
};

struct Node;
using NodePtr = std::unique_ptr<Node>;

// A variable: of the function `hops` outside of the running one.
struct Slot {
  int hops = 0, index = -1;
};

// What a scope does to its variables when it is entered; on leaving, all of them are cleared.
struct Load {
  enum class Action : std::uint8_t { kParameter, kResolve, kAlias, kUndefined } action;
  int index;         // in the running function
  Slot source;       // of kAlias
  std::string name;  // of kResolve: in the variables given to render
};
using Loads = std::vector<Load>;

// A function's variables; macros, call blocks, blocks, recursive loops and the template itself are functions.
struct Function {
  int slots = 0;
  bool outlives = false;  // something that is made in it refers to its variables
  std::vector<int> arguments;
  int caller = -1, kwargs = -1, varargs = -1, loop = -1;  // slots, where it uses them
  bool uses_caller = false;
};

enum class Context : std::uint8_t { kLoad, kStore, kParameter };

struct Node {
  Node(NodeKind kind, int line) : kind(kind), line(line) {}

  NodeKind kind;
  Context context = Context::kLoad;
  bool flag = false;  // kFor: recursive; kSet, kSetBlock, kMacro: blocks see it; kBinary: negated
  int line;
  int depth = 1;      // of the tree below
  std::string name, attribute;
  Value value;
  NodePtr x, y, z;
  std::vector<NodePtr> list, other, third;

  // From here on: what the resolver finds out.
  Slot slot;               // of a name
  Loads loads, other_loads, filter_loads;  // of a scope; of a loop's else; of its filter
  int loop = -1;           // kFor: the slot of `loop`, or -1
  std::unique_ptr<Function> function;
  const void* builtin = nullptr;  // kFilter, kTest: what it calls; null: there is none

  template <class Visit>
  void for_each_child(Visit&& visit) const {
    for (Node* child : {x.get(), y.get()}) {
      if (child) visit(*child);
    }
    for (const auto* children : {&list, &other, &third}) {
      for (const NodePtr& child : *children) visit(*child);
    }
    if (z) visit(*z);
  }
};

}  // namespace polymath::jinja
