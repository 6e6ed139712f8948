"""What each pipeline golden is asked: every call-time parameter of the six pipelines, on texts short, long and odd."""

from pipeline_texts import ENTITY_WORDS, LONG, NEWS, SHORT, UNICODE


def call(inputs, **parameters):
    return {"inputs": inputs, "parameters": parameters} if parameters else {"inputs": inputs}


def feature_extraction(checkpoint, tokenizer):
    yield call(SHORT[0])
    yield call(SHORT[4])
    yield call([SHORT[1]])
    yield call([SHORT[3], UNICODE[2]])
    for text in UNICODE[3:6]:
        yield call(text)
    yield call(LONG, truncation=True, tokenize_kwargs={"max_length": 12})
    yield call(LONG[:90], tokenize_kwargs={"truncation": True, "max_length": 7, "padding": "max_length"})
    yield call(SHORT[0], tokenize_kwargs={"padding": "max_length", "max_length": 14})
    yield call(SHORT[0], tokenize_kwargs={"add_special_tokens": False})
    yield call(SHORT[0], truncation=True, tokenize_kwargs={"truncation": True})
    yield call(SHORT[0], return_tensors=True)
    if tokenizer.model_max_length < 100:
        yield call(LONG[:200], truncation=True)
    if not checkpoint.cls.startswith("ModernBert"):
        yield call(LONG * 4)  # past the position table
    yield call(17)
    yield call(SHORT[:3], batch_size=2)
    yield call([SHORT[0]], batch_size=1, num_workers=0)
    yield call([])
    yield call(None)


def fill_mask(checkpoint, tokenizer):
    m = tokenizer.mask_token
    yield call(f"The capital of {m} is Paris.")
    yield call(f"The capital of {m} is Paris.", top_k=1)
    yield call(f"{m}")
    yield call(f"Søren likes{m}, the café 😀 and 東京.", top_k=3)
    yield call(f"The {m} met {m} in London.", top_k=2)
    yield call(f"{m} {m}{m} .")
    yield call([f"One {m} here.", f"Two {m} there, friend."], top_k=2)
    yield call([f"Only one {m} in a list."])
    yield call([f"One {m}.", f"Two {m} {m}."], top_k=1)
    yield call(f"It isn't {m} , but we 're \" {m} \" .", top_k=2)
    yield call(f"The {m} is big.", targets="the")
    yield call(f"The {m} is big.", targets=["river", "the", "Ġthe", "▁the", "film"])
    yield call(f"The {m} is big.", targets=["unbelievable-word", "the"], top_k=10)
    yield call(f"The {m} is {m}.", targets=["in", "was", "in"], top_k=1)
    yield call(f"The {m} is big.", targets=[""])
    yield call(f"The {m} is big.", targets=[])
    yield call(f"The {m} is big.", targets=["", "on"])
    yield call(f"In {m} " + LONG[:60], top_k=4)
    yield call(f"In {m} " + LONG, tokenizer_kwargs={"truncation": True, "max_length": 20}, top_k=2)
    yield call(f"Pad {m} now", tokenizer_kwargs={"padding": "max_length", "max_length": 16}, top_k=2)
    yield call(LONG + m, tokenizer_kwargs={"truncation": True, "max_length": 20})
    yield call("There is no mask here.")
    yield call([f"Fine {m}.", "not fine."])
    yield call(f"The {m}.", top_k=0)
    yield call("")
    yield call(UNICODE[0] + m, top_k=2)
    yield call(f"x {tokenizer.pad_token} y {m}", top_k=2)
    yield call([f"One {m} here.", f"Two {m} there, dear friend.", f"{m}!"], batch_size=2, top_k=2)
    yield call([f"One {m} here.", f"Two {m} {m}."], batch_size=2, top_k=2)
    yield call([])


