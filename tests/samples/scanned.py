"""What the scanner tells a store's channels, and what those see of it that have become another store's."""

from collections.abc import Iterator

from services import linking
from services.model.audiences import Kind
from services.scanning import sites
from tests.desks import SUPPORT
from tests.samples.sample import Sample, in_message
from tests.unit.test_commands_scan import BAD, WEEK, World
from tests.unit.test_scanning_crawl import HOME


def news() -> Iterator[Sample]:
    """Yield what a merchant has to mend on the pages, the same with less left of it, the end of it, and the other's view."""
    world = World()
    world.link()
    world.say()
    for body in (BAD, "<img src=http://cdn.test/y.png>", "<p>well"):
        world.web.put(HOME, body)
        world.work()
        for message in world.owed():
            if message.kind == sites.NEWS:
                yield from in_message(world.bench.desk, message)
        world.bench.now += WEEK
    [told] = [one for one in world.owed() if one.kind == sites.NEWS]
    linking.link(world.bench.desk, Kind.CHANNEL, told.channel, "sun", SUPPORT.person)
    yield from in_message(world.bench.desk, told)
