"""In what encoding file names are that nothing says it of: a guess, from all the names together.

Own code: charset-normalizer is made for texts; of names of one or two words it read every second one wrong.
"""

import math
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

_SAMPLE = 2_000
"""So many different words are looked at."""
_UNKNOWN, _UNKNOWN_NARROW = 13.0, 9.5
"""Nats that a character costs which is in none of an encoding's groups: of two bytes, and of one."""
_ACCENT = 2.1
"""Nats: one letter of eight has an accent in a Western word that has one at all."""
_AMONG_OTHERS, _ALONE, _CAPITAL_WITHIN, _BACKSLASH = 4.0, 2.0, 3.0, 3.0
"""Nats: for Russian within an English word, or accents side by side; for one letter of an alphabet that stands alone;
for a capital after a small letter; for a backslash, which may be the half of a letter."""
_LETTER = 6.5
"""Nats that a letter of any alphabet costs in UTF-8."""
_MIXED = 3.0
"""Nats: how much rarer archives are whose names are in two encodings."""
_SURE = 4.0
"""Nats that UTF-8 is ahead by where nobody needs to be told."""
_FIRST_OF_ROW = 0xA1
"""The second byte that a row of the older, smaller sets begins with: GB 2312's and KS X 1001's."""
_FITS = 0.7
"""The share of what unknown characters would cost. Above, the best guess makes no sense of the names."""
_WESTERN = ((0.8, "äöüßéèêëàâáãåæçñíìîïóòôõøúùûýÿ"), (0.18, "ÄÖÜÉÈÊËÀÂÁÃÅÆÇÑÍÎÓÔÕØÚÛ"))
_CYRILLIC = (0.9, "абвгдежзийклмнопрстуфхцчшщъыьэюяё")


@dataclass(frozen=True)
class Encoding:
    """An encoding, and how often the characters that it has are met in names."""

    codec: str
    """Python's name of it."""
    title: str
    """People's."""
    rare: float
    """Nats: how much rarer archives with it are than those with the most usual one."""
    groups: tuple[tuple[float, str | tuple[int, int]], ...]
    """The share of all characters that come from a group: a text, or the first and the last code of a block."""
    wide: bool = False
    """Whether its letters take two bytes."""
    western: bool = False
    """Whether most of its letters are ASCII's."""

    @cached_property
    def costs(self) -> dict[str, float]:
        """Give the nats that a character costs: the logarithm of how seldom it is."""
        found: dict[str, float] = {}
        for share, group in self.groups:
            letters = group if isinstance(group, str) else self._block(*group)
            found |= {letter: math.log(len(letters) / share) for letter in letters}
        return found

    @property
    def unknown(self) -> float:
        """Give the nats that a character costs which is in no group."""
        return _UNKNOWN if self.wide else _UNKNOWN_NARROW

    def cost(self, words: Iterable[bytes]) -> float:
        """Give the nats that these words cost if they are in this encoding; infinitely many if they cannot be."""
        try:
            return self.rare + sum(self.cost_of(word.decode(self.codec)) for word in words)
        except UnicodeDecodeError:
            return math.inf

    def cost_of(self, word: str) -> float:
        """Give the nats that a word costs."""
        total = _BACKSLASH * word.count("\\")
        for before, letter, after in _with_neighbours(word):
            total += self.costs.get(letter, self.unknown) + (_ACCENT if self.western else 0)
            near = [other for other in (before, after) if other.isalpha()]
            if near and any(map(str.isascii, near)) is not self.western:
                total += _AMONG_OTHERS
            elif not near and not self.wide:
                total += _ALONE
            if before.islower() and letter.isupper():
                total += _CAPITAL_WITHIN
        return total

    def _block(self, first: int, last: int) -> str:
        width = 2 if last > 0xFF else 1
        lowest = first & 0xFF if first & 0xFF == _FIRST_OF_ROW else 0
        numbers = (code for code in range(first, last + 1) if code & 0xFF >= lowest)
        codes = (number.to_bytes(width, "big").decode(self.codec, "ignore") for number in numbers)
        return "".join(letter for letter in codes if len(letter) == 1 and not letter.isascii())


