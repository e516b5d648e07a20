"""The sandbox's pages for people: plain forms and links."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.sandbox.test_google_events import SECOND
from tests.sandbox.test_resend import KEY_HEADER, MAIL
from tests.support.sandbox import CALENDAR, IDENTITY, MENTOR, RunningSandbox, running_sandbox

TOKYO = "mentor-tokyo@example.test"
WEEK = f"/google/calendar/{TOKYO}?from=2027-03-08"


class Outline(HTMLParser):
    """What matters to somebody who can't see a page, or has no script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.unlabelled: list[dict[str, str]] = []
        self._inside_label = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append((tag, values))
        self._inside_label += tag == "label"
        if (
            tag in ("input", "select", "textarea")
            and values.get("type") != "hidden"
            and not self._inside_label
        ):
            self.unlabelled.append(values)

    def handle_endtag(self, tag: str) -> None:
        self._inside_label -= tag == "label"

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def send(sandbox: RunningSandbox, **more: Any) -> str:
    sent = sandbox.http.post("/resend/emails", json={**MAIL, **more}, headers=KEY_HEADER)
    mail_id: str = sent.json()["id"]
    return mail_id


def act(sandbox: RunningSandbox, **form: str) -> str:
    """Post a form of the Tokyo mentor's calendar page; gives the page it leads to."""
    answer = sandbox.http.post(f"/google/calendar/{TOKYO}", data={"from": "2027-03-08", **form})
    assert answer.status_code == 303, answer.text
    return sandbox.http.get(answer.headers["location"]).text


def test_every_page_has_landmarks_labels_and_no_script(sandbox: RunningSandbox) -> None:
    mail = send(sandbox, attachments=[{"filename": "a.txt", "content": "aGk="}])
    asking = sandbox.http.get(sandbox.authorize_url((*IDENTITY, *CALENDAR))).headers["location"]
    pages = ["/", "/mailbox", f"/mailbox/{mail}", "/mailbox/unknown", f"/google/calendar/{MENTOR}", asking]
    pages += ["/google/calendar/unknown", "/google/consent", f"/google/calendar/{SECOND}"]
    for path in pages:
        answer = sandbox.http.get(path)
        outline = Outline(answer.text)
        assert ("html", {"lang": "en"}) in outline.tags, path
        assert [outline.count(tag) for tag in ("main", "h1", "title", "header", "footer")] == [1] * 5, path
        assert outline.unlabelled == [], path
        assert outline.count("script") == outline.count("style") == 0, path
        assert not [values for _, values in outline.tags if "style" in values], path
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        ids = [values["id"] for _, values in outline.tags if "id" in values]
        assert len(ids) == len(set(ids)), path


def test_every_link_of_the_front_page_leads_somewhere(sandbox: RunningSandbox) -> None:
    home = Outline(sandbox.http.get("/").text)
    links = {
        unquote(values["href"]) for tag, values in home.tags if tag == "a" and values["href"].startswith("/")
    }
    assert {"/mailbox", f"/google/calendar/{MENTOR}", f"/google/calendar/{SECOND}"} <= links
    assert {sandbox.http.get(link).status_code for link in links} == {200}


