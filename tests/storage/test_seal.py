"""The seal on notes: nothing of them without the key, and nothing of them in another place. All texts are made up."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import WrongUse
from models.seal import KEY_FILE, SEALED, Seal, SealError, load_seal

KEY, OLD = b"k" * 32, b"o" * 32
SEAL = Seal([KEY])


@given(text=st.text(), context=st.text())
def test_what_is_sealed_is_read_again_in_its_place(text: str, context: str) -> None:
    sealed = SEAL.seal(text, context)
    assert sealed.startswith(SEALED)
    assert SEAL.open(sealed, context) == text
    assert SEAL.seal(text, context) != sealed


@given(text=st.text(min_size=8), context=st.text(), other=st.text())
def test_it_says_nothing_and_cannot_be_moved(text: str, context: str, other: str) -> None:
    sealed = SEAL.seal(text, context)
    assert text not in sealed
    if other != context:
        with pytest.raises(SealError):
            SEAL.open(sealed, other)


@given(place=st.integers(0, 10_000), change=st.integers(1, 255))
def test_any_change_is_found(place: int, change: int) -> None:
    mark, key_id, written = SEAL.seal("Elle dort mieux.", "C1/S1").split(":")
    data = bytearray(base64.b64decode(written))
    data[place % len(data)] ^= change
    with pytest.raises(SealError) as error:
        SEAL.open(f"{mark}:{key_id}:{base64.b64encode(data).decode()}", "C1/S1")
    assert "dort" not in str(error.value)


@pytest.mark.parametrize("sealed", ["", "seal1", "seal1:", "seal1:00000000:AAAA", "Elle dort mieux."])
def test_what_no_key_here_has_sealed_is_refused(sealed: str) -> None:
    with pytest.raises(SealError, match="key that is not here"):
        SEAL.open(sealed, "C1/S1")


def test_a_cut_text_is_refused() -> None:
    sealed = SEAL.seal("Elle dort mieux.", "C1/S1")
    for length in range(len("seal1:00000000:"), len(sealed)):
        with pytest.raises(SealError):
            SEAL.open(sealed[:length], "C1/S1")


def test_a_key_is_changed_without_losing_what_the_old_one_sealed() -> None:
    before = Seal([OLD]).seal("avant", "C1/S1")
    both = Seal([KEY, OLD])
    assert both.open(before, "C1/S1") == "avant"
    assert SEAL.open(both.seal("après", "C1/S1"), "C1/S1") == "après"
    with pytest.raises(SealError, match="key that is not here"):
        SEAL.open(before, "C1/S1")


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert load_seal(None, folder, may_make=False) is None
    first = load_seal(None, folder, may_make=True)
    assert first is not None
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]
    again = load_seal(None, folder, may_make=True)
    assert again is not None
    assert again.open(first.seal("note", "C1/S1"), "C1/S1") == "note"


def test_keys_that_are_written_come_first(tmp_path: Path) -> None:
    load_seal(None, tmp_path, may_make=True)
    written = f"{base64.b64encode(KEY).decode()}, {base64.b64encode(OLD).decode()}"
    seal = load_seal(written, tmp_path, may_make=True)
    assert seal is not None
    assert seal.open(Seal([OLD]).seal("note", "C1/S1"), "C1/S1") == "note"


@pytest.mark.parametrize("written", ["", "hidden", "clef-à-moi", "aGlkZGVu", base64.b64encode(b"k" * 31).decode()])
def test_what_is_no_key_is_refused_without_being_shown(written: str, tmp_path: Path) -> None:
    with pytest.raises(WrongUse) as error:
        load_seal(written, tmp_path, may_make=True)
    assert written == "" or written not in f"{error.value}{error.value.message_fr}"
