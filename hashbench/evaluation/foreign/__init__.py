"""Codes and labels from the files of strangers, whatever they are called and kept in."""

from hashbench.evaluation.foreign.names import parse_names
from hashbench.evaluation.foreign.reader import read_codes, read_codes_of

__all__ = ["parse_names", "read_codes", "read_codes_of"]
