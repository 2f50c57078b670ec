"""Tools for those who write hashing methods: the conformance kit."""

from hashbench.testing.kit import Check, check_hasher, checks_of, parametrize_with_checks
from hashbench.testing.subject import CheckError

__all__ = ["Check", "CheckError", "check_hasher", "checks_of", "parametrize_with_checks"]
