"""Names as they stand in real archives: of classes, parts, folders, files."""

import random
from collections.abc import Callable

CLASSES: dict[str, list[str]] = {
    "plain": ["cat", "dog", "bird", "fish", "horse"],
    "two": ["defect", "ok"],
    "yes and no": ["no", "yes"],
    "capitals": ["NORMAL", "PNEUMONIA", "COVID"],
    "digits": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    "digits with zeros": ["00", "01", "02", "10", "11"],
    "letters": ["A", "B", "C", "del", "nothing", "space"],
    "blanks": ["Golden Retriever", "healthy leaf", "very  wide", "bull dog"],
    "underscores": ["Apple___Apple_scab", "Apple___healthy", "Corn_(maize)___rust", "Tomato___healthy"],
    "shared beginnings": ["american_bulldog", "american_pit_bull_terrier", "Abyssinian", "great_dane"],
    "synsets": ["n01440764", "n01443537", "n02085620"],
    "non-ASCII": ["Äpfel", "Birnen", "Käse", "Süßkirsche"],
    "Chinese": ["猫", "狗", "鸟"],
    "Cyrillic": ["кошка", "собака", "птица"],
    "emoji": ["🍎", "🍌", "🥐"],
    "case": ["Apple", "apple", "pear"],
    "a class called train": ["bus", "car", "train"],
    "classes that begin like parts": ["training shoes", "test tubes", "hammer"],
    "numbers in front": ["001.Black_footed_Albatross", "002.Laysan_Albatross", "003.Sooty_Albatross"],
    "commas": ["apple, red", "pear, green", "plum"],
}
PARTS: dict[str, list[str]] = {
    "train": ["train", "training"],
    "validation": ["val", "valid", "validation", "dev"],
    "test": ["test", "testing", "eval", "evaluation", "holdout"],
}
UNCLEAR = {"dev", "eval", "evaluation", "holdout"}
"""Words that stand for validation as well as for test."""
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "Title": str.title,
    "UPPER": str.upper,
    "set": lambda word: f"{word}set",
    "_set": lambda word: f"{word}_set",
    "_images": lambda word: f"{word}_images",
    "seg_": lambda word: f"seg_{word}",
    "imgs-": lambda word: f"imgs-{word}",
    "Data": lambda word: f"{word.title()}Data",
    "a name before": lambda word: f"fruit_alphabet_{word}",
    "a number before": lambda word: f"01_{word}" if word.startswith("train") else f"02_{word}",
}
WRAPPERS = ["", "", "dataset/", "data/", "Fruit Images (1)/", "archive/images/", "fruits/fruits/", "Train_Test_Data/"]
ENDINGS = ["jpg", "jpg", "jpeg", "JPG", "png", "PNG", "bmp"]


def file_stem(draw: random.Random, number: int, style: str) -> str:
    """Name a file in one of the styles of `STEMS`."""
    match style:
        case "numbers":
            return str(number)
        case "numbers with zeros":
            return f"{number:05d}"
        case "hexadecimal":
            return f"{draw.getrandbits(64):016x}"
        case "camera":
            return f"IMG_20240101_{number:06d}"
        case "blanks":
            return f"image ({number})"
        case "non-ASCII":
            return f"Größe {number}"
    return f"ISIC_{number:07d}"


STEMS = ["numbers", "numbers with zeros", "hexadecimal", "camera", "blanks", "non-ASCII", "ISIC"]
