"""What the generating pipelines are asked: every parameter of generate() that has one answer, on odd texts.

Sampling is asked for only where a filter leaves one token; `common.randomize` makes the models wordy, so many calls name
tokens that end a text. Calls that hang on rounding are left out by record_pipelines.py.
"""

from pipeline_texts import LONG, NEWS, SHORT, UNICODE

ENDS = list(range(7, 400, 13))  # tokens of which one comes up soon


def call(inputs, **parameters):
    return {"inputs": inputs, "parameters": parameters} if parameters else {"inputs": inputs}


def searches(greedy, guided=False):
    """Parameters of generate(); greedy: what turns the pipeline's own defaults off."""
    beams = {k: v for k, v in greedy.items() if k != "num_beams"}
    yield greedy
    yield greedy | dict(eos_token_id=ENDS)
    yield greedy | dict(eos_token_id=ENDS, min_new_tokens=9)
    yield greedy | dict(eos_token_id=ENDS, min_length=12)
    yield greedy | dict(eos_token_id=ENDS, min_length=12, min_new_tokens=2)
    yield greedy | dict(eos_token_id=40, forced_eos_token_id=[40, 41])
    yield greedy | dict(eos_token_id=40, forced_eos_token_id=40, forced_bos_token_id=17)
    yield greedy | dict(repetition_penalty=1.7)
    yield greedy | dict(repetition_penalty=0.6)
    yield greedy | dict(encoder_repetition_penalty=1.9)
    yield greedy | dict(no_repeat_ngram_size=2)
    yield greedy | dict(no_repeat_ngram_size=1)
    yield greedy | dict(encoder_no_repeat_ngram_size=2)
    yield greedy | dict(bad_words_ids=[[i] for i in range(0, 300, 3)] + [[7, 8], [40]], eos_token_id=40)
    yield greedy | dict(suppress_tokens=list(range(100, 400)), begin_suppress_tokens=list(range(0, 60)))
    yield greedy | dict(sequence_bias=[[[20], 8.5], [[30, 31], -4.0], [[20, 33], 20.0], [[20, 33, 21], 15.5]])
    yield greedy | dict(exponential_decay_length_penalty=[3, 1.6], min_length=0, eos_token_id=ENDS[:4])
    if guided:
        yield greedy | dict(guidance_scale=2.5)
        yield beams | dict(num_beams=3, guidance_scale=1.7, eos_token_id=ENDS)
    yield greedy | dict(renormalize_logits=True, remove_invalid_values=True)
    yield greedy | dict(pad_token_id=3, eos_token_id=ENDS)
    for length_penalty in (1.0, 2.0, -1.5, 0.0):
        for early_stopping in (False, True, "never"):
            yield beams | dict(num_beams=3, length_penalty=length_penalty, early_stopping=early_stopping, eos_token_id=ENDS)
    yield beams | dict(num_beams=5, num_return_sequences=4, eos_token_id=ENDS)
    yield beams | dict(num_beams=2, num_return_sequences=2)
    yield beams | dict(num_beams=4, eos_token_id=ENDS, min_new_tokens=6, no_repeat_ngram_size=2, repetition_penalty=1.2)
    yield beams | dict(num_beams=4, renormalize_logits=True, bad_words_ids=[[i] for i in range(0, 200, 2)], eos_token_id=ENDS)
    yield beams | dict(num_beams=3, eos_token_id=40, forced_eos_token_id=40)
    yield beams | dict(num_beams=3, forced_bos_token_id=12, eos_token_id=ENDS, min_length=0, exponential_decay_length_penalty=[2, 1.3])
    yield beams | dict(num_beams=3, eos_token_id=ENDS, use_cache=False)
    # sampling that has one outcome
    yield greedy | dict(do_sample=True, top_k=1)
    yield greedy | dict(do_sample=True, temperature=1e-4, top_k=0)
    yield greedy | dict(do_sample=True, top_p=0.0001, num_return_sequences=2)
    yield greedy | dict(do_sample=True, min_p=1.0, temperature=0.5)
    # refused
    for wrong in (dict(num_beams=0), dict(num_return_sequences=3, num_beams=2), dict(num_return_sequences=2, num_beams=1, do_sample=False),
                  dict(early_stopping="soon"), dict(repetition_penalty=2), dict(repetition_penalty=-1.0), dict(max_new_tokens=0),
                  dict(do_sample=True, temperature=0.0), dict(do_sample=True, top_k=-3), dict(do_sample=True, top_p=-0.5),
                  dict(do_sample=True, min_p=1.5), dict(bad_words_ids=[]), dict(bad_words_ids=[7]), dict(bad_words_ids=[[99999]]),
                  dict(sequence_bias=[[[20], 8]]), dict(not_a_parameter=3), dict(num_beams="four"), dict(max_new_tokens="x"),
                  dict(forced_bos_token_id=99999), dict(suppress_tokens=5), dict(exponential_decay_length_penalty=[3, "x"]),
                  dict(do_sample=True, typical_p=-1.0), dict(encoder_repetition_penalty=3)):
        yield greedy | wrong


