"""Pages of the sample: a start page, one of a company, one to enter activities, and the first page of the portal."""

from __future__ import annotations

from typing import Any

from plugins.sample.keys import field, key, ref, view

Body = dict[str, Any]


def said(text: str, *uses: Body) -> Body:
    """Return a template."""
    return {"template": text, **({"uses": list(uses)} if uses else {})}


def block(word: str, kind: str, **more: Any) -> Body:
    """Return a block."""
    return {"key": key("b", word), "type": kind, **more}


def pages() -> dict[str, Body]:
    """Return the pages by key."""
    return {key("p", "Start"): start(), key("p", "Company"): company(), key("p", "Enter"): enter(), key("p", "Welcome"): welcome()}


def start() -> Body:
    """Return the start page."""
    open_company = {"on": "click", "do": "open_page", "page": ref("page", "p", "Company"),
                    "parameters": [{"name": "company", "value": said("{0}", {"result": "record.id"})}]}
    return {
        "name": "Start", "path": "/", "icon": "home",
        "sources": [{"key": key("d", "StCompany"), "name": "Companies", "kind": "list", "worksheet": ref("worksheet", "w", "Companies"),
                     "view": view("Companies", "All"), "sorts": [{"field": field("Companies", "Name")}]}],
        "blocks": [
            block("StTitle", "heading", level=1, text=said("Good day, {0}", {"user": "name"})),
            block("StText", "text", format="markdown", text=said("This is a **small CRM** to try things out with.")),
            block("StTwo", "columns", columns=2, blocks=[
                block("StBoard", "view", column=0, worksheet=ref("worksheet", "w", "Deals"), view=view("Deals", "All")),
                block("StChart", "chart", column=1, worksheet=ref("worksheet", "w", "Deals"), chart={
                    "type": "bar", "group_by": field("Deals", "Stage"), "value": field("Deals", "Amount"), "function": "sum"})]),
            block("StList", "list", source=key("d", "StCompany"), items_per_page=10, blocks=[
                block("StName", "link", text=said("{0}", {"field": field("Companies", "Name")}), events=[open_company])]),
        ],
    }


def welcome() -> Body:
    """Return the page that customers see first in the portal."""
    return {
        "name": "Welcome", "path": "/welcome", "visibility": "roles", "roles": [ref("portal_role", "q", "Customer")],
        "blocks": [
            block("WeTitle", "heading", level=1, text=said("Welcome, {0}", {"user": "name"})),
            block("WeText", "text", format="markdown", text=said("This is what we know of you. Open it to **change** it.")),
            block("WeList", "view", worksheet=ref("worksheet", "w", "Contacts"), view=view("Contacts", "All")),
            block("WeShop", "heading", level=2, text=said("What we sell")),
            block("WeAll", "view", worksheet=ref("worksheet", "w", "Products"))],
    }


def company() -> Body:
    """Return the page of one company."""
    here = key("d", "CoOne")
    return {
        "name": "Company", "path": "/company/:company", "visibility": "signed_in",
        "parameters": [{"name": "company", "type": "number", "in": "path"}],
        "sources": [{"key": here, "name": "Company", "kind": "record", "worksheet": ref("worksheet", "w", "Companies"),
                     "record": said("{0}", {"parameter": "company"})}],
        "blocks": [
            block("CoTitle", "heading", level=1, text=said("{0}", {"field": field("Companies", "Name"), "source": here})),
            block("CoTable", "table", source=here, table_columns=[
                {"name": "Website", "type": "link", "value": said("{0}", {"field": field("Companies", "Website"), "source": here})}]),
            block("CoBack", "button", text=said("Back"), events=[{"on": "click", "do": "open_page", "page": ref("page", "p", "Start")}]),
        ],
    }


def enter() -> Body:
    """Return the page on which activities are entered."""
    subject = key("b", "EnSubject")
    return {
        "name": "Enter an activity", "path": "/enter", "visibility": "roles", "roles": [ref("role", "r", "Sales")],
        "blocks": [block("EnForm", "form", label=said("Save"), blocks=[
            block("EnSubject", "input", label=said("Subject"), required=True),
            block("EnWhen", "date_input", label=said("When"), include_time=True),
        ], events=[
            {"on": "submit", "do": "create_record", "worksheet": ref("worksheet", "w", "Activities"),
             "values": [{"field": field("Activities", "Subject"), "value": said("{0}", {"input": subject})}]},
            {"on": "submit", "do": "notify", "title": said("Saved")}])],
    }
