"""Opens each kind of page of an installed Appkeep: run by `tests.test_wheel` with nothing of this checkout on its path.

Prints {"core": where the package lies, "endpoints": […], "statics": […], "wrong": […]} as JSON.
"""

from __future__ import annotations

import json
import re
from collections import deque
from urllib.parse import urljoin, urlsplit

from click.testing import CliRunner
from werkzeug.exceptions import HTTPException

import core
from core.api import as_server, transaction
from core.app import create_app
from core.cli.main import main
from tenants import service, sessions

LINK = re.compile(r'(?:href|src|hx-get)="([^"#]+)"')
LEFT_OUT = re.compile(r"sign-out|/download|/file/|export|\.csv")


def crawl() -> dict[str, object]:
    """Follow links from the sample organization's home, one of each kind, and return what was seen."""
    made = json.loads(CliRunner().invoke(main, ["sample", "--json"], catch_exceptions=False).output)
    app = create_app()
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    with app.app_context(), as_server(), transaction():
        token = sessions.open_session(service.user_by_email(made["owner"]), "127.0.0.1", "a test", second_factor=True)
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = token, True
    home = f"/o/{made['organization']}"
    waiting, endpoints, statics, wrong = deque(["/sign-in", f"{home}/", f"{home}/apps/{made['app']}/"]), set(), set(), []
    urls = app.url_map.bind("localhost")
    while waiting:
        path = waiting.popleft()
        try:
            endpoint, _ = urls.match(urlsplit(path).path)
        except HTTPException as error:
            wrong.append(f"{path}: {error.code}")
            continue
        static = endpoint == "static" or endpoint.endswith(".static")
        if (path in statics if static else endpoint in endpoints) or LEFT_OUT.search(path):
            continue
        (statics if static else endpoints).add(path if static else endpoint)
        answer = client.get(path)
        if answer.status_code not in (200, 302, 303):
            wrong.append(f"{path}: {answer.status_code}")
        if answer.mimetype == "text/html":
            found = [urljoin(path, link.replace("&amp;", "&")) for link in LINK.findall(answer.get_data(as_text=True))]
            waiting.extend(link for link in found if link.startswith("/"))
    return {"core": core.__path__[0], "endpoints": sorted(endpoints), "statics": sorted(statics), "wrong": wrong}


if __name__ == "__main__":
    print(json.dumps(crawl()))
