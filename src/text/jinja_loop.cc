#include "text/jinja_loop.h"

#include "text/jinja_builtins.h"

namespace polymath::jinja {
namespace {

// The items of a loop, one after the other; `with_loop`: each beside the loop, as iterating over a LoopContext gives them.
class LoopIterator final : public Iterator {
 public:
  LoopIterator(std::shared_ptr<Loop> loop, bool with_loop) : Iterator(0), loop_(std::move(loop)), with_loop_(with_loop) {}
  bool next(Machine& m, Value& out) override {
    if (!loop_->advance(m, out)) return false;
    if (with_loop_) out = Value::tuple({out, Value::object(loop_)});
    return true;
  }

 private:
  std::shared_ptr<Loop> loop_;
  bool with_loop_;
};

struct LoopMethod final : FunctionValue {
  LoopMethod(std::shared_ptr<const Loop> loop, const char* name, std::function<Value(Machine&, Arguments&)> function)
      : FunctionValue("<bound method LoopContext.", std::move(function)), loop(std::move(loop)), name(name) {}
  std::shared_ptr<const Loop> loop;
  const char* name;
  std::string repr(Machine& m) const override { return shown + name + " of " + loop->repr(m) + ">"; }
};

}  // namespace

std::shared_ptr<Iterator> Loop::source() { return std::make_shared<LoopIterator>(shared_from_this(), false); }
std::shared_ptr<Iterator> Loop::iterate(Machine&) { return std::make_shared<LoopIterator>(shared_from_this(), true); }

void Loop::clear() {
  source_ = nullptr;
  recurse = nullptr;
  sized_ = before_ = current_ = after_ = last_changed_ = {};
}

bool Loop::advance(Machine& m, Value& out) {
  if (!after_.missing()) out = std::exchange(after_, Value());
  else if (!source_->next(m, out)) return false;
  ++index0_;
  before_ = std::move(current_);
  current_ = out;
  return true;
}

const Value& Loop::peek(Machine& m) {
  if (after_.missing()) {
    Value next;
    if (source_->next(m, next)) after_ = std::move(next);
  }
  return after_;
}

std::int64_t Loop::count(Machine& m) {
  if (length_ >= 0) return length_;
  if (!sized_.missing()) {
    if (const auto known = m.length(sized_)) return length_ = *known;
  }
  std::vector<Value> rest = m.items_of(Value::object(source_));
  const auto ahead = static_cast<std::int64_t>(rest.size());
  source_ = std::make_shared<ListIterator>(std::move(rest));
  return length_ = ahead + index0_ + 1 + (after_.missing() ? 0 : 1);
}

std::string Loop::repr(Machine& m) const {
  return "<LoopContext " + std::to_string(index0_ + 1) + "/" + std::to_string(const_cast<Loop*>(this)->count(m)) + ">";
}

Value Loop::attribute(Machine& m, std::string_view name) {
  if (name == "index") return Value::integer(index0_ + 1);
  if (name == "index0") return Value::integer(index0_);
  if (name == "first") return Value::boolean(index0_ == 0);
  if (name == "last") return Value::boolean(peek(m).missing());
  if (name == "length") return Value::integer(count(m));
  if (name == "revindex") return Value::integer(count(m) - index0_);
  if (name == "revindex0") return Value::integer(count(m) - index0_ - 1);
  if (name == "depth") return Value::integer(depth_ + 1);
  if (name == "depth0") return Value::integer(depth_);
  if (name == "previtem") return index0_ == 0 || before_.missing() ? Value::undefined("there is no previous item") : before_;
  if (name == "nextitem") return peek(m).missing() ? Value::undefined("there is no next item") : after_;
  if (name == "cycle") {
    return Value::object(std::make_shared<LoopMethod>(shared_from_this(), "cycle", [self = shared_from_this()](Machine&, Arguments& arguments) {
      if (!arguments.named.empty()) fail("LoopContext.cycle() got an unexpected keyword argument");
      if (arguments.positional.empty()) fail("no items for cycling given");
      return arguments.positional[static_cast<std::size_t>(self->index0_) % arguments.positional.size()];
    }));
  }
  if (name == "changed") {
    return Value::object(std::make_shared<LoopMethod>(shared_from_this(), "changed", [self = shared_from_this()](Machine& machine, Arguments& arguments) {
      if (!arguments.named.empty()) fail("LoopContext.changed() got an unexpected keyword argument");
      const Value now = Value::tuple(std::move(arguments.positional));
      if (!self->last_changed_.missing() && equal(machine, self->last_changed_, now)) return Value::boolean(false);
      self->last_changed_ = now;
      return Value::boolean(true);
    }));
  }
  return {};
}

Value Loop::call(Machine&, Arguments& arguments) {
  if (arguments.positional.size() != 1 || !arguments.named.empty()) fail("LoopContext.__call__() takes one iterable");
  if (!recurse) fail("The loop must have the 'recursive' marker to be called recursively.");
  return recurse(arguments.positional[0]);
}

}  // namespace polymath::jinja
