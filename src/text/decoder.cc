#include "text/decoder.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "text/normalized_string.h"
#include "text/pattern.h"

namespace polymath {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  if (from.empty()) {  // as Rust: between all characters, and at both ends
    std::string out(to);
    for (CodePoints points(text); !points.done();) {
      utf8_append(out, points.next());
      out += to;
    }
    text = std::move(out);
    return;
  }
  std::size_t at = text.find(from);
  if (at == std::string::npos) return;
  std::string out;
  std::size_t done = 0;
  for (; at != std::string::npos; at = text.find(from, done)) {
    out.append(text, done, at - done);
    out += to;
    done = at + from.size();
  }
  out.append(text, done);
  text = std::move(out);
}

namespace {

template <class Function>
class Simple final : public Decoder {
 public:
  explicit Simple(Function function) : function_(std::move(function)) {}
  void operator()(std::vector<std::string>& tokens) const override { function_(tokens); }

 private:
  Function function_;
};

template <class Function>
std::shared_ptr<const Decoder> simple(Function function) {
  return std::make_shared<Simple<Function>>(std::move(function));
}

void clean_up(std::string& text) {
  static constexpr std::pair<const char*, const char*> kRules[] = {
      {" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"}, {" n't", "n't"}, {" 'm", "'m"}, {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  if (text.find(' ') == std::string::npos) return;
  for (auto [from, to] : kRules) replace_all(text, from, to);
}

std::shared_ptr<const Decoder> make_wordpiece(const spec::Decoder& part) {
  return simple([prefix = part.prefix, cleanup = part.cleanup](std::vector<std::string>& tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0) {
        if (tokens[i].starts_with(prefix)) tokens[i].erase(0, prefix.size());
        else tokens[i].insert(0, 1, ' ');
      }
      if (cleanup) clean_up(tokens[i]);
    }
  });
}

// A token of the byte-level alphabet stands for bytes; any other token stands for itself.
void join_bytes(std::vector<std::string>& tokens) {
  std::string bytes;
  for (const std::string& token : tokens) {
    const std::size_t before = bytes.size();
    for (CodePoints points(token); !points.done();) {
      const int byte = character_byte(points.next());
      if (byte >= 0) {
        bytes += static_cast<char>(byte);
        continue;
      }
      bytes.resize(before);
      bytes += token;
      break;
    }
  }
  tokens = {utf8_lossy(bytes)};
}

void replace_metaspace(std::vector<std::string>& tokens, char32_t mark, bool drop_first) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    std::string out;
    for (CodePoints points(tokens[i]); !points.done();) {
      const char32_t c = points.next();
      if (c != mark) utf8_append(out, c);
      else if (i > 0 || !drop_first) out += ' ';
    }
    tokens[i] = std::move(out);
  }
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte of a token like <0x41>, or -1.
int byte_token(const std::string& token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return -1;
  const int high = hex_digit(token[3]), low = hex_digit(token[4]);
  if (token[3] == '+' && low >= 0) return low;  // as Rust reads numbers
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

void join_byte_tokens(std::vector<std::string>& tokens) {
  std::vector<std::string> out;
  std::string bytes;
  auto flush = [&] {
    if (bytes.empty()) return;
    if (utf8_valid(bytes)) out.push_back(bytes);
    else out.insert(out.end(), bytes.size(), "\xEF\xBF\xBD");  // U+FFFD for each byte
    bytes.clear();
  };
  for (std::string& token : tokens) {
    const int byte = byte_token(token);
    if (byte >= 0) {
      bytes += static_cast<char>(byte);
      continue;
    }
    flush();
    out.push_back(std::move(token));
  }
  flush();
  tokens = std::move(out);
}

std::shared_ptr<const Decoder> make_strip(const spec::Decoder& part) {
  return simple([content = utf8_decode(part.content).code, start = part.start, stop = part.stop](std::vector<std::string>& tokens) {
    for (std::string& token : tokens) {
      const std::u32string points = utf8_to_utf32(token);
      std::size_t begin = 0, end = points.size();
      while (begin < start && begin < points.size() && points[begin] == content) ++begin;
      for (std::size_t i = 0; i < stop && end > 0 && points[end - 1] == content; ++i) --end;
      token = begin < end ? utf32_to_utf8(std::u32string_view(points).substr(begin, end - begin)) : std::string();
    }
  });
}

std::shared_ptr<const Decoder> make_ctc(const spec::Decoder& part) {
  return simple([pad = part.pad_token, delimiter = part.word_delimiter_token, cleanup = part.cleanup](std::vector<std::string>& tokens) {
    tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    for (std::string& token : tokens) {
      replace_all(token, pad, "");
      if (!cleanup) continue;
      clean_up(token);
      replace_all(token, delimiter, " ");
    }
    std::erase(tokens, std::string());
  });
}

std::size_t bytes_of(const std::vector<std::string>& tokens) {
  std::size_t bytes = tokens.size();  // so that many empty tokens count too
  for (const std::string& token : tokens) bytes += token.size();
  return bytes;
}

std::shared_ptr<const Decoder> make_replace(const spec::Decoder& part, const std::string& where) {
  return simple([pattern = make_pattern(part.pattern, where), content = part.content](std::vector<std::string>& tokens) {
    std::vector<Match> matches;
    const std::size_t before = bytes_of(tokens), most = growth_limit(before);
    std::size_t made = 0;
    for (std::string& token : tokens) {
      if (token.empty()) continue;
      matches.clear();
      pattern->find(token, matches);
      std::string out;
      for (const Match& match : matches) {
        if (match.is_match) out += content;
        else out.append(token, match.begin, match.end - match.begin);
        if (made + out.size() > most) fail_growth("decoder", before);
      }
      made += out.size();
      token = std::move(out);
    }
  });
}

void append_steps(const spec::Decoder& part, const std::string& where, std::vector<std::shared_ptr<const Decoder>>& steps) {
  if (part.kind != spec::Decoder::kSequence) return steps.push_back(make_decoder(part, where));
  for (const spec::Decoder& item : part.decoders) append_steps(item, where, steps);
}

}  // namespace

