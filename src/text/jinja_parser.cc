#include "text/jinja_parser.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/utf8.h"
#include "text/jinja_expressions.h"

namespace polymath::jinja {
namespace {

using EndNames = std::vector<std::string_view>;

class Parser : private ExpressionParser {
 public:
  explicit Parser(std::string_view source) : ExpressionParser(source) {}

  std::vector<NodePtr> run() { return statements_until({}); }

 private:
  // Statements.

  std::vector<NodePtr> statements_until(const EndNames& ends) {
    Level level(*this);
    std::vector<NodePtr> body;
    NodePtr output;
    const auto flush = [&] {
      if (output) body.push_back(done(std::move(output)));
      output = nullptr;
    };
    const auto print = [&](NodePtr child, int line) {
      if (!output) output = make(NodeKind::kOutput, line);
      output->list.push_back(std::move(child));
    };
    if (!ends.empty()) waiting_.push_back(ends);
    while (current().type != TokenType::kEnd) {
      const int line = current().line;
      if (current().type == TokenType::kData) {
        NodePtr data = make(NodeKind::kData, line);
        data->value = Value::text(utf8_lossy(next().text));
        print(std::move(data), line);
      } else if (current().type == TokenType::kVariableBegin) {
        next();
        const int expression_line = current().line;
        NodePtr node = tuple();
        print(std::move(node), expression_line);
        expect(TokenType::kVariableEnd, "end of print statement");
      } else {
        flush();
        expect(TokenType::kBlockBegin, "begin of statement block");
        if (current().type == TokenType::kName && std::find(ends.begin(), ends.end(), current().text) != ends.end()) break;
        body.push_back(done(statement()));
        expect(TokenType::kBlockEnd, "end of statement block");
      }
    }
    flush();
    if (!ends.empty()) waiting_.pop_back();
    return body;
  }

  // The body of a statement up to one of the tags `ends`, which stays the current token.
  std::vector<NodePtr> body_until(const EndNames& ends) {
    skip_op(":");
    expect(TokenType::kBlockEnd, "end of statement block");
    std::vector<NodePtr> body = statements_until(ends);
    if (current().type == TokenType::kEnd) {
      waiting_.push_back(ends);
      fail_tags(nullptr, current().line);
    }
    return body;
  }
  std::vector<NodePtr> body_to(std::string_view end) {
    std::vector<NodePtr> body = body_until({end});
    next();
    return body;
  }

  [[noreturn]] void fail_tags(const std::string* unknown, int line) {
    std::string message = unknown ? "Encountered unknown tag " + python::repr(*unknown) + "." : "Unexpected end of template.";
    if (!waiting_.empty()) {
      std::string looking;
      for (std::string_view name : waiting_.back()) looking += (looking.empty() ? "" : " or ") + python::repr(name);
      bool expected = false;
      for (const EndNames& names : waiting_) expected |= unknown && std::find(names.begin(), names.end(), *unknown) != names.end();
      message += expected ? " You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for " + looking + "."
                          : " Jinja was looking for the following tags: " + looking + ".";
    }
    if (!open_tags_.empty()) message += " The innermost block that needs to be closed is " + python::repr(open_tags_.back()) + ".";
    fail_syntax(message, line);
  }

  NodePtr statement() {
    const Token token = current();
    if (token.type != TokenType::kName) fail_syntax("tag name expected", token.line);
    using Parse = NodePtr (Parser::*)();
    static const std::vector<std::pair<std::string_view, Parse>> kTags = {
        {"for", &Parser::for_tag}, {"if", &Parser::if_tag}, {"set", &Parser::set_tag}, {"macro", &Parser::macro_tag}, {"call", &Parser::call_tag},
        {"filter", &Parser::filter_tag}, {"with", &Parser::with_tag}, {"print", &Parser::print_tag}, {"block", &Parser::block_tag},
        {"autoescape", &Parser::autoescape_tag}, {"extends", &Parser::extends_tag}, {"include", &Parser::include_tag}, {"import", &Parser::import_tag},
        {"from", &Parser::from_tag}, {"break", &Parser::loop_control_tag}, {"continue", &Parser::loop_control_tag},
        {"generation", &Parser::generation_tag}};
    const auto found = std::find_if(kTags.begin(), kTags.end(), [&](const auto& tag) { return tag.first == token.text; });
    if (found == kTags.end()) fail_tags(&token.text, token.line);
    open_tags_.push_back(token.text);
    NodePtr node = (this->*found->second)();
    open_tags_.pop_back();
    return node;
  }

