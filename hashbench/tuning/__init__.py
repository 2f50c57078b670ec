"""Hyper-parameter tuning, on the training set alone."""
