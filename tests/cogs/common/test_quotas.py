"""The rules of quotas as functions."""

from __future__ import annotations

import pytest

from cogs.common.quotas import Allowance, amount, check_allowances, check_pause, cost_note, personal_quota
from inference import InvalidRequest, QuotasSection


def test_the_largest_of_the_quotas_of_a_person_and_their_roles_counts():
    quotas = QuotasSection.model_validate({"person": "10 min", "roles": {1: "30 min", 2: "20 min", 3: "1 min"}})
    assert [personal_quota(quotas, roles) for roles in ([], [3], [2, 9], [1, 2, 3])] == [600, 600, 1200, 1800]
    assert personal_quota(QuotasSection(), [1]) is None


@pytest.mark.parametrize(
    ("used", "reserved", "cost", "reason"),
    [
        (0, 0, None, ""),
        (0, 0, 600, ""),
        (0, 0, 601, "This takes about"),
        (599, 0, None, ""),
        (600, 0, None, "You have used all"),
        (900, 0, 1, "You have used all"),
        (300, 200, 100, ""),
        (300, 200, 101, "This takes about"),
        (300, 300, None, "The requests that are open"),
    ],
)
def test_what_is_used_what_is_open_and_what_comes_must_fit(
    used: float, reserved: float, cost: float | None, reason: str
):
    allowances = [Allowance("person", 600, used, reserved)]
    if not reason:
        check_allowances(allowances, cost, 0.0)
        return
    with pytest.raises(InvalidRequest, match=reason):
        check_allowances(allowances, cost, 0.0)


def test_every_allowance_must_have_room():
    with pytest.raises(InvalidRequest, match="this server has 1 min 40 s of its 50 min"):
        check_allowances([Allowance("person", 600, 0), Allowance("server", 3000, 2900)], 200, 0.0)


@pytest.mark.parametrize(("since", "wait"), [(0.0, "5 s"), (3.2, "2 s"), (4.9, "1 s"), (5.0, ""), (9.0, "")])
def test_the_pause_ends_after_its_seconds(since: float, wait: str):
    if not wait:
        check_pause(5, since)
        return
    with pytest.raises(InvalidRequest, match=f"Ask again in {wait}\\."):
        check_pause(5, since)


@pytest.mark.parametrize(
    ("cost", "note"),
    [
        (None, ""),
        (90, ""),
        (91, "Takes about 2 min of the 6 min that you have left today."),
        (360, "Takes about 6 min of the 6 min that you have left today."),
        (400, ""),  # a job that goes on after a restart, whatever is left
    ],
)
def test_only_a_request_that_takes_more_than_a_quarter_of_what_is_left_says_so(cost: float | None, note: str):
    assert cost_note([Allowance("server", 7200, 0), Allowance("person", 600, 200, 40)], cost) == note


def test_a_request_that_takes_much_of_what_the_server_has_left_says_so():
    note = "Takes about 60 s of the 1 min 40 s that this server has left today."
    assert cost_note([Allowance("server", 7200, 7100), Allowance("person", 600, 0)], 60) == note


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (90, "1 min 30 s"),
        (150, "2 min 30 s"),
        (600, "10 min"),
        (630, "10 min"),
        (3600, "1 h"),
        (3590, "1 h"),
        (7200, "2 h"),
        (9000, "2 h 30 min"),
        (86400, "24 h"),
    ],
)
def test_durations_are_short_and_exact_where_it_matters(seconds: float, text: str):
    assert amount(seconds) == text
