"""Stores and the domains that belong to them."""

from dataclasses import dataclass
from enum import StrEnum


class StoreStatus(StrEnum):
    """Whether a store trades; a certificate is renewed only for an active one."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Store:
    """One shop on the platform; ``id`` is the platform's own short name for it, ``locale`` a BCP 47 tag such as ko-KR."""

    id: str
    status: StoreStatus = StoreStatus.ACTIVE
    locale: str = "en"
    tags: tuple[str, ...] = ()
    """Words of the platform's own, such as ``enterprise``, by which alerts are routed; sorted."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain name of a store: its default one, given by the platform, or one its merchant added."""

    name: str
    store: str
    default: bool = False
