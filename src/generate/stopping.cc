#include "generate/stopping.h"

#include <algorithm>

#include "polymath/error.h"

namespace polymath {
namespace {

constexpr const char* kBefore = "abcdef";

}  // namespace

Stopping::Stopping(const GenerationConfig& config, std::int64_t max_length, const PretrainedTokenizer* tokenizer)
    : max_length_(max_length), eos_(config.eos_token_id), stop_strings_(config.stop_strings), tokenizer_(tokenizer) {
  if (!stop_strings_.empty()) {
    if (!tokenizer) throw Error(ErrorCode::kInvalidArgument, "needs a tokenizer", "stop_strings");
    before_ = tokenizer->encode(kBefore, EncodeOptions{.add_special_tokens = false}).tokens;
  }
  if (config.max_time) {
    const double seconds = std::clamp(*config.max_time, 0.0, 1e9);
    end_ = std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));
  }
}

bool Stopping::operator()(std::span<const std::int32_t> ids) const {
  if (static_cast<std::int64_t>(ids.size()) >= max_length_) return true;
  if (std::find(eos_.begin(), eos_.end(), ids.back()) != eos_.end()) return true;
  if (end_ && std::chrono::steady_clock::now() > *end_) return true;
  return !stop_strings_.empty() && ends_with_stop_string(ids);
}

// Whether the newest token completes a stop string, at its end or inside of it.
bool Stopping::ends_with_stop_string(std::span<const std::int32_t> ids) const {
  std::size_t longest = 0;
  for (const std::string& stop : stop_strings_) longest = std::max(longest, stop.size());
  std::string text = text_of(ids.back());
  const std::size_t newest = text.size();
  for (std::size_t i = ids.size() - 1; i > 0 && text.size() < newest + longest; --i) text.insert(0, text_of(ids[i - 1]));
  const std::size_t before = text.size() - newest;
  return std::any_of(stop_strings_.begin(), stop_strings_.end(), [&](const std::string& stop) {
    const std::size_t from = before >= stop.size() ? before - stop.size() + 1 : 0;
    const std::size_t found = text.find(stop, from);
    return found != std::string::npos && found + stop.size() > before;
  });
}

std::string Stopping::text_of(std::int32_t id) const {
  const auto token = tokenizer_->id_to_token(id);
  if (!token) return "";
  std::vector<std::string> tokens = before_;
  tokens.push_back(*token);
  const std::string text = tokenizer_->convert_tokens_to_string(tokens);
  const std::size_t found = text.find(kBefore);
  return found == std::string::npos ? "" : text.substr(found + std::string_view(kBefore).size());
}

}  // namespace polymath
