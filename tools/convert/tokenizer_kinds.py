"""Tokenizers of every kind that embedding models use, trained on given lines with Hugging Face `tokenizers`.

Each kind repeats the pipeline of a published family (normaliser, pre-tokenizer, model, post-processor, added tokens),
with a vocabulary of its own, so that no file has to be downloaded.
"""

from __future__ import annotations

import functools
import io
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

# The split of the Qwen2 and Qwen3 tokenizers.
QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@functools.cache
def _charsmap(rule: str) -> bytes:
    """The precompiled normalisation table that SentencePiece writes into a model: by name (nmt_nfkc) or from a TSV file."""
    model = io.BytesIO()
    named = {"normalization_rule_tsv": rule} if rule.endswith(".tsv") else {"normalization_rule_name": rule}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a b c d e f g"] * 4),
        model_writer=model,
        vocab_size=12,
        **named,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    return proto.normalizer_spec.precompiled_charsmap


def _pair(first: str, last: str, between: str, token: Callable[[str], int], types: bool) -> processors.TemplateProcessing:
    second = 1 if types else 0
    return processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {between} $B:{second} {last}:{second}",
        special_tokens=[(name, token(name)) for name in {first, last, *between.split()}],
    )


def _wordpiece(lines: Sequence[str], size: int, lowercase: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        lines, trainers.WordPieceTrainer(vocab_size=size, special_tokens=specials, show_progress=False)
    )
    tokenizer.post_processor = _pair("[CLS]", "[SEP]", "[SEP]", tokenizer.token_to_id, types=True)
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def bert(lines: Sequence[str], size: int) -> Tokenizer:
    """BERT uncased: WordPiece, lower case, no accents."""
    return _wordpiece(lines, size, lowercase=True)


def bert_cased(lines: Sequence[str], size: int) -> Tokenizer:
    """BERT cased and multilingual: WordPiece, case and accents kept."""
    return _wordpiece(lines, size, lowercase=False)


def mpnet(lines: Sequence[str], size: int) -> Tokenizer:
    """MPNet: WordPiece with RoBERTa's specials and post-processor."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
    tokenizer.train_from_iterator(
        lines, trainers.WordPieceTrainer(vocab_size=size, special_tokens=specials, show_progress=False)
    )
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", tokenizer.token_to_id("</s>")), ("<s>", tokenizer.token_to_id("<s>")), add_prefix_space=False
    )
    return tokenizer


def _byte_bpe(lines: Sequence[str], size: int, specials: Sequence[str], tokenizer: Tokenizer) -> Tokenizer:
    tokenizer.train_from_iterator(
        lines,
        trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=list(specials),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def roberta(lines: Sequence[str], size: int) -> Tokenizer:
    """RoBERTa: byte-level BPE, GPT-2's split, a mask token that takes the space before it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer = _byte_bpe(lines, size, ["<s>", "<pad>", "</s>", "<unk>", "<mask>"], tokenizer)
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", tokenizer.token_to_id("</s>")), ("<s>", tokenizer.token_to_id("<s>")), add_prefix_space=False
    )
    return tokenizer


def modernbert(lines: Sequence[str], size: int) -> Tokenizer:
    """ModernBERT (of GPT-NeoX): NFC, byte-level BPE, added tokens for runs of spaces, BERT's specials."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer = _byte_bpe(lines, size, ["[PAD]", "[UNK]", "[CLS]", "[SEP]"], tokenizer)
    tokenizer.add_tokens([AddedToken(" " * width, normalized=True) for width in range(24, 1, -1)])
    tokenizer.add_special_tokens([AddedToken("[MASK]", lstrip=True, special=True)])
    tokenizer.post_processor = _pair("[CLS]", "[SEP]", "[SEP]", tokenizer.token_to_id, types=False)
    return tokenizer


def qwen(lines: Sequence[str], size: int) -> Tokenizer:
    """Qwen2 and Qwen3: NFC, a split of its own before byte-level BPE, an end token after every text."""
    tokenizer = Tokenizer(models.BPE(fuse_unk=False, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_SPLIT), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False),
        ]
    )
    tokenizer = _byte_bpe(lines, size, [], tokenizer)
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer.add_tokens([AddedToken("<tool_call>", normalized=False)])
    end = tokenizer.token_to_id("<|endoftext|>")
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False),
            processors.TemplateProcessing(
                single="$A <|endoftext|>",
                pair="$A $B:1 <|endoftext|>:1",
                special_tokens=[("<|endoftext|>", end)],
            ),
        ]
    )
    return tokenizer


def llama(lines: Sequence[str], size: int) -> Tokenizer:
    """Llama and Gemma: BPE over SentencePiece's marks with byte fallback."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    bytes_ = [f"<0x{value:02X}>" for value in range(256)]
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("(?=▁)"), "isolated")
    tokenizer.train_from_iterator(
        lines,
        trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=["<unk>", "<s>", "</s>", *bytes_],
            limit_alphabet=200,
            show_progress=False,
        ),
    )
    # Only training needs the split, to keep words apart; published files have none.
    tokenizer.pre_tokenizer = None  # type: ignore[assignment]
    plain = _without_added(tokenizer, bytes_)
    plain.post_processor = processors.TemplateProcessing(
        single="<s> $A",
        pair="<s> $A <s>:1 $B:1",
        special_tokens=[("<s>", plain.token_to_id("<s>"))],
    )
    return plain


