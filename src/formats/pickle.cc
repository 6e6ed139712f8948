#include "formats/pickle.h"

#include <charconv>

#include "base/printable.h"

namespace polymath {
namespace {

constexpr std::size_t kMostValues = 4'000'000, kMostName = 256;

class Machine {
 public:
  Machine(ByteReader& in, GlobalIsAllowed allowed, std::vector<std::unique_ptr<std::string>>& names)
      : in_(in), allowed_(allowed), names_(names) {}

  Pickle run() {
    while (step(in_.read<std::uint8_t>())) {
    }
    out_.root = pop();
    return std::move(out_);
  }

 private:
  // One opcode; false after STOP.
  bool step(std::uint8_t opcode) {
    switch (opcode) {
      case 0x80:  // PROTO
        if (const int protocol = in_.read<std::uint8_t>(); protocol > 5) in_.fail("is a pickle of the unknown protocol " + std::to_string(protocol));
        break;
      case 0x95: in_.read<std::uint64_t>(); break;  // FRAME: a hint
      case '.': return false;                        // STOP
      case '(': marks_.push_back(stack_.size()); check(marks_.size()); break;
      case 'N': push({PickleKind::kNone}); break;
      case 0x88: push({PickleKind::kBool, 1}); break;
      case 0x89: push({PickleKind::kBool, 0}); break;
      case 'J': push({PickleKind::kInt, in_.read<std::int32_t>()}); break;
      case 'K': push({PickleKind::kInt, in_.read<std::uint8_t>()}); break;
      case 'M': push({PickleKind::kInt, in_.read<std::uint16_t>()}); break;
      case 0x8A: push_long(in_.read<std::uint8_t>()); break;                               // LONG1
      case 'G': in_.take(8); push({PickleKind::kFloat}); break;                            // BINFLOAT: nothing here needs its value
      case 'X': push_text(in_.read<std::uint32_t>()); break;                               // BINUNICODE
      case 0x8C: push_text(in_.read<std::uint8_t>()); break;                               // SHORT_BINUNICODE
      case 0x8D: push_text(in_.read<std::uint64_t>()); break;                              // BINUNICODE8
      case 'T': push_text(in_.read<std::uint32_t>()); break;                               // BINSTRING, from Python 2
      case 'U': push_text(in_.read<std::uint8_t>()); break;                                // SHORT_BINSTRING
      case 'B': push_text(in_.read<std::uint32_t>()); break;                               // BINBYTES
      case 'C': push_text(in_.read<std::uint8_t>()); break;                                // SHORT_BINBYTES
      case '}': push({PickleKind::kDict}); break;
      case ']': push({PickleKind::kList}); break;
      case ')': push({PickleKind::kTuple}); break;
      case 't': push({PickleKind::kTuple, 0, {}, pop_to_mark()}); break;
      case 'l': push({PickleKind::kList, 0, {}, pop_to_mark()}); break;
      case 'd': push({PickleKind::kDict, 0, {}, pairs(pop_to_mark())}); break;
      case 0x85: case 0x86: case 0x87: push_tuple(opcode - 0x84u); break;                  // TUPLE1, 2, 3
      case 's': case 'a': extend(opcode, pop_many(opcode == 's' ? 2 : 1)); break;          // SETITEM, APPEND
      case 'u': case 'e': extend(opcode, pop_to_mark()); break;                            // SETITEMS, APPENDS
      case 'c': push_global(); break;
      case 0x93: push_stack_global(); break;
      case 'R': reduce(); break;
      case 'b': build(); break;
      case 'Q': push({PickleKind::kPersistent, 0, {}, pop_many(1)}); break;                // BINPERSID
      case 'q': put(in_.read<std::uint8_t>()); break;
      case 'r': put(in_.read<std::uint32_t>()); break;
      case 0x94: put(memo_.size()); break;                                                 // MEMOIZE
      case 'h': get(in_.read<std::uint8_t>()); break;
      case 'j': get(in_.read<std::uint32_t>()); break;
      default: refuse(opcode);
    }
    return true;
  }

  [[noreturn]] void refuse(std::uint8_t opcode) {
    char hex[8];
    const auto end = std::to_chars(hex, hex + sizeof hex, opcode, 16).ptr;
    throw Error(ErrorCode::kUnsupported, "uses the pickle opcode 0x" + std::string(hex, end) + ", which a file of tensors does not need", in_.where());
  }

  void check(std::size_t count) {
    if (count > kMostValues) throw Error(ErrorCode::kResource, "its pickle holds more than 4 million values", in_.where());
  }

  void push(PickleValue value) {
    check(out_.values.size() + 1);
    out_.values.push_back(std::move(value));
    push_id(static_cast<PickleId>(out_.values.size() - 1));
  }
  void push_id(PickleId id) {
    check(stack_.size() + 1);
    stack_.push_back(id);
  }

  // The items above the last mark are not reached past it.
  std::size_t available() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }
  std::vector<PickleId> pop_many(std::size_t count) {
    if (available() < count) in_.fail("its pickle takes more from the stack than is there");
    std::vector<PickleId> items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return items;
  }
  std::vector<PickleId> pop_to_mark() {
    if (marks_.empty()) in_.fail("its pickle has no mark where one is needed");
    auto items = pop_many(stack_.size() - marks_.back());
    marks_.pop_back();
    return items;
  }
  PickleId pop() { return pop_many(1)[0]; }
  PickleValue& top() {
    if (available() < 1) in_.fail("its pickle takes more from the stack than is there");
    return out_.values[stack_.back()];
  }

