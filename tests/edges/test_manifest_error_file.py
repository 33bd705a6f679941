"""The file of rejected rows: what was wrong, in both languages, beside the row as it came, safe in a spreadsheet."""

import csv
import io

from manifest_files import AWA, DEMO, HEADER, MOUSSA, csv_text, xlsx
from manifest_intake import open_desk
from sqlalchemy import Engine

from integrations.manifests.error_file import error_file
from integrations.manifests.problems import REASONS
from models.database import read_session, write_session


def lines_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def test_each_problem_has_a_line_with_the_row_as_it_came(engine: Engine) -> None:
    desk = open_desk(engine)
    bad = ("=cmd|' /C calc'!A0", "@Awa", "-X9", "31/02/1996", "+Atlantide", "05/01/2024", "+223 76 00 00 01")
    with write_session(engine) as session:
        first = desk.take(session, csv_text([("Titre",), HEADER, MOUSSA, bad]).encode(), "first.csv")
        second = desk.take(session, xlsx([HEADER, (*AWA[:2], None, *AWA[3:])]), "second.xlsx")
        session.commit()
    with read_session(engine) as session:
        text = error_file(session, [first.manifest_id, second.manifest_id])
    lines = lines_of(text)
    assert [(line["Fichier / File"], line["Ligne / Line"], line["Motif / Reason"]) for line in lines] == [
        ("first.csv", "4", "bad_name"),
        ("first.csv", "4", "bad_name"),
        ("first.csv", "4", "bad_sex"),
        ("first.csv", "4", "bad_date"),
        ("first.csv", "4", "unknown_country"),
        ("second.xlsx", "2", "no_sex"),
    ]
    assert lines[3]["Colonne / Column"] == "Date de naissance"
    assert lines[3]["Trouvé / Found"] == lines[3]["Date de naissance"] == "31/02/1996"
    assert lines[3]["Attendu"] == REASONS["bad_date"].expected_fr
    assert lines[3]["Problem"] == REASONS["bad_date"].message_en
    assert lines[0]["Nom"] == "'=cmd|' /C calc'!A0"
    assert lines[5]["Sexe"] == ""
    cells = [cell for line in csv.reader(io.StringIO(text, newline=""), delimiter=";") for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_the_rejected_rows_of_the_demonstration(engine: Engine) -> None:
    desk = open_desk(engine)
    with write_session(engine) as session:
        file = DEMO / "053-2024-07-31-LBY.xlsx"
        summary = desk.take(session, file, file.name)
        text = error_file(session, [summary.manifest_id])
    lines = lines_of(text)
    assert sorted(line["Motif / Reason"] for line in lines) == ["bad_sex", "unknown_country"]
    assert {line["Trouvé / Found"] for line in lines} == {"X9", "Atlantide"}
    assert all(line["Référence cas"].startswith("ML24-") for line in lines)


def test_without_rejected_rows_there_is_a_header_alone(engine: Engine) -> None:
    desk = open_desk(engine)
    with write_session(engine) as session:
        summary = desk.take(session, xlsx([HEADER, MOUSSA]))
        assert error_file(session, [summary.manifest_id]).count("\r\n") == 1
