"""Workspaces: installed, renewed and left by one alone; what is good for one time is spent once; messages fall back."""

from dataclasses import replace

import pytest

from services.model.errors import LeaseLostError
from services.model.workspaces import Workspace, WorkspaceState
from services.ports import Storage
from storage.database import Database
from storage.rewrap import rewrap
from storage.vault import Vault
from tests.contract import samples
from tests.contract.samples import DAY, LEASE, MINUTE, NOW

OLD, NEW = bytes([1]) * 32, bytes([2]) * 32
SUPPORT, THERE = "C0SUPPORT", "T2/C2"


def _workspace(team: str = "T2", **changes: object) -> Workspace:
    plain = Workspace(
        team=team,
        enterprise="E1",
        name="문 workspace",
        bot_user="U9BOT",
        sealed_token=b"\x00\xfftoken",
        installed_by=f"{team}/U2",
        installed_at=NOW,
        sealed_refresh=b"\x00\xffrefresh",
        expires_at=NOW + DAY / 2,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def _installed(storage: Storage, workspace: Workspace) -> Workspace:
    with storage.write() as tx:
        return tx.workspaces.install(workspace)


def test_an_installation_is_kept_as_it_was_given(storage: Storage) -> None:
    workspace = _workspace()
    assert _installed(storage, workspace) == workspace
    _installed(storage, bare := _workspace("T1", sealed_refresh=None, expires_at=None, enterprise=""))
    with storage.read() as tx:
        assert tx.workspaces.get("T2") == workspace
        assert tx.workspaces.get("T3") is None
        assert tx.workspaces.all() == [bare, workspace]


def test_to_install_again_replaces_everything_and_is_the_next_generation(storage: Storage) -> None:
    _installed(storage, _workspace())
    with storage.write() as tx:
        tx.workspaces.leave("T2", WorkspaceState.UNINSTALLED, NOW + MINUTE)
    again = _workspace(sealed_token=b"other", sealed_refresh=None, expires_at=None, installed_at=NOW + DAY)
    assert _installed(storage, again) == replace(again, generation=2)


def test_the_channel_that_is_told_is_chosen_and_outlives_everything_else(storage: Storage) -> None:
    workspace = _installed(storage, _workspace())
    assert workspace.alert_channel == ""
    with storage.write() as tx:
        assert tx.workspaces.tell_in("T2", "C0TOLD") == workspace
        assert tx.workspaces.tell_in("T3", "C0TOLD") is None
    with storage.write() as tx:
        assert tx.workspaces.get("T2") == replace(workspace, alert_channel="C0TOLD")
        assert tx.workspaces.renew(workspace)
        tx.workspaces.leave("T2", WorkspaceState.UNINSTALLED, NOW + MINUTE)
        assert tx.workspaces.tell_in("T2", "C0OTHER") is not None  # gone, and chosen all the same
    again = _installed(storage, _workspace(installed_at=NOW + DAY, alert_channel="ignored"))
    assert again.alert_channel == "C0OTHER"
    with storage.write() as tx:
        assert tx.workspaces.tell_in("T2", "") == again
        assert tx.workspaces.get("T2") == replace(again, alert_channel="")
    with storage.read() as tx:
        assert tx.workspaces.get("T3") is None


def test_tokens_are_renewed_once_for_each_generation(storage: Storage) -> None:
    workspace = _installed(storage, _workspace())
    renewed = replace(
        workspace, sealed_token=b"new", sealed_refresh=b"next", expires_at=NOW + DAY, name="ignored"
    )
    with storage.write() as tx:
        assert tx.workspaces.renew(renewed)
        assert not tx.workspaces.renew(replace(renewed, sealed_token=b"too late"))
        assert not tx.workspaces.renew(replace(renewed, team="T3"))
    with storage.read() as tx:
        assert tx.workspaces.get("T2") == replace(renewed, name=workspace.name, generation=2)


def test_a_workspace_is_left_once_and_not_by_what_was_said_of_a_former_installation(storage: Storage) -> None:
    workspace = _installed(storage, _workspace())
    with storage.write() as tx:
        assert tx.workspaces.leave("T2", WorkspaceState.UNINSTALLED, NOW) is None
        left = tx.workspaces.leave("T2", WorkspaceState.REVOKED, NOW + MINUTE)
        assert left == replace(workspace, state=WorkspaceState.REVOKED)
        assert tx.workspaces.leave("T2", WorkspaceState.UNINSTALLED, NOW + MINUTE) is None
        assert tx.workspaces.leave("T3", WorkspaceState.UNINSTALLED, NOW + MINUTE) is None
        assert not tx.workspaces.renew(workspace)
        assert tx.workspaces.expiring(NOW + DAY) == []


def test_expiring_are_those_that_rotate_and_end_soon_the_earliest_first(storage: Storage) -> None:
    later = _installed(storage, _workspace("T1", expires_at=NOW + 2 * MINUTE))
    sooner = _installed(storage, _workspace("T2", expires_at=NOW + MINUTE))
    _installed(storage, _workspace("T3", sealed_refresh=None))
    _installed(storage, _workspace("T4", expires_at=NOW + DAY))
    with storage.read() as tx:
        assert tx.workspaces.expiring(NOW + 3 * MINUTE) == [sooner, later]


def test_what_is_good_for_one_time_is_spent_once_and_forgotten_when_it_has_ended(storage: Storage) -> None:
    with storage.write() as tx:
        assert tx.workspaces.spend("abc", NOW + MINUTE, NOW)
    with storage.write() as tx:
        assert not tx.workspaces.spend("abc", NOW + MINUTE, NOW)
        assert tx.workspaces.spend("def", NOW + MINUTE, NOW)
    with storage.write() as tx:
        assert tx.workspaces.spend("abc", NOW + DAY, NOW + MINUTE)


def test_a_message_falls_back_to_the_support_workspace_to_be_posted_anew(storage: Storage) -> None:
    with storage.write() as tx:
        tx.outbox.put(samples.message(channel="C2", team="T2", thread="alert:1", run_after=NOW))
        [claimed] = tx.outbox.claim(NOW, LEASE, 9)
        tx.outbox.delivered(claimed, "1.2", final=False)
        tx.outbox.put(samples.message(channel="C2", team="T2", run_after=NOW))
        [claimed] = tx.outbox.claim(NOW, LEASE, 9)
        tx.outbox.postponed(claimed, NOW, "Slack: account_inactive")
        [claimed] = tx.outbox.claim(NOW, LEASE, 9)
        tx.outbox.fall_back(claimed, SUPPORT, THERE)
        with pytest.raises(LeaseLostError):
            tx.outbox.fall_back(replace(claimed, fence=claimed.fence - 1), SUPPORT, THERE)
        [fallen] = tx.outbox.claim(NOW, LEASE, 9)
    assert (fallen.team, fallen.channel, fallen.origin) == ("", SUPPORT, THERE)
    assert (fallen.ts, fallen.thread, fallen.failures, fallen.error) == (None, "alert:1", 0, "")
    with storage.write() as tx:  # what is written under its key goes where it is now
        tx.outbox.put(samples.message(channel="C2", team="T2", run_after=NOW))
        stored = tx.outbox.by_key(fallen.key)
    assert stored is not None
    assert (stored.team, stored.channel) == ("", SUPPORT)


def test_a_message_that_nobody_can_be_told_is_closed(storage: Storage) -> None:
    with storage.write() as tx:
        tx.outbox.put(samples.message(channel="C2", team="T2", run_after=NOW))
        [claimed] = tx.outbox.claim(NOW, LEASE, 9)
        tx.outbox.fall_back(claimed, "", THERE)
        assert tx.outbox.claim(NOW + DAY, LEASE, 9) == []
        assert tx.outbox.waiting() == 0


def test_a_new_key_takes_over_both_secrets_of_a_workspace(database: Database) -> None:
    vault, workspace = Vault([OLD]), _workspace()
    token = vault.seal(b"xoxb-1", workspace.token_binding)
    refresh = vault.seal(b"xoxe-1", workspace.refresh_binding)
    _installed(database, replace(workspace, sealed_token=token, sealed_refresh=refresh))
    _installed(database, _workspace("T3", sealed_token=vault.seal(b"x", "y"), sealed_refresh=None))
    assert rewrap(database, Vault([NEW, OLD])) == 3
    with database.read() as tx:
        kept = tx.workspaces.get("T2")
    assert kept is not None
    assert kept.sealed_refresh is not None
    assert Vault([NEW]).open(kept.sealed_token, kept.token_binding) == b"xoxb-1"
    assert Vault([NEW]).open(kept.sealed_refresh, kept.refresh_binding) == b"xoxe-1"


def test_secrets_of_a_workspace_are_never_shown() -> None:
    assert "token" not in repr(_workspace()).replace("sealed_", "")
    assert "refresh" not in repr(_workspace())
