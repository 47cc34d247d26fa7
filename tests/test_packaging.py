"""What a user downloads: the wheel, built as pip would build it and looked into."""

import configparser
import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

import kanviz

ROOT = Path(__file__).parent.parent

# Folders that tools leave in a checkout; git ignores them.
MADE_HERE = {"__pycache__", "node_modules", ".tests"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    result = subprocess.run(
        [*command, "--directory", folder], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.Path(path)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.Path) -> Message:
    return Parser().parsestr((_dist_info(wheel) / "METADATA").read_text(encoding="utf-8"))


def _dist_info(wheel: zipfile.Path) -> zipfile.Path:
    (folder,) = (entry for entry in wheel.iterdir() if entry.name.endswith(".dist-info"))
    return folder


def test_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: zipfile.Path) -> None:
    sources = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "kanviz").rglob("*")
        if path.is_file() and not MADE_HERE & set(path.parts) and path.suffix != ".pyc"
    }
    notebooks = (path.relative_to(ROOT) for path in (ROOT / "notebooks").rglob("*"))
    sources |= {f"kanviz/{path.as_posix()}" for path in notebooks if path.suffix}
    packed = {name for name in wheel.root.namelist() if not name.endswith("/")}
    assert {name for name in packed if ".dist-info/" not in name} == sources
    assert "kanviz/py.typed" in packed


def test_wheel_tells_source_and_licence_of_each_table(wheel: zipfile.Path) -> None:
    tables = [name for name in wheel.root.namelist() if name.endswith(".csv")]
    assert tables
    for table in tables:
        folder, _, file = table.rpartition("/")
        note = wheel.joinpath(folder, "README.md").read_text(encoding="utf-8")
        assert file in note
        assert "licence" in note.lower()


def test_wheel_says_what_it_is_and_carries_its_licence(
    wheel: zipfile.Path, metadata: Message
) -> None:
    assert metadata["Name"] == "kanviz"
    assert metadata["Version"] == kanviz.__version__
    assert metadata["License-Expression"] == "MIT AND OFL-1.1"
    licences = _dist_info(wheel) / "licenses"
    assert "kanviz developers" in (licences / "LICENSE").read_text()
    font = licences / "kanviz/live/frontend/src/ui/math.LICENSE.txt"
    assert "SIL OPEN FONT LICENSE" in font.read_text()


def test_wheel_names_its_extras_and_its_command(wheel: zipfile.Path, metadata: Message) -> None:
    extras = {"bench", "cluster", "hosts", "lab", "test"}
    assert set(metadata.get_all("Provides-Extra", [])) == extras
    entry_points = configparser.ConfigParser()
    entry_points.read_string((_dist_info(wheel) / "entry_points.txt").read_text())
    assert dict(entry_points["console_scripts"]) == {"kanviz": "kanviz.cli:main"}


def test_plain_install_brings_no_test_tool(metadata: Message) -> None:
    plain = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert plain
    assert not [line for line in plain if line.startswith(("pytest", "ruff", "mypy", "jupyterlab"))]
