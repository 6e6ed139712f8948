// The input is a JSON object: the files of a checkpoint folder by name, each as text, as base64 (names in .model and .spm) or as JSON.
// The folder is refused with an Error, or its tokenizer can be used; with a modules.json, its sentence encoder over the weights
// of tests/golden/sentences/mean-lowercase-dense.
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/file.h"
#include "base/threads.h"
#include "formats/tokenizer_json.h"
#include "json_mutator.h"
#include "tasks/sentence_embedding.h"
#include "text/pretrained_tokenizer.h"

namespace {

using namespace polymath;
namespace fs = std::filesystem;

constexpr std::array kNames = {
    "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt",
    "spiece.model", "spm.model", "tokenizer.model", "sentencepiece.model", "sentencepiece.bpe.model", "source.spm", "target.spm", "target_vocab.json",
    "modules.json", "sentence_bert_config.json", "1_Pooling/config.json", "2_Dense/config.json"};

// A folder that lives as long as the process. Only what differs from the input before is written.
class Folder {
 public:
  Folder() {
    ThreadPool::set_global_threads(1);  // the work is too small to share
    const fs::path parent = fs::exists("/dev/shm") ? "/dev/shm" : fs::temp_directory_path();
    path_ = parent / ("polymath_folder_fuzz_" + std::to_string(::getpid()));
    fs::remove_all(path_);
    fs::create_directories(path_ / "1_Pooling");
    fs::create_directories(path_ / "2_Dense");
    const fs::path golden = fs::path(POLYMATH_SOURCE_DIR) / "tests/golden/sentences/mean-lowercase-dense";
    for (const char* name : {"model.safetensors", "2_Dense/model.safetensors"}) fs::create_symlink(golden / name, path_ / name);
  }
  ~Folder() { fs::remove_all(path_); }
  std::string path() const { return path_.string(); }

  void set(const char* name, const std::string* content) {
    const auto old = written_.find(name);
    if (!content) {
      if (old == written_.end()) return;
      fs::remove(path_ / name);
      written_.erase(old);
    } else if (old == written_.end() || old->second != *content) {
      std::ofstream(path_ / name, std::ios::binary) << *content;
      written_[name] = *content;
    }
  }

 private:
  fs::path path_;
  std::map<std::string, std::string> written_;
};

std::string content_of(const std::string& name, const Json& value) {
  if (!value.is_string()) return dump_json(value);
  const std::string text = value.get<std::string>();
  return name.ends_with(".model") || name.ends_with(".spm") ? decode_base64(text, name) : text;
}

void use(const PretrainedTokenizer& tokenizer) {
  const std::string text = "Hello, \xC3\xA9t\xC3\xA9! <s> [MASK]\xE4\xB8\xAD 1,234 >>fra<< __en__\n";
  try {
    const TextInput pair("and b");
    const Encoding e = tokenizer.encode(text, pair, EncodeOptions{.truncation = Truncation{.max_length = 12}, .padding = tokenizer.padding()});
    if (e.tokens.size() != e.ids.size() || e.offsets.size() != e.ids.size()) __builtin_trap();
    std::vector<std::int32_t> ids = tokenizer.encode(text).ids;
    ids.insert(ids.end(), tokenizer.all_special_ids().begin(), tokenizer.all_special_ids().end());
    for (const std::int32_t id : {0, 1, 2, 3, tokenizer.vocab_size(), -1, INT32_MAX}) ids.push_back(id);
    for (const std::int32_t id : ids) tokenizer.id_to_token(id);
    tokenizer.decode(ids);
    tokenizer.decode(ids, true, true);
    tokenizer.convert_tokens_to_string(e.tokens);
    tokenizer.num_special_tokens_to_add(true);
    for (const auto& id : {tokenizer.bos_id(), tokenizer.eos_id(), tokenizer.mask_id(), tokenizer.token_to_id("Hello")}) {
      if (id && *id < 0) __builtin_trap();
    }
  } catch (const Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Folder folder;
  try {
    const std::string_view all(reinterpret_cast<const char*>(data), size);
    const Json files = parse_json(all.substr(0, all.find('\0')), "input");
    if (!files.is_object()) return 0;
    for (const char* name : kNames) {
      const auto found = files.find(name);
      const std::string content = found == files.end() ? "" : content_of(name, *found);
      folder.set(name, found == files.end() ? nullptr : &content);
    }
    if (!files.contains("modules.json")) {
      use(PretrainedTokenizer::load(folder.path()));
      return 0;
    }
    const SentenceEncoder encoder = SentenceEncoder::load(folder.path(), LoadType::kAuto);
    for (const auto& vector : encoder.encode({"Hello world", "", "a b c d e f g h"})) {
      if (static_cast<std::int64_t>(vector.size()) != encoder.dimension()) __builtin_trap();
    }
  } catch (const Error&) {
  }
  return 0;
}
