"""Members who use a service that is not simulated, at a service whose pages are known."""

import numpy as np
import pytest

from matinee.simulator.viewers import (
    CONTINUE,
    LAST_SECOND,
    ServedPage,
    ServedShelf,
    Viewers,
)

DAY = 12
KINDS = ("top_picks", "genre", CONTINUE, "new")


class Shop:
    """Four shelves of five titles on a page, and more on the next ones; finds what `finds` says."""

    def __init__(self, viewers, finds=lambda text: [], shift=lambda member: 0):
        films = viewers.audience.catalogue.films
        self.titles = [film.id for film in films]
        self.finds, self.shift = finds, shift
        self.pages = {}

    def page(self, member, at):
        return self._page(f"{member} {at.isoformat()} 0", self.shift(member))

    def next(self, page_id):
        name, number = page_id.rsplit(" ", 1)
        if int(number) == 3:
            return ServedPage("", [])
        return self._page(f"{name} {int(number) + 1}", self.pages[page_id][1] + 20)

    def search(self, text, member, at):
        return self.finds(text)

    def _page(self, page_id, first):
        titles = [(one, f"{one}-art2") for one in self.titles[first : first + 20]]
        shelves = [ServedShelf(kind, titles[5 * k : 5 * k + 5]) for k, kind in enumerate(KINDS)]
        page = ServedPage(page_id, shelves)
        self.pages[page_id] = page, first
        return page


@pytest.fixture(scope="module")
def viewers(simulation):
    return lambda **given: Viewers(simulation, DAY, seed=given.pop("seed", 5), **given)


def rows(visit, stream):
    return [event.row for event in visit.events if event.row["stream"] == stream]


def day(viewers, **service):
    shop = Shop(viewers, **service)
    return shop, [viewers.visit(number, shop) for number in range(len(viewers))]


@pytest.fixture(scope="module")
def played(viewers):
    one = viewers()
    return one, *day(one, finds=lambda text: [film.id for film in one.audience.catalogue.films])


def test_members_begin_with_what_they_watched_in_the_simulated_logs(simulation, landed):
    seen = simulation.morning().seen
    plays = landed[3].tables["plays"].to_pylist()
    titles = {film.id: number for number, film in enumerate(simulation.catalogue.films)}
    members = np.array([int(row["member_id"][2:]) for row in plays if not row["is_trailer"]])
    watched = np.array([titles[row["title_id"]] for row in plays if not row["is_trailer"]])
    assert seen.contains(members, watched).all()
    assert not seen.contains(members, (watched + 7) % len(titles)).all()


def test_the_same_seed_and_the_same_answers_give_the_same_day(viewers, played):
    again = viewers()
    _, visits = day(again, finds=lambda text: [one.id for one in again.audience.catalogue.films])
    assert [visit.events for visit in visits] == [visit.events for visit in played[2]]
    other = viewers(seed=6)
    assert [visit.events for visit in day(other)[1]] != [visit.events for visit in visits]


def test_what_one_member_is_shown_changes_no_choice_of_another(viewers):
    first, second = viewers(), viewers()
    one = first.member[0]
    before = day(first)[1]
    after = day(second, shift=lambda member: 80 if member == f"m-{one:06d}" else 0)[1]
    changed = {
        visit.member
        for visit, again in zip(before, after, strict=True)
        if visit.events != again.events
    }
    assert changed == {one}


def test_impressions_are_of_titles_that_were_on_the_page_and_once_a_page(played):
    _, shop, visits = played
    numbers = set()
    for visit in visits:
        sent = rows(visit, "impressions")
        for row in sent:
            page, _ = shop.pages[row["page_id"]]
            assert row["title_id"] in {title for one in page.shelves for title, _ in one.titles}
            numbers.add(row["page_id"][-1])
        keys = [(row["page_id"], row["title_id"]) for row in sent]
        assert len(set(keys)) == len(keys)
        assert sum(row["was_clicked"] for row in sent) <= 1
    assert numbers >= {"0", "1"}, "somebody scrolls to the next page"


def test_a_play_from_a_page_names_the_page_of_the_click(played):
    clicked = 0
    for visit in played[2]:
        choice = [row for row in rows(visit, "impressions") if row["was_clicked"]]
        plays = [row for row in rows(visit, "plays") if "page_id" in row]
        assert [(row["page_id"], row["title_id"]) for row in choice] == [
            (row["page_id"], row["title_id"]) for row in plays
        ]
        clicked += len(choice)
    assert clicked > 20


def test_members_click_what_they_like_by_their_planted_tastes(played):
    viewers, _, visits = played
    scores = {True: [], False: []}
    for visit in visits:
        for row in rows(visit, "impressions"):
            title = np.array([[viewers.title_numbers[row["title_id"]]]])
            score = viewers.audience.taste.score(np.array([visit.member]), title)
            scores[row["was_clicked"]].append(float(score[0, 0]))
    assert np.mean(scores[True]) > np.mean(scores[False]) + 0.3


def test_a_title_that_the_search_does_not_find_is_not_played(viewers):
    _, visits = day(viewers())
    searched = [visit for visit in visits if rows(visit, "searches")]
    assert searched
    assert not any(rows(visit, "plays") for visit in searched)
    assert {row["result_count"] for visit in searched for row in rows(visit, "searches")} == {0}


def test_every_event_is_over_before_the_day_is(played):
    viewers, _, visits = played
    for visit in visits:
        for event in visit.events:
            assert event.second <= LAST_SECOND
            assert event.row["event_at"].startswith(f"{viewers.midnight:%Y-%m-%d}T")
            assert event.row.get("watched_seconds", 1) >= 1


def test_fewer_members_are_the_first_ones(viewers):
    assert viewers(members=40).member.max() < 40
