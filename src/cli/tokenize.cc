// polymath tokenize: text to tokens, one line at a time, and back.
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "cli/cli.h"
#include "polymath/error.h"
#include "text/tokenizer.h"

namespace polymath::cli {
namespace {

struct TokenizeOptions {
  std::string folder, input = "-";
  bool json = false, json_in = false, decode = false, no_special = false, keep_special = false;
};

void append_ids(const std::vector<std::int32_t>& ids, const char* between, std::string& out) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i > 0) out += between;
    out += std::to_string(ids[i]);
  }
}

void append_encoding(const Encoding& encoding, std::string& out) {
  out += "{\"ids\": [";
  append_ids(encoding.ids, ", ", out);
  out += "], \"offsets\": [";
  for (std::size_t i = 0; i < encoding.size(); ++i) {
    if (i > 0) out += ", ";
    out += '[' + std::to_string(encoding.offsets[i][0]) + ", " + std::to_string(encoding.offsets[i][1]) + ']';
  }
  out += "], \"tokens\": [";
  for (std::size_t i = 0; i < encoding.size(); ++i) {
    if (i > 0) out += ", ";
    out += dump_json(Json(encoding.tokens[i]));
  }
  out += "]}";
}

// Ids as a JSON list, or as numbers between spaces.
std::vector<std::int32_t> ids_of(const std::string& line, const std::string& where) {
  std::string list = line;
  if (list.find('[') == std::string::npos) {
    for (char& c : list) {
      if (c == ' ' || c == '\t') c = ',';
    }
    while (list.ends_with(',')) list.pop_back();
    list = "[" + list + "]";
  }
  const Json value = parse_json(list, where);
  std::vector<std::int32_t> ids;
  if (!value.is_array()) throw Error(ErrorCode::kInvalidArgument, std::string("must be a list of ids, not ") + json_kind(value), where);
  for (const Json& id : value) {
    if (!id.is_number_integer() || id.get<std::int64_t>() < 0 || id.get<std::int64_t>() > INT32_MAX) {
      throw Error(ErrorCode::kInvalidArgument, "holds " + id.dump() + ", which is no token id", where);
    }
    ids.push_back(id.get<std::int32_t>());
  }
  return ids;
}

int tokenize(const TokenizeOptions& o) {
  const std::string path = directory_exists(o.folder) ? join_path(o.folder, "tokenizer.json") : o.folder;
  const Tokenizer tokenizer = Tokenizer::from_file(path);
  std::ifstream file;
  if (o.input != "-") {
    file.open(o.input, std::ios::binary);
    if (!file) throw Error(ErrorCode::kNotFound, "cannot be read", o.input);
  }
  std::istream& in = o.input == "-" ? std::cin : file;
  std::string line, out;
  std::vector<std::int32_t> ids;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    const std::string where = (o.input == "-" ? std::string("standard input") : o.input) + " line " + std::to_string(number);
    if (o.decode) {
      const std::string text = tokenizer.decode(ids_of(line, where), /*skip_special_tokens=*/!o.keep_special);
      out += o.json ? dump_json(Json(text)) : text;
    } else {
      if (o.json_in) {
        const Json value = parse_json(line, where);
        if (!value.is_string()) throw Error(ErrorCode::kInvalidArgument, std::string("must be a string, not ") + json_kind(value), where);
        line = value.get<std::string>();
      }
      if (o.json) {
        append_encoding(tokenizer.encode(line, !o.no_special), out);
      } else {
        ids.clear();
        tokenizer.encode_ids(line, !o.no_special, ids);
        append_ids(ids, " ", out);
      }
    }
    out += '\n';
    if (out.size() > 1 << 16) {
      std::cout << out;
      out.clear();
    }
  }
  std::cout << out << std::flush;
  return 0;
}

}  // namespace

void add_tokenize(CLI::App& app, Common& common, Action& action) {
  auto options = std::make_shared<TokenizeOptions>();
  CLI::App* verb = app.add_subcommand("tokenize", "Text to token ids, one line at a time, and back (--decode).");
  verb->add_option("DIR", options->folder, "a folder with tokenizer.json, or the file")->required();
  verb->add_option("FILE", options->input, "the text; - or nothing: standard input");
  verb->add_flag("--json", options->json, "ids, offsets (in code points) and tokens of each line as JSON");
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
