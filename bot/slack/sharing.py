"""A message with files: uploaded, then shared in one message with its words (files.completeUploadExternal)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from slack_sdk.web import SlackResponse, WebClient

from bot.attachments import File, made
from bot.slack.delivery import Method, Way
from bot.text.language import Language
from commands.attachment import Attachment
from commands.reply import Hint, Reply
from services.model.text import say


def attached(reply: Reply) -> tuple[Attachment, ...]:
    """Return the files that belong to a reply."""
    return tuple(part for part in reply.parts if isinstance(part, Attachment))


def bare(reply: Reply, way: Way) -> tuple[Hint, ...]:
    """Return the line that says why there is no file, where the words go without it."""
    files = attached(reply)
    if not files or way.method is Method.SHARE:
        return ()
    text = say(
        "A file belongs to this answer, and Slack does not let certdesk put files here. Whoever runs this workspace can"
        " give the app the right {scope}; until then, on certdesk's own machine: {command}",
        scope="files:write",
        command=_typed(files[0]),
    )
    return (Hint(text),)


def _typed(file: Attachment) -> str:
    """Return the command that writes the file: its kind begins with the sub-command."""
    words = (file.kind.partition(".")[0], str(file.facts.get("name", "")), "--files FOLDER")
    return " ".join(("/ssl", *filter(None, words)))


def share(
    client: WebClient, way: Way, content: Mapping[str, Any], reply: Reply, language: Language
) -> SlackResponse:
    """Share the reply's files, made in ``language``, with its words (``content``) in one message. Raises as the SDK does.

    Slack takes either blocks or a text with files, never both, and says nothing of where the message stands.
    """
    files = [made(one, language) for one in attached(reply)]
    words = (
        {"blocks": json.dumps(content["blocks"])}
        if content["blocks"]
        else {"initial_comment": content["text"]}
    )
    return client.files_upload_v2(
        file_uploads=_uploads(files), channel=way.channel, thread_ts=way.thread or None, **words
    )


def _uploads(files: Sequence[File]) -> list[dict[str, Any]]:
    return [
        {"filename": one.name, "content": one.content, "title": one.title, "alt_txt": one.alt or None}
        for one in files
    ]
