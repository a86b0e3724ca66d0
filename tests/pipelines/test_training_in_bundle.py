"""The training that a release came from can be read in its bundle: the page, the picture and the log itself."""

import json

from typer.testing import CliRunner

from pipelines.cli import whole_application
from tests.pipelines.conftest import Prepared


def test_a_bundle_tells_of_the_training_that_it_came_from(prepared: Prepared) -> None:
    (bundle,) = (path for path in (prepared.data / "releases").iterdir() if path.is_dir())
    telemetry = bundle / "content/telemetry"
    page = (telemetry / "summary.md").read_text()
    assert "## The improvement\n" in page
    assert "### critic, 1 to 2\n" in page
    assert "![The training by update](improvement.png)" in page
    assert (telemetry / "improvement.png").read_bytes().startswith(b"\x89PNG")
    assert "time in updates" not in page, "what a run cost is no part of what it made"
    watch = json.loads((telemetry / "watch.json").read_text())
    assert (watch["records"], watch["alarms"], watch["rules"]["max"]["kl"]) == (2, [], 0.05)
    words = ["telemetry", "summary", str(telemetry / "updates.parquet"), "--format", "json"]
    found = json.loads(CliRunner().invoke(whole_application(), words).stdout)
    assert [(phase["name"], phase["first"], phase["last"]) for phase in found["phases"]] == [("critic", 1, 2)]
    assert found["seconds"] is None
