"""Stores, domains, accounts, requests and messages: rows to dataclasses and back."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from services.model.stores import Domain, Store, StoreStatus
from services.ports import Account, Message, Request
from storage.records.coding import Values, decode, encode, storable


def store_values(store: Store) -> Values:
    """Return the row of a store."""
    return {"id": store.id, "status": store.status.value, "locale": store.locale, "tags": encode(store.tags)}


def store(row: Sequence[Any]) -> Store:
    """Return the store of a row."""
    id_, status, locale, tags = row
    return Store(id_, StoreStatus(status), locale, tuple(decode(tags)))


def domain_values(domain: Domain) -> Values:
    """Return the row of a domain."""
    return {"name": domain.name, "store": domain.store, "is_default": domain.default}


def domain(row: Sequence[Any]) -> Domain:
    """Return the domain of a row."""
    return Domain(*row)


def account_values(account: Account) -> Values:
    """Return the row of an account."""
    return {
        "ca": account.ca,
        "directory": account.directory,
        "url": account.url,
        "sealed_key": account.sealed_key,
        "created_at": account.created_at,
    }


def account(row: Sequence[Any]) -> Account:
    """Return the account of a row."""
    ca, directory, url, sealed_key, created_at = row
    return Account(ca, directory, url, bytes(sealed_key), created_at)


def request_values(request: Request) -> Values:
    """Return the row of a request."""
    return {
        "id": request.id,
        "dedupe": storable(request.dedupe),
        "team": storable(request.team),
        "user": storable(request.user),
        "channel": storable(request.channel),
        "text": storable(request.text),
        "created_at": request.created_at,
        "done_at": request.done_at,
        "fence": request.fence,
        "lease_until": request.lease_until,
        "tries": request.tries,
        "kind": request.kind,
        "trigger": storable(request.trigger),
        "view": storable(request.view),
        "form": encode(dict(request.form)),
        "workspace": storable(request.workspace),
    }


def request(row: Sequence[Any]) -> Request:
    """Return the request of a row: all columns in the table's order, which is the type's."""
    *rest, form, workspace = row
    return replace(Request(*rest), form=decode(form), workspace=workspace)


def message_values(message: Message) -> Values:
    """Return the row of a message. One without `run_after` is due from its creation on."""
    return {
        "id": message.id,
        "key": message.key,
        "kind": message.kind,
        "channel": message.channel,
        "user": message.user,
        "private": message.private,
        "body": encode(dict(message.body)),
        "created_at": message.created_at,
        "follows": encode(message.follows),
        "ts": message.ts,
        "version": message.version,
        "sent": message.sent,
        "run_after": message.run_after or message.created_at,
        "failures": message.failures,
        "error": storable(message.error),
        "fence": message.fence,
        "lease_until": message.lease_until,
        "via": message.via,
        "thread": message.thread,
        "team": message.team,
        "origin": message.origin,
    }


def message(row: Sequence[Any]) -> Message:
    """Return the message of a row: all columns in the table's order, which is the type's."""
    id_, key, kind, channel, user, private, body, created_at, follows, *rest = row
    return Message(
        id_, key, kind, channel, user, private, decode(body), created_at, tuple(decode(follows)), *rest
    )
