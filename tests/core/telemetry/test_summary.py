"""The summary is a page that shows every figure it was given, with plots, the same bytes each time."""

import base64
import io
import re
from typing import Any

import numpy as np
from PIL import Image

from townlet_core.config import OPTION_NAMES
from townlet_core.telemetry import KpiRow, markdown_with_images, summarise
from townlet_core.telemetry.canvas import ACTION_COLOURS
from townlet_core.telemetry.days import DayProfile
from townlet_core.telemetry.intervals import Interval
from townlet_core.telemetry.tables import interval_text, table

EVENTS = {"ordinary_day": {"faint": 0, "rent_paid": 1200}, "low_money": {"faint": 2, "rent_paid": 9}}


def test_the_page_has_a_section_for_everything_it_was_given(
    report: dict[str, Any], days: list[DayProfile], kpis: list[KpiRow]
) -> None:
    summary = summarise(report, days, EVENTS, kpis)
    headings = re.findall(r"^#+ (.*)$", summary.markdown, re.MULTILINE)
    assert headings == ["Telemetry summary", "Training", "Key figures", "The captured days", "Events"]
    assert set(re.findall(r"\]\((.*?)\)", summary.markdown)) == set(summary.images)


def test_what_was_not_given_has_no_section(days: list[DayProfile]) -> None:
    summary = summarise(days=days)
    assert "## Training" not in summary.markdown
    assert sorted(summary.images) == ["actions_by_hour.png", "needs_over_day.png"]
    assert summarise().markdown == "# Telemetry summary\n"


def test_figures_are_shown_as_people_read_them(report: dict[str, Any], kpis: list[KpiRow]) -> None:
    page = summarise(report, kpis=kpis, events=EVENTS).markdown
    assert "| accuracy on held-out decisions | 83.3% |" in page
    assert "| decisions trained on | 30,211 |" in page
    assert "| work | 20.0% | 0.0% | – |" in page
    assert "| rent paid | 1,200 | 9 |" in page
    assert "| low_money | Return (reward per citizen) |" in page


def test_a_figure_that_was_not_measured_is_a_dash(kpis: list[KpiRow]) -> None:
    line = next(line for line in summarise(kpis=kpis).markdown.splitlines() if line.startswith("| low_money | Return"))
    assert line.endswith("| – |")


def test_the_same_data_gives_the_same_bytes(report: dict[str, Any], days: list[DayProfile], kpis: list[KpiRow]) -> None:
    import matplotlib

    first = summarise(report, days, EVENTS, kpis)
    with matplotlib.rc_context({"font.size": 20.0, "axes.facecolor": "red"}):
        assert summarise(report, days, EVENTS, kpis) == first


def test_other_data_gives_another_picture(report: dict[str, Any]) -> None:
    first = summarise(report).images["training_curve.png"]
    report["curve"][1]["loss"] = 1.9
    assert summarise(report).images["training_curve.png"] != first


def test_plots_are_pictures_that_fit_into_a_page(
    report: dict[str, Any], days: list[DayProfile], kpis: list[KpiRow]
) -> None:
    for name, png in summarise(report, days, EVENTS, kpis).images.items():
        picture = Image.open(io.BytesIO(png))
        assert picture.format == "PNG", name
        assert 800 <= picture.width <= 1000, name
        assert len(png) < 60_000, name
        assert len(np.unique(np.asarray(picture))) > 4, f"{name} is empty"


def test_options_have_the_same_colour_in_the_picture_as_in_the_legend(days: list[DayProfile]) -> None:
    counts = np.zeros_like(days[0].action_counts)
    counts[:, days[0].actions.index("sleep")] = 7
    asleep = days[0]._replace(action_counts=counts)
    picture = Image.open(io.BytesIO(summarise(days=[asleep]).images["actions_by_hour.png"])).convert("RGB")
    middle = picture.getpixel((picture.width // 2, picture.height // 2))
    assert np.abs(np.subtract(middle, (0x00, 0x72, 0xB2))).max() <= 4


def test_the_page_can_carry_its_plots(report: dict[str, Any]) -> None:
    summary = summarise(report)
    page = markdown_with_images(summary)
    assert ".png)" not in page
    carried = re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", page)
    assert [base64.b64decode(text) for text in carried] == list(summary.images.values())


def test_tables_escape_what_would_end_a_cell() -> None:
    assert table(["a", "b"], [("x|y", 1.23456)]) == "| a | b |\n| --- | ---: |\n| x\\|y | 1.235 |\n"


def test_an_interval_of_one_value_shows_the_value_alone() -> None:
    assert interval_text(Interval(0.5, -np.inf, np.inf, 1)) == "0.5"
    assert interval_text(Interval(0.5, 0.4, 0.6, 9)) == "0.5 [0.4, 0.6]"


def test_every_option_has_a_colour_of_its_own() -> None:
    colours = [ACTION_COLOURS[name] for name in OPTION_NAMES]
    assert len(set(colours)) == len(OPTION_NAMES)
