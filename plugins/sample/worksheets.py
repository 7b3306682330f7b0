"""The five worksheets of the sample: companies, contacts, deals with their lines, activities, products."""

from __future__ import annotations

from typing import Any

from plugins.sample.keys import field, hole, key, ref, view

Body = dict[str, Any]
STAGES = (("New", "blue"), ("Qualified", "cyan"), ("Proposal", "yellow"), ("Won", "green"), ("Lost", "red"))
KINDS = (("Call", "blue"), ("Meeting", "green"), ("Email", "gray"), ("Visit", "orange"))
INDUSTRIES = (("Bicycles", "green"), ("Bakery", "orange"), ("Printing", "blue"), ("Timber", "brown"), ("Textiles", "purple"))


def choices(given: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    """Return choices of a select field or option set."""
    return [{"key": key("o", name), "name": name, "colour": colour} for name, colour in given]


def one(sheet: str, word: str, kind: str, name: str | None = None, *, options: Body | None = None, **more: Any) -> Body:
    """Return a field's definition."""
    return {"key": key("f", sheet[:2] + word), "type": kind, "name": name or word, "options": options or {}, **more}


def sheet_ref(name: str) -> Body:
    """Return the options of a field that points to a worksheet."""
    return {"target": ref("worksheet", "w", name)}


def mirror(sheet: str, holder: str, word: str) -> Body:
    """Return the options of the computed side of a two-way relationship."""
    return {"target": ref("worksheet", "w", holder), "mirrors": field(holder, word)}


def companies() -> Body:
    """Return the worksheet of companies."""
    s = "Companies"
    return sheet(s, "Name", [
        one(s, "Name", "text", required=True, unique=True),
        one(s, "Number", "autonumber", options={"prefix": "C-", "digits": 4}),
        one(s, "Industry", "single_select", options={"option_set": ref("option_set", "s", "Industries")}),
        one(s, "Website", "url"),
        one(s, "Phone", "phone"),
        one(s, "Place", "location"),
        one(s, "Region", "region", options={"levels": 3}),
        one(s, "Rating", "rating", options={"max": 5}),
        one(s, "Parent", "relationship", "Belongs to", options={**sheet_ref(s), "multiple": False}),
        one(s, "Logo", "file"),
        one(s, "Notes", "rich_text", options={"format": "markdown"}),
        one(s, "Contacts", "relationship", options=mirror(s, "Contacts", "Company")),
        one(s, "Deals", "relationship", options=mirror(s, "Deals", "Company")),
        one(s, "Open", "rollup", "Worth of deals", options={
            "through": field(s, "Deals"), "target": field("Deals", "Amount"), "function": "sum",
            "format": {"type": "number", "decimals": 2}}),
        one(s, "People", "count", "Number of contacts", options={"through": field(s, "Contacts")}),
        one(s, "Head", "section", "About the record"),
        one(s, "Made", "created_time", "Created"),
        one(s, "Maker", "created_by", "Created by"),
    ], views=[
        grid(s, "All", ["Name", "Number", "Industry", "Rating", "Open", "People"], sorts=["Name"]),
        grid(s, "Best", ["Name", "Rating", "Open"], filter={"all": [
            {"field": field(s, "Rating"), "operator": "greater_or_equal", "value": 4}]}),
        {"key": key("v", "CoCards"), "type": "gallery", "name": "Cards", "cover_field": field(s, "Logo")},
    ])


def contacts() -> Body:
    """Return the worksheet of contacts."""
    s = "Contacts"
    return sheet(s, "Full", [
        one(s, "Full", "text_combination", "Full name", options={
            "template": f"{hole(s, 'First')} {hole(s, 'Last')}", "uses": [field(s, "First"), field(s, "Last")]}),
        one(s, "First", "text", "First name"),
        one(s, "Last", "text", "Last name", required=True),
        one(s, "Email", "email", "Email", unique=True),
        one(s, "Phone", "phone"),
        one(s, "Company", "relationship", options={**sheet_ref("Companies"), "multiple": False}),
        one(s, "Tags", "multiple_select", options={"choices": choices((("Decides", "red"), ("Pays", "green"), ("Uses", "blue")))}),
        one(s, "Birthday", "date"),
        one(s, "News", "checkbox", "Wants the newsletter"),
        one(s, "Photo", "file", options={"multiple": False}),
        one(s, "Where", "lookup", "Region", options={"through": field(s, "Company"), "target": field("Companies", "Region")}),
        one(s, "Changed", "modified_time", "Last change"),
    ], views=[
        grid(s, "All", ["Full", "Email", "Phone", "Company", "Tags"], sorts=["Last", "First"]),
        {"key": key("v", "CoDates"), "type": "calendar", "name": "Birthdays", "start_field": field(s, "Birthday")},
        {"key": key("v", "CoForm"), "type": "form", "name": "New contact", "form": {
            "title": "Stay in touch", "description": "We answer within a day.", "button": "Send",
            "fields": [{"field": field(s, "First"), "label": "First name"}, {"field": field(s, "Last"), "required": True},
                       {"field": field(s, "Email"), "required": True, "help": "Only for our answer."}],
            "done": {"message": "Thank you."}}},
    ], forms=[{"key": key("l", "CoMain"), "name": "Contact", "sections": [
        {"title": "Person", "columns": 2, "fields": [field(s, "First"), field(s, "Last"), field(s, "Email"), field(s, "Phone")]},
        {"title": "Business", "fields": [field(s, "Company"), field(s, "Tags")]}]}])


def deals() -> Body:
    """Return the worksheet of deals; their lines are rows of their own."""
    s = "Deals"
    return sheet(s, "Title", [
        one(s, "Title", "text", required=True),
        one(s, "Company", "relationship", options={**sheet_ref("Companies"), "multiple": False}),
        one(s, "Contact", "relationship", options={**sheet_ref("Contacts"), "multiple": False}),
        one(s, "Stage", "single_select", options={"choices": choices(STAGES)}),
        one(s, "Amount", "currency", options={"decimals": 2, "currency": "EUR"}),
        one(s, "Chance", "percent", options={"decimals": 0}),
        one(s, "Expected", "formula", "Expected worth", options={
            "expression": f"{hole(s, 'Amount')} * {hole(s, 'Chance')} / 100", "uses": [field(s, "Amount"), field(s, "Chance")],
            "format": {"type": "number", "decimals": 2}}),
        one(s, "Close", "date", "Closes on"),
        one(s, "Lines", "subform", options=sheet_ref("Lines")),
        one(s, "Owner", "member"),
        one(s, "Signed", "signature", "Signature"),
        one(s, "Offer", "file"),
        one(s, "Related", "free_link", "See also"),
    ], views=[
        grid(s, "All", ["Title", "Company", "Stage", "Amount", "Expected", "Close"], sorts=["Close"], groups=["Stage"]),
        {"key": key("v", "DeBoard"), "type": "kanban", "name": "Board", "stack_field": field(s, "Stage")},
        {"key": key("v", "DeTime"), "type": "timeline", "name": "Plan", "start_field": field(s, "Close"),
         "end_field": field(s, "Close"), "scale": "month"},
    ], rules=[{"key": key("k", "DeReason"), "name": "A won deal has an amount", "enabled": True,
               "when": {"all": [{"field": field(s, "Stage"), "operator": "is", "value": key("o", "Won")}]},
               "then": [{"do": "require", "field": field(s, "Amount"), "message": "What is it worth?"}]}],
        buttons=[{"key": key("b", "DeWin"), "name": "Won", "colour": "#2ca25f", "do": "set_fields", "confirm": "Mark this deal as won?",
                  "values": [{"field": field(s, "Stage"), "value": key("o", "Won")}]}])


def lines() -> Body:
    """Return the worksheet of the lines of deals."""
    s = "Lines"
    return sheet(s, "Product", [
        one(s, "Product", "relationship", options={**sheet_ref("Products"), "multiple": False}),
        one(s, "Way", "cascading_select", "Category", options=sheet_ref("Products")),
        one(s, "Pieces", "number", options={"decimals": 0}),
        one(s, "Price", "currency", options={"decimals": 2, "currency": "EUR"}),
        one(s, "Sum", "formula", options={
            "expression": f"{hole(s, 'Pieces')} * {hole(s, 'Price')}", "uses": [field(s, "Pieces"), field(s, "Price")],
            "format": {"type": "number", "decimals": 2}}),
    ], views=[grid(s, "All", ["Product", "Pieces", "Price", "Sum"])])


def activities() -> Body:
    """Return the worksheet of what was done for whom."""
    s = "Activities"
    return sheet(s, "Subject", [
        one(s, "Subject", "text", required=True),
        one(s, "Kind", "single_select", options={"choices": choices(KINDS)}),
        one(s, "When", "datetime"),
        one(s, "Clock", "time", "Reminder at"),
        one(s, "Length", "duration", options={"format": "h:mm"}),
        one(s, "With", "relationship", options=sheet_ref("Contacts")),
        one(s, "Deal", "relationship", options={**sheet_ref("Deals"), "multiple": False}),
        one(s, "Report", "long_text"),
        one(s, "Department", "department"),
        one(s, "Role", "org_role", "Org role"),
        one(s, "Changer", "modified_by", "Last changed by"),
    ], views=[
        grid(s, "All", ["Subject", "Kind", "When", "With", "Deal"], sorts=["When"]),
        {"key": key("v", "AcDates"), "type": "calendar", "name": "Calendar", "start_field": field(s, "When")},
    ])


def products() -> Body:
    """Return the worksheet of products, a tree of categories."""
    s = "Products"
    return sheet(s, "Name", [
        one(s, "Name", "text", required=True, unique=True),
        one(s, "Code", "identity_number", "Article number"),
        one(s, "Price", "currency", options={"decimals": 2, "currency": "EUR"}),
        one(s, "Weight", "number", "Weight", options={"decimals": 3, "unit": "kg"}),
        one(s, "Above", "relationship", "Category", options={**sheet_ref(s), "multiple": False}),
        one(s, "Label", "barcode", options={"form": "code128", "of": field(s, "Code")}),
        one(s, "Rule", "divider"),
        one(s, "Hint", "remark", options={"text": "Prices without tax.", "format": "plain"}),
        one(s, "Shop", "embed", options={"url": "https://example.org/shop", "height": 300}),
    ], views=[grid(s, "All", ["Name", "Code", "Price", "Above"], sorts=["Name"])])


def sheet(name: str, title: str, fields: list[Body], **more: Any) -> Body:
    """Return a worksheet's body."""
    body = {"name": name if name != "Lines" else "Deal lines", "title_field": field(name, title), "fields": fields, **more}
    return body


def grid(s: str, name: str, words: list[str], *, sorts: list[str] | None = None, groups: list[str] | None = None,
         **more: Any) -> Body:
    """Return a grid view with these columns."""
    found: Body = {"key": view(s, name)["ref"].rpartition("/")[2], "type": "grid", "name": name, "row_height": "small",
                   "fields": [{"field": field(s, word), "width": 200} for word in words], **more}
    if sorts:
        found["sorts"] = [{"field": field(s, word)} for word in sorts]
    if groups:
        found["groups"] = [{"field": field(s, word)} for word in groups]
    return found


WORKSHEETS = {"Companies": companies, "Contacts": contacts, "Deals": deals, "Lines": lines, "Activities": activities,
              "Products": products}
