#include "formats/config.h"

#include <charconv>
#include <cmath>

#include "base/file.h"
#include "base/printable.h"

namespace polymath {
namespace {

constexpr std::int64_t kMostLabels = 1'000'000;

}  // namespace

template <>
std::int64_t Config::convert<std::int64_t>(const Json& value, const std::string& field) const {
  if (value.is_number()) {
    const double number = value.get<double>();
    if (number == std::floor(number) && std::fabs(number) <= 9007199254740992.0) return static_cast<std::int64_t>(number);
  }
  throw Error(ErrorCode::kBadFile, std::string("must be a whole number, not ") + (value.is_number() ? value.dump() : json_kind(value)),
              path_ + ": " + printable(field));
}

template <>
int Config::convert<int>(const Json& value, const std::string& field) const {
  const auto number = convert<std::int64_t>(value, field);
  if (number < INT32_MIN || number > INT32_MAX) throw Error(ErrorCode::kBadFile, std::to_string(number) + " is out of range", path_ + ": " + printable(field));
  return static_cast<int>(number);
}

template <>
double Config::convert<double>(const Json& value, const std::string& field) const {
  if (value.is_number()) return value.get<double>();
  throw Error(ErrorCode::kBadFile, std::string("must be a number, not ") + json_kind(value), path_ + ": " + printable(field));
}

template <>
bool Config::convert<bool>(const Json& value, const std::string& field) const {
  if (value.is_boolean()) return value.get<bool>();
  throw Error(ErrorCode::kBadFile, std::string("must be true or false, not ") + json_kind(value), path_ + ": " + printable(field));
}

template <>
std::string Config::convert<std::string>(const Json& value, const std::string& field) const {
  if (value.is_string()) return value.get<std::string>();
  throw Error(ErrorCode::kBadFile, std::string("must be a string, not ") + json_kind(value), path_ + ": " + printable(field));
}

Config Config::load(const std::string& folder) {
  const std::string path = join_path(folder, "config.json");
  try {
    return Config(read_json_file(path), path);
  } catch (const Error& e) {
    if (e.code == ErrorCode::kNotFound) throw Error(e.code, "this folder is not a checkpoint: it has no config.json", folder);
    throw;
  }
}

Config::Config(Json values, std::string path) : values_(std::move(values)), path_(std::move(path)) {
  if (!values_.is_object()) throw Error(ErrorCode::kBadFile, std::string("must be a JSON object, not ") + json_kind(values_), path_);
  read_labels();
}

const Json* Config::find(const std::string& field) const {
  auto found = values_.find(field);
  return found == values_.end() ? nullptr : &*found;
}

int Config::req_divisor(const std::string& field, std::int64_t whole) const {
  const int number = req<int>(field);
  if (whole % number != 0) throw Error(ErrorCode::kBadFile, "is " + std::to_string(number) + ", must divide " + std::to_string(whole), path_ + ": " + printable(field));
  return number;
}

float Config::opt_rate(const std::string& field, double missing) const {
  const double rate = opt(field, missing);
  if (!(rate >= 0 && rate <= 1)) throw Error(ErrorCode::kBadFile, "must lie between 0 and 1", path_ + ": " + printable(field));
  return static_cast<float>(rate);
}

void Config::set_missing(const Json& fields) {
  for (const auto& [name, value] : fields.items()) {
    if (const Json* found = find(name); !found || found->is_null()) values_[name] = value;
  }
  read_labels();
}

Config Config::nested(const std::string& field) const {
  const Json* value = find(field);
  if (!value || value->is_null()) throw Error(ErrorCode::kBadFile, "the field is missing", path_ + ": " + printable(field));
  return Config(*value, path_ + ": " + printable(field));
}

std::string Config::architecture() const {
  const Json* all = find("architectures");
  if (!all || all->is_null() || (all->is_array() && all->empty())) return "";
  if (!all->is_array() || !(*all)[0].is_string()) throw Error(ErrorCode::kBadFile, "must be a list of names", path_ + ": architectures");
  return (*all)[0].get<std::string>();
}

void Config::read_labels() {
  id2label_.clear();
  label2id_.clear();
  const Json* labels = find("id2label");
  if (labels && !labels->is_null()) {
    if (!labels->is_object()) throw Error(ErrorCode::kBadFile, std::string("must be an object, not ") + json_kind(*labels), path_ + ": id2label");
    std::map<std::int64_t, std::string> by_id;
    for (const auto& [key, value] : labels->items()) {
      std::int64_t id = -1;
      const auto parsed = std::from_chars(key.data(), key.data() + key.size(), id);
      if (parsed.ec != std::errc() || parsed.ptr != key.data() + key.size() || id < 0 || id >= kMostLabels) {
        throw Error(ErrorCode::kBadFile, "the key \"" + printable(key) + "\" is not a label's number", path_ + ": id2label");
      }
      by_id[id] = value.is_string() ? value.get<std::string>() : value.dump();
    }
    for (const auto& [id, label] : by_id) {
      if (id != static_cast<std::int64_t>(id2label_.size())) {
        throw Error(ErrorCode::kBadFile, "there is no label " + std::to_string(id2label_.size()), path_ + ": id2label");
      }
      id2label_.push_back(label);
    }
  } else {
    const auto count = opt<std::int64_t>("num_labels", 2);
    if (count < 1 || count > kMostLabels) throw Error(ErrorCode::kBadFile, std::to_string(count) + " is out of range", path_ + ": num_labels");
    for (std::int64_t i = 0; i < count; ++i) id2label_.push_back("LABEL_" + std::to_string(i));
  }
  const Json* ids = find("label2id");
  if (ids && ids->is_object()) {
    for (const auto& [label, id] : ids->items()) label2id_.emplace_back(label, convert<std::int64_t>(id, "label2id"));
  } else {
    for (std::size_t i = 0; i < id2label_.size(); ++i) label2id_.emplace_back(id2label_[i], static_cast<std::int64_t>(i));
  }
}

}  // namespace polymath
