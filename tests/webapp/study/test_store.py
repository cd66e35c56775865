from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, inspect, select
from sqlalchemy.exc import IntegrityError

from huefield.study.reading import definition_from_json
from huefield.study.records import StudyError
from huefield.study.report import report_files
from tests.webapp.study.conftest import MakeStudy, Participant, no_models, small_definition
from webapp.database import Database, DatabaseError, make_engine, open_database
from webapp.database.migrating import migrate, migrate_down
from webapp.database.tables import ADMIN, METADATA, PARTICIPANT
from webapp.study.exporting import completion_codes, export_study
from webapp.study.store import StudyStore


def test_a_definition_is_frozen_at_opening(
    store: StudyStore, make_study: MakeStudy, folders: Path
) -> None:
    study = make_study()
    changed = definition_from_json(small_definition(title="Another question"))
    with pytest.raises(StudyError, match="was opened and is frozen; set version = 2"):
        store.create(changed, folders, no_models)
    store.close(study)
    with pytest.raises(StudyError, match="frozen"):
        store.create(changed, folders, no_models)
    assert store.find("pilot").hash == study.hash
    second = store.create(
        definition_from_json(small_definition(version=2, title="Another question")),
        folders,
        no_models,
    )
    assert second.hash != study.hash
    assert [s.version for s in store.all()] == [1, 2]


def test_a_draft_gives_way_to_a_newer_one(store: StudyStore, folders: Path) -> None:
    first = store.create(definition_from_json(small_definition()), folders, no_models)
    second = store.create(definition_from_json(small_definition(title="T")), folders, no_models)
    assert [s.hash for s in store.all()] == [second.hash]
    assert first.hash != second.hash


def test_only_one_version_is_open(store: StudyStore, make_study: MakeStudy, folders: Path) -> None:
    make_study()
    second = store.create(definition_from_json(small_definition(version=2)), folders, no_models)
    with pytest.raises(StudyError, match="version 1 of 'pilot' is open"):
        store.open(second)


def test_a_failed_creation_leaves_nothing(store: StudyStore, folders: Path, app: Flask) -> None:
    datasets = {"Towns": {"methods": {"a": "strong", "b": "nowhere"}}}
    with pytest.raises(StudyError, match="no folder"):
        store.create(definition_from_json(small_definition(datasets=datasets)), folders, no_models)
    assert store.all() == []
    assert list((Path(app.instance_path) / "studies").iterdir()) == []


def test_export_and_report_of_a_served_study(
    app: Flask, store: StudyStore, make_study: MakeStudy
) -> None:
    study = make_study(recruitment={"open_link": True, "prolific": True, "prolific_code": "C0DE"})
    ids = {"PROLIFIC_PID": "5f0a1b2c3d4e", "STUDY_ID": "61aa22bb33cc", "SESSION_ID": "7e0f9d8c7b6a"}
    Participant(app, **ids).begin().finish("right")
    Participant(app).begin().vote()
    export = export_study(store.database, study)
    assert export.hash == study.hash
    assert len(export.votes) == 12
    assert {row.state for row in export.participants} == {"finished", "consented"}
    assert not any("5f0a1b2c3d4e" in str(row) for row in (*export.participants, *export.votes))
    assert {row.external_id for row in export.participants} == {""}
    paid = export_study(store.database, study, with_ids=True)
    assert {row.external_id for row in paid.participants} == {"", "5f0a1b2c3d4e"}
    assert all(vote.chosen in (vote.left, vote.right) for vote in export.votes)
    assert report_files(export) == report_files(export_study(store.database, study))
    assert len(completion_codes(store.database, study)) == 1


def test_deleting_a_study_leaves_nothing(
    app: Flask, store: StudyStore, make_study: MakeStudy
) -> None:
    study = make_study()
    Participant(app).begin().finish()
    store.delete(study)
    with store.database.read() as connection:
        for table in METADATA.sorted_tables:
            count = connection.execute(select(func.count()).select_from(table)).scalar_one()
            assert count == 0, table.name
    assert list((Path(app.instance_path) / "studies").iterdir()) == []


def test_migrations_go_down_and_up_again(
    app: Flask, store: StudyStore, make_study: MakeStudy
) -> None:
    """Every step back and forth; what the tables of a step can hold survives it."""
    make_study()
    Participant(app).begin().finish()
    engine = store.database.engine
    before = _contents(store.database)
    migrate_down(engine, "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    migrate(engine)
    _refill(store.database, before)
    assert _contents(store.database) == before
    assert store.find("pilot").joined == 1


def test_tables_are_those_of_the_migrations(database_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    database = open_database(database_url)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        connection.rollback()
    database.close()


def test_sqlite_is_durable_and_in_write_ahead_mode(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    database.close()


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(DatabaseError, match="HUEFIELD_DATABASE_URL"):
        make_engine(url)


def test_a_failed_write_is_undone(store: StudyStore, make_study: MakeStudy, app: Flask) -> None:
    make_study()
    Participant(app).begin()
    with pytest.raises(IntegrityError):
        _delete_and_fail(store.database)
    with store.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(PARTICIPANT)).scalar_one() == 1


def _contents(database: Database) -> dict[str, list[Any]]:
    with database.read() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in METADATA.sorted_tables
        }


def _delete_and_fail(database: Database) -> None:
    with database.write() as connection:
        connection.execute(PARTICIPANT.delete())
        connection.execute(ADMIN.insert(), [{"id": 1, "password_hash": None, "version": 1}])


def _refill(database: Database, contents: dict[str, list[Any]]) -> None:
    with database.write() as connection:
        for table in METADATA.sorted_tables:
            names = [column.name for column in table.columns]
            rows = [dict(zip(names, row, strict=True)) for row in contents[table.name]]
            if rows:
                connection.execute(table.insert(), rows)
