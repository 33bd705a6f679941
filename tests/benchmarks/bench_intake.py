"""Takes 5,000 rows in, on SQLite and PostgreSQL, beside a bare read of the same files in the same process.

Run from the root: `python tests/benchmarks/bench_intake.py`. Each database has a process of its own, so that its peak
memory is its own. Exits with 1 when a goal is missed. Everybody in it is synthetic.
"""

from __future__ import annotations

import csv
import io
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from sqlmodel import SQLModel

sys.path.insert(0, str(Path(__file__).parents[1]))
from manifest_files import DEMO, csv_text, xlsx
from manifest_intake import MALI, IntakeDesk, open_desk
from postgres_cluster import postgres_cluster

from integrations.manifests.known import KnownPeople
from models.database import create_engine_for

ROWS, EACH = 5_000, 2_500
SECONDS, MEGABYTES = 10.0, 300.0
TITLE = ("OIM - Manifeste de retour volontaire - données synthétiques",)
HEADER = (
    *("N°", "Référence cas", "Nom", "Prénom(s)", "Sexe", "Date de naissance", "Nationalité", "Pays de départ"),
    *("Ville de départ", "Date d'arrivée", "Moyen de transport", "Région de retour", "Cercle de retour", "Téléphone"),
    *("Taille du ménage", "Vulnérabilités", "Consentement partage"),
)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, postgres_cluster() as cluster:
        cluster.make_template(make_tables)
        write_manifests(Path(folder))
        sqlite = f"sqlite:///{folder}/segin.db"
        make_tables(sqlite)
        results = [measured_apart(url, folder) for url in (sqlite, cluster.fresh_database())]
    for result in results:
        print(
            "{database:10}  {rows} rows, {known} known: {seconds:.2f} s (goal {goal:.0f}), bare read {bare:.2f} s, "
            "ratio {ratio:.1f}; peak {megabytes:.0f} MB (goal {most:.0f}); registered {registered}, waiting {waiting}, "
            "already known {already_known}, rejected {rejected}".format(**result, goal=SECONDS, most=MEGABYTES)
        )
    return int(any(result["seconds"] > SECONDS or result["megabytes"] > MEGABYTES for result in results))


def measured_apart(url: str, folder: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, __file__, url, folder], check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def measure(url: str, folder: Path) -> dict[str, Any]:
    """The seven months of the demonstration are known already; then come a workbook and a CSV of 2,500 rows each."""
    engine = create_engine_for(url)
    desk = open_desk(engine)
    desk.people = KnownPeople(MALI)
    known = sum(summary.registered for summary in desk.take_all(engine, sorted(DEMO.glob("0*"))))
    files = sorted(folder.glob("bench.*"))
    started = time.perf_counter()
    bare = sum(bare_read(file) for file in files)
    read = time.perf_counter()
    summaries = IntakeDesk(desk.caseload, KnownPeople(MALI)).take_all(engine, files)
    done = time.perf_counter()
    names = ("rows", "registered", "waiting", "already_known", "rejected")
    totals = {name: sum(getattr(summary, name) for summary in summaries) for name in names}
    assert totals["rows"] == ROWS == bare - len(files) - 1
    return totals | {
        "database": engine.dialect.name,
        "known": known,
        "seconds": done - read,
        "bare": read - started,
        "ratio": (done - read) / (read - started),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def bare_read(file: Path) -> int:
    """The number of rows, by the library alone."""
    if file.suffix == ".xlsx":
        sheet = load_workbook(file, read_only=True).worksheets[0]
        return sum(1 for _ in sheet.iter_rows(values_only=True))
    return len(list(csv.reader(io.StringIO(file.read_text("utf-8"), newline=""), delimiter=";")))


def write_manifests(folder: Path) -> None:
    chance = random.Random(2024)
    people = [person(chance, number) for number in range(1, ROWS + 1)]
    (folder / "bench.xlsx").write_bytes(xlsx([TITLE, HEADER, *people[:EACH]]))
    (folder / "bench.csv").write_text(csv_text([HEADER, *people[EACH:]]), encoding="utf-8")


def person(chance: random.Random, number: int) -> tuple[object, ...]:
    birth = date(1975, 1, 1) + timedelta(days=chance.randrange(365 * 45))
    arrival = date(2024, 8, 1) + timedelta(days=chance.randrange(150))
    region, district = chance.choice(
        [("Kayes", "Kita"), ("KAYES", "Bafoulabe"), ("Ségou", "Niono"), ("Sikasso", "Koutiala"), ("Bamako", "Bamako")]
    )
    return (
        *(number, f"BENCH-{number:06}"),
        chance.choice(["Traoré", "Coulibaly", "DIARRA", "Keïta", "Konaté", "Cissé", "Touré", "Sidibé", "Dembélé"]),
        " ".join(chance.sample(["Moussa", "Awa", "Amadou", "Sira", "Oumar", "Issa", "Fanta", "Sékou"], 2)),
        *(chance.choice(["M", "Homme", "F", "Féminin"]), birth.strftime(chance.choice(["%d/%m/%Y", "%Y-%m-%d"]))),
        *("Malienne", chance.choice(["Libye", "Niger", "Algérie"]), "Agadez", arrival.strftime("%d/%m/%Y"), "Bus"),
        *(region, district, f"7{chance.randrange(10**7):07}", chance.choice([1, 2, 4, 6])),
        *(chance.choice([None, "Handicap", "Besoin médical"]), chance.choice(["Oui", "Non"])),
    )


def make_tables(url: str) -> None:
    engine = create_engine_for(url)
    SQLModel.metadata.create_all(engine)
    engine.dispose()


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]))))
    else:
        sys.exit(main())