  NodePtr for_tag() {
    NodePtr node = make(NodeKind::kFor, next().line);
    const std::size_t target_begin = at_;
    node->x = target({});
    expect_name("in");
    node->y = tuple({.conditional = false});
    if (skip_name("if")) {
      node->z = expression();
      const std::size_t here = at_;
      at_ = target_begin;  // the filter has variables of its own
      node->third.push_back(target({}));
      at_ = here;
    }
    node->flag = skip_name("recursive");
    node->list = body_until({"endfor", "else"});
    if (next().text == "else") node->other = body_to("endfor");
    return node;
  }

  NodePtr if_tag() {
    NodePtr result = make(NodeKind::kIf, next().line);
    Node* node = result.get();
    while (true) {
      node->x = tuple({.conditional = false});
      node->list = body_until({"elif", "else", "endif"});
      const std::string end = next().text;
      if (end == "elif") {
        if (node != result.get()) done_in_place(*node);
        result->other.push_back(make(NodeKind::kIf, current().line));
        node = result->other.back().get();
        continue;
      }
      if (end == "else") result->third = body_to("endif");
      break;
    }
    if (node != result.get()) done_in_place(*node);
    return result;
  }
  static void done_in_place(Node& node) {
    node.for_each_child([&](const Node& child) { node.depth = std::max(node.depth, child.depth + 1); });
  }

  NodePtr set_tag() {
    const int line = next().line;
    NodePtr to = target({.namespaces = true});
    if (skip_op("=")) return pair(NodeKind::kSet, std::move(to), tuple(), line);
    NodePtr node = make(NodeKind::kSetBlock, line);
    node->x = std::move(to);
    if (current().is("|")) node->y = filter(nullptr, false);
    node->list = body_to("endset");
    return node;
  }

  void signature(Node& node) {
    expect_op("(");
    while (!current().is(")")) {
      if (!node.list.empty()) expect_op(",");
      NodePtr argument = name_target();
      argument->context = Context::kParameter;
      if (skip_op("=")) node.other.push_back(expression());
      else if (!node.other.empty()) fail("non-default argument follows default argument");
      node.list.push_back(std::move(argument));
    }
    expect_op(")");
  }

  NodePtr macro_tag() {
    NodePtr node = make(NodeKind::kMacro, next().line);
    node->name = name_target()->name;
    signature(*node);
    node->third = body_to("endmacro");
    return node;
  }

  NodePtr call_tag() {
    NodePtr node = make(NodeKind::kCallBlock, next().line);
    if (current().is("(")) signature(*node);
    node->x = expression();
    if (node->x->kind != NodeKind::kCall) fail_syntax("expected call", node->line);
    node->third = body_to("endcall");
    return node;
  }

  NodePtr generation_tag() {
    NodePtr node = make(NodeKind::kCallBlock, next().line);
    node->third = body_to("endgeneration");
    return node;
  }

  NodePtr filter_tag() {
    NodePtr node = make(NodeKind::kFilterBlock, next().line);
    node->x = filter(nullptr, true);
    node->list = body_to("endfilter");
    return node;
  }

  NodePtr with_tag() {
    NodePtr node = make(NodeKind::kWith, next().line);
    while (current().type != TokenType::kBlockEnd) {
      if (!node->list.empty()) expect_op(",");
      NodePtr to = target({});
      set_context(*to, Context::kParameter);
      node->list.push_back(std::move(to));
      expect_op("=");
      node->other.push_back(expression());
    }
    node->third = body_to("endwith");
    return node;
  }

  NodePtr print_tag() {
    NodePtr node = make(NodeKind::kOutput, next().line);
    while (current().type != TokenType::kBlockEnd) {
      if (!node->list.empty()) expect_op(",");
      node->list.push_back(expression());
    }
    return node;
  }

  NodePtr block_tag() {
    NodePtr node = make(NodeKind::kBlock, next().line);
    node->name = expect_name().text;
    if (skip_name("scoped") || skip_name("required")) {
      throw Error(ErrorCode::kUnsupported, "scoped and required blocks are not supported", "line " + std::to_string(node->line));
    }
    if (current().is("-")) fail("Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.");
    if (!block_names_.insert(node->name).second) fail_syntax("block " + python::repr(node->name) + " defined twice", node->line);
    node->list = body_to("endblock");
    skip_name(node->name);
    return node;
  }