  void push_tuple(std::size_t count) { push({PickleKind::kTuple, 0, {}, pop_many(count)}); }
  void push_text(std::uint64_t size) { push({PickleKind::kText, 0, in_.text(size)}); }

  // A little-endian two's complement number of any size; those of up to 8 bytes become kInt.
  void push_long(std::size_t size) {
    const std::string_view bytes = in_.text(size);
    if (size > 8) return push({PickleKind::kLong, 0, bytes});
    std::uint64_t value = size > 0 && (static_cast<std::uint8_t>(bytes.back()) & 0x80) ? ~std::uint64_t{0} : 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
    push({PickleKind::kInt, static_cast<std::int64_t>(value)});
  }

  std::string_view line() {
    const std::size_t before = in_.position();
    std::string_view text;
    ByteReader ahead = in_;
    while (ahead.read<std::uint8_t>() != '\n') {
      if (ahead.position() - before > kMostName) in_.fail("its pickle has a name of more than 256 bytes");
    }
    text = in_.text(ahead.position() - before);
    return text.substr(0, text.size() - 1);
  }

  void push_named(std::string_view module, std::string_view name) {
    auto full = std::make_unique<std::string>(std::string(module) + "." + std::string(name));
    if (!allowed_(*full)) {
      throw Error(ErrorCode::kUnsupported, "names " + printable(*full) + ", which is refused: only tensors are read from it", in_.where());
    }
    names_.push_back(std::move(full));
    push({PickleKind::kGlobal, 0, *names_.back()});
  }
  void push_global() {
    const std::string_view module = line();
    push_named(module, line());
  }
  void push_stack_global() {
    const auto parts = pop_many(2);
    for (PickleId id : parts) {
      if (out_[id].kind != PickleKind::kText || out_[id].text.size() > kMostName) in_.fail("its pickle has a global without a name");
    }
    push_named(out_[parts[0]].text, out_[parts[1]].text);
  }

  std::vector<PickleId> pairs(std::vector<PickleId> items) {
    if (items.size() % 2 != 0) in_.fail("its pickle has a key without a value");
    return items;
  }

  void extend(std::uint8_t opcode, const std::vector<PickleId>& items) {
    const bool dict = opcode == 's' || opcode == 'u';
    PickleValue& target = top();
    if (target.kind != (dict ? PickleKind::kDict : PickleKind::kList)) {
      in_.fail(dict ? "its pickle sets items of what is not a dict" : "its pickle appends to what is not a list");
    }
    if (dict && items.size() % 2 != 0) in_.fail("its pickle has a key without a value");
    target.items.insert(target.items.end(), items.begin(), items.end());
  }

  void reduce() {
    const auto parts = pop_many(2);
    const PickleValue &function = out_[parts[0]], &arguments = out_[parts[1]];
    if (function.kind != PickleKind::kGlobal) in_.fail("its pickle calls what is not a function");
    if (arguments.kind != PickleKind::kTuple) in_.fail("its pickle calls " + printable(function.text) + " without a tuple of arguments");
    PickleValue result{PickleKind::kCall, 0, function.text, arguments.items};
    charge(arguments.items.size());
    if (function.text == "collections.OrderedDict") result = {PickleKind::kDict, 0, {}, ordered_dict_items(arguments)};
    push(std::move(result));
  }

  // OrderedDict() or, from Python 2, OrderedDict([[key, value], ...]).
  std::vector<PickleId> ordered_dict_items(const PickleValue& arguments) {
    std::vector<PickleId> items;
    if (arguments.items.empty()) return items;
    const PickleValue& list = out_[arguments.items[0]];
    if (arguments.items.size() > 1 || list.kind != PickleKind::kList) in_.fail("its pickle makes an OrderedDict of what is not a list");
    charge(list.items.size());
    for (PickleId id : list.items) {
      const PickleValue& pair = out_[id];
      if ((pair.kind != PickleKind::kList && pair.kind != PickleKind::kTuple) || pair.items.size() != 2) {
        in_.fail("its pickle makes an OrderedDict of what are not pairs");
      }
      items.insert(items.end(), pair.items.begin(), pair.items.end());
    }
    return items;
  }

  // What is copied from a value in the memo counts as values, or a short program could ask for endless copies.
  void charge(std::size_t copies) {
    copied_ += copies;
    check(copied_);
  }

  // BUILD gives an object its attributes: a state dict's _metadata, which nothing here needs.
  void build() {
    pop();
    if (top().kind != PickleKind::kDict) in_.fail("its pickle sets attributes of what is not a dict");
  }

  void put(std::size_t index) {
    top();
    check(index + 1);
    if (index >= memo_.size()) memo_.resize(index + 1, kNothing);
    memo_[index] = stack_.back();
  }
  void get(std::size_t index) {
    if (index >= memo_.size() || memo_[index] == kNothing) in_.fail("its pickle recalls the value " + std::to_string(index) + ", which it has not stored");
    push_id(memo_[index]);
  }

  static constexpr PickleId kNothing = 0xFFFFFFFF;
  ByteReader& in_;
  GlobalIsAllowed allowed_;
  std::vector<std::unique_ptr<std::string>>& names_;
  Pickle out_;
  std::vector<PickleId> stack_, memo_;
  std::vector<std::size_t> marks_;
  std::size_t copied_ = 0;
};

}  // namespace

Pickle read_pickle(ByteReader& reader, GlobalIsAllowed allowed, std::vector<std::unique_ptr<std::string>>& names) {
  return Machine(reader, allowed, names).run();
}

}  // namespace polymath
