"""Downloading: whole, in ranges, resumed, refused. The bytes of any ranges are those of the whole file."""

from __future__ import annotations

import io
import itertools
import random
import zipfile

import pytest

from core.api import as_tenant
from core.backups.ingest import inspect
from core.backups.log import acts_of
from core.base.config import Config
from core.web.backups.download import disposition
from tests.core.web.backups.conftest import Place, words


@pytest.fixture
def backup_id(place: Place) -> str:
    """The id of a backup with data."""
    return place.back_up(name="Über “alles”/1")


def test_each_part_is_a_file_that_any_tool_opens(place: Place, backup_id: str) -> None:
    """Configuration, data, both: each with its length, and proven whole."""
    for part in ("config", "data", "both"):
        answer = place.get(f"/{backup_id}/download/{part}")
        assert 200 == answer.status_code and len(answer.data) == answer.content_length
        assert zipfile.ZipFile(io.BytesIO(answer.data)).testzip() is None
        with as_tenant(place.organization_id):
            assert part == inspect(io.BytesIO(answer.data))["part"]


def test_head_tells_what_get_would_send(place: Place, backup_id: str) -> None:
    """The same length, tag and name, and no bytes; it is no download in the log."""
    head = place.browser.head(f"{place.root}/{backup_id}/download/both")
    with as_tenant(place.organization_id):
        assert [] == acts_of(place.app_id, act="download")
    get = place.get(f"/{backup_id}/download/both")
    for name in ("Content-Length", "ETag", "Content-Disposition", "Content-Type", "Accept-Ranges"):
        assert get.headers[name] == head.headers[name], name
    assert b"" == head.data and int(head.headers["Content-Length"]) == len(get.data)


def test_ranges_put_together_are_the_file(place: Place, backup_id: str) -> None:
    """Cut anywhere; at the ends, in the middle, the last bytes."""
    address = f"/{backup_id}/download/both"
    whole = place.get(address).data
    chance = random.Random(1)
    cuts = sorted({0, len(whole), *(chance.randrange(1, len(whole)) for _ in range(12))})
    parts = []
    for start, end in itertools.pairwise(cuts):
        answer = place.get(address, headers={"Range": f"bytes={start}-{end - 1}"})
        assert 206 == answer.status_code and f"bytes {start}-{end - 1}/{len(whole)}" == answer.headers["Content-Range"]
        assert end - start == answer.content_length == len(answer.data)
        parts.append(answer.data)
    assert whole == b"".join(parts)
    assert whole[-100:] == place.get(address, headers={"Range": "bytes=-100"}).data
    assert whole[500:] == place.get(address, headers={"Range": "bytes=500-"}).data
    assert whole[500:] == place.get(address, headers={"Range": f"bytes=500-{len(whole) * 9}"}).data


def test_a_range_outside_is_refused_with_the_length(place: Place, backup_id: str) -> None:
    """416 and the size of the whole."""
    size = place.get(f"/{backup_id}/download/both").content_length
    answer = place.get(f"/{backup_id}/download/both", headers={"Range": f"bytes={size}-"})
    assert 416 == answer.status_code and f"bytes */{size}" == answer.headers["Content-Range"]


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=9-1", "lines=1-2", "nonsense", "bytes=-", "bytes=a-b", "bytes=" + "9" * 400 + "-"])
def test_ranges_that_are_none_or_many_give_the_whole_or_416(place: Place, backup_id: str, asked: str) -> None:
    """Never a failure, never wrong bytes."""
    answer = place.get(f"/{backup_id}/download/config", headers={"Range": asked})
    assert answer.status_code in (200, 416)
    if answer.status_code == 200:
        assert len(answer.data) == answer.content_length


def test_a_download_resumes_only_the_same_file(place: Place, backup_id: str) -> None:
    """With the tag of before it goes on; after a rename, which changes the file, it begins anew."""
    address = f"/{backup_id}/download/both"
    first = place.get(address)
    going_on = {"Range": "bytes=1000-", "If-Range": first.headers["ETag"]}
    assert first.data[1000:] == place.get(address, headers=going_on).data
    assert 304 == place.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code
    place.post(f"/{backup_id}/rename", data={"name": "Another"})
    anew = place.get(address, headers=going_on)
    assert 200 == anew.status_code and anew.headers["ETag"] != first.headers["ETag"] and len(anew.data) == anew.content_length
    dated = {"Range": "bytes=1000-", "If-Range": "Wed, 25 Nov 2026 10:00:00 GMT"}
    assert 200 == place.get(address, headers=dated).status_code


def test_a_part_that_the_backup_lacks_is_refused(place: Place) -> None:
    """With a sentence, not a failure."""
    backup_id = place.back_up(data=False)
    for part in ("data", "both", "everything"):
        answer = place.get(f"/{backup_id}/download/{part}")
        assert 422 == answer.status_code and "there is no part" in words(answer)


def test_a_file_with_data_of_the_limit_is_refused_with_size_and_limit(place: Place, backup_id: str) -> None:
    """One byte less is sent; the configuration is sent whatever its size."""
    size = place.get(f"/{backup_id}/download/both").content_length
    assert size is not None
    kept: Config = place.server.extensions["appkeep"].config
    for limit, code in ((size + 1, 200), (size, 413)):
        object.__setattr__(kept, "values", {**kept.values, "download_limit_bytes": limit})
        answer = place.get(f"/{backup_id}/download/both")
        assert code == answer.status_code
    assert f"({size:,} bytes)" in words(answer) and "Files with data must be smaller than" in words(answer)
    object.__setattr__(kept, "values", {**kept.values, "download_limit_bytes": 1})
    assert 200 == place.get(f"/{backup_id}/download/config").status_code


def test_a_download_is_in_the_log(place: Place, backup_id: str) -> None:
    """With the part, and the range where one was asked for; a refusal with its code."""
    place.get(f"/{backup_id}/download/config")
    place.get(f"/{backup_id}/download/both", headers={"Range": "bytes=10-19"})
    place.get(f"/{backup_id}/download/everything")
    with as_tenant(place.organization_id):
        acts = acts_of(place.app_id, act="download")
    assert ["invalid_input", "done", "done"] == [act.result for act in acts]
    assert '"from_byte": 10' in acts[1].detail and '"to_byte": 20' in acts[1].detail


@pytest.mark.parametrize(("name", "expected"), [
    ("Plain.both.appkeep.zip", 'attachment; filename="Plain.both.appkeep.zip"'),
    ("a/b\\c:d.appkeep.zip", 'attachment; filename="a_b_c_d.appkeep.zip"'),
    ("Über.appkeep.zip", "attachment; filename=\"Uber.appkeep.zip\"; filename*=UTF-8''%C3%9Cber.appkeep.zip"),
    ("日本.appkeep.zip", "attachment; filename=\"backup.appkeep.zip\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.appkeep.zip"),
    ('x"\r\ny.appkeep.zip', 'attachment; filename="x_y.appkeep.zip"'),
])
def test_names_of_any_script_reach_the_browser(name: str, expected: str) -> None:
    """And nothing of them breaks out of the header, or names a folder."""
    assert expected == disposition(name)


def test_a_long_name_is_cut_before_its_ending(place: Place) -> None:
    """What a file system takes."""
    header = disposition(f"{'x' * 400}.both.appkeep.zip")
    assert header.endswith('.appkeep.zip"') and len(header) < 220
