"""How the app looks: in the colours and letters of podium's reports, which come from this machine alone."""

from importlib.resources import files
from typing import Any

import gradio as gr

FONTS = ("system-ui", "sans-serif")
MONO = ("ui-monospace", "monospace")
LIGHT = {
    **{"paper": "#ffffff", "panel": "#f5f7f9", "line": "#dde3e8", "ink": "#1d2932", "soft": "#55646f"},
    **{"link": "#0b5f86", "accent": "#0b6e99", "on": "#ffffff"},
}
DARK = {
    **{"paper": "#12181d", "panel": "#1a2228", "line": "#303b44", "ink": "#e6ecf0", "soft": "#a4b1bb"},
    **{"link": "#7cc4e8", "accent": "#55b4dd", "on": "#12181d"},
}
"""Of `podium/pages/shell.html`."""

_PLACES = {
    "paper": ("body_background_fill", "background_fill_primary", "input_background_fill", "block_background_fill"),
    "panel": ("background_fill_secondary", "button_secondary_background_fill", "block_label_background_fill"),
    "line": (
        *("border_color_primary", "input_border_color", "button_secondary_border_color", "block_border_color"),
        *("checkbox_border_color", "button_secondary_background_fill_hover"),
    ),
    "ink": ("body_text_color", "button_secondary_text_color", "block_title_text_color", "checkbox_label_text_color"),
    "soft": ("body_text_color_subdued", "block_label_text_color", "block_info_text_color", "input_placeholder_color"),
    "link": ("link_text_color", "link_text_color_hover", "link_text_color_active", "link_text_color_visited"),
    "accent": (
        *("button_primary_background_fill", "button_primary_background_fill_hover", "color_accent", "slider_color"),
        *("checkbox_background_color_selected", "checkbox_border_color_selected", "input_border_color_focus"),
        *("border_color_accent", "loader_color", "checkbox_border_color_focus", "button_primary_border_color"),
    ),
    "on": ("button_primary_text_color",),
}
"""What each colour is for, by the names of Gradio's theme."""


def make_theme() -> gr.themes.Base:
    """Make the theme. Fonts are named, none is fetched."""
    theme = gr.themes.Base(
        font=FONTS, font_mono=MONO, radius_size=gr.themes.sizes.radius_sm, spacing_size=gr.themes.sizes.spacing_md
    )
    chosen: dict[str, Any] = {
        **{place: LIGHT[colour] for colour, places in _PLACES.items() for place in places},
        **{
            f"{place}_dark": DARK[colour]
            for colour, places in _PLACES.items()
            for place in places
            if place != "color_accent"
        },
        "block_shadow": "none",
        "input_shadow": "none",
        "button_primary_shadow": "none",
        "button_secondary_shadow": "none",
        "block_label_shadow": "none",
        "layout_gap": "14px",
        "button_large_text_weight": "500",
    }
    return theme.set(**chosen)


def read_style() -> str:
    """Give the style sheet."""
    return files(__package__).joinpath("style.css").read_text("utf-8")
