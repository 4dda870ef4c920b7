"""From SVG to PNG, with the one font that has all the characters of our languages: no system fonts are asked."""

from importlib.resources import as_file

FAMILY = "Noto Sans CJK JP"
SCALE = 2
"""Pixels for each unit of the drawing: sharp on screens of double density."""


def png(svg: str) -> bytes:
    """Return the drawing as a PNG file."""
    # loaded by those alone who draw: together they take as much memory as all of an idle certdesk's own code
    import noto_cjk_sans_jp_regular  # noqa: PLC0415
    import resvg_py  # noqa: PLC0415

    with as_file(noto_cjk_sans_jp_regular.FONT_PATH) as font:
        return bytes(
            resvg_py.svg_to_bytes(
                svg_string=svg,
                zoom=SCALE,
                skip_system_fonts=True,
                font_files=[str(font)],
                font_family=FAMILY,
                sans_serif_family=FAMILY,
            )
        )
