#include "base/json.h"

#include <charconv>
#include <cmath>

#include "base/file.h"
#include "base/printable.h"
#include "polymath/error.h"

namespace polymath {
namespace {

// JSON texts may hold Python's NaN, Infinity and -Infinity outside of strings; nlohmann cannot
// read them. They become numbers that overflow (read as infinity is refused), so replace by
// strings that no other text produces and patch the tree afterwards.
constexpr const char* kNan = "\x01NaN";
constexpr const char* kInfinity = "\x01Infinity";
constexpr const char* kNegativeInfinity = "\x01-Infinity";

struct Prepared {
  std::string text;
  bool patched = false;
};

// Also checks the nesting depth before any recursive parser sees the text.
Prepared prepare(std::string_view in, std::string_view where) {
  Prepared out;
  int depth = 0;
  bool in_string = false;
  std::size_t copied = 0;
  auto replace = [&](std::size_t begin, std::size_t length, const char* escaped) {
    out.text.append(in.substr(copied, begin - copied));
    out.text += escaped;
    copied = begin + length;
    out.patched = true;
  };
  for (std::size_t i = 0; i < in.size(); ++i) {
    char c = in[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    else if (c == '[' || c == '{') {
      if (++depth > kMaxJsonDepth) {
        throw Error(ErrorCode::kInvalidArgument, "JSON is nested deeper than " + std::to_string(kMaxJsonDepth) + " levels",
                    std::string(where));
      }
    } else if (c == ']' || c == '}') --depth;
    else if (c == 'N' && in.substr(i, 3) == "NaN") replace(i, 3, R"("\u0001NaN")"), i += 2;
    else if (c == '-' && in.substr(i, 9) == "-Infinity") replace(i, 9, R"("\u0001-Infinity")"), i += 8;
    else if (c == 'I' && in.substr(i, 8) == "Infinity") replace(i, 8, R"("\u0001Infinity")"), i += 7;
  }
  if (out.patched) out.text.append(in.substr(copied));
  return out;
}

void restore_specials(Json& value) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (text == kNan) value = std::nan("");
    else if (text == kInfinity) value = INFINITY;
    else if (text == kNegativeInfinity) value = -INFINITY;
  } else if (value.is_structured()) {
    for (auto& item : value) restore_specials(item);
  }
}

void dump_string(const std::string& text, std::string& out) {
  out += Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

void dump_double(double value, std::string& out) {
  if (std::isnan(value)) out += "NaN";
  else if (std::isinf(value)) out += value > 0 ? "Infinity" : "-Infinity";
  else {
    // Python's repr: shortest digits, positional between 1e-4 and 1e16, else an exponent of two digits or more.
    char buffer[40];
    double magnitude = std::fabs(value);
    bool positional = value == 0 || (magnitude >= 1e-4 && magnitude < 1e16);
    auto format = positional ? std::chars_format::fixed : std::chars_format::scientific;
    auto end = std::to_chars(buffer, buffer + sizeof buffer, value, format).ptr;
    std::string_view digits(buffer, static_cast<std::size_t>(end - buffer));
    out += digits;
    if (positional && digits.find('.') == std::string_view::npos) out += ".0";
  }
}

void dump(const Json& value, std::string& out) {
  switch (value.type()) {
    case Json::value_t::object: {
      out += '{';
      bool first = true;
      for (auto& [key, item] : value.items()) {
        if (!first) out += ", ";
        first = false;
        dump_string(key, out);
        out += ": ";
        dump(item, out);
      }
      out += '}';
      break;
    }
    case Json::value_t::array: {
      out += '[';
      bool first = true;
      for (auto& item : value) {
        if (!first) out += ", ";
        first = false;
        dump(item, out);
      }
      out += ']';
      break;
    }
    case Json::value_t::string: dump_string(value.get_ref<const std::string&>(), out); break;
    case Json::value_t::number_float: dump_double(value.get<double>(), out); break;
    default: out += value.dump();
  }
}

}  // namespace

Json parse_json(std::string_view text, std::string_view where) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Prepared prepared = prepare(text, where);
  try {
    Json value = prepared.patched ? Json::parse(prepared.text) : Json::parse(text);
    if (prepared.patched) restore_specials(value);
    return value;
  } catch (const Json::parse_error& e) {
    // "[json.exception...] parse error at line 1, column 2: syntax error ... - what is wrong; last read: 'text'; expected ..."
    const std::string message = e.what();
    const auto at = message.find("at line "), read = message.find("last read: '");
    const std::string place = at == std::string::npos ? "" : message.substr(at, message.find(": ", at) - at) + ": ";
    const auto colon = message.rfind(": ");
    std::string reason = colon == std::string::npos ? message : message.substr(colon + 2);
    if (read != std::string::npos) reason = "unexpected " + message.substr(read + 11, message.rfind('\'') - read - 10);
    else if (message.find("unexpected end of input") != std::string::npos) reason = "it ends too early";
    throw Error(ErrorCode::kInvalidArgument, "not valid JSON " + place + printable(reason, 80), std::string(where));
  } catch (const Json::exception& e) {
    throw Error(ErrorCode::kInvalidArgument, std::string("not valid JSON: a number is out of range"), std::string(where));
  }
}

Json read_json_file(const std::string& path) {
  return parse_json(read_text_file(path, std::uint64_t{64} << 20), path);
}

std::string dump_json(const Json& value) {
  std::string out;
  dump(value, out);
  return out;
}

const char* json_kind(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null: return "null";
    case Json::value_t::object: return "an object";
    case Json::value_t::array: return "a list";
    case Json::value_t::string: return "a string";
    case Json::value_t::boolean: return "a boolean";
    default: return "a number";
  }
}

}  // namespace polymath
