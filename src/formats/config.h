// config.json, read with types and with errors that name the file and the field.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/json.h"
#include "polymath/error.h"

namespace polymath {

class Config {
 public:
  static Config load(const std::string& folder);  // folder/config.json
  Config(Json values, std::string path);

  const std::string& path() const { return path_; }
  const Json& json() const { return values_; }
  std::string model_type() const { return opt<std::string>("model_type", ""); }
  std::string architecture() const;  // architectures[0], or ""

  const Json* find(const std::string& field) const;  // null when there is none

  // The field, or an Error; `opt` gives `missing` when it is absent or null. Integers must be whole
  // and within int32 (int) or +-2^53 (int64); those that `req` reads must be at least 1.
  template <class T>
  T req(const std::string& field) const {
    const Json* value = find(field);
    if (!value || value->is_null()) throw Error(ErrorCode::kBadFile, "the field is missing", path_ + ": " + field);
    T result = convert<T>(*value, field);
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      if (result < 1) throw Error(ErrorCode::kBadFile, "is " + std::to_string(result) + ", must be at least 1", path_ + ": " + field);
    }
    return result;
  }
  template <class T>
  T opt(const std::string& field, T missing) const {
    const Json* value = find(field);
    return !value || value->is_null() ? missing : convert<T>(*value, field);
  }

  // pad_token_id: the vector that torch's embeddings do not train; absent where it is null, `missing` where there is no such field.
  std::optional<std::int64_t> padding_idx(std::optional<std::int64_t> missing = {}) const {
    const Json* field = find("pad_token_id");
    if (field && field->is_null()) return {};
    return field ? std::optional(opt<std::int64_t>("pad_token_id", 0)) : missing;
  }

  // A number that must divide `whole`, as a number of heads divides the width that they share.
  int req_divisor(const std::string& field, std::int64_t whole) const;

  // A dropout's rate: a number from 0 to 1.
  float opt_rate(const std::string& field, double missing) const;

  // Gives fields that are absent or null these values.
  void set_missing(const Json& fields);

  // The config inside a field, such as text_config; its errors name that field.
  Config nested(const std::string& field) const;

  // Labels by id; LABEL_0, LABEL_1, ... when config.json names none (num_labels, 2 by default).
  const std::vector<std::string>& id2label() const { return id2label_; }
  std::int64_t num_labels() const { return static_cast<std::int64_t>(id2label_.size()); }
  // In the order of the file.
  const std::vector<std::pair<std::string, std::int64_t>>& label2id() const { return label2id_; }

 private:
  template <class T>
  T convert(const Json& value, const std::string& field) const;
  void read_labels();

  Json values_;
  std::string path_;
  std::vector<std::string> id2label_;
  std::vector<std::pair<std::string, std::int64_t>> label2id_;
};

template <> int Config::convert<int>(const Json&, const std::string&) const;
template <> std::int64_t Config::convert<std::int64_t>(const Json&, const std::string&) const;
template <> double Config::convert<double>(const Json&, const std::string&) const;
template <> bool Config::convert<bool>(const Json&, const std::string&) const;
template <> std::string Config::convert<std::string>(const Json&, const std::string&) const;

}  // namespace polymath