def test_business_time_is_advanced_on_the_front_page(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as sandbox:
        moved = sandbox.http.post("/clock", data={"advance": "PT1H"})
        assert (moved.status_code, moved.headers["location"]) == (303, "/")
        assert sandbox.control.call("GET", "/clock")["offset_seconds"] == pytest.approx(3600, abs=1)
        assert "ahead of the machine by" in sandbox.http.get("/").text
        refused = sandbox.http.post("/clock", data={"advance": "soon"})
        assert refused.status_code == 400
        assert "no ISO 8601 duration" in refused.text


def test_the_calendar_begins_with_today_in_business_time(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as sandbox:
        sandbox.control.set_clock("2050-06-30T23:30:00Z")
        page = sandbox.http.get(f"/google/calendar/{SECOND}").text
    assert re.findall(r'<time datetime="([\d-]+)">', page)[0] == "2050-07-01", (
        "in Lisbon it is half past midnight"
    )


def test_an_event_is_added_moved_and_deleted_by_forms(sandbox: RunningSandbox) -> None:
    form = {"do": "add", "summary": "Glaze <test>", "first": "2027-03-09T10:00", "last": "2027-03-09T11:30"}
    page = act(sandbox, **form, tentative="on")
    assert "Glaze &lt;test&gt;" in page
    assert "10:00 to 11:30" in page
    (event,) = sandbox.control.events(TOKYO)
    assert event["start"] == {"dateTime": "2027-03-09T10:00:00+09:00", "timeZone": "Asia/Tokyo"}
    assert event["status"] == "tentative"
    times = {"first": "2027-03-10T12:00", "last": "2027-03-10T13:00"}
    assert "12:00 to 13:00" in act(sandbox, do="move", event=event["id"], **times)
    assert "Glaze" not in act(sandbox, do="delete", event=event["id"])


def test_whole_days_and_series_by_forms(sandbox: RunningSandbox) -> None:
    days = {"first": "2027-03-09T10:00", "last": "2027-03-10T11:00", "all_day": "on", "free": "on"}
    assert act(sandbox, do="add", summary="Away", **days).count("all day") > 2
    (away,) = sandbox.control.events(TOKYO)
    assert (away["start"], away["end"]) == ({"date": "2027-03-09"}, {"date": "2027-03-11"})
    assert away["transparency"] == "transparent"
    moved = {"first": "2027-03-12", "last": "2027-03-12", "all_day": "on"}
    act(sandbox, do="move", event=away["id"], **moved)
    assert sandbox.control.events(TOKYO)[0]["end"] == {"date": "2027-03-13"}
    act(sandbox, do="delete", event=away["id"])
    times = {"first": "2027-03-09T10:00", "last": "2027-03-09T11:00"}
    page = act(sandbox, do="add", summary="Kiln", repeat="daily", **times)
    assert page.count("<h3>Kiln</h3>") == 6
    instance = re.findall(r'name="event" value="(\w+_20270311T010000Z)"', page)[0]
    assert act(sandbox, do="delete", event=instance).count("<h3>Kiln</h3>") == 5
    another = re.findall(r'name="event" value="(\w+_20270312T010000Z)"', page)[0]
    assert act(sandbox, do="delete", event=another, series="on").count("<h3>Kiln</h3>") == 0


@pytest.mark.parametrize(
    ("form", "says"),
    [
        (
            {"do": "add", "summary": "x", "first": "2027-03-09T11:00", "last": "2027-03-09T10:00"},
            "range is empty",
        ),
        ({"do": "add", "summary": "x", "first": "", "last": ""}, "Invalid start time"),
        ({"do": "add", "summary": "x", "first": "x", "last": "y", "all_day": "on"}, "Invalid"),
        ({"do": "delete", "event": "nothing0here"}, "Not Found"),
        ({"do": "move", "event": "nothing0here", "first": "x", "last": "y"}, "Not Found"),
        ({}, "Not Found"),
    ],
)
def test_what_a_form_gets_wrong_is_said_on_the_page(
    sandbox: RunningSandbox, form: dict[str, str], says: str
) -> None:
    answer = sandbox.http.post(f"/google/calendar/{TOKYO}", data={"from": "2027-03-08", **form})
    assert answer.status_code == 422
    assert "Nothing was changed" in answer.text
    assert says in answer.text


def test_odd_addresses_of_pages_get_an_answer(sandbox: RunningSandbox) -> None:
    assert sandbox.http.get(f"/google/calendar/{TOKYO}?from=soon").status_code == 400
    assert sandbox.http.get(f"/google/calendar/{TOKYO}?from=9999-12-31").status_code == 400
    assert sandbox.http.post("/google/calendar/unknown", data={}).status_code == 404
    assert sandbox.http.get("/mailbox?page=soon").status_code == 200
    assert sandbox.http.get("/nowhere").status_code == 404


def test_a_mail_is_shown_safely(sandbox: RunningSandbox) -> None:
    html = '<p>Hi</p><script>alert(1)</script><a href="https://example.test/x">Confirm</a>'
    text = "Confirm: https://example.test/verify?token=a&b=c.\n<script>alert(1)</script>"
    mail = send(sandbox, html=html, text=text, subject="<b>Booked</b>")
    listed = sandbox.http.get("/mailbox").text
    assert "&lt;b&gt;Booked" in listed
    page = sandbox.http.get(f"/mailbox/{mail}").text
    assert '<a href="https://example.test/verify?token=a&amp;b=c">' in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    (frame,) = [values for tag, values in Outline(page).tags if tag == "iframe"]
    assert "allow-scripts" not in frame["sandbox"]
    shown = sandbox.http.get(frame["src"])
    assert html in shown.text
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "script-src" not in policy


def test_an_attachment_is_downloaded(sandbox: RunningSandbox) -> None:
    content = base64.b64encode(b"BEGIN:VCALENDAR").decode()
    mail = send(sandbox, attachments=[{"filename": "sé ssion.ics", "content": content}])
    page = sandbox.http.get(f"/mailbox/{mail}").text
    assert f'href="/mailbox/{mail}/attachments/0"' in page
    file = sandbox.http.get(f"/mailbox/{mail}/attachments/0")
    assert file.content == b"BEGIN:VCALENDAR"
    assert file.headers["content-type"].startswith("text/calendar")
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''s%C3%A9%20ssion.ics"
    assert sandbox.http.get(f"/mailbox/{mail}/attachments/1").status_code == 404


def test_the_mailbox_is_filtered_and_paged(sandbox: RunningSandbox) -> None:
    for number in range(52):
        send(sandbox, subject=f"Mail {number:02}", to=[f"person{number % 2}@example.test"])
    first, second = (sandbox.http.get(f"/mailbox?page={page}").text for page in (1, 2))
    assert ("Mail 51" in first, "Mail 01" in first, "Mail 01" in second) == (True, False, True)
    only = sandbox.http.get("/mailbox?to=person1@example.test").text
    assert ("Mail 51" in only, "Mail 50" in only) == (True, False)
