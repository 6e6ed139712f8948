# What the shipped models do, in seconds. Sourced by quickstart; needs build/polymath.

show() {  # runs the program and prints what was typed
  local word line='$ polymath'
  for word in "$@"; do
    case $word in
      *\"*) line+=" '$word'" ;;
      *[!A-Za-z0-9_./=-]*) line+=" \"$word\"" ;;
      *) line+=" $word" ;;
    esac
  done
  printf '\n%s\n' "$line"
  build/polymath "$@"
}

tour() {
  show run sentiment-analysis "What a lovely film!" "The plot makes no sense and the sound is awful."
  show run ner "Ada Lovelace met Charles Babbage in London." --aggregation_strategy simple
  show run ner --model minilm-pos "The old man the boats." --aggregation_strategy simple
  show run text-generation "Once upon a time, there was a little robot" --max_new_tokens 40
  show run feature-extraction "An embedding for every token."
  show search "${1:-how do I add a new architecture?}" README.md CONTRIBUTING.md docs -k 2
}
