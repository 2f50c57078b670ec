from strangers import digits, put, stranger

__all__ = ["digits", "put", "stranger"]
