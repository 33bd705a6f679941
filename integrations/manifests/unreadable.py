"""The one error for a file that cannot be taken in: what is wrong, where, and what to do, in French and English.

The reader raises it before anything is written; the edges show it. It never repeats the content of a cell.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from models.errors import SeginError


class Texts(NamedTuple):
    """What is wrong and what to do; `{...}` places are filled by whoever raises the error."""

    what_fr: str
    what_en: str
    remedy_fr: str
    remedy_en: str


_SAVE_FR: Final = "Enregistrez la feuille en .xlsx ou en .csv, sans mot de passe ni macro."
_SAVE_EN: Final = "Save the sheet as .xlsx or .csv, without password or macros."
_EXPORT_FR: Final = "Ouvrez-le dans un tableur et enregistrez-le de nouveau en .xlsx."
_EXPORT_EN: Final = "Open it in a spreadsheet program and save it again as .xlsx."

TEXTS: Final = {
    "empty": Texts(
        "le fichier est vide",
        "the file is empty",
        "Demandez à l'expéditeur de l'envoyer de nouveau.",
        "Ask the sender to send it again.",
    ),
    "too_big": Texts(
        "le fichier pèse {size} Mo, la limite est de {limit} Mo",
        "the file has {size} MB, the limit is {limit} MB",
        "Partagez la liste en plusieurs fichiers, et ôtez les images.",
        "Split the list into several files, and remove pictures.",
    ),
    "unpacks_too_big": Texts(
        "l'archive se déploierait en plus de {limit} Mo",
        "the archive would unpack to more than {limit} MB",
        "Ne l'ouvrez pas ; demandez à l'expéditeur d'où vient ce fichier.",
        "Do not open it; ask the sender where this file comes from.",
    ),
    "too_many_parts": Texts(
        "l'archive contient plus de {limit} parties",
        "the archive holds more than {limit} parts",
        _EXPORT_FR,
        _EXPORT_EN,
    ),
    "part_too_big": Texts(
        "la partie {part} du classeur dépasse {limit} {unit}",
        "the part {part} of the workbook exceeds {limit} {unit}",
        "Copiez le tableau seul dans une nouvelle feuille et enregistrez-la.",
        "Copy the table alone into a new sheet and save that.",
    ),
    "too_many_rows": Texts(
        "{sheet}plus de {limit} lignes, vides comprises",
        "{sheet}more than {limit} rows, blank ones included",
        "Supprimez les lignes vides sous le tableau (Ctrl+Fin les montre) ou partagez la liste en plusieurs fichiers.",
        "Delete the blank rows under the table (Ctrl+End shows them) or split the list into several files.",
    ),
    "rows_out_of_order": Texts(
        "{sheet}les lignes ne se suivent pas à la ligne {line}",
        "{sheet}the rows are out of order at row {line}",
        _EXPORT_FR,
        _EXPORT_EN,
    ),
    "cell_too_long": Texts(
        "la ligne {line} contient une cellule de plus de {limit} caractères",
        "row {line} holds a cell of more than {limit} characters",
        "Cherchez un guillemet ouvert et jamais refermé, ou un texte collé par erreur.",
        "Look for a quotation mark that is never closed, or a text pasted by mistake.",
    ),
    "unclosed_quote": Texts(
        "un guillemet ouvert à partir de la ligne {line} n'est jamais refermé",
        "a quotation mark opened at row {line} is never closed",
        "Ôtez ce guillemet dans un éditeur de texte.",
        "Remove that quotation mark in a text editor.",
    ),
    "encrypted": Texts(
        "le fichier est protégé par un mot de passe",
        "the file is protected by a password",
        "Ôtez le mot de passe et envoyez le fichier par un canal protégé.",
        "Remove the password and send the file through a protected channel.",
    ),
    "macros": Texts("le classeur contient des macros", "the workbook contains macros", _SAVE_FR, _SAVE_EN),
    "old_excel": Texts(
        "c'est un classeur d'un ancien format (.xls)", "this is a workbook of an old format (.xls)", _SAVE_FR, _SAVE_EN
    ),
    "binary_excel": Texts("c'est un classeur binaire (.xlsb)", "this is a binary workbook (.xlsb)", _SAVE_FR, _SAVE_EN),
    "other_format": Texts(
        "le contenu est du {kind}, quoi que dise le nom",
        "the content is {kind}, whatever the name says",
        _SAVE_FR,
        _SAVE_EN,
    ),
    "damaged": Texts("le classeur est endommagé{part}", "the workbook is damaged{part}", _EXPORT_FR, _EXPORT_EN),
    "entities": Texts(
        "la partie {part} du classeur définit ses propres entités XML",
        "the part {part} of the workbook defines XML entities of its own",
        "Ne l'ouvrez pas ; demandez à l'expéditeur d'où vient ce fichier.",
        "Do not open it; ask the sender where this file comes from.",
    ),
    "nul_bytes": Texts(
        "le texte contient un octet nul à la ligne {line}",
        "the text contains a NUL byte at row {line}",
        "Le fichier est endommagé ou n'est pas un CSV : demandez-le de nouveau.",
        "The file is damaged or is no CSV: ask for it again.",
    ),
    "broken_utf8": Texts(
        "le texte UTF-8 est interrompu au milieu d'une lettre à la ligne {line}",
        "the UTF-8 text breaks off inside a letter at row {line}",
        "Le fichier est endommagé ou mêle deux encodages : exportez-le de nouveau en CSV UTF-8.",
        "The file is damaged or mixes two encodings: export it again as CSV UTF-8.",
    ),
    "unknown_encoding": Texts(
        "une lettre de la ligne {line} n'est ni en UTF-8 ni en Windows-1252",
        "a letter of row {line} is neither UTF-8 nor Windows-1252",
        "Exportez le fichier de nouveau en CSV UTF-8.",
        "Export the file again as CSV UTF-8.",
    ),
    "no_header": Texts(
        "aucune ligne de titres de colonnes n'est reconnue dans les {limit} premières lignes",
        "no row of column headers is recognised in the first {limit} rows",
        "Le tableau doit avoir les colonnes {needed} ; un fichier de correspondance peut décrire d'autres titres.",
        "The table must have the columns {needed}; a mapping file can describe other headers.",
    ),
    "missing_columns": Texts(
        "la ligne de titres {line} n'a pas de colonne pour {missing}",
        "the header row {line} has no column for {missing}",
        "Ajoutez la colonne ou décrivez son titre dans un fichier de correspondance. Titres trouvés : {found}.",
        "Add the column, or describe its header in a mapping file. Headers found: {found}.",
    ),
    "same_column_twice": Texts(
        "deux colonnes de la ligne de titres {line} disent la même chose : {found}",
        "two columns of the header row {line} say the same: {found}",
        "Gardez-en une, ou dites laquelle compte dans un fichier de correspondance.",
        "Keep one of them, or say which one counts in a mapping file.",
    ),
    "several_tables": Texts(
        "plusieurs feuilles contiennent une liste de personnes : {found}",
        "several sheets hold a list of people: {found}",
        "Enregistrez chaque liste dans son propre fichier.",
        "Save each list in a file of its own.",
    ),
}


class UnreadableManifest(SeginError):
    """The file as a whole cannot be taken in; nothing was changed.

    `code` is a key of `TEXTS`; `message_fr` and `message_en` name the file, what is wrong and where; `remedy_fr` and
    `remedy` say what to do.
    """

    def __init__(self, code: str, file: str, **places: object) -> None:
        texts = TEXTS[code]
        super().__init__(
            f"{file}: {texts.what_en.format(**places)}.",
            f"{file} : {texts.what_fr.format(**places)}.",
            remedy=texts.remedy_en.format(**places),
            remedy_fr=texts.remedy_fr.format(**places),
        )
        self.code = code
        self.file = file
