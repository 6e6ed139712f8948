// Classes whose vocabulary is a sentencepiece model: SpmConverter and its heirs in convert_slow_tokenizer.py.
#include <algorithm>
#include <memory>
#include <unordered_map>

#include "base/file.h"
#include "base/utf8.h"
#include "formats/sentencepiece_model.h"
#include "text/convert_parts.h"
#include "text/language_codes.h"
#include "text/unicode.h"

namespace polymath::convert {
namespace {

enum class Kind { kPlain, kAlbert, kBarthez, kBigBird, kCamembert, kDebertaV2, kGemma, kLlama, kMbart, kMbart50, kNllb, kPegasus, kRemBert, kT5, kXglm, kXlmRoberta, kXlnet };

struct Class {
  std::string_view name;
  Kind kind;
  const char* file;
};

constexpr Class kClasses[] = {
    {"AlbertTokenizer", Kind::kAlbert, "spiece.model"}, {"FNetTokenizer", Kind::kAlbert, "spiece.model"},
    {"BarthezTokenizer", Kind::kBarthez, "sentencepiece.bpe.model"}, {"BigBirdTokenizer", Kind::kBigBird, "spiece.model"},
    {"CamembertTokenizer", Kind::kCamembert, "sentencepiece.bpe.model"}, {"DebertaV2Tokenizer", Kind::kDebertaV2, "spm.model"},
    {"GemmaTokenizer", Kind::kGemma, "tokenizer.model"}, {"LlamaTokenizer", Kind::kLlama, "tokenizer.model"},
    {"MBartTokenizer", Kind::kMbart, "sentencepiece.bpe.model"}, {"MBart50Tokenizer", Kind::kMbart50, "sentencepiece.bpe.model"},
    {"NllbTokenizer", Kind::kNllb, "sentencepiece.bpe.model"}, {"PegasusTokenizer", Kind::kPegasus, "spiece.model"},
    {"ReformerTokenizer", Kind::kPlain, "spiece.model"}, {"RemBertTokenizer", Kind::kRemBert, "sentencepiece.model"},
    {"T5Tokenizer", Kind::kT5, "spiece.model"}, {"MT5Tokenizer", Kind::kT5, "spiece.model"},
    {"XGLMTokenizer", Kind::kXglm, "sentencepiece.bpe.model"}, {"XLMRobertaTokenizer", Kind::kXlmRoberta, "sentencepiece.bpe.model"},
    {"XLNetTokenizer", Kind::kXlnet, "spiece.model"}};

// What the views of the spec's model point into.
struct Storage {
  SentencePieceModel model;
  std::vector<std::unique_ptr<const std::string>> more;
};

// A digit and a comma at the end: those pieces are held back, so that "1,000" is cut at the comma.
bool ends_in_digit_and_comma(std::string_view piece) {
  if (piece.size() < 2 || piece.back() != ',') return false;
  piece.remove_suffix(1);
  std::size_t begin = piece.size() - 1;
  while (begin > 0 && (static_cast<std::uint8_t>(piece[begin]) & 0xC0) == 0x80) --begin;
  const char32_t c = utf8_decode(piece.substr(begin)).code;
  const bool small = c == 0xB2 || c == 0xB3 || c == 0xB9 || c == 0x2070 || (c >= 0x2074 && c <= 0x2079) || (c >= 0x2080 && c <= 0x2089);
  return small || unicode::category(c) == unicode::Nd;
}

class Converter {
 public:
  Converter(const TokenizerSettings& settings, const Class& known) : settings_(settings), kind_(known.kind), storage_(std::make_shared<Storage>()) {
    require_files(settings, {known.file});
    spec_.where = join_path(settings.folder, known.file);
    storage_->model = read_sentencepiece_model(spec_.where);
    spec_.storage = storage_;
  }

  TokenizerSpec convert() {
    make_vocabulary();
    if (proto().model_type == SentencePieceModel::kUnigram) make_unigram();
    else if (proto().model_type == SentencePieceModel::kBpe) make_bpe();
    else throw Error(ErrorCode::kUnsupported, "is a word or char model (known: unigram, bpe)", spec_.where);
    for (const SentencePieceEntry& e : proto().pieces) {
      const bool control = e.type == PieceType::kControl || (kind_ == Kind::kGemma && (e.piece == "<start_of_turn>" || e.piece == "<end_of_turn>"));
      if (e.type == PieceType::kControl || e.type == PieceType::kUserDefined) add_token(spec_, e.piece, control);
    }
    make_normalizer();
    make_pre_tokenizer();
    make_post_processor();
    return std::move(spec_);
  }

