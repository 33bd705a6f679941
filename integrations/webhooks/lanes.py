"""Whose delivery goes out next: a lane for each subscription, so that a slow or dead partner holds up nobody else.

A lane's limit is how many of its attempts may be on their way at once: it grows by one with each success and is halved
by each failure. How far ahead a lane is claimed doubles whenever a partner at its limit has taken all that was claimed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from integrations.webhooks import circuit
from integrations.webhooks.claim import Claimed, Endpoint

FIRST_LIMIT: Final = 4
FARTHEST_AHEAD: Final = 512


@dataclass(slots=True, eq=False)
class _Lane:
    endpoint: Endpoint
    limit: int
    ahead: int
    on_the_way: int = 0
    failures: int = 0
    news: bool = False
    queue: deque[Claimed] = field(default_factory=deque)
    in_turn: bool = False


class Lanes:
    """The deliveries that a sender has claimed and not yet sent, and how many of each lane are on their way."""

    def __init__(self, per_subscription: int) -> None:
        self._most = per_subscription
        self._lanes: dict[int, _Lane] = {}
        # Lanes that have something to send and may; each sends one and goes to the end.
        self._turns: deque[_Lane] = deque()

    def room(self) -> dict[int, int]:
        """How many more to claim, by subscription; for one that is not named, `per_subscription`."""
        return {key: self._room_of(lane) for key, lane in self._lanes.items()}

    def fill(self, claimed: Iterable[Claimed]) -> None:
        """Put what was claimed into the lanes."""
        for each in claimed:
            lane = self._lanes.get(each.endpoint.subscription_id)
            if lane is None:
                lane = _Lane(each.endpoint, limit=min(FIRST_LIMIT, self._most), ahead=self._most)
                self._lanes[each.endpoint.subscription_id] = lane
            lane.endpoint = each.endpoint
            if not lane.news:
                lane.failures = each.endpoint.failures
            lane.queue.append(each)
            self._give_turn(lane)

    def waiting(self) -> set[int]:
        """The subscriptions for which something waits to be sent."""
        return {key for key, lane in self._lanes.items() if lane.queue}

    def told(self) -> None:
        """All outcomes so far are in the database before it is asked what to `fill` in: its count of failures holds."""
        for lane in self._lanes.values():
            lane.news = False

    def renew(self, waiting: Iterable[int], active: Mapping[int, Endpoint]) -> list[Claimed]:
        """Of these subscriptions, send to the active ones as they are now; what waits for the others is taken out."""
        unsent = []
        for key in waiting:
            if key in active:
                self._lanes[key].endpoint = active[key]
            else:
                unsent += self.empty_one(key)
        return unsent

    def endpoint(self, claimed: Claimed) -> Endpoint:
        """Where it goes and what signs it, as last heard."""
        return self._lanes[claimed.endpoint.subscription_id].endpoint

    def take(self) -> Claimed | None:
        """The next to send, from each lane in turn; None while none may be sent."""
        if not self._turns:
            return None
        lane = self._turns.popleft()
        lane.in_turn = False
        lane.on_the_way += 1
        taken = lane.queue.popleft()
        self._give_turn(lane)
        return taken

    def count(self, claimed: Claimed, outcome: str) -> int:
        """The failures in a row of the lane's endpoint after this outcome, as far as this sender knows."""
        lane = self._lanes[claimed.endpoint.subscription_id]
        lane.news = True
        lane.failures = circuit.count(lane.failures, outcome, claimed_at=claimed.endpoint.failures)
        return lane.failures

    def came_back(self, claimed: Claimed, *, well: bool) -> None:
        """An attempt ended, well or not."""
        lane = self._lanes[claimed.endpoint.subscription_id]
        lane.on_the_way -= 1
        if well:
            lane.limit = min(self._most, lane.limit + 1)
        else:
            lane.limit = max(1, lane.limit // 2)
            lane.ahead = self._most
        self._give_turn(lane)

    def empty(self) -> list[Claimed]:
        """Take out all that was not sent."""
        return [each for subscription_id in self._lanes for each in self.empty_one(subscription_id)]

    def empty_one(self, subscription_id: int) -> list[Claimed]:
        """Take out what was not sent to one subscription."""
        lane = self._lanes[subscription_id]
        unsent = list(lane.queue)
        lane.queue.clear()
        if lane.in_turn:
            lane.in_turn = False
            self._turns.remove(lane)
        return unsent

    def _room_of(self, lane: _Lane) -> int:
        if not lane.queue and lane.limit == self._most:
            lane.ahead = min(FARTHEST_AHEAD, lane.ahead * 2)
        return max(0, lane.limit + lane.ahead - len(lane.queue) - lane.on_the_way)

    def _give_turn(self, lane: _Lane) -> None:
        if lane.queue and lane.on_the_way < lane.limit and not lane.in_turn:
            lane.in_turn = True
            self._turns.append(lane)
