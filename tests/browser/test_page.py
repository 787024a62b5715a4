"""The web page as people use it, in Debian's chromium."""

import re

import pytest

pytestmark = pytest.mark.browser


def shelf_names(page):
    return page.locator(".shelf h2").all_inner_texts()


def settled(page):
    page.locator(".shelves[aria-busy=false]").wait_for()


def test_the_page_of_a_member_has_shelves_whose_titles_have_reasons(watching):
    page = watching()
    assert len(shelf_names(page)) >= 4
    cards = page.locator(".shelf li")
    assert cards.count() == len(page.locator(".shelf .why").all_text_contents()) > 20
    assert "" not in page.locator(".shelf .why").all_text_contents()


def test_a_poster_is_the_same_wherever_its_title_is_drawn(watching):
    page = watching()
    name = page.locator(".hero h1").inner_text()
    button = page.locator(".shelf button.card", has_text=name).first
    drawn = "node => node.querySelector('svg.poster').innerHTML.replace(/scrim-\\d+/g, '')"
    assert page.locator(".hero-poster").evaluate(drawn) == button.evaluate(drawn)


def test_every_ai_label_of_the_answer_is_visible_on_its_poster(watching, server):
    page = watching()
    answer = page.request.get(f"{server.url}/v1/members/{server.members[0]}/page").json()
    titles = [title for shelf in answer["shelves"] for title in shelf["titles"]]
    labels = {one["title_id"]: one["disclosure"] for one in titles if one["disclosure"]}
    assert labels
    for title, text in labels.items():
        label = page.locator(f".shelf [data-title='{title}'] .label")
        label.scroll_into_view_if_needed()
        assert label.inner_text() == text
        assert label.evaluate("node => getComputedStyle(node).opacity") == "1"


def test_the_reason_appears_under_the_mouse_and_under_the_focus(watching):
    page = watching()
    card = page.locator(".shelf button.card").nth(1)
    opacity = "node => getComputedStyle(node.nextElementSibling).opacity"
    assert card.evaluate(opacity) == "0"
    card.hover()
    assert card.evaluate(opacity) == "1"
    page.mouse.move(0, 0)
    assert card.evaluate(opacity) == "0"
    card.focus()
    assert card.evaluate(opacity) == "1"


def test_the_time_of_day_changes_the_daypart_shelf_and_keeps_the_focus(watching):
    page = watching(more="&hour=8")
    slider = page.get_by_role("slider", name="Time of day")
    daypart = page.locator("[data-kind=daypart] h2")
    assert daypart.inner_text() in ("Morning picks", "Weekend morning")
    slider.focus()
    for _ in range(24):
        page.keyboard.press("ArrowRight")
    page.get_by_role("heading", name=re.compile("^(Tonight|Weekend evening)$")).wait_for()
    assert slider.get_attribute("aria-valuetext").startswith("20:00")
    assert slider.evaluate("node => node === document.activeElement")
    page.get_by_label("Day", exact=True).select_option(index=2)
    settled(page)
    assert "day=2" in page.url


def test_a_filter_leaves_titles_of_its_genre_only(watching):
    page = watching()
    page.get_by_label("Genre").select_option("Comedy")
    page.wait_for_url("**genre=Comedy**")
    page.locator(".hero-facts", has_text="Comedy").wait_for()
    page.get_by_label("Language").select_option(index=1)  # Arabic or German: few titles
    page.get_by_text(re.compile("No shelf has three titles")).wait_for()


def test_a_child_profile_uses_no_data_and_keeps_to_its_age(watching, server):
    page = watching()
    with page.expect_request("**/v1/session/page**") as sent:
        page.get_by_label("Child profile").select_option("7")
    assert sent.value.post_data_json["titles"] == []
    assert sent.value.post_data_json["maximum_age"] == 7
    page.locator("[data-source=non_profiled]").wait_for()
    page.get_by_text("A child's page knows no member").wait_for()


def test_refusing_personalisation_changes_the_source_at_the_next_read(watching, server):
    page = watching(server.members[1])
    switch = page.get_by_role("switch", name="Personalised")
    assert switch.get_attribute("aria-checked") == "true"
    page.locator("[data-source=hybrid]").wait_for()
    switch.click()
    page.locator("[data-source=non_profiled]").wait_for()
    assert switch.get_attribute("aria-checked") == "false"
    switch.click()
    page.locator("[data-source=hybrid]").wait_for()


