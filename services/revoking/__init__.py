"""Revocation: what must not be trusted any more is replaced, revoked at its CA, and its key never used again."""
