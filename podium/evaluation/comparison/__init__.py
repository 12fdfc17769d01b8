"""Models beside each other on the images that all of them saw: figures, differences, curves, images; as one page."""

from podium.evaluation.comparison.contenders import Contender, read_contender
from podium.evaluation.comparison.measuring import Comparison, compare
from podium.evaluation.comparison.page import page_path, write_page

__all__ = ["Comparison", "Contender", "compare", "page_path", "read_contender", "write_page"]
