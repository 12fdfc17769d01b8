"""scikit-learn's digits."""
