"""Texts that tokenizers get wrong, the same at every run."""

import random

SCRIPTS = [(0x20, 0x7E), (0xA0, 0xFF), (0x100, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x4FF), (0x591, 0x5F4), (0x600, 0x6FF), (0x900, 0x97F),
           (0xE00, 0xE7F), (0x1100, 0x11FF), (0x1E00, 0x1EFF), (0x1F00, 0x1FFF), (0x2000, 0x206F), (0x20A0, 0x20CF), (0x2100, 0x214F), (0x2460, 0x24FF),
           (0x3040, 0x30FF), (0x3400, 0x3420), (0x4E00, 0x4FFF), (0xA640, 0xA69F), (0xAC00, 0xAD00), (0xF900, 0xFA20), (0xFB00, 0xFDFF), (0xFE00, 0xFE6F),
           (0xFF00, 0xFFEF), (0x10400, 0x1044F), (0x11900, 0x11960), (0x1D400, 0x1D7FF), (0x1F1E6, 0x1F1FF), (0x1F300, 0x1F6FF), (0x1FA70, 0x1FAFF),
           (0x20000, 0x20100), (0x2F800, 0x2FA1D), (0xE0000, 0xE007F), (0xF0000, 0xF0010)]

FIXED = [
    "", " ", "  ", "\t", "\n", "\r\n", "\0", "a\0b", "\x7f\x80\x85\x9f", "\ufeffBOM", "a\u200bb\u200cc\u200dd", "\u202eRTL\u202c", "שלום עולם مرحبا",
    "e\u0301 é E\u0301 É ẛ̣ ﬁ ﬃ ½ ² ㎏ Å Ω", "각 각 \u1100\u1161\u11a8 \u1112\u1161\u11ab", "İstanbul ıI i̇ ẞß ſs Kelvin K", "ΌΣΟΣ ς σ", "👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇫🇷🇬 👍🏽 ☎️ ©\u200d©",
    "नमस्ते क्षत्रिय ก็ไม่ได้ தமிழ் မြန်မာ ខ្មែរ", "日本語テスト ｶﾀｶﾅ ー・々〆〇", "中文字符,标点。！？ 𠀀𪛖 𰀀 \u9fff\ufa0e", "한국어 텍스트", "Ａｂｃ１２３！", "①②③ Ⅳ ⅷ ¼",
    "don't can't I'll we're they've I'm he'd 's 'S 'LL 'ſ", "a  b   c    d", " leading", "trailing ", "\u00a0nbsp\u00a0 \u3000wide\u3000", "x\u2028y\u2029z", "1234567890 3.14 1,000 ١٢٣ १२३ ௧௨௩ ๑๒๓",
    "\u0378\u0379 \U000e0fff \U0010ffff \ufdd0\uffff \ue000 \U000f0000", "\u1c89\ua7cb\ua7dc \U00010d50 \U00010d70 \u0897 \U000105c0 \U0001e5f0 \U0001fae9", "Ⱟⱟ \ua7c0\ua7c1 \u2e52 \u20c0 \u20c1",
    "[CLS] [SEP] [MASK] [PAD] [UNK] <s> </s> <mask> <pad> <unk> <|endoftext|> <|im_start|>", "[MASK][MASK]x[MASK]", "a<mask>b <mask> c  <mask>  d", "<|endoftext|><|endoftext|> <|end", "▁▁ ▁a a▁ ▁", "Ġa Ċb Ń ł",
    "#tag  #tag#tag the theme the, São SãoPaulo", "_under_score __init__ foo_bar", "http://x.y/z?a=b&c=d#e %20 a@b.co", "\\n \\u0041 \\", "{\"json\": [1, 2, null]}", "<0x41> <0xE2> <0x+1>", "e" + "\u0301" * 40,
    "\u0344 \u0340\u0341 \u0f73\u0f75\u0f81 \u0958 \u2adc \ufb1d \U0001d15e", "a\u0315\u0300\u05ae\u0300b \u0061\u0305\u0315\u0300\u05aeb", "\u0c46\u0c56 \u09c7\u0334\u09be \u1100\u0334\u1161 \u0b47\u0300\u0b3e", "q\u0307\u0323 \u1e0b\u0323 d\u0323\u0307",
    "x" * 99, "x" * 100, "x" * 101, "é" * 100, "é" * 101, "word" * 60, "!" * 300, "a " * 300, "…" * 50, "ab" * 3000, "\u4e2d" * 1000, "🙂" * 500,
    "The quick brown fox jumps over the lazy dog.", "Zażółć gęślą jaźń", "Příliš žluťoučký kůň", "Съешь ещё этих мягких французских булок", "ὁ ἄνθρωπος ᾳ ᾼ ΐ", "Đặng Thị Ngọc Thịnh", "\u01c5\u01c8\u01f2 \u1f88 \u1fbc", "\ud7a3\u11a7\u11c3 가\u11a7",
]


def hostile(count, seed=7):
    rng = random.Random(seed)
    yield from FIXED
    words = " ".join(FIXED[:60]).split(" ")
    for i in range(count):
        kind = i % 5
        if kind == 0:  # anything
            yield "".join(chr(c if not 0xD800 <= c < 0xE000 else 0x20) for c in (rng.randrange(0x110000) for _ in range(rng.randrange(1, 40))))
        elif kind == 1:  # scripts, mixed
            out = []
            for _ in range(rng.randrange(1, 12)):
                low, high = rng.choice(SCRIPTS)
                out += [chr(rng.randint(low, high)) for _ in range(rng.randrange(1, 5))]
                out.append(rng.choice(["", " ", " ", "  ", "\n", "\u3000", "."]))
            yield "".join(out)
        elif kind == 2:  # hard words, glued
            yield "".join(rng.choice(words) + rng.choice(["", "", " ", "  ", "\t", ".", "-"]) for _ in range(rng.randrange(1, 8)))
        elif kind == 3:  # letters with marks
            yield "".join(rng.choice("aeinousAEIÅöк日ハ가\u1100\u1161") + "".join(chr(rng.randrange(0x300, 0x370)) for _ in range(rng.randrange(4))) + rng.choice(["", " "]) for _ in range(rng.randrange(1, 12)))
        else:  # ASCII noise
            yield "".join(chr(rng.choice([rng.randrange(0, 128), rng.randrange(32, 127), 32])) for _ in range(rng.randrange(1, 60)))
