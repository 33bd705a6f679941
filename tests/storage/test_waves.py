"""Cases move to another version wave by wave, within limits, once each, and back; on both databases. Nobody in here
exists."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

import pytest
from changing_pathways import CHIEF, DAY, NEW, NOW, RENAMED, Changing, changing, fingerprint, newer, options, versions
from sqlalchemy import func, text
from sqlmodel import Session, col, select
from storage.test_advance_statements import statements
from synthetic_cases import START

from integrations.webhooks.fanout import fan_out
from models import Case, Deadline, Delivery, Event, JournalRow, Partner, Subscription, WaveCase
from states.change.carrying import WaveChunk, move_chunk
from states.change.caseload import chunks_of_open
from states.change.consequences import consequences
from states.change.sides import Change, read_side
from states.change.undo import UndoChunk
from states.change.wave_report import next_wave, wave_document
from states.change.waves import begin_wave, migration_between, next_cases
from states.journal import verify_journal
from states.pathways.shelf import publish
from states.releases import release_notices
from states.reminders import arm_reminders
from states.sweep import sweep_deadlines
from states.why.situations import read_situations

SECRET = "whsec_" + "A" * 32


@pytest.fixture
def case_load(session: Session) -> Changing:
    made = changing(session)
    made.spread_out(12)
    session.commit()
    return made


def total(chunks: list[WaveChunk]) -> tuple[int, int, int, int]:
    return tuple(sum(each[place] for each in chunks) for place in range(4))  # type: ignore[return-value]


def states(session: Session) -> dict[tuple[int, str], int]:
    """How many cases are on which version, in which state."""
    rows = session.execute(
        select(col(Case.pathway_version_id), col(Case.state), func.count()).group_by(
            col(Case.pathway_version_id), col(Case.state)
        )
    )
    return {(version, state): number for version, state, number in rows}


def test_every_open_case_is_carried_over_with_one_journal_row_and_closed_ones_stay(
    session: Session, case_load: Changing
) -> None:
    change = case_load.change(RENAMED)
    before = versions(session)
    chunks = case_load.run_wave(change, options(change.way.names))
    assert total(chunks) == (12, 0, 0, 0)
    assert chunks[-1] == WaveChunk()
    assert states(session) == {
        (case_load.new.id, "waiting"): 3,
        (case_load.new.id, "assisted"): 6,
        (case_load.new.id, "paused"): 3,
        (case_load.old.id, "ended"): 1,
    }
    rows = session.exec(select(JournalRow).where(JournalRow.trigger == "migrate")).all()
    assert {row.case_id: row.seq - 1 for row in rows} == {id_: seq for id_, seq in before.items() if id_ != max(before)}
    assert {row.pathway_version_id for row in rows} == {case_load.new.id}
    assert {(row.from_state, row.to_state) for row in rows} == {
        ("waiting", "waiting"),
        ("helped", "assisted"),
        ("paused", "paused"),
    }
    assert rows[0].data == {
        "wave": 1,
        "from": case_load.old.id,
        "to": case_load.new.id,
        "names": {"helped": "assisted"},
    }
    held = session.exec(select(Case).where(Case.state == "paused")).all()
    assert {case.previous_state for case in held} == {"assisted"}
    assert verify_journal(session).broken == []
    # They live on by the new rules: what was held resumes where it came from, as much later as it stood still.
    case_load.advance([case.id or 0 for case in held], "go_on", NOW + DAY)
    assert states(session)[case_load.new.id or 0, "assisted"] == 9
    assert verify_journal(session).broken == []


def test_a_dry_run_says_exactly_what_the_wave_then_does(session: Session, case_load: Changing) -> None:
    for pairs, size, breaches in (((), "100%", 0), ((RENAMED,), "50%", 0), ((RENAMED,), "100%", 6)):
        change = case_load.change(*pairs)
        now = NOW + breaches * DAY
        how = options(change.way.names, size=size, refused="100%")
        before = fingerprint(session)
        planned = next_wave(session, change, how, now, "fr", chunk=5)
        assert fingerprint(session) == before
        said = planned["consequences"]
        wave = case_load.run_wave(change, how, now=now)
        assert planned["would_stop"] is False
        assert planned["cases"] == sum(map(sum, wave)) - sum(each.breached for each in wave)
        assert said["verdicts"]["automatic"]["cases"] == sum(each.moved for each in wave)
        assert said["breached"] == sum(each.breached for each in wave)
        moved = session.exec(select(WaveCase).where(WaveCase.outcome == "moved")).all()
        images = [each.before for each in moved if each.wave_id == max(each.wave_id for each in moved)]
        assert sum(each["cases"] for each in said["begun"]) == sum(
            len(image.get("set", [])) + len(image.get("opened", [])) for image in images
        )
        case_load.undo_wave(change, planned["number"], now=now)
        assert fingerprint_now(session) == states_only(before)


def fingerprint_now(session: Session) -> Any:
    return states_only(fingerprint(session))


def states_only(found: dict[str, list[Any]]) -> list[Any]:
    return [(row["id"], row["state"], row["previous_state"], row["pathway_version_id"]) for row in found["case"]]


def test_waves_take_turns_through_the_caseload_in_an_order_of_their_own(session: Session, case_load: Changing) -> None:
    change = case_load.change(RENAMED)
    expected = next_cases(session, change.way.old_id, change.old.pathway, None, change.way.names)
    assert expected != sorted(expected)
    taken: list[list[int]] = []
    for _ in range(4):
        case_load.run_wave(change, options(change.way.names, size="34%"))
        newest = session.exec(select(WaveCase.wave_id).order_by(col(WaveCase.wave_id).desc()).limit(1)).one()
        taken.append(list(session.exec(select(WaveCase.case_id).where(WaveCase.wave_id == newest))))
        if sum(map(len, taken)) == 12:
            break
    assert [len(each) for each in taken] == [5, 5, 2]
    assert [sorted(each) for each in taken] == [sorted(expected[:5]), sorted(expected[5:10]), sorted(expected[10:])]
    assert begin_wave(session, change.way, options(change.way.names), CHIEF, NOW) is None


def test_a_wave_stops_when_more_is_refused_than_it_allows_and_the_next_one_goes_on(
    session: Session, case_load: Changing
) -> None:
    unnamed = case_load.change()
    chunks = case_load.run_wave(unnamed, options(unnamed.way.names, refused="25%"), limit=2)
    wave = case_load.wave(unnamed, 1)
    assert wave.status == "stopped"
    assert wave.moved + wave.refused + wave.left_out == wave.cases == 12
    assert 3 < wave.refused <= 4
    assert wave.left_out == 12 - sum(each.moved + each.refused for each in chunks) > 0
    outcomes = session.exec(
        select(WaveCase.outcome, WaveCase.why, func.count()).group_by(WaveCase.outcome, col(WaveCase.why))
    )
    assert {(outcome, why): number for outcome, why, number in outcomes}.keys() >= {
        ("left", "wave_stopped"),
        ("refused", "state_unknown"),
    }
    told = wave_document(session, wave, "fr")
    assert {each["outcome"] for each in told["listed"]} == {"refused"}
    assert all(each["why"] for each in told["listed"])
    # Whoever was refused under these names is not asked again under them, but under others.
    again = next_cases(
        session, unnamed.way.old_id, unnamed.old.pathway, _migration(session, unnamed), unnamed.way.names
    )
    named = case_load.change(RENAMED)
    asked = next_cases(session, named.way.old_id, named.old.pathway, _migration(session, named), named.way.names)
    assert len(asked) - len(again) == wave.refused
    assert total(case_load.run_wave(named, options(named.way.names)))[:2] == (12 - wave.moved, 0)
    assert verify_journal(session).broken == []


def _migration(session: Session, change: Change) -> Any:
    return migration_between(session, change.way.old_id, change.way.new_id)


def test_a_wave_stops_when_clocks_run_out_by_it(session: Session, case_load: Changing) -> None:
    """Help is due after eight days instead of ten: on the tenth day, six cases are late at once."""
    change = case_load.change(RENAMED)
    late = START + timedelta(days=10)
    case_load.run_wave(change, options(change.way.names, breaches="1"), now=late, limit=3)
    wave = case_load.wave(change, 1)
    assert wave.status == "stopped"
    assert wave.breached > 1
    assert wave.left_out > 0
    # The night then finds exactly those late.
    sweep_deadlines(session, as_of=late, limit=100)
    found = session.exec(select(Deadline.case_id).where(Deadline.key == "help_given", Deadline.overdue_at == late))
    assert len(found.all()) == wave.breached


@pytest.mark.parametrize("seed", range(3))
def test_a_wave_that_is_taken_back_leaves_every_case_as_it_was(session: Session, seed: int) -> None:
    """Whatever else the versions say differently, and however the cases stand."""
    chance = random.Random(seed)
    edits = [
        ("due: P8D", f"due: P{chance.randint(4, 30)}D"),
        ("due: P2D", f"due: {chance.choice(['PT5H', '3 working days', 'P1M'])}"),
        ("    role: chief\n    state: waiting\n    due: P5D", "    role: chief\n    state: waiting"),
        ("en: Support}\n    shared: false", "en: Support}\n    shared: true"),
        ("holidays: ML", "holidays: SN"),
    ]
    new = NEW
    for was, becomes in chance.sample(edits, 3):
        new = new.replace(was, becomes)
    made = changing(session, new)
    made.spread_out(16)
    sweep_deadlines(session, as_of=NOW, limit=100)
    session.commit()
    before, seqs = fingerprint(session), versions(session)
    change = made.change(RENAMED)
    chunks = made.run_wave(change, options(change.way.names), limit=5)
    assert total(chunks)[0] == 16
    assert fingerprint(session) != before
    assert made.undo_wave(change, 1, limit=5) == [UndoChunk(5), UndoChunk(5), UndoChunk(5), UndoChunk(1), UndoChunk()]
    assert fingerprint(session, seqs) == before
    assert {version - seqs[id_] for id_, version in versions(session).items()} == {2, 0}
    assert verify_journal(session).broken == []
    # And they can move again.
    assert total(made.run_wave(change, options(change.way.names)))[0] == 16
    assert verify_journal(session).broken == []


def test_why_a_case_is_on_hold_is_known_after_the_hold_was_renamed(session: Session) -> None:
    made = changing(session, newer(("paused", "resting")))
    ids = made.register(1)
    made.advance(ids, "pause", START + DAY, reason="ill")
    change = made.change("paused=resting")
    assert total(made.run_wave(change, options(change.way.names)))[0] == 1
    (asked,) = read_situations(session, ids)
    assert (asked.case.state, asked.situation.hold_reason) == ("resting", "ill")


def test_a_case_that_moved_on_is_kept_where_it_is_and_named(session: Session, case_load: Changing) -> None:
    change = case_load.change(RENAMED)
    case_load.run_wave(change, options(change.way.names))
    gone = [id_ for id_ in session.exec(select(Case.id).where(Case.state == "waiting")) if id_ is not None][:2]
    case_load.advance(gone, "help", NOW + DAY)
    chunks = case_load.undo_wave(change, 1)
    assert (sum(each.undone for each in chunks), sum(each.kept for each in chunks)) == (10, 2)
    told = wave_document(session, case_load.wave(change, 1), "en")
    assert sorted(each["why"] for each in told["listed"]) == ["has moved on since"] * 2
    assert {each["case"] for each in told["listed"]} == {session.get_one(Case, id_).code for id_ in gone}
    assert {session.get_one(Case, id_).pathway_version_id for id_ in gone} == {case_load.new.id}
    assert verify_journal(session).broken == []


def test_partners_who_were_told_get_the_correction_and_nobody_else(session: Session) -> None:
    made = changing(session, NEW.replace("en: Support}\n    shared: false", "en: Support}\n    shared: true"))
    made.spread_out(8)
    partner = Partner(code="P", name="Partenaire fictif", created_at=START)
    session.add(partner)
    session.flush()
    told, corrections = (
        Subscription(
            partner_id=partner.id or 0, url="https://p.example/", event_types=types, secret=SECRET, created_at=START
        )
        for types in (["case.migrated"], ["case.corrected"])
    )
    session.add_all([told, corrections])
    session.flush()
    while fan_out(session, now=NOW):
        pass
    change = made.change(RENAMED)
    made.run_wave(change, options(change.way.names))
    while fan_out(session, now=NOW):
        pass
    first = session.exec(select(Event).where(Event.type == "case.migrated")).all()
    assert len(first) == 4
    assert {event.data["state"] for event in first} == {"assisted"}
    made.undo_wave(change, 1)
    while fan_out(session, now=NOW):
        pass
    second = session.exec(select(Event).where(Event.type == "case.corrected")).all()
    assert sorted(event.data["corrects"] for event in second) == sorted(event.uid for event in first)
    assert not any("state" in event.data for event in second)
    sent = session.exec(
        select(Delivery.subscription_id, Event.type).join(Event, col(Event.id) == col(Delivery.event_id))
    ).all()
    assert sorted(sent) == sorted([(told.id, "case.migrated")] * 4 + [(told.id, "case.corrected")] * 4)


def test_a_journal_that_lies_about_a_move_to_another_version_is_found(session: Session, case_load: Changing) -> None:
    change = case_load.change(RENAMED)
    case_load.run_wave(change, options(change.way.names))
    session.commit()
    case = session.exec(select(Case).where(Case.state == "assisted")).first()
    assert case is not None
    session.execute(
        text('UPDATE "case" SET pathway_version_id = :old WHERE id = :id'), {"old": case_load.old.id, "id": case.id}
    )
    assert [(each.case_code, each.what) for each in verify_journal(session).broken] == [(case.code, "version")]
    session.rollback()
    other = session.exec(select(Case).where(Case.state == "waiting")).first()
    assert other is not None
    session.execute(
        text("UPDATE journal SET data = :data WHERE case_id = :id AND trigger = 'migrate'"),
        {"data": json.dumps({"names": {}}), "id": other.id},
    )
    assert "changed" in {each.what for each in verify_journal(session).broken}


def test_reminders_and_nights_go_on_under_the_new_version(session: Session, case_load: Changing) -> None:
    """Also when it has fewer reminders than the old one had written already."""
    made = case_load
    arm_reminders(session, case_ids=list(versions(session)), now=START + 2 * DAY)
    fewer = newer(("    reminders: [P3D]\n", ""), ("version: 2", "version: 3"))
    publish(session, fewer, START)
    made.new = read_side(session, "small@3", "small")
    change = made.change()
    assert total(made.run_wave(change, options(change.way.names)))[0] == 12
    assert release_notices(session, now=NOW + 3 * DAY, day=NOW.date(), limit=100).sent == 0
    assert sweep_deadlines(session, as_of=NOW + 10 * DAY, limit=100).overdue > 0


def test_the_statements_of_a_chunk_do_not_depend_on_the_number_of_cases(session: Session) -> None:
    counted = []
    for number in (4, 40):
        made = changing(session)
        made.spread_out(number)
        session.flush()
        change = made.change(RENAMED)
        wave = begin_wave(session, change.way, options(change.way.names, size="100000"), CHIEF, NOW)
        assert wave is not None
        session.flush()
        with statements(session) as seen:
            done = move_chunk(*(session, change.way, wave, CHIEF), correlation_id="wave", now=NOW, limit=1000)
            session.flush()
        assert done.moved == number
        with statements(session) as looked:
            consequences(
                *(session, change.way, change.ways),
                chunks_of_open(session, made.old.id or 0, made.old.pathway, 1000),
                NOW,
            )
        made.undo_wave(change, wave.number, limit=1000)
        counted.append((len(seen), len(looked)))
        session.rollback()
    assert counted[0] == counted[1]
    assert counted[0][0] <= 25
