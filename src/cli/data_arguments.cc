#include "cli/data_arguments.h"

namespace polymath::cli {

DataOptions DataArguments::options() const {
  DataOptions options{.format = data_format_named(format), .columns = parse_assignments(columns, "--columns"), .header = {}, .rows = rows,
                      .skip_bad = skip_bad, .limit = limit};
  if (header || no_header) options.header = header;
  return options;
}

void add_data_options(CLI::App& verb, DataArguments& a, const std::string& limit_help) {
  verb.add_option("--format", a.format, "csv, tsv, jsonl, json, conll, conllu, squad, lines, paragraphs, document, parallel, labelled (default: guessed)");
  verb.add_option("--columns", a.columns, "where the task's columns are: text=sentence,label=0");
  verb.add_option("--rows", a.rows, "where in a JSON object the list of rows is; * for every field");
  verb.add_flag("--header", a.header, "CSV and TSV begin with the names of their columns");
  verb.add_flag("--no-header", a.no_header, "they do not")->excludes("--header");
  verb.add_flag("--skip-bad", a.skip_bad, "leave rows out that cannot be read, and count them");
  verb.add_option("--limit", a.limit, limit_help);
}

}  // namespace polymath::cli