  NodePtr autoescape_tag() {
    NodePtr node = make(NodeKind::kScope, next().line);
    node->x = expression();
    node->list = body_to("endautoescape");
    return node;
  }

  // Tags that name other templates parse, and fail when they run.
  NodePtr extends_tag() {
    NodePtr node = make(NodeKind::kUnavailable, next().line);
    node->x = expression();
    return node;
  }
  void context_words() {
    if ((current().is_name("with") || current().is_name("without")) && ahead().is_name("context")) next(), next();
  }
  NodePtr include_tag() {
    NodePtr node = extends_tag();
    if (current().is_name("ignore") && ahead().is_name("missing")) next(), next();
    context_words();
    return node;
  }
  NodePtr import_tag() {
    NodePtr node = extends_tag();
    expect_name("as");
    node->list.push_back(name_target());
    context_words();
    return node;
  }
  NodePtr from_tag() {
    NodePtr node = extends_tag();
    expect_name("import");
    while (true) {
      if (!node->list.empty()) expect_op(",");
      if (current().type != TokenType::kName) expect_name();
      if ((current().is_name("with") || current().is_name("without")) && ahead().is_name("context")) {
        context_words();
        break;
      }
      NodePtr name = name_target();
      if (name->name.starts_with('_')) fail_syntax("names starting with an underline can not be imported", name->line);
      if (skip_name("as")) name = name_target();
      node->list.push_back(std::move(name));
      const std::size_t before = at_;
      context_words();
      if (at_ != before || !current().is(",")) break;
    }
    return node;
  }

  NodePtr loop_control_tag() {
    const Token token = next();
    return make(token.text == "break" ? NodeKind::kBreak : NodeKind::kContinue, token.line);
  }

  // Targets.

  void set_context(Node& node, Context context) {
    node.context = context;
    node.for_each_child([&](Node& child) { set_context(child, context); });
  }

  static bool can_assign(const Node& node) {
    if (node.kind == NodeKind::kTuple) return std::all_of(node.list.begin(), node.list.end(), [](const NodePtr& n) { return can_assign(*n); });
    return node.kind == NodeKind::kName || node.kind == NodeKind::kNamespaceRef;
  }

  static const char* kind_name(const Node& node) {  // jinja2's name of its class
    switch (node.kind) {
      case NodeKind::kConst: return "const";
      case NodeKind::kTuple: return "tuple";
      case NodeKind::kList: return "list";
      case NodeKind::kDict: return "dict";
      case NodeKind::kGetAttribute: return "getattr";
      case NodeKind::kGetItem: return "getitem";
      case NodeKind::kCall: return "call";
      case NodeKind::kFilter: return "filter";
      case NodeKind::kTest: return "test";
      case NodeKind::kCompare: return "compare";
      case NodeKind::kConditional: return "condexpr";
      case NodeKind::kConcat: return "concat";
      case NodeKind::kAnd: return "and";
      case NodeKind::kOr: return "or";
      case NodeKind::kUnary: return node.name == "not" ? "not" : node.name == "-" ? "neg" : "pos";
      case NodeKind::kBinary: return node.name == "+" ? "add" : node.name == "-" ? "sub" : node.name == "*" ? "mul" : node.name == "/" ? "div" : node.name == "//" ? "floordiv" : node.name == "%" ? "mod" : "pow";
      default: return "name";
    }
  }

  NodePtr name_target() {
    const Token token = expect_name();
    NodePtr node = make(NodeKind::kName, token.line);
    node->name = token.text;
    node->context = Context::kStore;
    static constexpr auto kConstants = std::to_array<std::string_view>({"true", "false", "none", "True", "False", "None"});
    if (std::find(kConstants.begin(), kConstants.end(), node->name) != kConstants.end()) fail_syntax("can't assign to 'name'", node->line);
    return node;
  }

  NodePtr target(TupleOptions options) {
    options.simple = true;
    NodePtr node = tuple(options);
    set_context(*node, Context::kStore);
    if (!can_assign(*node)) fail_syntax("can't assign to " + python::repr(kind_name(*node)), node->line);
    return node;
  }

  std::vector<EndNames> waiting_;
  std::vector<std::string> open_tags_;
  std::set<std::string> block_names_;
};

}  // namespace

std::vector<NodePtr> parse(std::string_view source) { return Parser(source).run(); }

}  // namespace polymath::jinja