def text_generation(checkpoint, tokenizer):
    greedy = dict(do_sample=False, num_beams=1, max_new_tokens=14)
    for i, parameters in enumerate(searches(greedy, guided=True)):
        yield call((SHORT[:3] + UNICODE[:4])[i % 7], **parameters)
    yield call(SHORT[0], do_sample=False)  # to the pipeline's length
    yield call([SHORT[0]], **greedy)
    yield call([SHORT[0], UNICODE[0], SHORT[3]], **greedy)
    if tokenizer.pad_token and tokenizer.padding_side == "left":
        yield call([SHORT[0], UNICODE[0], SHORT[3]], batch_size=2, **greedy)
        yield call([SHORT[0], UNICODE[0], SHORT[3]], batch_size=3, num_beams=3, do_sample=False, max_new_tokens=11, eos_token_id=ENDS)
        yield call([SHORT[0], UNICODE[0], SHORT[3]], batch_size=3, do_sample=False, max_length=40, repetition_penalty=1.3, no_repeat_ngram_size=2)
    yield call([SHORT[0], SHORT[2]], num_beams=3, num_return_sequences=2, do_sample=False, max_new_tokens=8, eos_token_id=ENDS)
    yield call(SHORT[0], return_full_text=False, **greedy)
    yield call(UNICODE[4], return_full_text=False, **greedy)
    yield call(SHORT[0], return_tensors=True, **greedy)
    yield call(SHORT[0], return_tensors=True, num_beams=4, num_return_sequences=3, do_sample=False, max_new_tokens=12, eos_token_id=ENDS)
    yield call(SHORT[0], return_tensors=True, return_full_text=True, **greedy)
    yield call(SHORT[0], return_text=True, return_full_text=True, **greedy)
    yield call(SHORT[0], return_text=True, **greedy)
    yield call(SHORT[3], clean_up_tokenization_spaces=False, **greedy)
    yield call(SHORT[3] + " I'm , well .", clean_up_tokenization_spaces=True, **greedy)
    yield call(SHORT[1], skip_special_tokens=False, eos_token_id=ENDS, **greedy)
    yield call(SHORT[1], stop_sequence=" the", **greedy)
    yield call(SHORT[1], prefix="Once: ", **greedy)
    yield call(SHORT[1], prefix="Once upon ", do_sample=False, max_length=30)
    yield call(SHORT[1], prefix="Once upon ", do_sample=False, max_length=30, min_length=25, eos_token_id=ENDS)
    yield call(SHORT[1], do_sample=False, max_length=30)
    yield call(SHORT[1], do_sample=False, max_length=30, max_new_tokens=5)
    yield call(SHORT[1], do_sample=False, max_length=3, max_new_tokens=None)
    yield call(SHORT[1], do_sample=False, max_length=40, max_new_tokens=None)
    yield call(LONG, do_sample=False, max_length=20, truncation=True, max_new_tokens=6)
    yield call(LONG, do_sample=False, handle_long_generation="hole", max_new_tokens=20)
    yield call(LONG * 3, do_sample=False, handle_long_generation="hole", max_new_tokens=9)
    yield call(LONG, do_sample=False, handle_long_generation="gap", max_new_tokens=20)
    if tokenizer.model_max_length < 1000:
        yield call(LONG, do_sample=False, handle_long_generation="hole", max_new_tokens=20000)
    yield call("", **greedy)
    yield call("", do_sample=False, num_beams=3, max_new_tokens=10, add_special_tokens=False)
    yield call(SHORT[0], add_special_tokens=False, **greedy)
    yield call(SHORT[0], tokenizer_encode_kwargs={"add_special_tokens": False}, **greedy)
    yield call(SHORT[0], tokenizer_encode_kwargs={"truncation": True, "max_length": 5}, **greedy)
    yield call([], **greedy)
    yield call(17, **greedy)
    yield call([SHORT[0], 3], **greedy)
    yield call(UNICODE[6], max_time=100.5, **greedy)
    yield call(SHORT[2], do_sample=True, top_k=1, num_beams=1, repetition_penalty=1.3, max_new_tokens=20)
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": UNICODE[2]}]
    prefilled = chat + [{"role": "assistant", "content": "The answer"}]
    yield call(chat, **greedy)
    yield call([chat, chat[1:]], **greedy)
    yield call(chat, return_full_text=False, **greedy)
    yield call(prefilled, **greedy)
    yield call(prefilled, continue_final_message=False, **greedy)
    yield call(prefilled, return_full_text=False, continue_final_message=True, **greedy)
    yield call(chat[1:], num_beams=2, num_return_sequences=2, do_sample=False, max_new_tokens=7)
    yield call(chat, tokenizer_encode_kwargs={"truncation": True, "max_length": 9}, **greedy)
    yield call(chat + [{"role": "user"}], **greedy)


