"""The page for everybody: keyboard only, small windows, light and dark, less motion, tokens."""

import os
import shutil
import subprocess

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import MATINEE, serving

pytestmark = pytest.mark.browser

VIEWS = {
    "welcome": "",
    "watch": "#view=watch&member={member}",
    "compare": "#view=compare&member={member}",
    "release": "#view=release",
}

READY = {
    "welcome": ".grid .tile",
    "watch": ".shelf",
    "compare": ".ranked li",
    "release": ".rules li",
}


def open_view(visit, server, view, **window):
    page = visit(VIEWS[view].format(member=server.members[0]), **window)
    page.locator(READY[view]).first.wait_for()
    page.wait_for_load_state("networkidle")
    return page


def violations(page):
    found = Axe().run(page).response["violations"]
    return [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_no_violation(visit, server, view, scheme):
    page = open_view(visit, server, view, scheme=scheme)
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_in_a_title_and_in_what_search_found(watching, scheme):
    page = watching(scheme=scheme)
    page.get_by_role("combobox", name="Search titles").fill("the")
    page.locator("#found [role=option]").first.wait_for()
    assert violations(page) == []
    page.keyboard.press("Enter")
    page.locator("dialog .facts").wait_for()
    page.locator("dialog .strip").wait_for()
    assert violations(page) == []


@pytest.mark.parametrize("width", [360, 768, 1440])
@pytest.mark.parametrize("view", VIEWS)
def test_no_window_scrolls_sideways(visit, server, view, width):
    page = open_view(visit, server, view, width=width, height=800)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_whole_path_by_keyboard(visit, server):
    """Skip link, member, shelves by arrow keys, a title and back to where the focus was."""
    page = visit()
    page.locator(".person").first.wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type(server.members[0])
    page.keyboard.press("Enter")
    page.locator(".shelf").first.wait_for()
    focused = "document.activeElement.dataset.title"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate(focused):
            break
    ids = page.locator(".shelf").first.locator("button.card")
    titles = ids.evaluate_all("nodes => nodes.map((one) => one.dataset.title)")
    assert page.evaluate(focused) == titles[0]
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == titles[1]
    page.keyboard.press("End")
    assert page.evaluate(focused) == titles[-1]
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"
    page.keyboard.press("ArrowDown")
    second = page.locator(".shelf").nth(1).locator("button.card").nth(1)
    assert page.evaluate(focused) == second.get_attribute("data-title")
    page.keyboard.press("Enter")
    page.locator("dialog[open]").wait_for()
    page.keyboard.press("Escape")
    assert page.evaluate(focused) == second.get_attribute("data-title")


def test_each_shelf_is_one_stop_of_the_tab_key(watching):
    page = watching()
    shelves = page.locator(".shelf ul.row")
    for place in range(shelves.count()):
        assert shelves.nth(place).locator("[tabindex='0']").count() == 1


def test_changes_are_said_politely(watching):
    page = watching()
    page.get_by_label("Genre").select_option("Comedy")
    page.locator("#live[aria-live=polite]", has_text="shelves:").wait_for(state="attached")


def test_nothing_moves_for_who_wants_less_motion(watching):
    page = watching()
    card = page.locator(".shelf button.card .sheet").first
    assert card.evaluate("node => getComputedStyle(node).transitionDuration") == "0s"
    card.hover()
    assert card.evaluate("node => getComputedStyle(node).transform") == "none"


def test_a_server_with_tokens_asks_for_one_and_keeps_it_in_the_tab(
    night_home, tmp_path, visit, server
):
    home = shutil.copytree(night_home, tmp_path / "home")
    done = subprocess.run(
        [MATINEE, "tokens", "add", "--scope", "service"],
        env=os.environ | {"MATINEE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    process, port = serving(home, "--host", "0.0.0.0")  # noqa: S104 - what needs tokens
    try:
        page = visit(base=f"http://127.0.0.1:{port}")
        page.get_by_label("Token", exact=True).fill("mt_wrong")
        page.keyboard.press("Enter")
        page.get_by_text("The token was refused").wait_for()
        page.get_by_label("Token", exact=True).fill(done.stdout.strip())
        page.keyboard.press("Enter")
        page.locator(".person").first.wait_for()
        kept = page.evaluate("[JSON.stringify({...sessionStorage}), localStorage.length]")
        assert done.stdout.strip() in kept[0]
        assert kept[1] == 0
        page.goto(f"http://127.0.0.1:{port}/#view=release")
        page.get_by_text("need a token of the scope operator").wait_for()
        assert all("401" in one or "403" in one for one in page.seen.messages)
        page.seen.messages.clear()  # the browser notes each refusal
    finally:
        process.terminate()
        process.wait(30)
