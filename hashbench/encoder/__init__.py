"""A hash one takes home: pictures in, codes out, without the results and the data set."""

from hashbench.encoder.encoder import Encoder
from hashbench.encoder.folder import load

__all__ = ["Encoder", "load"]
