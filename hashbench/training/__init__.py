"""How deep hashers are trained: one loop, one set of recipes, for whatever loss."""
