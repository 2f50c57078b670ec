"""From a request to cells, and from cells to records."""
