"""The inputs of forward goldens: padding on both sides, holes, single tokens, odd lengths, segments, no mask; and targets."""

import torch


def _ids(g, shape, vocab, pad):
    ids = torch.randint(5, vocab, shape, generator=g)
    return torch.where(ids == pad, torch.full_like(ids, vocab - 1 if pad != vocab - 1 else vocab - 2), ids)


def _segments(g, shape, kinds):
    return torch.randint(0, kinds, shape, generator=g)


def _padded(g, lengths, width, side, vocab, pad):
    ids = _ids(g, (len(lengths), width), vocab, pad)
    column = torch.arange(width)
    n = torch.tensor(lengths)[:, None]
    mask = (column < n) if side == "right" else (column >= width - n)
    return torch.where(mask, ids, torch.full_like(ids, pad)), mask.long()


def make_cases(g, *, vocab, pad, longest, segments, positions, full):
    """A list of (about, inputs). `segments`: number of token types the class takes, 0 if none; `positions`: the first
    free position when the class takes position_ids, else None; `full`: all cases rather than the four main ones."""
    cases = []

    def add(about, ids, mask=None, types=True, **more):
        inputs = {"input_ids": ids}
        if mask is not None:
            inputs["attention_mask"] = mask
        if types and segments:
            inputs["token_type_ids"] = _segments(g, ids.shape, segments)
        cases.append((about, inputs | more))

    add("right padding", *_padded(g, [11, 7, 3], 11, "right", vocab, pad))
    add("left padding", *_padded(g, [13, 4, 9], 13, "left", vocab, pad))
    add("one row, no mask, no segments", _ids(g, (1, longest), vocab, pad), types=False)
    add("one token", _ids(g, (1, 1), vocab, pad))
    if full:
        ids = _ids(g, (2, longest - 2), vocab, pad)
        mask = (torch.rand(ids.shape, generator=g) > 0.3).long()
        mask[:, 0] = 1
        add("holes in the mask", ids, mask)
        ids = _ids(g, (2, 9), vocab, pad)
        ids[0, 4] = ids[1, 2] = ids[1, 8] = pad
        add("pad ids in the middle, mask of ones", ids, torch.ones_like(ids))
        ids, mask = _padded(g, [6, 17, 2, 1, 12], 17, "right", vocab, pad)
        add("five rows", ids, mask, types=False)
        if positions is not None:
            ids = _ids(g, (2, 7), vocab, pad)
            where = torch.stack([torch.randperm(longest, generator=g)[:7] for _ in range(2)]) + positions
            add("position_ids given", ids, None, position_ids=where)
    return cases


def with_targets(g, cases, config, cls, derives):
    """The cases of an encoder-decoder's class: decoder ids of other lengths, padded on the same side as the source or without a
    mask. `derives`: the family does without decoder ids. A sequence classifier reads the row of the source's last eos token, so
    that its decoder ids are as long as the source's."""
    if cls.endswith(("EncoderModel", "TokenClassification")):
        return cases
    vocab, pad = getattr(config, "decoder_vocab_size", config.vocab_size), config.pad_token_id
    eos = config.eos_token_id if cls.endswith("SequenceClassification") else None
    derives = derives or cls.endswith(("SequenceClassification", "QuestionAnswering"))
    result = []
    for about, inputs in cases:
        ids = inputs["input_ids"]
        rows, columns = ids.shape
        if eos is not None:
            mask = inputs.get("attention_mask", torch.ones_like(ids))
            for row in range(rows):
                seen = mask[row].nonzero().flatten().tolist()
                for at in ([seen[len(seen) // 2 - 1]] if columns > 2 else []) + [seen[-1]]:
                    ids[row, at] = eos
        if derives:
            result.append((about + ", no decoder ids", inputs))
            if about not in ("right padding", "left padding"):
                continue
        if eos is not None:
            target, mask = _ids(g, ids.shape, vocab, pad), inputs["attention_mask"].clone()
        elif "attention_mask" in inputs and not inputs["attention_mask"].all() and "holes" not in about:
            width = [6, 8, 5][rows % 3]
            lengths = [width, 2, 4, 1, 5][:rows]
            target, mask = _padded(g, lengths[::-1], width, "left" if "left" in about else "right", vocab, pad)
        else:
            target, mask = _ids(g, (rows, 1 if columns == 1 else columns // 2 + 1), vocab, pad), None
        more = {"decoder_input_ids": target} | ({} if mask is None else {"decoder_attention_mask": mask})
        result.append((about, inputs | more))
    return result
