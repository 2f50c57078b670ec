"""Shallow methods: hashers that learn from features alone, as scikit-learn estimators."""
