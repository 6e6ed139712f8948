// polymath tokenize: text to tokens, one line at a time, and back.
#include <charconv>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/printable.h"
#include "cli/cli.h"
#include "cli/streams.h"
#include "polymath/error.h"
#include "text/pretrained_tokenizer.h"
#include "text/tokenizer.h"

namespace polymath::cli {
namespace {

struct TokenizeOptions {
  std::string folder, input = "-";
  bool json = false, json_in = false, decode = false, no_special = false, keep_special = false;
};

void append_ids(const std::vector<std::int32_t>& ids, std::string& out) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i > 0) out += ' ';
    out += std::to_string(ids[i]);
  }
}

// Straight to standard output: a line's encoding may be larger than the line by far.
void print_encoding(const Encoding& encoding, bool with_offsets) {
  std::string out = "{\"ids\": [";
  const auto list = [&](const char* name, const auto& append_item) {
    if (name) out += std::string("], \"") + name + "\": [";
    for (std::size_t i = 0; i < encoding.size(); ++i) {
      if (i > 0) out += ", ";
      append_item(i);
      if (out.size() < 1 << 16) continue;
      if (!(std::cout << out)) flush_output();  // fails
      out.clear();
    }
  };
  list(nullptr, [&](std::size_t i) { out += std::to_string(encoding.ids[i]); });
  if (with_offsets) {
    list("offsets", [&](std::size_t i) { out += '[' + std::to_string(encoding.offsets[i][0]) + ", " + std::to_string(encoding.offsets[i][1]) + ']'; });
  }
  list("tokens", [&](std::size_t i) { out += dump_json(Json(encoding.tokens[i])); });
  std::cout << out << "]}";
}

// Ids as a JSON list, or as numbers between spaces.
std::vector<std::int32_t> ids_of(std::string_view line, const std::string& where) {
  constexpr std::string_view kBetween = " \t\r,";
  const auto trim = [&] {
    while (!line.empty() && kBetween.find(line.front()) != std::string_view::npos) line.remove_prefix(1);
    while (!line.empty() && kBetween.find(line.back()) != std::string_view::npos) line.remove_suffix(1);
  };
  trim();
  if (line.starts_with('[') && line.ends_with(']') && line.size() > 1) line = line.substr(1, line.size() - 2);
  std::vector<std::int32_t> ids;
  for (trim(); !line.empty(); trim()) {
    const std::string_view word = line.substr(0, line.find_first_of(kBetween));
    std::int32_t id = -1;
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), id);
    if (parsed.ec != std::errc() || parsed.ptr != word.data() + word.size() || id < 0) {
      throw Error(ErrorCode::kInvalidArgument, "holds \"" + printable(word, 40) + "\", which is no token id", where);
    }
    ids.push_back(id);
    line.remove_prefix(word.size());
  }
  return ids;
}

// What a folder's files make: a tokenizer.json alone, as PyPI `tokenizers` reads it, or else the older files, as Transformers
// converts them. Classes that exist in Python only have no offsets.
class AnyTokenizer {
 public:
  explicit AnyTokenizer(const std::string& path) {
    const std::string file = directory_exists(path) ? join_path(path, "tokenizer.json") : path;
    if (file == path || file_exists(file)) tokenizer_ = Tokenizer::from_file(file);
    else pretrained_ = PretrainedTokenizer::load(path);
  }

  void print_json(const std::string& line, bool special) const {
    if (const Tokenizer* t = fast()) print_encoding(t->encode(line, special), /*with_offsets=*/true);
    else print_encoding(pretrained_->encode(line, {.add_special_tokens = special}), /*with_offsets=*/false);
  }
  void encode_ids(const std::string& line, bool special, std::vector<std::int32_t>& ids) const {
    if (const Tokenizer* t = fast()) t->encode_ids(line, special, ids);
    else ids = pretrained_->encode(line, {.add_special_tokens = special}).ids;
  }
  std::string decode(const std::vector<std::int32_t>& ids, bool skip_special) const {
    return tokenizer_ ? tokenizer_->decode(ids, skip_special) : pretrained_->decode(ids, skip_special);
  }

 private:
  const Tokenizer* fast() const { return tokenizer_ ? &*tokenizer_ : pretrained_->backend().fast(); }

  std::optional<Tokenizer> tokenizer_;
  std::optional<PretrainedTokenizer> pretrained_;
};

int tokenize(const TokenizeOptions& o) {
  const AnyTokenizer tokenizer(o.folder);
  Lines lines(o.input);
  std::string line, out;
  std::vector<std::int32_t> ids;
  while (lines.next(line)) {
    if (o.decode) {
      const std::string text = tokenizer.decode(ids_of(line, lines.where()), /*skip_special=*/!o.keep_special);
      out += o.json ? dump_json(Json(text)) : text;
    } else {
      if (o.json_in) {
        const Json value = parse_json(line, lines.where());
        if (!value.is_string()) throw Error(ErrorCode::kInvalidArgument, std::string("must be a string, not ") + json_kind(value), lines.where());
        line = value.get<std::string>();
      }
      if (o.json) {
        tokenizer.print_json(line, !o.no_special);
      } else {
        ids.clear();
        tokenizer.encode_ids(line, !o.no_special, ids);
        append_ids(ids, out);
      }
    }
    out += '\n';
    if (!(std::cout << out)) flush_output();  // fails
    out.clear();
  }
  return 0;
}

}  // namespace

void add_tokenize(CLI::App& app, Common& common, Action& action) {
  auto options = std::make_shared<TokenizeOptions>();
  CLI::App* verb = app.add_subcommand("tokenize", "Text to token ids, one line at a time, and back (--decode).");
  add_model(*verb, "DIR", options->folder, "a folder with tokenizer.json or an older vocabulary, or a tokenizer.json")->required();
  verb->add_option("FILE", options->input, "the text; - or nothing: standard input");
  verb->add_flag("--json", options->json, "ids, offsets (in code points) and tokens of each line as JSON; no offsets for classes that Transformers has in Python only");
  verb->add_flag("--json-in", options->json_in, "each line is a JSON string");
  verb->add_flag("--decode", options->decode, "lines of ids in, text out");
  verb->add_flag("--no-special", options->no_special, "add no special tokens around the text");
  verb->add_flag("--keep-special", options->keep_special, "with --decode: special tokens stay in the text");
  verb->footer("Examples:\n"
               "  echo 'Hello world' | polymath tokenize path/to/checkpoint --json\n"
               "  echo '101 7592 2088 102' | polymath tokenize path/to/checkpoint --decode");
  add_common(*verb, common);
  verb->callback([options, &action] { action = [options] { return tokenize(*options); }; });
}

}  // namespace polymath::cli
