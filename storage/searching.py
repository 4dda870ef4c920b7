"""The table that certificates are found by: each wanted name, the domain and the store. Triggers keep it.

Triggers, because they see to it whatever code writes the certificate: that of the version before goes on working
beside this one. Nobody writes to it by hand.
"""

from sqlalchemy import Column, Index, Table

from storage.columns import METADATA, Key

TERMS = Table(
    "terms",
    METADATA,
    Column("certificate", Key, primary_key=True),
    Column("term", Key, primary_key=True),
    Column("store", Key, nullable=False),
    Index("ix_terms_term", "term", "certificate"),
    Index("ix_terms_store", "store", "term", "certificate"),
)
