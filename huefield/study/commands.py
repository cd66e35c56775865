"""`huefield study …`: the researcher's side of studies on the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from webapp.study.store import StudyStore

_VERSION = click.option("--version", type=click.IntRange(1), help="Which version; else the newest.")


@click.group()
def study() -> None:
    """Studies: a crowd decides which colouring looks real."""


@study.command()
@click.argument("definition", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def create(definition: Path) -> None:
    """Make a draft of the study that DEFINITION (TOML) declares.

    Folders in it are relative to the file.
    """
    from huefield.networks import default_models_root
    from huefield.study.model_pictures import ModelColorer
    from huefield.study.reading import parse_definition

    with _store() as store:
        try:
            text = definition.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise click.ClickException(f"{definition}: not UTF-8: {error}") from error
        made = store.create(
            parse_definition(text), definition.parent, ModelColorer(default_models_root())
        )
        photos = sum(len(names) for names in made.photos.values())
        click.echo(f"'{made.name}' version {made.version}: {photos} photos, draft, {made.hash}")
        click.echo(f"Open it with: huefield study open {made.name}")


@study.command("list")
def list_studies() -> None:
    """List all studies."""
    with _store() as store:
        for found in store.all():
            opened = "" if found.opened_at is None else f"  opened {_date(found.opened_at)}"
            click.echo(
                f"{found.name:<24} {found.version:>3}  {found.state:<6}"
                f"  {found.joined:>5} people{opened}"
            )


@study.command("open")
@click.argument("name")
@_VERSION
@click.option("--invite", type=click.IntRange(1, 10_000), help="Also make so many invitations.")
@click.option("--address", default="", help="Where the server is, such as https://host, for links.")
def open_study(name: str, version: int | None, invite: int | None, address: str) -> None:
    """Open a study for participants; its definition is frozen from now on."""
    with _store() as store:
        found = store.open(store.find(name, version))
        click.echo(f"'{found.name}' version {found.version} is open; definition {found.hash}")
        base = f"{address.rstrip('/')}/study/{found.name}"
        ways = found.definition.recruitment
        if ways.open_link:
            click.echo(f"Link: {base}")
        if ways.prolific:
            click.echo(
                f"Prolific: {base}?PROLIFIC_PID={{{{%PROLIFIC_PID%}}}}"
                "&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
            )
        if ways.mturk:
            click.echo(f"Mechanical Turk, ExternalURL: {base}")
        for token in store.invite(found, invite) if invite else ():
            click.echo(f"{base}?invitation={token}")


@study.command()
@click.argument("name")
@_VERSION
def close(name: str, version: int | None) -> None:
    """Close a study: nobody joins or votes any more."""
    with _store() as store:
        found = store.close(store.find(name, version))
        click.echo(f"'{found.name}' version {found.version} is closed")


@study.command()
@click.argument("name")
@_VERSION
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--with-ids", is_flag=True, help="Also the ids of Prolific and Mechanical Turk.")
def export(name: str, version: int | None, out: Path, with_ids: bool) -> None:
    """Write votes and people as CSV and JSON Lines, with definition and data dictionary."""
    from huefield.study.export import write_export
    from webapp.study.exporting import export_study

    with _store() as store:
        content = export_study(store.database, store.find(name, version), with_ids=with_ids)
        write_export(content, out)
        click.echo(f"{len(content.participants)} people and {len(content.votes)} votes in {out}")


@study.command()
@click.argument("source", metavar="NAME_OR_EXPORT")
@_VERSION
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False))
def report(source: str, version: int | None, out: Path) -> None:
    """Write the report of a study, or of an export folder alone, as HTML, Markdown, JSON, LaTeX."""
    from huefield.study.export import read_export
    from huefield.study.records import StudyError
    from huefield.study.report import write_report

    folder = Path(source)
    if (folder / "definition.json").is_file():
        try:
            content = read_export(folder)
        except StudyError as error:
            raise click.ClickException(str(error)) from error
    else:
        from webapp.study.exporting import export_study

        with _store() as store:
            content = export_study(store.database, store.find(source, version))
    write_report(content, out)
    click.echo(f"report.html, report.md, report.json and report.tex in {out}")


@study.command()
@click.argument("name")
@_VERSION
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(name: str, version: int | None, yes: bool) -> None:
    """Delete a study with its pictures, people and votes."""
    with _store() as store:
        found = store.find(name, version)
        if not yes:
            click.confirm(
                f"Delete '{found.name}' version {found.version} with {found.joined} people?",
                abort=True,
            )
        store.delete(found)
        click.echo(f"'{found.name}' version {found.version} is deleted")


@study.command()
@click.argument("name")
@_VERSION
def codes(name: str, version: int | None) -> None:
    """List the completion codes of everybody who finished."""
    from webapp.study.exporting import completion_codes

    with _store() as store:
        for code in completion_codes(store.database, store.find(name, version)):
            click.echo(code)


@study.command()
def password() -> None:
    """Set the password of the admin page, read from the terminal or the standard input."""
    from webapp.admin.passwords import set_password

    if sys.stdin.isatty():
        text = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        text = sys.stdin.readline().rstrip("\r\n")
    with _store() as store:
        set_password(store.database, text)
        click.echo("The password is set; everybody has to log in anew.")


@contextmanager
def _store() -> Iterator[StudyStore]:
    """The studies of this installation; what goes wrong is one line."""
    from sqlalchemy.exc import OperationalError

    from huefield.study.records import StudyError
    from webapp.database import DatabaseError, database_url, open_database
    from webapp.settings import SettingError, load_settings
    from webapp.study.keeping import Keeping
    from webapp.study.store import StudyStore

    try:
        settings = load_settings(None)
        instance = Path(str(settings["INSTANCE"])).resolve()
        database = open_database(database_url(str(settings["DATABASE_URL"]), instance))
    except (SettingError, DatabaseError, OperationalError) as error:
        raise click.ClickException(str(error)) from error
    try:
        store = StudyStore(database, instance / "studies")
        Keeping(store).look()
        yield store
    except StudyError as error:
        raise click.ClickException(str(error)) from error
    finally:
        database.close()


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