def seq2seq(checkpoint, tokenizer, **always):
    greedy = dict(num_beams=1, max_new_tokens=14) | always
    for i, parameters in enumerate(searches(greedy)):
        yield call((SHORT[:3] + UNICODE[:4])[i % 7], **parameters)
    for text in [SHORT[0], *UNICODE[1:3]]:
        yield call(text, max_new_tokens=20, **always)
    yield call([NEWS[:200]], max_new_tokens=20, **always)
    yield call([SHORT[0], SHORT[2], UNICODE[0]], max_new_tokens=12, **always)
    yield call([SHORT[0], SHORT[2], UNICODE[0]], max_new_tokens=12, batch_size=2, **always)
    yield call([SHORT[0], SHORT[2]], num_beams=3, num_return_sequences=2, max_new_tokens=8, eos_token_id=ENDS, **always)
    yield call([[SHORT[0], SHORT[2]], [UNICODE[0]]], max_new_tokens=10, **always)
    yield call(SHORT[0], return_tensors=True, max_new_tokens=9, **always)
    yield call(SHORT[0], return_tensors=True, num_beams=4, num_return_sequences=3, max_new_tokens=9, eos_token_id=ENDS, **always)
    yield call(SHORT[0], return_tensors=True, return_text=True, max_new_tokens=9, **always)
    yield call(SHORT[3], clean_up_tokenization_spaces=True, max_new_tokens=15, **always)
    yield call(LONG, truncation=True, max_new_tokens=12, **always)
    yield call(LONG, truncation="only_first", max_new_tokens=12, **always)
    yield call(SHORT[1], stop_sequence="the", max_new_tokens=12, **always)
    yield call(SHORT[1], max_length=9, **always)
    yield call(SHORT[1], max_length=9, max_new_tokens=None, **always)
    yield call(SHORT[1], max_length=9, min_length=8, max_new_tokens=None, num_beams=2, eos_token_id=ENDS, **always)
    yield call(SHORT[1], decoder_start_token_id=5, max_new_tokens=8, **always)
    yield call("", max_new_tokens=6, **always)
    yield call([], **always)
    yield call(5, **always)
    yield call(SHORT[2], do_sample=True, top_k=1, num_beams=1, max_new_tokens=9, **always)


def summarization(checkpoint, tokenizer):
    yield from seq2seq(checkpoint, tokenizer)
    yield call(NEWS, max_new_tokens=30)
    yield call(NEWS[:300])


def languages(checkpoint):
    if "nllb" in checkpoint.name:
        return dict(src_lang="eng_Latn", tgt_lang="fra_Latn"), dict(src_lang="deu_Latn", tgt_lang="jpn_Jpan"), dict(src_lang="eng_Latn", tgt_lang="tlh")
    if "M2M100" in checkpoint.cls:
        return dict(src_lang="en", tgt_lang="fr"), dict(src_lang="de", tgt_lang="ast"), dict(src_lang="en", tgt_lang="tlh")
    if "MBart" in checkpoint.cls:
        return dict(src_lang="en_XX", tgt_lang="fr_XX"), dict(src_lang="de_DE", tgt_lang="ja_XX"), dict(src_lang="en_XX", tgt_lang="tlh")
    return {}, dict(src_lang="en", tgt_lang="fr"), dict(src_lang="x")


def translation(checkpoint, tokenizer):
    usual, other, odd = languages(checkpoint)
    yield from seq2seq(checkpoint, tokenizer, **usual)
    for pair in (other, odd, {}, dict(src_lang="en")):
        yield call(SHORT[0], max_new_tokens=10, **pair)
        yield call(LONG, max_new_tokens=7, truncation=True, **pair)
    yield call(">>fra<< " + SHORT[2], max_new_tokens=10, **usual)


def translation_pair(checkpoint, tokenizer):
    yield call(SHORT[0], max_new_tokens=10)
    yield call([SHORT[0], UNICODE[1]], max_new_tokens=10)
    yield call(SHORT[0], max_new_tokens=10, **languages(checkpoint)[1])


GENERATION_CALLS = {"text-generation": text_generation, "text2text-generation": seq2seq, "summarization": summarization,
                    "translation": translation, "translation_en_to_fr": translation_pair,
                    "translation_en_to_de": translation_pair}
