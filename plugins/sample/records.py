"""Records of the sample: the same on every server, made by arithmetic instead of chance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plugins.sample.keys import field, key, ref
from plugins.sample.worksheets import INDUSTRIES, KINDS, STAGES

START_US = 1_767_225_600_000_000  # 2026-01-01
DAY_US = 86_400_000_000
PLACES = (("Lübeck", "53.8655", "10.6866"), ("Graz", "47.0707", "15.4395"), ("Utrecht", "52.0907", "5.1214"),
          ("Aarhus", "56.1629", "10.2039"), ("Brno", "49.1951", "16.6068"))
LAND = {"Lübeck": "Germany", "Graz": "Austria", "Utrecht": "Netherlands", "Aarhus": "Denmark", "Brno": "Czechia"}
FIRST = ("Amelie", "Bruno", "Cora", "Davi", "Edda", "Finn", "Greta", "Hugo", "Ines", "Jasper", "Kaja", "Levin", "Mira", "Nils")
LAST = ("Ahrens", "Brandt", "Czerny", "Dekker", "Eskildsen", "Fuchs", "Gruber", "Hansen", "Ilves", "Jansen", "Koller")
NAMES = ("Radwerk", "Kornblume Bakery", "Falz & Ton Print", "Eichenhof Timber", "Webstuhl Mill")
GOODS = ("Workshop", "Support plan", "Starter kit", "Spare parts", "Annual check", "Training day", "Delivery", "Design hours")
CATEGORIES = ("Services", "Goods")
Vals = dict[str, Any]


def vals(sheet: str, **given: Any) -> Vals:
    """Return values by field key; None is left out."""
    return {field(sheet, word)["ref"].rpartition("/")[2]: value for word, value in given.items() if value is not None}


def companies(logos: list[dict[str, Any]]) -> Iterator[Vals]:
    """Yield 25 companies, some of them parts of others."""
    for n in range(25):
        place, lat, lon = PLACES[n % 5]
        industry = INDUSTRIES[n % 5][0]
        yield vals("Companies", Name=f"{NAMES[n % 5]} {place}" if n < 5 else f"{NAMES[n % 5]} {place} {n // 5 + 1}", Number=n + 1,
                   Industry=key("o", industry), Website=f"https://company{n + 1}.example.org", Phone=f"+49 451 {100200 + n * 37}",
                   Place={"lat": lat, "lon": lon, "label": place}, Region=[LAND[place], place], Rating=n % 5 + 1,
                   Parent=[n % 5 + 1] if n >= 5 else None, Logo=[logos[n % len(logos)]] if n % 3 == 0 else None,
                   Notes=f"**{industry}** since {1950 + n}." if n % 2 else None)


def contacts(photo: dict[str, Any]) -> Iterator[Vals]:
    """Yield 40 contacts."""
    tags = [key("o", "Decides"), key("o", "Pays"), key("o", "Uses")]
    for n in range(40):
        first, last = FIRST[n % 14], LAST[(n * 3) % 11]
        yield vals("Contacts", First=first, Last=last, Email=f"{first}.{last}.{n + 1}@example.org".lower(),
                   Phone=f"+43 316 {200300 + n * 53}" if n % 3 else None, Company=[n % 25 + 1], Tags=tags[: n % 4] or None,
                   Birthday=f"{1960 + n}-{n % 12 + 1:02d}-{n % 28 + 1:02d}" if n % 4 else None, News=True if n % 2 else None,
                   Photo=[photo] if n % 10 == 0 else None)


def deals(offer: dict[str, Any], signature: dict[str, Any]) -> Iterator[Vals]:
    """Yield 30 deals, each with two lines."""
    for n in range(30):
        stage = STAGES[n % 5][0]
        yield vals("Deals", Title=f"{GOODS[n % 8]} for {NAMES[n % 5]}", Company=[n % 25 + 1], Contact=[n % 40 + 1],
                   Stage=key("o", stage), Amount=f"{(n + 1) * 437 % 9000 + 250}.{n * 7 % 100:02d}", Chance=(n * 15) % 101,
                   Close=f"2026-{n % 12 + 1:02d}-{n % 27 + 1:02d}", Lines=[2 * n + 1, 2 * n + 2],
                   Offer=[offer] if n % 4 == 0 else None, Signed=[signature] if stage == "Won" else None,
                   Related=[{"ref": f"{ref('worksheet', 'w', 'Activities')['ref']}/record/{n % 35 + 1}"}] if n % 6 == 0 else None)


def lines() -> Iterator[Vals]:
    """Yield the 60 lines of the deals."""
    for n in range(60):
        product = n % 8 + 3
        yield vals("Lines", Product=[product], Way=[product % 2 + 1, product], Pieces=n % 7 + 1, Price=f"{(n % 8 + 1) * 45}.50")


def activities() -> Iterator[Vals]:
    """Yield 35 activities."""
    for n in range(35):
        kind = KINDS[n % 4][0]
        yield vals("Activities", Subject=f"{kind} about {GOODS[n % 8].lower()}", Kind=key("o", kind),
                   When=f"2026-{n % 12 + 1:02d}-{n % 28 + 1:02d}T{n % 9 + 8:02d}:{n * 5 % 60:02d}:00Z",
                   Clock=f"{n % 9 + 7:02d}:30:00" if n % 3 == 0 else None, Length=(n % 6 + 1) * 900,
                   With=sorted({n % 40 + 1, (n * 7) % 40 + 1}), Deal=[n % 30 + 1] if n % 2 else None,
                   Report=f"Talked for a while.\nNext step: offer {n + 1}." if n % 3 else None)


def products() -> Iterator[Vals]:
    """Yield two categories and eight products."""
    for name in CATEGORIES:
        yield vals("Products", Name=name)
    for n, name in enumerate(GOODS):
        yield vals("Products", Name=name, Code=f"A-{1000 + n * 11}", Price=f"{(n + 1) * 45}.50", Weight=f"{n}.250" if n % 2 else None,
                   Above=[(n + 3) % 2 + 1])


def numbered(sheet: str, given: Iterator[Vals]) -> dict[str, Any]:
    """Return the edit that puts these records."""
    records = [{"seq": n, "values": one, "created_at": START_US + n * DAY_US, "updated_at": START_US + n * DAY_US + 60_000_000 * n}
               for n, one in enumerate(given, start=1)]
    return {"op": "put_records", "worksheet": key("w", sheet), "records": records}
