"""Which of many is really best: how likely each is, and which cannot be told apart from the best; as one page."""

from podium.evaluation.ranking.page import Facts, Sheet, page_path, write_page
from podium.evaluation.ranking.scores import RANKED, per_image
from podium.evaluation.ranking.standings import Entrant, Ranking, Standing, rank

__all__ = ["RANKED", "Entrant", "Facts", "Ranking", "Sheet", "Standing", "page_path", "per_image", "rank", "write_page"]
