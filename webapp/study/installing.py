"""Puts studies into the app: database, stores, limits and blueprints; `create_app` calls it."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from webapp.admin.passwords import Logins
from webapp.admin.routes import admin
from webapp.database import database_url, open_database
from webapp.study.addresses import Addresses
from webapp.study.keeping import Keeping
from webapp.study.limits import Limit
from webapp.study.participation import Participation
from webapp.study.routes import study
from webapp.study.store import StudyStore


def install_studies(app: Flask) -> None:
    """Open the database of studies and register their routes.

    Raises:
        DatabaseError: the address of the database is wrong or its driver is missing.
    """
    instance = Path(app.instance_path)
    database = open_database(database_url(app.config["DATABASE_URL"], instance))
    app.extensions["huefield_database"] = database
    store = StudyStore(database, instance / "studies")
    app.extensions["huefield_studies"] = store
    keeping = Keeping(store)
    keeping.look()
    database.close()  # a server may fork from here
    addresses = Addresses(app.config["SECRET_KEY"])
    app.extensions["huefield_participation"] = Participation(database, addresses)
    app.extensions["huefield_study_limits"] = {
        "joins": Limit(app.config["STUDY_JOINS"], 600),
        "votes": Limit(60, 10),
        "withdrawals": Limit(20, 600),
    }
    app.extensions["huefield_logins"] = Logins(database, app.config["SECRET_KEY"])
    for blueprint in (study, admin):
        app.register_blueprint(blueprint)
        app.before_request_funcs.setdefault(blueprint.name, []).append(keeping.before_request)
