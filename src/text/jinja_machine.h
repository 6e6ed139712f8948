// One rendering: its limits, its output, and what values do when a template touches them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja_value.h"

namespace polymath::jinja {

struct Limits {
  std::uint64_t steps = 1'000'000;         // statements, iterations and calls; sixteen smaller operations are one more
  std::size_t output = std::size_t{64} << 20;   // bytes of the rendered text, and of any one text on the way
  std::size_t memory = std::size_t{512} << 20;  // bytes of all texts and lists that are made on the way
  int depth = 800;                         // statements in expressions in macros ...
};

class Machine {
 public:
  explicit Machine(const Limits& limits) : limits_(limits) {}
  ~Machine();
  Machine(const Machine&) = delete;

  int line = 0;                              // of the template, for errors
  std::string* out = nullptr;                // where output goes: the result, or what a block collects
  std::optional<std::int64_t> civil_now;     // seconds of local time since 1970-01-01 00:00; absent: the clock's
  std::string output;

  // Limits: throw Error{kResource}.
  void step() { spend(16); }
  void spend(std::uint64_t operations) {
    spent_ += operations;
    if (spent_ / 16 > limits_.steps) out_of_steps();
  }
  void will_make(std::size_t bytes);          // before a text of this size is made
  const Value& made(const Value& v);          // after a text or a list was made
  void write(std::string_view text);

  // Recursion: `Level level(m);` in each function that templates can nest.
  class Level {
   public:
    explicit Level(Machine& m) : m_(m) {
      if (++m_.depth_ > m_.limits_.depth) {
        --m_.depth_;
        m_.too_deep();
      }
    }
    ~Level() { --m_.depth_; }
    Level(const Level&) = delete;

   private:
    Machine& m_;
  };

  // Keeps what may come to hold itself until the end; clear() then empties it.
  template <class T>
  std::shared_ptr<T> own(std::shared_ptr<T> o) {
    spend(4);
    owned_.push_back({o, [](Object* p) { static_cast<T*>(p)->clear(); }});
    return o;
  }

  std::shared_ptr<Iterator> iterate(const Value& v);  // iter(v); throws TypeError's message
  std::shared_ptr<Iterator> try_iterate(const Value& v);  // null where v is not iterable
  std::vector<Value> items_of(const Value& v);        // list(v)
  std::optional<std::int64_t> length(const Value& v);  // len(v); absent: it has none
  Value get_attribute(const Value& v, std::string_view name);  // v.name as the sandbox gives it
  Value get_item(const Value& v, const Value& key);            // v[key] as the sandbox gives it
  Value call(const Value& callee, Arguments& arguments);

 private:
  [[noreturn]] void out_of_steps() const;
  [[noreturn]] void too_deep() const;

  struct OwnedObject {
    std::shared_ptr<Object> object;
    void (*clear)(Object*);
  };
  Limits limits_;
  std::uint64_t spent_ = 0;
  std::size_t made_ = 0;
  int depth_ = 0;
  std::vector<OwnedObject> owned_;
};

}  // namespace polymath::jinja