 private:
  const SentencePieceModel& proto() const { return storage_->model; }
  bool byte_fallback() const { return kind_ == Kind::kLlama || kind_ == Kind::kGemma; }

  void add(std::string token, double score = 0) {
    storage_->more.push_back(std::make_unique<const std::string>(std::move(token)));
    add_view(*storage_->more.back(), score);
  }
  void add_view(std::string_view token, double score) {
    spec_.model.vocab.emplace_back(token, static_cast<std::int32_t>(spec_.model.vocab.size()));
    spec_.model.scores.push_back(score);
  }
  void add_pieces(std::size_t first, bool hold_back_commas = false) {
    for (std::size_t i = first; i < proto().pieces.size(); ++i) {
      const SentencePieceEntry& e = proto().pieces[i];
      add_view(e.piece, static_cast<double>(e.score) - (hold_back_commas && ends_in_digit_and_comma(e.piece) ? 100 : 0));
    }
  }
  std::string special(const std::optional<std::string>& token, const char* missing) const { return token.value_or(missing); }

  void make_vocabulary() {
    const SpecialTokens& s = settings_.special;
    unk_id_ = proto().trainer_unk_id;
    const auto fairseq = [&] {
      for (const char* token : {"<s>", "<pad>", "</s>", "<unk>"}) add(token);
      add_pieces(3);
      unk_id_ = 3;
    };
    switch (kind_) {
      case Kind::kAlbert: case Kind::kXlnet: add_pieces(0, true); break;
      case Kind::kBarthez: add_pieces(0); unk_id_ = 3; break;
      case Kind::kCamembert:
        for (const char* token : {"<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>"}) add(token);
        add("<unk>NOTUSED", -100);
        add_pieces(1);
        add("<mask>");
        unk_id_ = 3;
        break;
      case Kind::kMbart: case Kind::kMbart50:
        fairseq();
        for (const char* code : kind_ == Kind::kMbart ? mbart_languages() : mbart50_languages()) add(code);
        add("<mask>");
        break;
      case Kind::kNllb: fairseq(); break;
      case Kind::kXlmRoberta: fairseq(); add("<mask>"); break;
      case Kind::kXglm:
        fairseq();
        for (int i = 0; i < 7; ++i) add("<madeupword" + std::to_string(i) + ">");
        break;
      case Kind::kT5:
        add_pieces(0);
        for (int i = whole(settings_, "extra_ids", 100, 10'000) - 1; i >= 0; --i) add("<extra_id_" + std::to_string(i) + ">");
        break;
      case Kind::kPegasus: {
        const int offset = whole(settings_, "offset", 103, 10'000);
        add(special(s.pad_token, "<pad>"));
        add(special(s.eos_token, "</s>"));
        if (offset > 0) {
          add("<mask_1>");
          add(special(s.mask_token, "<mask_2>"));
        }
        for (int i = 2; i < offset; ++i) add("<unk_" + std::to_string(i) + ">", -100);
        add_pieces(2);
        unk_id_ += offset;
        break;
      }
      case Kind::kLlama:
        for (std::size_t i = 0; i < 3 && i < proto().pieces.size(); ++i) add_view(proto().pieces[i].piece, 0);
        add_pieces(3);
        unk_id_ = 0;
        break;
      case Kind::kGemma: {
        for (const auto& token : {special(s.pad_token, "<pad>"), special(s.eos_token, "<eos>"), special(s.bos_token, "<bos>")}) add(token);
        add_pieces(3);
        unk_id_ = 3;
        auto& vocab = spec_.model.vocab;
        const auto is = [](const char* text) { return [text](const auto& entry) { return entry.first == text; }; };
        if (std::none_of(vocab.begin(), vocab.end(), is("\t"))) {  // older files have no tab
          const auto byte = std::find_if(vocab.begin(), vocab.end(), is("<0x09>"));
          if (byte != vocab.end()) byte->first = "\t";
        }
        break;
      }
      default: add_pieces(0);
    }
  }

  void make_unigram() {
    spec_.model.kind = spec::Model::kUnigram;
    spec_.model.byte_fallback = byte_fallback();
    if (unk_id_ < 0 || static_cast<std::size_t>(unk_id_) >= spec_.model.vocab.size()) {
      throw Error(ErrorCode::kBadFile, "names the unknown piece " + std::to_string(unk_id_) + " of " + std::to_string(spec_.model.vocab.size()), spec_.where);
    }
    spec_.model.unk_id = unk_id_;
  }

  // generate_merges: every way to cut a piece into two others is a merge; the best piece's come first.
  void make_bpe() {
    struct Merge {
      std::string_view left, right;
      double score;
      std::size_t left_length, right_length;
    };
    spec_.model.kind = spec::Model::kBpe;
    spec_.model.unk_token = proto().unk_piece;
    spec_.model.fuse_unk = true;
    spec_.model.byte_fallback = byte_fallback();
    std::unordered_map<std::string_view, int> raw;  // the model's own pieces, not the class's
    for (std::size_t i = 0; i < proto().pieces.size(); ++i) raw[proto().pieces[i].piece] = static_cast<int>(i);
    if (kind_ == Kind::kGemma && !raw.contains("\t") && raw.contains("<0x09>")) raw["\t"] = raw["<0x09>"];
    std::unordered_map<std::string_view, std::size_t> last;  // a token that is there twice keeps its place and has the later score
    std::vector<std::pair<std::string_view, double>> scored;
    for (std::size_t i = 0; i < spec_.model.vocab.size(); ++i) {
      const auto [found, fresh] = last.try_emplace(spec_.model.vocab[i].first, scored.size());
      if (fresh) scored.emplace_back(spec_.model.vocab[i].first, spec_.model.scores[i]);
      else scored[found->second].second = spec_.model.scores[i];
    }
    std::vector<Merge> merges;
    for (const auto& [piece, score] : scored) {
      std::vector<std::pair<std::pair<int, int>, Merge>> local;
      const std::size_t length = utf8_length(piece);
      std::size_t at = 0;
      for (std::size_t i = 1; i < length; ++i) {
        at += static_cast<std::size_t>(utf8_decode(piece.substr(at)).length);
        const auto left = raw.find(piece.substr(0, at)), right = raw.find(piece.substr(at));
        if (left == raw.end() || right == raw.end()) continue;
        local.push_back({{left->second, right->second}, {left->first, right->first, score, i, length - i}});
      }
      std::stable_sort(local.begin(), local.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
      for (auto& entry : local) merges.push_back(entry.second);
    }
    std::stable_sort(merges.begin(), merges.end(), [](const Merge& a, const Merge& b) {
      return std::tie(a.score, a.left_length, a.right_length) > std::tie(b.score, b.left_length, b.right_length);
    });
    for (const Merge& m : merges) spec_.model.merges.emplace_back(m.left, m.right);
  }

  void make_normalizer() {
    std::vector<spec::Normalizer> parts;
    const auto precompiled = [&] {
      if (proto().precompiled_charsmap.empty()) return;
      parts.push_back(normalizer(spec::Normalizer::kPrecompiled));
      parts.back().precompiled_charsmap = proto().precompiled_charsmap;
    };
    const auto strip = [&](bool left) {
      parts.push_back(normalizer(spec::Normalizer::kStrip));
      parts.back().strip_left = left;
    };
    switch (kind_) {
      case Kind::kAlbert: case Kind::kXlnet: case Kind::kRemBert:
        parts = {replace(false, "``", "\""), replace(false, "''", "\"")};
        if (kind_ == Kind::kRemBert) parts.push_back(replace(true, " {2,}", " "));
        if (!flag(settings_, "keep_accents", kind_ == Kind::kRemBert || settings_.tokenizer_class == "FNetTokenizer")) {
          parts.push_back(normalizer(spec::Normalizer::kNfkd));
          parts.push_back(normalizer(spec::Normalizer::kStripAccents));
        }
        if (flag(settings_, "do_lower_case", settings_.tokenizer_class == "AlbertTokenizer")) parts.push_back(normalizer(spec::Normalizer::kLowercase));
        precompiled();
        if (kind_ != Kind::kRemBert) parts.push_back(replace(true, " {2,}", " "));
        break;
      case Kind::kDebertaV2:
        if (flag(settings_, "do_lower_case", false)) parts.push_back(normalizer(spec::Normalizer::kLowercase));
        strip(true);
        precompiled();
        parts.push_back(replace(true, " {2,}", " "));
        break;
      case Kind::kGemma: spec_.normalizer = replace(false, " ", "\u2581"); return;
      case Kind::kLlama:
        if (!legacy()) return;
        if (add_prefix_space()) {
          parts.push_back(normalizer(spec::Normalizer::kPrepend));
          parts.back().content = "\u2581";
        }
        parts.push_back(replace(false, " ", "\u2581"));
        break;
      default:
        precompiled();
        strip(false);
        parts.push_back(replace(true, " {2,}", "\u2581"));
    }
    spec_.normalizer = sequence(std::move(parts));
  }

  bool legacy() const { return flag(settings_, "legacy", true); }
  bool add_prefix_space() const {
    return kind_ == Kind::kLlama || kind_ == Kind::kT5 || kind_ == Kind::kGemma ? flag(settings_, "add_prefix_space", true) : true;
  }
  // Of the classes here only T5 and Llama know `legacy`.
  spec::PrependScheme prepend_scheme() const {
    if (!add_prefix_space()) return spec::PrependScheme::kNever;
    return (kind_ == Kind::kLlama || kind_ == Kind::kT5) && !legacy() ? spec::PrependScheme::kFirst : spec::PrependScheme::kAlways;
  }

  void make_pre_tokenizer() {
    spec::PreTokenizer metaspace, outer;
    metaspace.kind = spec::PreTokenizer::kMetaspace;
    metaspace.prepend_scheme = prepend_scheme();
    spec_.decoder = decoder(spec::Decoder::kMetaspace);
    spec_.decoder->prepend_scheme = prepend_scheme();
    const auto sequence_of = [&](std::vector<spec::PreTokenizer> parts) {
      outer.pretokenizers = std::move(parts);
      spec_.pre_tokenizer = std::move(outer);
    };
    switch (kind_) {
      case Kind::kDebertaV2:
        if (flag(settings_, "split_by_punct", false)) {
          spec::PreTokenizer punctuation;
          punctuation.kind = spec::PreTokenizer::kPunctuation;
          sequence_of({punctuation, metaspace});
        } else sequence_of({metaspace});
        break;
      case Kind::kPegasus: {
        spec::PreTokenizer space;
        space.kind = spec::PreTokenizer::kWhitespaceSplit;
        sequence_of({space, metaspace});
        break;
      }
      case Kind::kLlama:
        metaspace.split = false;
        if (!legacy()) spec_.pre_tokenizer = metaspace;
        replace_and_fuse(add_prefix_space());
        break;
      case Kind::kGemma: {
        spec::PreTokenizer split;
        split.kind = spec::PreTokenizer::kSplit;
        split.pattern = {false, " "};
        split.behavior = spec::SplitBehavior::kMergedWithPrevious;
        spec_.pre_tokenizer = split;
        replace_and_fuse(false);
        break;
      }
      default: spec_.pre_tokenizer = metaspace;
    }
  }

  void replace_and_fuse(bool strip) {
    spec::Decoder all = decoder(spec::Decoder::kSequence), spaces = decoder(spec::Decoder::kReplace);
    spaces.pattern = {false, "\u2581"};
    spaces.content = " ";
    all.decoders = {spaces, decoder(spec::Decoder::kByteFallback), decoder(spec::Decoder::kFuse)};
    if (strip) {
      spec::Decoder first = decoder(spec::Decoder::kStrip);
      first.content = " ";
      first.start = 1;
      all.decoders.push_back(first);
    }
    spec_.decoder = all;
  }

  void make_post_processor() {
    const auto set = [&](const std::string& single, const std::string& pair) { spec_.post_processor = template_of(spec_, settings_, single, pair); };
    switch (kind_) {
      case Kind::kAlbert: case Kind::kDebertaV2: case Kind::kRemBert: case Kind::kBigBird:
        set("[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1");
        break;
      case Kind::kBarthez: case Kind::kCamembert: case Kind::kXlmRoberta: set("<s> $A </s>", "<s> $A </s> </s> $B </s>"); break;
      case Kind::kXglm: set("</s> $A", "</s> $A </s> </s> $B"); break;
      case Kind::kT5: set("$A </s>", "$A </s> $B </s>"); break;
      case Kind::kXlnet: set("$A:0 <sep>:0 <cls>:2", "$A:0 <sep>:0 $B:1 <sep>:1 <cls>:2"); break;
      case Kind::kPegasus: {
        const std::string eos = special(settings_.special.eos_token, "</s>");
        set("$A " + eos, "$A $B " + eos);
        break;
      }
      default: break;  // none, or made of the settings (Llama, Gemma) or the language (mBART, NLLB)
    }
  }

  const TokenizerSettings& settings_;
  Kind kind_;
  std::shared_ptr<Storage> storage_;
  TokenizerSpec spec_;
  int unk_id_ = 0;
};

}  // namespace

std::optional<TokenizerSpec> from_sentencepiece(const TokenizerSettings& settings) {
  for (const Class& known : kClasses) {
    if (known.name == settings.tokenizer_class) return Converter(settings, known).convert();
  }
  return std::nullopt;
}

}  // namespace polymath::convert