def token_classification(checkpoint, tokenizer):
    strategies = ["none", "simple", "first", "average", "max"]
    for text in (SHORT[0], UNICODE[0], UNICODE[2]):
        yield call(text)
        for strategy in strategies[1:]:
            yield call(text, aggregation_strategy=strategy)
    for i, text in enumerate(SHORT[2:] + UNICODE[1:2] + UNICODE[3:]):
        yield call(text, aggregation_strategy=strategies[i % 5], ignore_labels=[])
    names = list(checkpoint.config["id2label"].values())
    yield call(SHORT[3], aggregation_strategy="simple", ignore_labels=[names[0], names[1][2:], names[-1]])
    yield call(SHORT[3], ignore_labels=[names[1], names[-1]])
    yield call(SHORT[:2], aggregation_strategy="average")
    yield call([SHORT[0]])
    yield call(SHORT[3], grouped_entities=True)
    yield call(SHORT[3], grouped_entities=True, ignore_subwords=True)
    yield call(SHORT[3], grouped_entities=False, ignore_subwords=True)
    yield call(SHORT[3], ignore_subwords=False)
    for i, words in enumerate(ENTITY_WORDS):
        yield call(words, is_split_into_words=True, aggregation_strategy=strategies[1 + i])
        yield call(words, is_split_into_words=True)
        yield call([words, ENTITY_WORDS[0]], is_split_into_words=True, aggregation_strategy="max", delimiter="")
        yield call(words, is_split_into_words=True, aggregation_strategy="average", delimiter=" | ")
    yield call(LONG)
    yield call(LONG, aggregation_strategy="first")
    if tokenizer.model_max_length < 1000:
        for strategy in strategies[1:]:
            yield call(LONG, aggregation_strategy=strategy, stride=tokenizer.model_max_length // 3)
        yield call([LONG, SHORT[0]], aggregation_strategy="simple", stride=0)
        yield call(LONG, aggregation_strategy="simple", stride=6, ignore_labels=[])
        yield call(LONG.split(), aggregation_strategy="first", stride=5, is_split_into_words=True)
        yield call(LONG, aggregation_strategy="simple", stride=tokenizer.model_max_length - 1)
    yield call(SHORT[0], aggregation_strategy="simple", stride=100000)
    yield call(LONG, aggregation_strategy="none", stride=4)
    yield call(LONG, stride=4)
    yield call(SHORT[0], aggregation_strategy="best")
    yield call(SHORT[0], is_split_into_words=True)
    yield call([], aggregation_strategy="simple")
    yield call({"text": SHORT[0]})
    yield call(SHORT[:4] + UNICODE[:1], batch_size=2, aggregation_strategy="simple")
    yield call(SHORT[:3], batch_size=3)
    yield call([LONG, SHORT[0]], batch_size=3, aggregation_strategy="first", stride=4)


def question_answering(checkpoint, tokenizer):
    def ask(question, context, **parameters):
        return call({"question": question, "context": context}, **parameters)

    where = "Where is the bridge?"
    yield ask("Who met Charles?", SHORT[0])
    yield ask("Who met Charles?", SHORT[0], top_k=3)
    yield ask("Who met Charles?", SHORT[0], top_k=3, align_to_words=False)
    yield ask("Who met Charles?", SHORT[0], top_k=50)
    yield ask("Who?", "Nobody", top_k=2)
    yield ask(where, NEWS)
    yield ask(where, NEWS, top_k=5)
    yield ask(where, NEWS, top_k=5, align_to_words=False)
    yield ask(where, NEWS, top_k=4, handle_impossible_answer=True)
    yield ask(where, NEWS, handle_impossible_answer=True)
    yield ask("Who?", SHORT[2], handle_impossible_answer=True, top_k=3)
    yield ask(where, NEWS, max_answer_len=1, top_k=4)
    yield ask(where, NEWS, max_answer_len=40, top_k=4)
    yield ask(where, NEWS, max_seq_len=32, doc_stride=8, top_k=4)
    yield ask(where, NEWS, max_seq_len=28, top_k=2)
    yield ask(where, NEWS, doc_stride=3)
    yield ask(where, NEWS, max_seq_len=30, doc_stride=0, top_k=2)
    yield ask(where, NEWS, max_seq_len=40, doc_stride=12, padding="max_length", top_k=4)
    yield ask(where, NEWS, max_seq_len=40, doc_stride=12, padding="longest", handle_impossible_answer=True, top_k=3)
    yield ask("Who?", SHORT[0], padding="max_length", max_seq_len=30, top_k=3)
    yield ask(where, NEWS, max_question_len=2, top_k=2)
    yield ask(where, (NEWS + LONG) * 2, top_k=6, max_answer_len=3)
    for text in UNICODE:
        yield ask("Où est Jürgen 東京 😀?", text, top_k=2)
    yield ask(UNICODE[5], UNICODE[2] + UNICODE[4])
    yield ask("Who?", "the the The THE the the", top_k=5, max_answer_len=2)
    yield ask("Who?", SHORT[5])
    yield call([{"question": "Who?", "context": SHORT[0]}, {"question": where, "context": NEWS}])
    yield call([{"question": "Who?", "context": SHORT[0]}])
    yield call([{"question": "Who?", "context": SHORT[0]}, {"question": "Why?", "context": SHORT[2]}], top_k=2)
    yield ask("Who?", "")
    yield ask("", SHORT[0])
    yield ask(None, SHORT[0])
    yield call({"question": "Who?"})
    yield call("Who met Charles?")
    yield ask("Who?", SHORT[0], top_k=0)
    yield ask("Who?", SHORT[0], max_answer_len=0)
    yield ask(where, NEWS, max_seq_len=20, doc_stride=30)
    yield ask("why " * 150, NEWS)
    yield ask("Who?", "   ")
    yield ask("Who?", "\u200b")
    yield ask(where, NEWS, batch_size=4, top_k=3)
    yield call([{"question": "Who?", "context": c} for c in SHORT[:3]], batch_size=2, max_seq_len=16, doc_stride=4)
    yield ask(where, NEWS, unknown_parameter=1)


def text_classification(checkpoint, tokenizer):
    for text in SHORT[:5] + UNICODE:
        yield call(text)
    yield call([SHORT[0]])
    yield call(SHORT[:3])
    yield call(SHORT[0], top_k=1)
    yield call(SHORT[0], top_k=2)
    yield call(SHORT[0], top_k=None)
    yield call(SHORT[:2], top_k=1)
    yield call(SHORT[:2], top_k=None)
    yield call(SHORT[:2], top_k=100)
    yield call(SHORT[1], top_k="all")
    for function in ("none", "sigmoid", "softmax"):
        yield call(SHORT[2], function_to_apply=function)
        yield call(SHORT[2], function_to_apply=function, top_k=None)
    yield call(SHORT[2], function_to_apply="relu")
    yield call(SHORT[2], return_all_scores=True)
    yield call(SHORT[:2], return_all_scores=True)
    yield call(SHORT[2], return_all_scores=False)
    yield call(SHORT[2], return_all_scores=True, top_k=1)
    yield call({"text": SHORT[0], "text_pair": SHORT[1]})
    yield call({"text": SHORT[0], "text_pair": SHORT[1]}, top_k=None)
    yield call({"text": SHORT[0]})
    yield call([{"text": SHORT[0], "text_pair": SHORT[1]}, {"text": SHORT[2], "text_pair": UNICODE[0]}])
    yield call([[[SHORT[0], SHORT[1]]]])
    yield call([[SHORT[0], SHORT[1]]])
    yield call([{"text": SHORT[0], "text_pair": SHORT[1]}], return_all_scores=True)
    yield call(LONG, truncation=True, max_length=16)
    yield call({"text": LONG, "text_pair": NEWS}, truncation="longest_first", max_length=30)
    yield call({"text": LONG, "text_pair": SHORT[1]}, truncation="only_first", max_length=30)
    yield call({"text": SHORT[1], "text_pair": LONG}, truncation="only_second", max_length=30)
    yield call(SHORT[0], padding="max_length", max_length=20)
    yield call(SHORT[0], add_special_tokens=False)
    if tokenizer.model_max_length < 100:
        yield call(LONG, truncation=True)
    yield call(LONG * 4)
    yield call(5)
    yield call(SHORT[:4], batch_size=3)
    yield call([{"text": t, "text_pair": SHORT[1]} for t in SHORT[:3]], batch_size=2, top_k=2)
    yield call([])
    yield call(SHORT[0], unknown_parameter=1)


def zero_shot_classification(checkpoint, tokenizer):
    topics = ["politics", "sport", "cooking"]
    for text in SHORT[:3] + UNICODE[:5]:
        yield call(text, candidate_labels=topics)
    yield call(SHORT[0], candidate_labels=topics, multi_label=True)
    yield call(SHORT[0], candidate_labels=topics, multi_class=True)
    yield call(SHORT[0], candidate_labels="politics, sport ,, cooking,")
    yield call(SHORT[0], candidate_labels="sport")
    yield call(SHORT[0], candidate_labels=["sport"], multi_label=True)
    yield call(SHORT[0], candidate_labels=["sport", "sport", "art"])
    yield call(SHORT[0], candidate_labels=["日本", "café", "😀 fun", ""])
    yield call(SHORT[:3], candidate_labels=topics)
    yield call(SHORT[:3], candidate_labels=topics, multi_label=True)
    yield call([SHORT[0]], candidate_labels=topics)
    yield call(SHORT[0], candidate_labels=topics, hypothesis_template="C'est {} !")
    yield call(SHORT[0], candidate_labels=topics, hypothesis_template="{} or {0}?")
    yield call(SHORT[0], candidate_labels=topics, hypothesis_template="{0} {{literal}} {0:>12} {0!r:.5}")
    yield call(SHORT[0], candidate_labels=topics, hypothesis_template="{}")
    yield call(SHORT[0], candidate_labels=topics, hypothesis_template="no braces")
    yield call(SHORT[0], candidate_labels=topics, hypothesis_template="{} and {}")
    yield call(SHORT[0], candidate_labels=topics, hypothesis_template="{label}")
    yield call(SHORT[0], candidate_labels=topics, hypothesis_template="open { brace")
    yield call(LONG[:80], candidate_labels=topics)
    if tokenizer.model_max_length < 100:
        yield call(LONG * 3, candidate_labels=topics)
        yield call(LONG * 3, candidate_labels=topics, multi_label=True, hypothesis_template="It is {} " + "very " * 30)
    yield call(SHORT[0], candidate_labels=[])
    yield call(SHORT[0], candidate_labels="")
    yield call(SHORT[0])
    yield call("", candidate_labels=topics)
    yield call([], candidate_labels=topics)
    yield call(NEWS[:100], candidate_labels=[f"label {i}" for i in range(12)])
    yield call(SHORT[:2], candidate_labels=topics, batch_size=2)
    yield call(SHORT[:2], candidate_labels=topics, batch_size=4, multi_label=True)
    yield call(SHORT[0], candidate_labels=topics, unknown_parameter=1)


CALLS = {"feature-extraction": feature_extraction, "fill-mask": fill_mask, "token-classification": token_classification,
         "question-answering": question_answering, "text-classification": text_classification,
         "zero-shot-classification": zero_shot_classification}
ALIASES = {"token-classification": "ner", "text-classification": "sentiment-analysis"}
