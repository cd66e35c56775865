"""The command line: `huefield colorize`, `huefield serve`, `huefield models`, `huefield study`.

Exit codes: 0 all fine, 1 something failed, 2 wrong usage.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from huefield.study.commands import study

if TYPE_CHECKING:
    from huefield.colorizer import Colorizer
    from huefield.networks import Provider
    from huefield.strokes import Edits

# Files of a folder that are photos; one that is named outright may be called anything.
PHOTO_SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"),
        *(".avif", ".heic", ".heif", ".gif", ".bmp"),
    }
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="huefield")
def main() -> None:
    """Several believable colourings of a grey photo, each steerable with painted strokes."""
    logging.basicConfig(level=logging.WARNING, format="huefield: %(message)s")


main.add_command(study)


@main.command()
@click.argument(
    "photos", nargs=-1, required=True, metavar="PHOTO...", type=click.Path(path_type=Path)
)
@click.option(
    "--out",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the colourings; made if it is not there.",
)
@click.option("--model", default="photos", show_default=True, help="Which model colours.")
@click.option(
    "--samples", default=6, show_default=True, type=click.IntRange(1, 100), help="How many each."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**32 - 1))
@click.option(
    "--edits",
    "edits_file",
    metavar="FILE.json",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Strokes and ties that every sample follows.",
)
@click.option(
    "--condition/--correct",
    default=True,
    show_default=True,
    help="With edits: choose samples that suit them, or correct those made without.",
)
@click.option(
    "--format",
    "file_format",
    default="png",
    show_default=True,
    type=click.Choice(["png", "jpg", "webp"]),
)
@click.option(
    "--provider", default="auto", show_default=True, type=click.Choice(["auto", "cpu", "cuda"])
)
def colorize(
    photos: tuple[Path, ...],
    out: Path,
    model: str,
    samples: int,
    seed: int,
    edits_file: Path | None,
    condition: bool,
    file_format: str,
    provider: Provider,
) -> None:
    """Colour each PHOTO, or each photo of a folder, at its own size.

    Writes DIR/<stem>-<k>.<format> for samples k = 1, 2, ... and DIR/<stem>.json.
    """
    from huefield.batch import Order, RefusedPhotoError, colorize_file

    edits = _read_edits(edits_file)
    colorizer = _open_colorizer(model, provider)
    out.mkdir(parents=True, exist_ok=True)
    order = Order(out, samples, seed, edits, condition, file_format)
    files, complaints = _photo_files(photos)
    for complaint in complaints:
        click.echo(f"huefield: {complaint}", err=True)
    failed = len(complaints)
    taken: dict[str, Path] = {}
    for path in tqdm(files, unit="photo", disable=None, leave=False):
        try:
            first = taken.setdefault(path.stem, path)
            if first is not path:
                raise RefusedPhotoError(f"its results would replace those of {first}")
            colorize_file(colorizer, path, order)
        except RefusedPhotoError as error:
            failed += 1
            tqdm.write(f"huefield: {path}: {error}", file=sys.stderr)
    sys.exit(1 if failed else 0)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port", default=8000, show_default=True, envvar="PORT", type=click.IntRange(0, 65535)
)
@click.option("--workers", type=click.IntRange(1), help="Processes; by default what suits.")
@click.option(
    "--threads",
    default=8,
    show_default=True,
    type=click.IntRange(1),
    help="Requests that a process answers at once.",
)
def serve(host: str, port: int, workers: int | None, threads: int) -> None:
    """Serve the web app."""
    from huefield.networks import ModelError, list_models
    from huefield.server import serve as run
    from webapp.settings import SettingError, load_settings

    try:
        settings = load_settings(None)
        found = list_models(Path(str(settings["MODELS"])))
    except (SettingError, ModelError) as error:
        raise click.ClickException(str(error)) from error
    if not found:
        click.echo(f"huefield: no models under {settings['MODELS']}", err=True)
    run(host, port, workers, threads)


@main.command()
def models() -> None:
    """List the installed models and compare their checksums."""
    from huefield.model_info import ModelError
    from huefield.networks import default_models_root, model_folders, verify_model

    root = default_models_root()
    folders = model_folders(root)
    if not folders:
        raise click.ClickException(
            f"no models under {root}; name another folder in HUEFIELD_MODELS"
        )
    broken = 0
    for folder in folders:
        try:
            info = verify_model(folder)
        except ModelError as error:
            broken += 1
            click.echo(f"huefield: {error}", err=True)
            continue
        megabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        score = "" if info.score is None else f"  score {info.score:.2f}"
        click.echo(f"{folder.name:<12} {megabytes:6.1f} MB  {info.description or 'ok'}{score}")
    sys.exit(1 if broken else 0)


def _read_edits(path: Path | None) -> Edits | None:
    """The edits of a file; a fault in it is wrong usage."""
    from huefield.strokes import EditsError, parse_edits

    if path is None:
        return None
    try:
        return parse_edits(json.loads(path.read_text(encoding="utf-8")))
    except (EditsError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise click.BadParameter(f"{path}: {error}", param_hint="--edits") from error


def _open_colorizer(model: str, provider: Provider) -> Colorizer:
    """The colorizer of a model; an unknown name is wrong usage, a broken model a failure."""
    from huefield.colorizer import Colorizer
    from huefield.networks import (
        MissingGpuError,
        ModelError,
        default_models_root,
        load_model,
        model_folders,
    )

    root = default_models_root()
    names = [folder.name for folder in model_folders(root)]
    if model not in names:
        known = f"there are: {', '.join(names)}" if names else "there are none"
        raise click.BadParameter(f"no model '{model}' under {root}; {known}", param_hint="--model")
    try:
        networks = load_model(root / model, provider)
    except (ModelError, MissingGpuError) as error:
        raise click.ClickException(str(error)) from error
    return Colorizer(networks, anticipate=False)


def _photo_files(arguments: tuple[Path, ...]) -> tuple[list[Path], list[str]]:
    """The files that the arguments stand for, folders by name, and what is wrong with others."""
    files: list[Path] = []
    complaints = []
    for path in arguments:
        if not path.is_dir():
            files.append(path)
            continue
        found = [p for p in sorted(path.iterdir()) if p.suffix.lower() in PHOTO_SUFFIXES]
        files += [p for p in found if p.is_file() and not p.name.startswith(".")]
        if not found:
            complaints.append(f"{path}: no photos in this folder")
    return files, complaints
