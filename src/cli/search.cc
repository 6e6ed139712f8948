// polymath search QUERY FILE...
#include <unistd.h>

#include <iostream>

#include "base/file.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "tasks/search.h"
#include "tasks/task.h"

namespace polymath::cli {
namespace {

struct Arguments {
  std::string query, model;
  std::vector<std::string> files;
  int top_k = 5;
  bool json = false, no_cache = false;
};

// Folders stand for the text files in them.
std::vector<std::string> expanded(const std::vector<std::string>& given) {
  std::vector<std::string> files;
  for (const std::string& name : given) {
    if (!directory_exists(name)) {
      files.push_back(name);
      continue;
    }
    for (std::string& file : files_below(name)) {
      if (file.ends_with(".md") || file.ends_with(".txt") || file.ends_with(".rst")) files.push_back(std::move(file));
    }
  }
  return files;
}

void note(const std::string& why) { std::cerr << "polymath: note: embeddings are not kept: " << printable(why, 1000) << std::endl; }

// "" where it cannot be made: without a cache the answers are the same.
std::string cache_folder(bool quiet) {
  try {
    return user_cache_folder();
  } catch (const Error& e) {
    if (!quiet) note(e.what());
    return "";
  }
}

int search(const Arguments& a, const Common& common) {
  const std::string model = a.model.empty() ? shipped_folder(task_named("feature-extraction")) : a.model;
  const auto encoder = SentenceEncoder::load(model, load_type_named(common.dtype));
  SearchIndex index(encoder, model_key_of(model) + common.dtype, a.no_cache ? "" : cache_folder(common.quiet));
  std::unique_ptr<Progress> progress;
  index.add_files(expanded(a.files), [&](std::size_t done, std::size_t total) {
    if (!progress) progress = std::make_unique<Progress>(total, "passages", common.quiet);
    progress->reach(done);
  });
  progress.reset();
  if (!common.quiet && !index.cache_problem().empty()) note(index.cache_problem());
  const auto hits = index.search(utf8_lossy(a.query), static_cast<std::size_t>(a.top_k));
  if (a.json) {
    Json all = Json::array();
    for (const SearchHit& hit : hits) {
      all.push_back({{"score", static_cast<double>(hit.score)}, {"file", hit.passage.file}, {"line", hit.passage.first_line},
                     {"end_line", hit.passage.last_line}, {"text", hit.passage.text}});
    }
    std::cout << dump_json(all) << '\n';
    return 0;
  }
  const bool colours = ::isatty(STDOUT_FILENO);
  for (const SearchHit& hit : hits) {
    char score[16];
    std::snprintf(score, sizeof score, "%.3f", static_cast<double>(hit.score));
    std::cout << (colours ? "\033[1m" : "") << hit.passage.file << ':' << hit.passage.first_line << (colours ? "\033[0m" : "") << "  (" << score << ")\n  "
              << (utf8_length(hit.passage.text) > 240 ? utf8_slice(hit.passage.text, 0, 240) + " ..." : hit.passage.text) << "\n\n";
  }
  if (hits.empty()) std::cout << "(the files hold no text)\n";
  return 0;
}

}  // namespace

void add_search(CLI::App& app, Common& common, Action& action) {
  auto* verb = app.add_subcommand("search", "find passages of text files by meaning");
  auto a = std::make_shared<Arguments>();
  verb->add_option("QUERY", a->query, "what to look for, in words")->required();
  verb->add_option("FILE", a->files, "text files, or folders of .md, .txt and .rst files")->required();
  add_model(*verb, "--model", a->model, "a sentence-transformers folder, or any encoder checkpoint (default: the shipped one)");
  verb->add_option("--top_k,-k", a->top_k, "how many passages")->check(CLI::Range(1, 1000))->capture_default_str();
  verb->add_flag("--json", a->json, "a JSON list of {score, file, line, end_line, text}");
  verb->add_flag("--no-cache", a->no_cache, "neither read nor keep embeddings in the cache folder (~/.cache/polymath)");
  add_common(*verb, common);
  verb->callback([=, &common, &action] { action = [=, &common] { return search(*a, common); }; });
}

}  // namespace polymath::cli
