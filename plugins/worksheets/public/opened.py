"""What strangers open: a form to fill in, or records to see, at a secret address. Nobody signs in, and no session is kept.

Spam is kept out without a third party: a field that people do not see, a stamp that says when the form was shown, a bound on how often.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Response, abort, current_app, make_response, render_template, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from core.api import (
    EVERYTHING,
    SYSTEM,
    App,
    AppkeepError,
    Needs,
    Pages,
    Standing,
    csrf,
    documents,
    limiter,
    now_us,
    rights,
    server,
    standing,
    transaction,
)
from plugins.worksheets import history_log as log
from plugins.worksheets.access import SheetAccess
from plugins.worksheets.fields import Field
from plugins.worksheets.models import PublicLink
from plugins.worksheets.public import links
from plugins.worksheets.query import page
from plugins.worksheets.records import Row
from plugins.worksheets.service import dumps
from plugins.worksheets.web.calendars import MOST, between, date_of, days_of, month_of
from plugins.worksheets.web.editors import Trouble, Typed, editor_of
from plugins.worksheets.web.filter_match import fits
from plugins.worksheets.web.forms import form_fields, next_url
from plugins.worksheets.web.lines import lines_of
from plugins.worksheets.web.record_form import Refused, defaults, enter, save
from plugins.worksheets.web.related_names import RelatedNames
from plugins.worksheets.web.sheet_context import SheetContext, part_key
from plugins.worksheets.web.uploads import take_files
from tenants import passwords
from tenants.notifications.notify import mail_to
from tenants.service import opened_to_anybody

pages = Pages("public", "plugins.worksheets", template_folder="templates")
ADDRESS = "/public/<at>/<token>"
MOST_BYTES = 25 * 1024 * 1024
SOON_S, LATE_S = 2, 24 * 3600
"""Nobody fills in a form more quickly, and a form that was shown longer ago is shown again."""
PROVEN_S = 12 * 3600
ROWS = 50
TRAP = "website"
"""A field that people do not see: what fills it in is a program."""


@pages.page(ADDRESS, Needs.NOTHING, ("GET", "POST"), max_bytes=MOST_BYTES)
@csrf.exempt  # type: ignore[untyped-decorator]  # Flask-WTF comes without types
@limiter.limit("60/minute;600/hour", methods=["POST"])
@limiter.limit("300/minute", methods=["GET"])
def opened(at: str, token: str) -> Response:
    """Show what a public link leads to, or take what was sent; an address that is none answers as what does not exist."""
    with opened_to_anybody(at) as app:
        link = links.find_by_token(app, token)
        if link is None:
            abort(404)
        try:
            answer = make_response(_answer(app, link))
        except AppkeepError as error:
            answer = make_response(_closed(app, error.message), error.status)
        if link.embedded:
            answer.embeddable = True  # type: ignore[attr-defined]  # read by the core's headers
        return answer


def _answer(app: App, link: PublicLink) -> Any:
    why = links.why_closed(link, now_us())
    if why:
        return _closed(app, why), 410
    view = links.view_of(app, link.worksheet, link.view)
    proof = _proof(link)
    if link.password is not None and proof is None:
        return _ask_password(app, link)
    sheet = _sheet(app, link)
    if view["type"] == "form":
        return _form(sheet, link, view, proof or "")
    if view["type"] == "calendar":
        return _calendar(sheet, link, view, proof or "")
    return _records(sheet, link, view, proof or "")


def _sheet(app: App, link: PublicLink) -> SheetContext:
    """Return the worksheet as the link may see it."""
    here = standing(app, f"link/{link.key}")
    document = documents.get(app, f"worksheet/{link.worksheet}")
    return SheetContext(app, document, SheetAccess(app, here, document, rights(app, here, document.address)), SYSTEM, False)


def _form(sheet: SheetContext, link: PublicLink, view: Mapping[str, Any], proof: str) -> Any:
    asked = [one for one in form_fields(sheet, view) if one.field.key in links.shown_fields(sheet.everything, view, link)]
    if request.method == "GET" or "sent" not in request.form:
        return _shown(sheet, link, view, asked, None, proof)
    if request.form.get(TRAP):
        return _thanks(sheet, view, None)
    age = _age(link)
    if age is None or age < SOON_S:
        return _shown(sheet, link, view, asked, None, proof, "Please check what you entered and send it again.", keep=True), 422
    fields = [one.field for one in asked]
    entered = enter(sheet, fields, request.form, None, take_files(sheet, fields))
    imagined = Row(0, dumps(entered.changes), None, 0, SYSTEM, 0, SYSTEM, None)
    for one in asked:
        if one.required and one.field.key not in entered.changes and fits(sheet, one.show_if, imagined):
            entered.typed.trouble.errors.setdefault(one.field.key, "This field is required.")
    try:
        with transaction():
            with log.by_means(log.FORM):
                seq = save(sheet, None, entered)
            links.take_one(sheet.app, link.key)
            server().registry.hook.form_submitted(app=sheet.app, worksheet=sheet.key, view=link.view, seq=seq, person=SYSTEM)
            receipt = _receipt(sheet, fields, entered.changes, seq)
            if link.receipt is not None and entered.changes.get(link.receipt):
                said = [f"Your response to “{_title(view)}” was received.", "", *(f"{name}: {text}" for name, text in receipt)]
                mail_to(str(entered.changes[link.receipt]), f"receipt/{sheet.app.id}/{sheet.key}/{seq}", f"Received: {_title(view)}",
                        "\n".join(said))
    except Refused as refused:
        return _shown(sheet, link, view, asked, _masked(refused.typed), proof), 422
    return _thanks(sheet, view, receipt)


def _masked(typed: Typed) -> Typed:
    """Return what was typed with what is wrong, without a word on other records."""
    for key, text in typed.trouble.errors.items():
        if "record" in text.casefold():
            typed.trouble.errors[key] = "This value cannot be used here."
    if typed.trouble.general and "record" in typed.trouble.general.casefold():
        typed.trouble.general = "This cannot be saved with these values."
    return typed


def _shown(sheet: SheetContext, link: PublicLink, view: Mapping[str, Any], asked: Any, typed: Typed | None, proof: str,
           trouble: str = "", *, keep: bool = False) -> str:
    around, start = RelatedNames(sheet), defaults(sheet)
    given = typed or (Typed(form=request.form, fresh={}, trouble=Trouble()) if keep else None)
    editors = [editor_of(sheet, around, one.field, start.get(one.field.key), typed=given, label=one.label, help=one.help,
                         required=one.required) for one in asked]
    for editor in editors:
        editor.was = ""
    return render_template("public/form.html", app=sheet.app, sheet=sheet, view=view, asked=editors, typed=typed, proof=proof,
                           title=_title(view), stamp=_signer(link, "form").dumps(""), trouble=trouble, trap=TRAP)


def _records(sheet: SheetContext, link: PublicLink, view: Mapping[str, Any], proof: str) -> str:
    """Show records of a view: which ones the whole view says, what of them the link may show."""
    start = part_key(view.get("start_field")) if view["type"] == "timeline" else None
    sorts = [(str(part_key(one["field"])), bool(one.get("descending"))) for one in view.get("sorts", ())]
    sorts = sorts or ([(start, False)] if start else [])
    ask = _everybody(sheet).ask(filter=view.get("filter"), sorts=sorts)
    found = page(sheet.app, ask, cursor=request.args.get("from") or None, limit=ROWS)
    fields: list[Field] = [sheet.fields[key] for key in links.shown_fields(sheet.everything, view, link) if key in sheet.fields]
    lines = lines_of(RelatedNames(sheet), found.rows, fields)
    return render_template("public/records.html", app=sheet.app, title=_title(view), fields=fields, proof=proof,
                           lines=[[line.show(one, True) for one in fields] for line in lines], next=found.next, previous=found.previous)


def _calendar(sheet: SheetContext, link: PublicLink, view: Mapping[str, Any], proof: str) -> str:
    """Show the records of a view on the days of a month, each by the first field that the link shows; none where it hides the date."""
    shown = [sheet.fields[key] for key in links.shown_fields(sheet.everything, view, link) if key in sheet.fields]
    start = next((one for one in shown if one.key == part_key(view.get("start_field"))), None)
    named = next((one for one in shown if one.key == sheet.title_key), next((one for one in shown if one is not start), start))
    today = datetime.now(sheet.zone).date()
    first = month_of(request.args.get("month"), today)
    days, lines = days_of(first, today), []
    if start is not None:
        parts = [one for one in (view.get("filter"), *between(sheet, start, days[0].date, days[-1].date)) if one]
        found = page(sheet.app, _everybody(sheet).ask(filter={"all": parts}, sorts=[(start.key, False)]), limit=MOST)
        lines = lines_of(RelatedNames(sheet), found.rows, [start, *([named] if named is not None else [])])
    by_date = {day.date: day for day in days}
    for line in lines:
        on = date_of(sheet, line.values.get(start.key)) if start is not None else None
        if on in by_date:
            by_date[on].lines.append(line)
    return render_template(
        "public/calendar.html", app=sheet.app, title=_title(view), proof=proof, any=any(day.lines for day in days),
        weeks=[days[n:n + 7] for n in range(0, len(days), 7)],
        month_title=f"{first:%B} {first.year}", name=lambda line: line.show(named, True) if named is not None else line.seq,
        months=[(words, f"{day:%Y-%m}") for words, day in (("Previous month", first - timedelta(days=1)), ("This month", today),
                                                             ("Next month", first + timedelta(days=31)))])


def _everybody(sheet: SheetContext) -> SheetAccess:
    """Return the worksheet as it is: the view's filter counts, also on fields that are hidden."""
    return SheetAccess(sheet.app, Standing(person=SYSTEM, role=None, admin=True, sees=True), sheet.document, EVERYTHING)


