"""Agreeing to what was planned: whether it is still what was agreed to, who one is, and what is refused beside its field.

A restore and an undo are started alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Response, make_response, request

from core.backups import agreement, reauth
from core.backups.reauth import ProofNeeded
from core.base.errors import AppkeepError, Conflict, InvalidInput, PlanChanged
from core.web.answers import status_within
from core.web.visit import visit

MAX_ANSWER_CHARS = 1024
PROOF_CHARS = 43
CHANGED = "The app or the options have changed since this plan was made. Nothing was started. Check the plan below, then start again."


@dataclass(kw_only=True)
class PlanConfirmation:
    """What a page shows of a plan: the plan or why there is none. *proof* is one that was made and not used yet; *errors* by field."""

    found: dict[str, Any] | None = None
    trouble: AppkeepError | None = None
    proof: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    status: int = 200

    def plan(self, made: Callable[[], dict[str, Any]]) -> None:
        """Make the plan, or keep why it cannot be made."""
        try:
            self.found = made()
        except AppkeepError as error:
            self.trouble, self.status = error, status_within(error)

    @property
    def subject(self) -> str:
        """What a proof is given for: the meaning of the plan, not how many records it is about."""
        return agreement.subject(self.found["plan"]) if self.found else ""

    def check_agreed(self) -> None:
        """Refuse where the plan is no longer the one that was looked at.

        Raises:
            PlanChanged: see `agreement.check`.
        """
        agreement.check(request.form.get("plan", ""), self.found["plan"] if self.found else "")

    def prove(self, app_id: str) -> None:
        """Have the person prove who they are, unless they did so for this plan and have not used it.

        Raises:
            AppkeepError: the answer is wrong, or was tried too often.
        """
        answer = request.form.get("answer", "")[:MAX_ANSWER_CHARS]
        self.proof = request.form.get("proof", "")[:PROOF_CHARS]
        if answer:
            self.proof = reauth.prove(app_id, self.subject, visit().person, answer)

    def use_proof(self, app_id: str) -> None:
        """Use the proof up, in the caller's transaction.

        Raises:
            ProofNeeded: it is not good for this (any more).
        """
        reauth.use(self.proof, app_id, self.subject, visit().person)

    def refuse(self, refused: AppkeepError) -> None:
        """Keep what was refused beside its field; what has none is the page's, unless it is about who one is."""
        self.status = status_within(refused)
        if isinstance(refused, ProofNeeded):
            again = "Your confirmation has expired or was already used. " if self.proof else ""
            self.errors["answer"], self.proof = f"{again}Confirm your identity to start.", ""
        elif isinstance(refused, PlanChanged):
            self.errors["page"] = CHANGED
        elif isinstance(refused, Conflict | InvalidInput):
            self.errors["page"] = refused.message
        else:
            self.errors["answer"], self.proof = refused.message, ""


def made(page: str, status: int) -> Response:
    """Answer a page; one that takes the place of another one's part is taken whatever it says: what stood there holds no more."""
    return make_response(page, 200 if request.headers.get("HX-Request") else status)
