"""Asking for a scan: the row of the name is due at once, and a scan of the same pages that is under way is joined."""

from services.desk import Desk
from services.model.scans import Site


def ask(desk: Desk, name: str, store: str, paths: tuple[str, ...]) -> Site:
    """Have the pages of ``name`` scanned now: only ``paths``, or all that the settings say if there are none.

    The caller has seen that the name is the store's, and that whoever asks may ask for it.
    """
    with desk.storage.write() as tx:
        site = tx.scans.ask(name, store, paths, desk.clock())
    desk.wake()
    return site
