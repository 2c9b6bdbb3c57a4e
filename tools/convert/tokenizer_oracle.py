"""Writes what Python's `tokenizers` makes of many lines, for `tools/bench/tokenizer-parity.ts` to compare with.

    python tools/convert/tokenizer_oracle.py --data ../shared/data --out /tmp/tokenizer-oracle

The lines: every text file of the data folder, every code point of Unicode in runs of neighbours, random mixtures of
code points, random bytes decoded as UTF-8 and as Latin-1, and text with added tokens and odd white space in it.
`--out` gets lines.jsonl (one JSON string a line) and, for each kind, tokenizer.json and expected.bin: for every line
the ids with specials, the ids of the pair (line, next line) cut to 48 tokens by longest_first and by only_second, each as
little-endian int32 after its count.
"""

from __future__ import annotations

import argparse
import json
import random
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import sentencepiece  # noqa: F401  (its absence is told before the long part starts)
from tokenizers import Tokenizer

from tokenizer_kinds import KINDS

PAIR_TOKENS = 48
# Encodings take about a hundred times the memory of their text.
BATCH = 256


def data_lines(folder: Path) -> list[str]:
    """Every line of every file, once; of JSON files those of the strings in them."""
    found: list[str] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        text = path.read_text(encoding="utf-8", errors="replace")
        for part in strings_in(json.loads(text)) if path.suffix == ".json" else [text]:
            found += part.splitlines()
    return list(dict.fromkeys(found))


def strings_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings_in(item)


def unicode_lines(seed: int) -> list[str]:
    """Every assigned code point beside its neighbours, then mixtures of code points from anywhere."""
    points = [
        chr(point)
        for point in range(0x110000)
        if not 0xD800 <= point < 0xE000 and unicodedata.category(chr(point)) not in {"Cn", "Co"}
    ]
    lines = ["".join(points[at : at + 64]) for at in range(0, len(points), 64)]
    lines += [" ".join(points[at : at + 32]) for at in range(0, len(points), 160)]
    draw = random.Random(seed)
    common = [point for point in points if ord(point) < 0x3000]
    for _ in range(4000):
        pool = draw.choice([points, common])
        lines.append("".join(draw.choice(pool) for _ in range(draw.randint(1, 40))))
    return lines


def byte_lines(seed: int) -> list[str]:
    """Random bytes as text."""
    draw = random.Random(seed)
    lines = []
    for at in range(3000):
        raw = draw.randbytes(draw.randint(1, 64))
        lines.append(raw.decode("utf-8", errors="replace") if at % 2 else raw.decode("latin-1"))
    return lines


def awkward_lines(seed: int) -> list[str]:
    """Added tokens, white space of every kind, very long words, marks that combine."""
    parts = ["[MASK]", " [MASK]", "[mask]", "<mask>", "  <mask>  ", "<s>", "</s>", "[CLS]", "[SEP]", "<|endoftext|>",
             "<|im_start|>", "<tool_call>", "<0x0A>", "▁", "▁▁", " ", "  ", " " * 7, " " * 40, "\t", "\n", "\r\n", "\u00a0",
             "\u3000", "\u200b", "\u200d", "\ufeff", "\u0301", "e\u0301", "é", "ﬁ", "㎏", "Å", "İ", "ß", "ſ", "don't", "we'll",
             "I'M", "123456", "3.14", "café", "naïve", "日本語", "한국어", "العربية", "हिन्दी", "👩‍👩‍👧‍👦", "🇩🇪", "x" * 120,
             "ab" * 150, "``quoted''", "...", "!!", "foo_bar(baz)", "\u0000", "\u001f", "\u0085", "\u2028", "\ufffd", "the", "of"]
    draw = random.Random(seed)
    lines = ["", *parts]
    for _ in range(4000):
        lines.append("".join(draw.choice([part, part, f" {part}"]) for part in draw.choices(parts, k=draw.randint(1, 9))))
    return lines


def encode_rows(tokenizer: Tokenizer, lines: list[str], following: list[str]) -> list[tuple[list[int], ...]]:
    """For every line the ids alone, and those of the pair with the following line cut in either way."""
    single = [encoding.ids for encoding in tokenizer.encode_batch(lines)]
    pairs = list(zip(lines, following))
    tokenizer.enable_truncation(PAIR_TOKENS, strategy="longest_first")
    longest = [encoding.ids for encoding in tokenizer.encode_batch(pairs)]
    # A first text that leaves no room cannot be helped by cutting the second: such pairs have no answer.
    tokenizer.enable_truncation(PAIR_TOKENS, strategy="only_second")
    second = [tokenizer.encode(*pair).ids if len(ids) < PAIR_TOKENS - 8 else [] for ids, pair in zip(single, pairs)]
    tokenizer.no_truncation()
    return list(zip(single, longest, second))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, required=True, help="folder with text files")
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    arguments.add_argument("--text-lines", type=int, help="at most so many lines of the data folder, evenly spread")
    arguments.add_argument("--vocabulary", type=int, default=6000)
    arguments.add_argument("--tokenizer", nargs="*", type=Path, default=[], help="further tokenizer.json files to compare")
    given = arguments.parse_args()

    text = data_lines(given.data)
    if given.text_lines and given.text_lines < len(text):
        text = text[:: -(-len(text) // given.text_lines)]
    lines = [*text, *unicode_lines(1), *byte_lines(2), *awkward_lines(3)]
    given.out.mkdir(parents=True, exist_ok=True)
    with (given.out / "lines.jsonl").open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line) + "\n")
    print(f"{len(lines)} lines, {len(text)} of them from {given.data}")

    # Part of the text is enough to learn from; the rest is then new to the tokenizer.
    training = text[::4]
    ready = {kind: KINDS[kind](training, given.vocabulary) for kind in given.kinds}
    ready |= {path.parent.name: Tokenizer.from_file(str(path)) for path in given.tokenizer}
    for kind, tokenizer in ready.items():
        tokenizer.no_truncation()
        tokenizer.no_padding()
        folder = given.out / kind
        folder.mkdir(exist_ok=True)
        tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
        # As every user of the file has it: scores that were read may differ in their last bit from those that were trained.
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokens = 0
        with (folder / "expected.bin").open("wb") as file:
            for at in range(0, len(lines), BATCH):
                batch = lines[at : at + BATCH]
                following = [*lines[at + 1 : at + 1 + BATCH], lines[0]][: len(batch)]
                rows = encode_rows(tokenizer, batch, following)
                tokens += sum(len(single) for single, *_ in rows)
                flat = [number for row in rows for ids in row for number in (len(ids), *ids)]
                file.write(np.array(flat, dtype="<i4").tobytes())
        print(f"{kind}: {tokens} tokens")


if __name__ == "__main__":
    main()