_ENCODINGS = (
    Encoding("gb18030", "GBK", 0, ((0.94, (0xB0A1, 0xD7F9)), (0.05, (0xD8A1, 0xF7FE))), wide=True),
    Encoding(
        "cp932",
        "Shift-JIS",
        1,
        ((0.5, (0x829F, 0x8396)), (0.47, (0x889F, 0x9872)), (0.02, (0x989F, 0xEAA4))),
        wide=True,
    ),
    Encoding("big5", "Big5", 2, ((0.97, (0xA440, 0xC67E)), (0.02, (0xC940, 0xF9D5))), wide=True),
    Encoding("cp949", "EUC-KR", 2, ((0.98, (0xB0A1, 0xC8FE)), (0.001, (0xCAA1, 0xFDFE))), wide=True),
    Encoding("cp866", "cp866", 3, (_CYRILLIC, (0.09, (0x80, 0x9F)))),
    Encoding("cp1251", "cp1251", 3, (_CYRILLIC, (0.09, (0xC0, 0xDF)))),
    Encoding("cp437", "cp437", 0, _WESTERN, western=True),
    Encoding("cp850", "cp850", 0, _WESTERN, western=True),
    Encoding("cp1252", "cp1252", 0, _WESTERN, western=True),
)


@dataclass(frozen=True)
class Guess:
    """How to read the names."""

    codec: str
    title: str | None
    """People's name of the encoding; None if no encoding makes sense of the names."""
    mixed: bool = False
    """Whether some are in UTF-8, those which can be."""
    sure: bool = False
    """Whether it is no guess: UTF-8 says far more of the names than anything else."""

    def read(self, name: bytes) -> str:
        """Read a name: it may be in one encoding up to a slash, and in another from there on."""
        if not self.mixed:
            return name.decode(self.codec, "replace")
        return "/".join(part.decode("utf-8" if _is_utf8(part) else self.codec, "replace") for part in name.split(b"/"))


def guess_encoding(names: Collection[bytes]) -> Guess:
    """Guess what file names are in: UTF-8, another encoding, or some in UTF-8 and the others in another.

    What costs the least is taken, not what can be: `图片` in GBK has the bytes of `ͼƬ` in UTF-8. What makes no sense is
    read as a zip's names are that nothing is said of (APPNOTE 6.3.10, D.1): as cp437, which has a letter or a sign for
    every byte.
    """
    words: dict[bytes, None] = {}
    for name in names:
        words |= dict.fromkeys(part for part in name.split(b"/") if not part.isascii())
        if len(words) > _SAMPLE:
            break
    others = [word for word in words if not _is_utf8(word)]
    cost_as_utf8 = sum(_cost_as_utf8(word) for word in words if _is_utf8(word))
    (cost, best), (cost_of_others, best_of_others) = _best(words), _best(others)
    if all(_is_utf8(name) for name in names) and cost_as_utf8 <= cost:
        return Guess("utf-8", "UTF-8", sure=cost_as_utf8 + _SURE < cost)
    mixed = cost_of_others + cost_as_utf8 + _MIXED < cost
    if mixed:
        words, cost, best = dict.fromkeys(others), cost_of_others, best_of_others
    if math.isinf(cost):
        return Guess("cp437", None)
    length = sum(not letter.isascii() for word in words for letter in word.decode(best.codec))
    if cost - best.rare > _FITS * best.unknown * length + _AMONG_OTHERS:
        return Guess("cp437", None, mixed)
    return Guess(best.codec, best.title, mixed)


def _best(words: Collection[bytes]) -> tuple[float, Encoding]:
    return min(((encoding.cost(words), encoding) for encoding in _ENCODINGS), key=lambda each: each[0])


def _cost_as_utf8(word: bytes) -> float:
    text, total = word.decode(), 0.0
    for before, letter, after in _with_neighbours(text):
        total += _LETTER if letter.isalpha() or unicodedata.combining(letter) else _UNKNOWN_NARROW
        if not (before.isalpha() or after.isalpha()):
            total += _ALONE
        if not before.isascii() and _script(before) != _script(letter):
            total += _AMONG_OTHERS
    return min(total, *(encoding.cost_of(text) for encoding in _ENCODINGS))


def _with_neighbours(word: str) -> Iterator[tuple[str, str, str]]:
    """Give each letter that is not ASCII's, after the one before and before the one after."""
    for letters in zip(f" {word}", word, f"{word[1:]} ", strict=False):
        if not letters[1].isascii():
            yield letters


def _script(letter: str) -> str:
    """Give the first word of a letter's name, which is its script's: LATIN, CYRILLIC, CJK."""
    return unicodedata.name(letter, "").partition(" ")[0]


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
