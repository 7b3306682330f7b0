"""What stands around the sample's data: settings, workflows, roles, portal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plugins.sample.keys import field, key, ref, view
from plugins.sample.worksheets import INDUSTRIES, WORKSHEETS, choices

Body = dict[str, Any]
NAME = "Sample CRM"


def settings(icon: Body) -> Iterator[tuple[str, Body]]:
    """Yield (address, body) of the app's own documents."""
    yield "app/main", {"name": NAME, "icon": icon, "colour": "#2f6f4f", "description": "Companies, people, deals: an app to try with."}
    yield f"option_set/{key('s', 'Industries')}", {"name": "Industries", "choices": choices(INDUSTRIES)}
    yield f"group/{key('g', 'Work')}", {"name": "Work", "icon": "briefcase", "items": [
        ref("page", "p", "Start"), *(ref("worksheet", "w", n) for n in ("Companies", "Contacts", "Deals", "Activities"))]}
    yield f"group/{key('g', 'Lists')}", {"name": "Lists", "items": [
        ref("worksheet", "w", "Products"), ref("worksheet", "w", "Lines"), ref("page", "p", "Company"), ref("page", "p", "Enter"),
        ref("page", "p", "Welcome")]}
    yield "navigation/main", {"items": [
        {"label": "Start", "icon": "home", "target": ref("page", "p", "Start")},
        {"label": "Sell", "items": [{"label": "Deals", "target": ref("worksheet", "w", "Deals")},
                                    {"label": "Companies", "target": ref("worksheet", "w", "Companies")}]}]}


def workflows() -> Iterator[tuple[str, Body]]:
    """Yield three workflows."""
    won = {"all": [{"field": field("Deals", "Stage"), "operator": "is", "value": key("o", "Won")}]}
    title = {"template": "{0}", "uses": [{"field": field("Deals", "Title")}]}
    yield f"workflow/{key('f', 'Won')}", {
        "name": "Tell everybody about a won deal", "enabled": True,
        "trigger": {"type": "record_updated", "worksheet": ref("worksheet", "w", "Deals"), "fields": [field("Deals", "Stage")],
                    "when": won},
        "steps": [{"key": key("t", "WonTell"), "type": "notify", "to": [ref("role", "r", "Sales")], "subject": title,
                   "message": "Won!"},
                  {"key": key("t", "WonNote"), "type": "create_record", "worksheet": ref("worksheet", "w", "Activities"), "values": [
                      {"field": field("Activities", "Subject"), "value": {"template": "Won: {0}", "uses": title["uses"]}},
                      {"field": field("Activities", "When"), "value": {"template": "{0}", "uses": [{"about": "now"}]}},
                      {"field": field("Activities", "Deal"), "value": {"template": "{0}", "uses": [{"about": "record_number"}]}}]}]}
    yield f"workflow/{key('f', 'Morning')}", {
        "name": "Deals that close today", "enabled": True,
        "trigger": {"type": "schedule", "schedule": {"every": "week", "weekdays": [0, 1, 2, 3, 4], "hour": 7, "minute": 30}},
        "steps": [{"key": key("t", "MoFind"), "type": "find_records", "worksheet": ref("worksheet", "w", "Deals"), "limit": 100,
                   "filter": {"field": field("Deals", "Close"), "operator": "is", "value": {
                       "template": "{0}", "uses": [{"about": "today"}]}},
                   "sorts": [{"field": field("Deals", "Close")}]},
                  {"key": key("t", "MoLoop"), "type": "loop", "over": {"template": "{0}", "uses": [
                      {"step": key("t", "MoFind"), "path": "records"}]}, "steps": [
                      {"key": key("t", "MoMail"), "type": "send_email", "to": [ref("role", "r", "Sales")], "subject": {
                          "template": "{0}", "uses": [{"field": field("Deals", "Title"), "step": key("t", "MoLoop")}]},
                       "message": "It closes today."}]}]}
    yield f"workflow/{key('f', 'Hook')}", {
        "name": "Tell the bookkeeping", "enabled": False,
        "trigger": {"type": "button", "button": {"ref": f"{ref('worksheet', 'w', 'Deals')['ref']}/button/{key('b', 'DeWin')}"}},
        "steps": [{"key": key("t", "HoAsk"), "type": "condition", "branches": [
            {"name": "Large", "when": {"all": [{"field": field("Deals", "Amount"), "operator": "greater", "value": "5000"}]}, "steps": [
                {"key": key("t", "HoOk"), "type": "approval", "approvers": [ref("role", "r", "Manager")], "needed": "one"}]},
            {"name": "Else", "steps": []}]},
            {"key": key("t", "HoSend"), "type": "webhook", "url": "https://books.example.org/deals", "method": "POST",
             "headers": [{"name": "Authorization", "value": {"secret": "bookkeeping"}}], "body": title}]}


def roles() -> Iterator[tuple[str, Body]]:
    """Yield three roles: who manages, who sells, who reads."""
    every = [ref("worksheet", "w", name) for name in WORKSHEETS]
    yield f"role/{key('r', 'Manager')}", {
        "name": "Manager", "all_worksheets": True, "manage": ["worksheets", "pages", "workflows", "roles"],
        "worksheets": [{"worksheet": w, "create": True, "read": "all", "update": "all", "delete": "all", "export": True}
                       for w in every]}
    yield f"role/{key('r', 'Sales')}", {
        "name": "Sales", "description": "Sees all, changes their own.",
        "worksheets": [{"worksheet": w, "create": True, "read": "all", "update": "own", "delete": "none"} for w in every],
        "pages": [{"page": ref("page", "p", name), "visible": True} for name in ("Start", "Company", "Enter")]}
    yield f"role/{key('r', 'Reader')}", {
        "name": "Reader",
        "worksheets": [{"worksheet": ref("worksheet", "w", "Companies"), "read": "department",
                        "fields": [{"field": field("Companies", "Notes"), "read": False, "write": False}],
                        "views": [{"view": view("Companies", "Best"), "visible": False}]}],
        "pages": [{"page": ref("page", "p", "Enter"), "visible": False}]}


def portal(logo: Body) -> Iterator[tuple[str, Body]]:
    """Yield the portal and its roles."""
    yield f"portal_role/{key('q', 'Customer')}", {
        "name": "Customer", "pages": [{"page": ref("page", "p", "Welcome"), "visible": True}], "worksheets": [
            {"worksheet": ref("worksheet", "w", "Contacts"), "read": "own", "update": "own", "email_field": field("Contacts", "Email"),
             "comment": True, "fields": [{"field": field("Contacts", "Email"), "write": False}, *(
                 {"field": field("Contacts", word), "read": False} for word in ("Tags", "Company", "Where", "Changed"))]},
            {"worksheet": ref("worksheet", "w", "Products"), "read": "all"}]}
    yield f"portal_role/{key('q', 'Partner')}", {
        "name": "Partner", "worksheets": [{"worksheet": ref("worksheet", "w", "Products"), "read": "all"}]}
    yield "portal/main", {
        "enabled": True, "title": "Our customers", "default_role": ref("portal_role", "q", "Customer"),
        "home": ref("page", "p", "Welcome"),
        "sign_in": {"methods": ["password", "email_code"], "registration": "invite", "session_hours": 24},
        "look": {"logo": logo, "colour": "#2f6f4f", "welcome": "See what we know of you, and put it right."}}
