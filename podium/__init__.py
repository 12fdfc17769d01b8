"""Podium: from a Kaggle image dataset to a promoted model, with nothing left to trust on faith."""