def _receipt(sheet: SheetContext, fields: list[Field], changes: Mapping[str, Any], seq: int) -> list[tuple[str, str]]:
    """Return what was sent, as (name, text): what whoever sent it keeps."""
    row = Row(seq, dumps(changes), None, now_us(), SYSTEM, now_us(), SYSTEM, None)
    line = lines_of(RelatedNames(sheet), [row], fields)[0]
    return [(one.name, str(line.show(one, True).striptags())) for one in fields if one.key in changes]


def _thanks(sheet: SheetContext, view: Mapping[str, Any], receipt: list[tuple[str, str]] | None) -> str:
    message = (view.get("form", {}).get("done") or {}).get("message") or "Your response was saved."
    return render_template("public/thanks.html", app=sheet.app, title=_title(view), message=message, receipt=receipt or [],
                           next_url=next_url(view))


def _closed(app: App, why: str) -> str:
    return render_template("public/closed.html", app=app, why=why)


def _ask_password(app: App, link: PublicLink) -> Any:
    wrong = request.method == "POST" and "password" in request.form
    return render_template("public/password.html", app=app, error="Wrong password." if wrong else None), 401 if wrong else 200


def _proof(link: PublicLink) -> str | None:
    """Return what proves that the password was given, None where it was not; a new one where it has just been typed."""
    if link.password is None:
        return None
    signer = _signer(link, "password")
    typed = request.form.get("password")
    if typed is not None:
        return signer.dumps("") if len(typed) <= 200 and passwords.matches(link.password, typed) else None
    given = request.form.get("proof") or request.args.get("proof") or ""
    try:
        signer.loads(given, max_age=PROVEN_S)
    except BadSignature:
        return None
    return given


def _age(link: PublicLink) -> float | None:
    """Return how many seconds ago the form was shown that was sent; None where it was not, or too long ago."""
    try:
        _, at = _signer(link, "form").loads(request.form.get("sent", ""), max_age=LATE_S, return_timestamp=True)
    except BadSignature:
        return None
    return max(now_us() / 1_000_000 - float(at.timestamp()), 0.0)


def _signer(link: PublicLink, what: str) -> URLSafeTimedSerializer:
    salt = f"public-{what}/{link.app_id}/{link.key}/{link.digest}/{link.password}"
    return URLSafeTimedSerializer(str(current_app.secret_key), salt=salt)


def _title(view: Mapping[str, Any]) -> str:
    return str((view.get("form") or {}).get("title") or view["name"])
