"""The digest as one message, readable at a glance: what is new, healed and open, what is to come, what was done."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from commands import alert_words as words
from commands import forecast as outlook
from commands import views
from commands.reply import Composed, Fields, Paragraph, Part, Reply, Row, Rows, Tone
from commands.spans import margin, number, span
from services.desk import Desk
from services.model.alerts import Forecast, Outlook, Severity
from services.model.findings import Owner
from services.model.text import NOTHING, Item, Text, Value, say, say_n
from services.ports import Message

Data = Mapping[str, Any]
MOST_CAUSES = 5
"""How many lines the forecast has in a digest."""


def digest_message(_desk: Desk, message: Message) -> Composed:
    """Compose kind ``digest`` from its body, as `services.alerting.digest.contents` wrote it."""
    body = message.body
    parts = (
        *_section(say("New:"), body["new"], _new),
        *_section(say("Healed:"), body["healed"], _healed),
        *_section(say("Open, by cause:"), body["open"], lambda item: _open(item, _moment(body["now"]))),
        *_support(body["support"]),
        *_outlook(body),
        *_done(body),
    )
    return Composed(Reply(_tone(body), _title(body), parts), final=True)


def _title(body: Data) -> Text:
    new, healed, still_open = (body[key]["count"] for key in ("new", "healed", "open"))
    counts: dict[str, Value] = {"new": new, "healed": healed, "open": still_open}
    weekly = body["edition"] == "weekly"
    if not (new or healed or still_open):
        return say("The past week: no alerts") if weekly else say("The past day: no alerts")
    if weekly:
        return say("The past week: {new:,} new, {healed:,} healed, {open:,} open now", **counts)
    return say("The past day: {new:,} new, {healed:,} healed, {open:,} open now", **counts)


def _tone(body: Data) -> Tone:
    worst = max((item["severity"] for item in body["open"]["items"]), default=0)
    if worst or body["support"]["count"]:
        return words.TONES[Severity(max(worst, Severity.WARNING))]
    return Tone.WARN if body["forecast"]["blocked"] else Tone.GOOD


def _section(heading: Text, listed: Data, row: Any) -> tuple[Part, ...]:
    if not listed["count"]:
        return ()
    rows = tuple(row(item) for item in listed["items"])
    return (Paragraph(heading), Rows(rows), *views.more(listed.get("kinds", listed["count"]) - len(rows)))


def _new(item: Data) -> Row:
    severity = Severity(item["severity"])
    return Row(_thing(item), words.TONES[severity], words.SEVERITIES[severity], _why(item))


def _healed(item: Data) -> Row:
    lasted = span(_moment(item["healed_at"]) - _moment(item["opened_at"]))
    return Row(_thing(item), Tone.GOOD, say("after {span}", span=lasted), _why(item))


def _open(item: Data, now: datetime) -> Row:
    owner = views.OWNERS[Owner(item["owner"])]
    detail = say("whose move: {owner}", owner=owner)
    if item["earliest"] is not None:
        left = margin(_moment(item["earliest"]), now)
        detail = say("whose move: {owner}; {margin}", owner=owner, margin=left)
    return Row(_thing(item), words.TONES[Severity(item["severity"])], _why(item), detail)


def _thing(item: Data) -> Item:
    """Return what stands at the beginning of a line: the thing, or how many certificates suffer where there are several."""
    if item["thing"] == words.ALL:
        return number(item["members"])
    return views.shown(item["thing"])


def _why(item: Data) -> Text:
    many = item["members"] != 1
    why = words.clause(item["code"], item["thing"], many=many, wide=item["wide"])
    if not many or not item["members"] or item["thing"] == words.ALL:
        return why
    return say_n(
        "{count:,} certificate: {why}", "{count:,} certificates: {why}", count=item["members"], why=why
    )


def _support(listed: Data) -> tuple[Part, ...]:
    if not listed["count"]:
        return ()
    heading = say("Certificates that need a support agent: {count:,}", count=listed["count"])
    rows = tuple(
        Row(views.shown(item["name"]), Tone.BAD, say("store {store}", store=item["store"]), NOTHING)
        for item in listed["items"]
    )
    return (Paragraph(heading), Rows(rows), *views.more(listed["count"] - len(rows)))


def _outlook(body: Data) -> tuple[Part, ...]:
    data = body["forecast"]
    found = Forecast(_moment(data["until"]), data["due"], data["blocked"], tuple(map(_row, data["rows"])))
    headline = outlook.headline(found, data["days"])
    return (
        Paragraph(say("{forecast}.", forecast=headline)),
        *outlook.rows(found, _moment(body["now"]), MOST_CAUSES),
    )


def _row(row: Data) -> Outlook:
    earliest = None if row["earliest"] is None else _moment(row["earliest"])
    return Outlook(
        row["code"], Owner(row["owner"]), Severity(row["band"]), row["certificates"], earliest, row["example"]
    )


def _done(body: Data) -> tuple[Part, ...]:
    pairs: list[tuple[Text, Value]] = [(say("Since"), _moment(body["since"]))]
    if body["renewed"] is not None:
        pairs.append((say("Certificates issued and installed"), say("{count:,}", count=body["renewed"])))
    return (Fields(tuple(pairs)),)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
