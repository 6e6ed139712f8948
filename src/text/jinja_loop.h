// The variable `loop`.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja_machine.h"

namespace polymath::jinja {

// As jinja2's LoopContext: looks one item ahead only where that is asked for, and counts what has no length by taking it all.
class Loop final : public Host, public std::enable_shared_from_this<Loop> {
 public:
  // `sized` is what the loop goes over where that knows its length; missing() otherwise.
  Loop(std::shared_ptr<Iterator> source, Value sized, int depth) : source_(std::move(source)), sized_(std::move(sized)), depth_(depth) {}

  std::function<Value(const Value&)> recurse;  // empty: the loop is not marked as recursive
  std::shared_ptr<Iterator> source();          // what drives it: one iterator, which ends with the loop

  void clear();
  bool advance(Machine& m, Value& out);

  std::string type_name() const override { return "LoopContext"; }
  const char* module() const override { return "jinja2.runtime."; }
  std::string repr(Machine& m) const override;
  bool truth(Machine& m) override { return count(m) > 0; }
  std::optional<std::int64_t> length(Machine& m) override { return count(m); }
  std::shared_ptr<Iterator> iterate(Machine& m) override;
  Value attribute(Machine& m, std::string_view name) override;
  bool callable() const override { return true; }
  Value call(Machine& m, Arguments& arguments) override;

 private:
  std::int64_t count(Machine& m);
  const Value& peek(Machine& m);

  std::shared_ptr<Iterator> source_;
  Value sized_;
  std::int64_t index0_ = -1, length_ = -1;
  int depth_;
  Value before_, current_, after_;  // missing(): there is none, or it was not looked at yet
  Value last_changed_;
};

}  // namespace polymath::jinja
