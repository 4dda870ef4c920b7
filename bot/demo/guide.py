"""What the demo tells a person who has watched it: where to look, and what to try."""

import shlex

from bot.demo.sample import LOOPBACK, NAME, STORE, THEIRS
from bot.demo.transcript import Transcript
from bot.demo.world import World

TO_TRY = (
    ("add sun.test www.sun.test", "two names, one certificate"),
    ("add *.moon.test", "a wildcard: the CA wants to see it proved in the DNS"),
    ("add comet.test", "its DNS is hosted elsewhere: who has to do what?"),
    ("check comet.test", "the same as a dry run"),
    ("renew --cause dns.not_hosted", "a second person has to approve it: Hana"),
    ("add moon.shops.test", "a default domain of the platform"),
    ("add shop.example.test", "a domain that no store here has added"),
    (f"history {NAME}", "each step with its time"),
    ("status", "everything, the worst first"),
    ("forecast 90", "what will not renew within 90 days, and why"),
    ("alerts", "what is wrong now: empty until something breaks"),
    ("help", "all commands"),
)
"""Commands without their beginning, and what they show."""

PEOPLE = (
    "at the top choose who you are: Hana is a second support agent, who approves; Jun is on call, for #ssl-alerts;",
    f"Sora is the merchant of {THEIRS}, in #sun-store; the visitor is linked to no store. #moon-store is spoken to in Korean",
    "unlike Slack, this workspace shows everybody's private channels and “only visible to you” messages, whoever you are,",
    "cannot draw the search in certdesk's Home tab nor the field for a list, and sends no clicks on buttons in a modal, such as those",
    "of the menu that /ssl alone opens: type /ssl add and /ssl renew there, which open what can be ticked and sent off",
)
"""Who is who in the workspace, and what it does otherwise than Slack."""

PAUSED = f"./certdesk stores set-status {STORE} inactive"
RESUMED = f"./certdesk stores set-status {STORE} active"
"""What keeps the store's certificates from renewing, and what mends it: certdesk notices both within seconds."""
COPIED = (
    f"/ssl check {NAME} then has a button that copies the steps to the merchant, in #moon-store; #ssl-alerts is told",
    "of what is the merchant's only from 21 days before a certificate expires on, and these are new: see /ssl alerts",
)
"""Where the steps for the merchant can be sent by hand, and why the channel of alerts stays empty."""


def where_to_look(world: World, transcript: Transcript) -> None:
    """Print the addresses of what runs."""
    store = f"{NAME}:{world.edge.https_port}"
    curl = f"curl --cacert {world.root} --resolve {store}:{LOOPBACK} https://{store}/"
    transcript.head("Where to look")
    if world.slack is not None:
        transcript.line(
            f"the workspace    {world.slack.page_url}   you are Mina, a support agent, in #ssl-support"
        )
        for line in PEOPLE:
            transcript.line(f"                 {line}")
    transcript.line(f"the store        {curl}")
    transcript.line(f"health, metrics  {world.web}/health/ready  {world.web}/metrics")
    transcript.line(f"settings, logs   {world.folder}")


def what_to_try(world: World, transcript: Transcript) -> None:
    """Print commands with what they show, and how to type them in another terminal."""
    beginning = "/ssl" if world.slack is not None else "./certdesk ssl"
    # a shell would take the star for its own
    shown = [(words if world.slack else shlex.join(words.split()), shows) for words, shows in TO_TRY]
    width = max(len(words) for words, _ in shown) + len(beginning) + 1
    transcript.head("What to try", "" if world.slack else "in another terminal, where certdesk lies")
    there = f". {world.environment_file} && ./certdesk ssl status"
    if world.slack is None:
        transcript.line(f"first:  {there}")
    for words, shows in shown:
        transcript.line(f"{f'{beginning} {words}':<{width}}   {shows}")
    if world.slack is not None:
        transcript.line(f"in another terminal:  {there}")
    transcript.line(f"break something there:  {PAUSED}   then look at forecast 90, alerts and status")
    if world.slack is not None:
        for line in COPIED:
            transcript.line(line)
    transcript.line(f"and mend it again:  {RESUMED}")
    transcript.head("Ctrl-C stops all of it and leaves nothing behind.")
