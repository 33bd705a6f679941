"""The lanes as a value: whatever comes back in whatever order, nobody is left out and nobody takes too much."""

from __future__ import annotations

from collections import Counter

from edges.webhook_outbox import NOW
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.webhooks.claim import Claimed, Endpoint
from integrations.webhooks.lanes import FARTHEST_AHEAD, FIRST_LIMIT, Lanes

MOST = 8


def claimed(subscription: int, number: int) -> Claimed:
    return Claimed(
        delivery_id=number,
        lease_token=1,
        lease_until=NOW,
        number=1,
        round_number=1,
        endpoint=Endpoint(subscription, "https://example.org", "whsec_"),
        case_id=number,
        event_id=number,
        partner_event_id=number,
    )


def taken_of(lanes: Lanes) -> list[Claimed]:
    """All that may go out now."""
    taken = []
    while (each := lanes.take()) is not None:
        taken.append(each)
    return taken


def test_the_lanes_take_turns() -> None:
    lanes = Lanes(MOST)
    lanes.fill(claimed(subscription, number) for subscription in (1, 2, 3) for number in range(20))
    order = [each.endpoint.subscription_id for each in taken_of(lanes)]
    assert order == [1, 2, 3] * FIRST_LIMIT


def test_a_failing_lane_is_down_to_one_and_the_others_are_not() -> None:
    lanes = Lanes(MOST)
    lanes.fill(claimed(subscription, number) for subscription in (1, 2) for number in range(100))
    on_the_way = taken_of(lanes)
    for _ in range(6):
        for each in on_the_way:
            lanes.came_back(each, well=each.endpoint.subscription_id == 2)
        on_the_way = taken_of(lanes)
    assert Counter(each.endpoint.subscription_id for each in on_the_way) == {1: 1, 2: MOST}


def test_a_partner_that_takes_all_is_claimed_farther_ahead_and_one_that_fails_is_not() -> None:
    lanes = Lanes(MOST)
    number = 0
    for _ in range(12):
        room = lanes.room().get(1, MOST)
        lanes.fill(claimed(1, number + each) for each in range(room))
        number += room
        while on_the_way := taken_of(lanes):
            for each in on_the_way:
                lanes.came_back(each, well=True)
    assert lanes.room()[1] == MOST + FARTHEST_AHEAD
    lanes.fill([claimed(1, number)])
    for each in taken_of(lanes):
        lanes.came_back(each, well=False)
    assert lanes.room()[1] <= 2 * MOST


@settings(max_examples=200)
@given(st.data())
def test_all_that_is_filled_in_comes_out_once_and_no_lane_exceeds_its_limit(data: st.DataObject) -> None:
    lanes = Lanes(MOST)
    filled: list[int] = []
    out: list[int] = []
    on_the_way: list[Claimed] = []
    for _ in range(data.draw(st.integers(1, 30))):
        if data.draw(st.booleans()):
            batch = [
                claimed(data.draw(st.integers(1, 3)), len(filled) + n) for n in range(data.draw(st.integers(0, 12)))
            ]
            filled += [each.delivery_id for each in batch]
            lanes.fill(batch)
        elif on_the_way and data.draw(st.booleans()):
            back = on_the_way.pop(data.draw(st.integers(0, len(on_the_way) - 1)))
            lanes.came_back(back, well=data.draw(st.booleans()))
        elif (each := lanes.take()) is not None:
            on_the_way.append(each)
            out.append(each.delivery_id)
        assert all(n <= MOST for n in Counter(each.endpoint.subscription_id for each in on_the_way).values())
    first = [each.delivery_id for each in (lanes.empty_one(1) if 1 in lanes.room() else [])]
    left = first + [each.delivery_id for each in lanes.empty()]
    assert sorted(out + left) == filled
    assert lanes.take() is None
