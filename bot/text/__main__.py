"""`python -m bot.text`: bring the catalogues up to date with the sources, and check them."""

import sys
from pathlib import Path

from bot.text import check
from bot.text.catalogue import FOLDER, TEMPLATE, codes, template, updated
from bot.text.extract import Sources, extract

ROOT = FOLDER.parents[1]
_USAGE = """\
python -m bot.text update        write certdesk.pot, and take new sentences into every .po
python -m bot.text check [CODE]  what is not translated, and what is wrong (exit 1), in all languages or one"""


def update(sources: Sources, folder: Path = FOLDER) -> None:
    """Write the template and every catalogue; where nothing has changed no byte does."""
    (folder / TEMPLATE.name).write_text(template(sources.messages), encoding="utf-8")
    for code in codes(folder):
        path = folder / f"{code}.po"
        path.write_text(updated(path, sources.messages), encoding="utf-8")


def main(words: list[str]) -> int:
    """Do what is asked; return the exit code: 0 done, 1 something is wrong, 2 usage."""
    sources = extract(ROOT)
    wrong = [f"{place}: the template is no literal" for place in sources.unread]
    wrong += [f"“{one}” has a plural in one place and none, or another, elsewhere" for one in sources.clashes]
    match words:
        case ["update"] if not wrong:
            update(sources)
        case ["update"]:
            pass
        case ["check", *chosen] if set(chosen) <= {*codes()}:
            wrong += [line for code in chosen or codes() for line in check.catalogue(code, sources)]
        case _:
            sys.stderr.write(f"{_USAGE}\n")
            return 2
    sys.stdout.writelines(f"{line}\n" for line in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
