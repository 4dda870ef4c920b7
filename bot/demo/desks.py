"""Where the demo's support agent types: in the local workspace, or, where there is none, in a terminal."""

import os
import subprocess
from collections.abc import Mapping
from typing import Protocol

from bot.demo import message
from bot.demo.parts.local_slack import LocalSlack
from bot.demo.sample import AGENT, CHANNEL
from bot.demo.world import CERTDESK


class Desk(Protocol):
    """Takes one command after another and shows certdesk's answer to the latest."""

    def shown(self, words: str) -> tuple[str, str]:
        """Return how the command looks here, and where it is typed."""

    def type(self, words: str) -> str:
        """Send the command to certdesk; return in one sentence how it got there."""

    def clicks(self, button: str) -> bool | None:
        """Click the button of this label below the answer to the latest command; False until it is there, None: no question is asked here."""

    def answer(self, word: str) -> list[str] | None:
        """Return the lines of the answer to the latest command once ``word`` is in it; None until then."""

    def stop(self) -> None:
        """End what is under way."""


class Workspace:
    """A local Slack workspace, whose requests are signed as Slack's are."""

    def __init__(self, slack: LocalSlack) -> None:
        self._slack, self._before = slack, 0

    def shown(self, words: str) -> tuple[str, str]:
        """Return how the command looks here, and where it is typed."""
        return f"/ssl {words}", "typed by a support agent in #ssl-support"

    def type(self, words: str) -> str:
        """Send the command; local-slack returns when certdesk has acknowledged it."""
        self._before = len(self._slack.messages(CHANNEL))
        self._slack.command(words, AGENT, CHANNEL)
        return "signed request delivered and acknowledged"

    def clicks(self, button: str) -> bool | None:
        """Click the button of this label below certdesk's message; False until it is there."""
        for posted in self._slack.messages(CHANNEL)[self._before :]:
            for action in message.buttons(posted):
                if action["text"]["text"] == button:
                    self._slack.interact(CHANNEL, str(posted["ts"]), action, AGENT)
                    return True
        return False

    def answer(self, word: str) -> list[str] | None:
        """Return the lines of certdesk's message as it stands, once ``word`` is in its text."""
        for posted in self._slack.messages(CHANNEL)[self._before :]:
            if word in str(posted.get("text", "")):
                return message.lines(posted)
        return None

    def stop(self) -> None:
        """Nothing is under way here."""


class Terminal:
    """`certdesk ssl … --wait` as a child of this process."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {**os.environ, **environment}
        self._child: subprocess.Popen[str] | None = None
        self._said: list[str] = []

    def shown(self, words: str) -> tuple[str, str]:
        """Return how the command looks here, and where it is typed."""
        return f"certdesk ssl {words}", "typed in a terminal"

    def type(self, words: str) -> str:
        """Start the command."""
        self.stop()
        self._child = subprocess.Popen(
            [*CERTDESK, "ssl", *words.split(), "--wait"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,  # Ctrl-C is for the demo
        )
        return "command started"

    def clicks(self, _button: str) -> bool | None:
        """Return None: who can run certdesk on its own machine is asked nothing."""
        return None

    def answer(self, word: str) -> list[str] | None:
        """Return what the command has printed once it has ended and ``word`` is in it, without its lines of progress."""
        if self._child is not None and self._child.poll() is not None:
            self._said = self._child.communicate()[0].splitlines()
            self._child = None
        if self._child is not None or not any(word in line for line in self._said):
            return None
        start = next((at for at, line in enumerate(self._said) if line.startswith(_SIGNS)), 0)
        return self._said[start:]

    def stop(self) -> None:
        """End the command if it still runs."""
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None


_SIGNS = ("✓ ", "… ", "! ", "✗ ", "i ")
"""An answer begins with one of these; the lines of progress before it do not."""