def test_show_more_brings_shelves_without_repeats(watching):
    page = watching()
    titles = page.locator(".shelf button.card")
    before = titles.count()
    page.get_by_role("button", name="Show more shelves").click()
    titles.nth(before).wait_for(state="attached")
    ids = titles.evaluate_all("nodes => nodes.map((one) => one.dataset.title)")
    assert len(ids) == len(set(ids)) > before


def test_a_member_is_found_by_a_part_of_the_id(visit, server):
    page = visit()
    member = server.members[2]
    page.get_by_label("Find a member").fill(member[-4:])
    page.get_by_role("button", name=re.compile(member)).click()
    page.locator(".shelf").first.wait_for()
    assert f"member={member}" in page.url
    page.get_by_role("link", name=member).wait_for()


def test_three_titles_make_a_page_without_an_id(visit):
    page = visit()
    tiles = page.locator(".grid .tile")
    tiles.nth(2).wait_for()
    show = page.get_by_role("button", name="Show my page")
    assert show.is_disabled()
    for place in range(3):
        tiles.nth(place).click()
    with page.expect_request("**/v1/session/page**") as sent:
        show.click()
    assert len(sent.value.post_data_json["titles"]) == 3
    page.locator(".shelf").first.wait_for()
    page.get_by_text("From 3 titles that you named").wait_for()


def test_why_and_why_not_for_any_title_by_search(watching, server):
    page = watching()
    search = page.get_by_role("combobox", name="Search titles")
    search.fill(page.locator("[data-kind=top_picks] button.card").first.inner_text()[:12])
    page.locator("#found [role=option]").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Why it is shown").wait_for()
    assert page.locator("dialog .bars tbody tr").count() > 3
    page.keyboard.press("Escape")
    seen = page.request.get(f"{server.url}/v1/members/{server.members[0]}/statement").json()
    title = next(one for one in seen["in_the_release"] if one["counts_as_seen"])
    search.fill(title["name"].rpartition(" (")[0])
    page.locator("#found [role=option]").first.click()
    page.get_by_role("heading", name="Why it is not recommended").wait_for()
    assert "seen" in page.locator("dialog .facts").inner_text()


def test_a_title_that_is_not_wanted_leaves_the_page_at_once(watching, server):
    page = watching(server.members[3])
    card = page.locator("[data-kind=top_picks] button.card").first
    title = card.get_attribute("data-title")
    card.click()
    page.get_by_role("button", name="Not interested").click()
    page.locator(f".shelf [data-title='{title}']").wait_for(state="detached")


def test_a_play_moves_the_page_at_once(watching, server):
    page = watching(server.members[4])
    card = page.locator("[data-kind=top_picks] button.card").first
    title = card.get_attribute("data-title")
    card.click()
    page.get_by_role("button", name="Play", exact=True).click()
    page.locator(f"[data-kind=continue_watching] [data-title='{title}']").wait_for()


def test_two_releases_stand_side_by_side(visit, server):
    page = visit(f"#view=compare&member={server.members[0]}")
    page.locator(".ranked").nth(1).wait_for()
    ids = page.locator(".column .mono").all_inner_texts()
    assert len(set(ids)) == 2
    assert page.locator(".column").nth(1).locator("li").count() == 20
    assert page.locator(".change").count() == 40


def test_the_release_shows_its_gate_exposure_and_trends(visit, server):
    page = visit("#view=release")
    page.get_by_role("heading", name="Gate").wait_for()
    rules = page.request.get(f"{server.url}/v1/releases/current").json()["gate"]
    assert page.locator(".rules li").count() == len(rules) > 5
    for name in ("Metrics", "Exposure", "Trends"):
        assert page.get_by_role("heading", name=name, exact=True).is_visible()


def test_errors_are_said_in_words(watching, server):
    page = watching()
    page.route("**/v1/members/**", lambda route: route.abort())
    page.get_by_label("Genre").select_option("Comedy")
    page.get_by_role("alert").get_by_text("The server does not answer").wait_for()
    assert page.seen.messages
    page.seen.messages.clear()  # the browser's own word for the request that was cut
