"""Results on disk: records, codes, scores and fitted hashers."""

from hashbench.store.record import BadRecordError, Record, Status
from hashbench.store.store import Store, StoreError

__all__ = ["BadRecordError", "Record", "Status", "Store", "StoreError"]