std::shared_ptr<const Decoder> make_decoder(const spec::Decoder& part, const std::string& where) {
  using D = spec::Decoder;
  switch (part.kind) {
    case D::kWordPiece: return make_wordpiece(part);
    case D::kByteLevel: return simple(join_bytes);
    case D::kMetaspace:
      return simple([mark = part.replacement, drop = part.prepend_scheme != spec::PrependScheme::kNever](std::vector<std::string>& tokens) {
        replace_metaspace(tokens, mark, drop);
      });
    case D::kBpe:
      return simple([suffix = part.suffix](std::vector<std::string>& tokens) {
        for (std::size_t i = 0; i < tokens.size(); ++i) replace_all(tokens[i], suffix, i + 1 == tokens.size() ? "" : " ");
      });
    case D::kByteFallback: return simple(join_byte_tokens);
    case D::kFuse:
      return simple([](std::vector<std::string>& tokens) {
        std::string all;
        for (const std::string& token : tokens) all += token;
        tokens = {std::move(all)};
      });
    case D::kReplace: return make_replace(part, where);
    case D::kStrip: return make_strip(part);
    case D::kCtc: return make_ctc(part);
    case D::kSequence: break;
  }
  std::vector<std::shared_ptr<const Decoder>> steps;
  append_steps(part, where, steps);
  return simple([steps](std::vector<std::string>& tokens) {
    const std::size_t before = bytes_of(tokens);
    for (const auto& step : steps) {
      (*step)(tokens);
      if (bytes_of(tokens) > growth_limit(before)) fail_growth("decoder", before);
    }
  });
}

}  // namespace polymath
