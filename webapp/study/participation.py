"""One person's way through a study: what comes next, votes, withdrawal.

A token says who asks. A vote is one transaction: it is stored once and for all before it is
answered, and sent again it is answered alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, func, insert, select, update

from webapp.database import Database
from webapp.database.tables import PARTICIPANT, PICTURE, TRIAL, VOTE
from webapp.problems import ProblemError
from webapp.study.addresses import Addresses, Slot
from webapp.study.answers import Answer, Device
from webapp.study.identities import completion_code, withdrawal_code
from webapp.study.joining import Entry, join, take_up
from webapp.study.leaving import withdraw
from webapp.study.live import LiveStudies, LiveStudy
from webapp.study.store import hashed

Document = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """Who a token belongs to."""

    id: int
    state: str
    source: str
    color_vision: str | None
    study: LiveStudy


class Participation:
    """What participants may do.

    Args:
        database: where votes go.
        addresses: seals the addresses of pictures.
        clock: gives the time.
    """

    def __init__(
        self, database: Database, addresses: Addresses, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._addresses = addresses
        self._clock = clock
        self.studies = LiveStudies()

    def study(self, name: str) -> LiveStudy:
        """The study that people see under a name.

        Raises:
            ProblemError: 404 when there is none, or it was never opened.
        """
        with self._database.read() as connection:
            study = self.studies.named(connection, name)
        if study is None:
            raise ProblemError(404, "no-study", "No such study", "Please check the address.")
        return study

    def join(self, study: LiveStudy, entry: Entry, consent_hash: str, device: Device) -> str:
        """The token of a person who consents, or who came back.

        Raises:
            ProblemError: 410 when the study is closed; see `joining.join`.
        """
        with self._database.write() as connection:
            live = self.studies.numbered(connection, study.id)
            if live.state != "open":
                raise closed()
            return join(connection, live, entry, consent_hash, device, self._clock())

    def person(self, token: str) -> Person:
        """Who shows this token.

        Raises:
            ProblemError: 401 when nobody does.
        """
        with self._database.read() as connection:
            return self._person(connection, token)

    def state(self, person: Person) -> Document:
        """What the person's page shows now: its phase, and the trials at hand."""
        with self._database.write() if person.state == "dropped" else self._database.read() as c:
            if person.state == "dropped":
                take_up(c, person.id, self._clock())
            return self._state(c, person)

    def answer_screen(self, person: Person, color_vision: str, steps: int) -> Document:
        """Stores what a person says of eyes and screen; the new state."""
        with self._database.write() as connection:
            connection.execute(
                update(PARTICIPANT)
                .where(PARTICIPANT.c.id == person.id)
                .values(color_vision=color_vision, screen_steps=steps, seen_at=self._clock())
            )
            fresh = Person(person.id, person.state, person.source, color_vision, person.study)
            return self._state(connection, fresh)

    def vote(self, person: Person, answer: Answer) -> Document:
        """Stores an answer; feedback of practice, and the new state.

        Raises:
            ProblemError: 409 when the trial was answered otherwise or is not the one at hand, 403
                before the screen was looked at, 410 when the study is closed.
        """
        if person.color_vision is None:
            raise ProblemError(403, "too-early", "Not yet", "The screen check comes first.")
        with self._database.write() as connection:
            trial = connection.execute(
                select(
                    TRIAL.c.id,
                    TRIAL.c.position,
                    TRIAL.c.kind,
                    TRIAL.c.answer,
                    PARTICIPANT.c.state,
                )
                .join(PARTICIPANT, TRIAL.c.participant_id == PARTICIPANT.c.id)
                .where(TRIAL.c.participant_id == person.id, TRIAL.c.key == answer.trial)
                .with_for_update()
            ).first()
            if trial is None:
                raise ProblemError(404, "no-trial", "No such trial", "It is not yours.")
            if trial.state == "dropped":
                take_up(connection, person.id, self._clock())
            self._store(connection, person, trial, answer)
            document = {"stored": True, "feedback": None, "state": self._state(connection, person)}
        if trial.kind == "practice":
            right = answer.choice == trial.answer
            document["feedback"] = {"right": right, "answer": trial.answer}
        return document

    def withdraw(self, study: LiveStudy, code: str) -> bool:
        """Deletes the votes of the person with that code; whether there was one."""
        with self._database.write() as connection:
            return withdraw(connection, study, code, self._clock())

    def picture(self, address: str) -> tuple[LiveStudy, str]:
        """The study and the SHA-256 of the picture at a sealed address.

        Raises:
            ProblemError: 404 when the address is forged or old, or the trial is gone.
        """
        opened = self._addresses.open(address)
        if opened is not None:
            trial_id, slot = opened
            method = {"left": TRIAL.c.left, "right": TRIAL.c.right}.get(slot)
            with self._database.read() as connection:
                row = connection.execute(
                    select(PARTICIPANT.c.study_id, PICTURE.c.sha256)
                    .select_from(
                        TRIAL.join(PARTICIPANT, TRIAL.c.participant_id == PARTICIPANT.c.id).join(
                            PICTURE,
                            (PICTURE.c.study_id == PARTICIPANT.c.study_id)
                            & (PICTURE.c.dataset == TRIAL.c.dataset)
                            & (PICTURE.c.photo == TRIAL.c.photo)
                            & (PICTURE.c.method == ("gray" if method is None else method)),
                        )
                    )
                    .where(TRIAL.c.id == trial_id)
                ).first()
                if row is not None:
                    return self.studies.numbered(connection, row.study_id), row.sha256
        raise ProblemError(404, "no-picture", "No such picture", "Please reload the page.")

    def _person(self, connection: Connection, token: str) -> Person:
        row = connection.execute(
            select(
                PARTICIPANT.c.id,
                PARTICIPANT.c.state,
                PARTICIPANT.c.source,
                PARTICIPANT.c.color_vision,
                PARTICIPANT.c.study_id,
            ).where(PARTICIPANT.c.token_hash == hashed(token))
        ).first()
        if row is None or not token:
            raise ProblemError(
                401, "unknown-participant", "Please begin anew", "This participation is not known."
            )
        if row.state == "withdrawn":
            raise ProblemError(410, "withdrawn", "You withdrew", "Your answers were deleted.")
        study = self.studies.numbered(connection, row.study_id)
        return Person(row.id, row.state, row.source, row.color_vision, study)

    def _store(self, connection: Connection, person: Person, trial: Any, answer: Answer) -> None:
        """One vote on disk, or the proof that this very vote is there."""
        known = connection.execute(
            select(VOTE.c.client_key, VOTE.c.choice).where(VOTE.c.trial_id == trial.id)
        ).first()
        if known is not None:
            if (known.client_key, known.choice) == (answer.client_key, answer.choice):
                return
            raise ProblemError(409, "answered", "Answered already", "This trial has its answer.")
        if person.study.state != "open":
            raise closed()
        at_hand, left = connection.execute(
            select(func.min(TRIAL.c.position), func.count()).where(
                TRIAL.c.participant_id == person.id, TRIAL.c.answered.is_(False)
            )
        ).one()
        if trial.position != at_hand:
            raise ProblemError(409, "not-at-hand", "Not yet", "Another trial comes first.")
        trials = person.study.definition.trials
        if answer.choice == "cant-tell" and not trials.cant_tell:
            raise ProblemError(422, "request-refused", "Not valid", "choice: left or right here")
        if answer.choice == "timeout" and not trials.time_limit:
            raise ProblemError(422, "request-refused", "Not valid", "choice: there is no limit")
        now = self._clock()
        connection.execute(
            insert(VOTE).values(
                trial_id=trial.id,
                choice=answer.choice,
                client_key=answer.client_key,
                response_ms=answer.response_ms,
                received_at=now,
                viewport_width=answer.width,
                viewport_height=answer.height,
                pixel_ratio=answer.pixel_ratio,
                focus_losses=answer.focus_losses,
                hidden_ms=answer.hidden_ms,
                pauses=answer.pauses,
                shows=answer.shows,
                input=answer.input,
            )
        )
        connection.execute(update(TRIAL).where(TRIAL.c.id == trial.id).values(answered=True))
        values: dict[str, object] = {"seen_at": now}
        if left == 1:
            values |= {"state": "finished", "finished_at": now}
        connection.execute(
            update(PARTICIPANT).where(PARTICIPANT.c.id == person.id).values(**values)
        )

    def _state(self, connection: Connection, person: Person) -> Document:
        study = person.study
        document: Document = {
            "phase": "trial",
            "withdrawal_code": withdrawal_code(study.secret, person.id),
        }
        counts = connection.execute(
            select(func.count(), func.sum(TRIAL.c.answered.cast(Integer))).where(
                TRIAL.c.participant_id == person.id
            )
        ).one()
        total, done = int(counts[0]), int(counts[1] or 0)
        document["progress"] = {"done": done, "total": total}
        if total and done == total:
            return document | self._finished(person)
        if study.state != "open":
            return document | {"phase": "closed"}
        if person.color_vision is None:
            return document | {"phase": "screen"}
        rows = connection.execute(
            select(TRIAL)
            .where(TRIAL.c.participant_id == person.id, TRIAL.c.answered.is_(False))
            .order_by(TRIAL.c.position)
            .limit(2)
        ).all()
        document["trial"] = self._shown(study, rows[0])
        document["next"] = self._shown(study, rows[1]) if len(rows) > 1 else None
        return document

    def _finished(self, person: Person) -> Document:
        code = completion_code(person.study.secret, person.id)
        if person.source == "prolific":
            code = person.study.definition.recruitment.prolific_code
        return {"phase": "finished", "completion_code": code, "source": person.source}

    def _shown(self, study: LiveStudy, trial: Any) -> Document:
        """What the page learns of a trial: nothing that tells methods, checks or repeats."""
        width, height = study.frozen.sizes[trial.dataset, trial.photo]
        slots: tuple[Slot, ...] = ("left", "right")
        shown: Document = {
            "key": trial.key,
            "practice": trial.kind == "practice",
            "width": width,
            "height": height,
            "pictures": [self._addresses.seal(trial.id, slot) for slot in slots],
            "gray": None,
        }
        if study.definition.trials.show_gray:
            shown["gray"] = self._addresses.seal(trial.id, "gray")
        return shown


def closed() -> ProblemError:
    """The answer to whoever comes too late."""
    return ProblemError(410, "closed", "This study is closed", "Thank you for your interest.")