def _without_added(tokenizer: Tokenizer, names: Sequence[str]) -> Tokenizer:
    """The tokenizer with some tokens of its vocabulary no longer searched for in texts."""
    import json

    definition = json.loads(tokenizer.to_str())
    definition["added_tokens"] = [added for added in definition["added_tokens"] if added["content"] not in set(names)]
    return Tokenizer.from_str(json.dumps(definition))


def _unigram(lines: Sequence[str], size: int, normalizer, pre_tokenizer, specials: Sequence[str], unk: str) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator(
        lines,
        trainers.UnigramTrainer(
            vocab_size=size, special_tokens=list(specials), unk_token=unk, show_progress=False, max_piece_length=12
        ),
    )
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


def _small_table() -> str:
    """A TSV file with the rules for a few characters, because the whole table takes 300 kB."""
    rules = {"ﬁ": "fi", "㎏": "kg", "½": "1⁄2", "\u3000": " ", "\u00a0": " ", "\t": " ", "\n": " ", "e\u0301": "é"}
    codes = lambda text: " ".join(f"{ord(character):X}" for character in text)  # noqa: E731
    path = Path(tempfile.mkdtemp()) / "rules.tsv"
    path.write_text("".join(f"{codes(source)}\t{codes(target)}\n" for source, target in sorted(rules.items())))
    return str(path)


def xlm_roberta(lines: Sequence[str], size: int, small: bool = False) -> Tokenizer:
    """XLM-RoBERTa (bge-m3, bge-reranker-v2-m3): Unigram with SentencePiece's nmt_nfkc table, or a small part of it."""
    tokenizer = _unigram(
        lines,
        size,
        normalizers.Precompiled(_charsmap(_small_table() if small else "nmt_nfkc")),
        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]),
        ["<s>", "<pad>", "</s>", "<unk>"],
        "<unk>",
    )
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    tokenizer.post_processor = _pair("<s>", "</s>", "</s> </s>", tokenizer.token_to_id, types=False)
    return tokenizer


def xlm_roberta_replace(lines: Sequence[str], size: int) -> Tokenizer:
    """The same as newer converters write it: runs of spaces are replaced, then Metaspace alone."""
    tokenizer = _unigram(
        lines,
        size,
        normalizers.Sequence(
            [
                normalizers.Precompiled(_charsmap("nmt_nfkc")),
                normalizers.Strip(left=False, right=True),
                normalizers.Replace(Regex(" {2,}"), "▁"),
            ]
        ),
        pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always"),
        ["<s>", "<pad>", "</s>", "<unk>"],
        "<unk>",
    )
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    tokenizer.post_processor = _pair("<s>", "</s>", "</s> </s>", tokenizer.token_to_id, types=False)
    return tokenizer


def albert(lines: Sequence[str], size: int) -> Tokenizer:
    """ALBERT and XLNet: Unigram, quotes replaced, NFKD, no accents, lower case, then the table."""
    tokenizer = _unigram(
        lines,
        size,
        normalizers.Sequence(
            [
                normalizers.Replace("``", '"'),
                normalizers.Replace("''", '"'),
                normalizers.NFKD(),
                normalizers.StripAccents(),
                normalizers.Lowercase(),
                normalizers.Precompiled(_charsmap("nmt_nfkc")),
                normalizers.Replace(Regex(" {2,}"), " "),
            ]
        ),
        pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always"),
        ["<pad>", "<unk>", "[CLS]", "[SEP]"],
        "<unk>",
    )
    tokenizer.add_special_tokens([AddedToken("[MASK]", lstrip=True, special=True)])
    tokenizer.post_processor = _pair("[CLS]", "[SEP]", "[SEP]", tokenizer.token_to_id, types=True)
    return tokenizer


KINDS: dict[str, Callable[[Sequence[str], int], Tokenizer]] = {
    "bert": bert,
    "bert-cased": bert_cased,
    "mpnet": mpnet,
    "roberta": roberta,
    "modernbert": modernbert,
    "qwen": qwen,
    "llama": llama,
    "xlm-roberta": xlm_roberta,
    "xlm-roberta-replace": xlm_roberta_replace,
    "albert": albert,
}
