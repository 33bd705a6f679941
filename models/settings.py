"""What an installation may choose, read from the environment (`SEGIN_...`), checked at once and never changed later.

The edges (command line, web, worker, flows) call `load_settings`; the rules and the tables never see a setting.
`docs/settings.md` documents each field, and a test holds the two together.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.errors import WrongUse

PREFIX = "SEGIN_"
# Read by the test suite alone.
_TEST_PREFIX = "SEGIN_TEST_"


class SettingsError(WrongUse):
    """A setting is unknown or cannot be used. The message names it, and its value unless that is a secret."""


class Settings(BaseSettings):
    """One field for each environment variable `SEGIN_<NAME>`; an empty variable counts as unset."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    data_dir: Path = Field(
        default=Path("segin-data"), description="Folder for everything that Segin writes; made with mode 0700."
    )
    database_url: str = Field(
        default_factory=lambda fields: f"sqlite:///{fields['data_dir']}/segin.db",
        repr=False,
        json_schema_extra={"secret": True},
        description="Where the cases live: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`.",
    )
    timezone: ZoneInfo = Field(
        default=ZoneInfo("Africa/Bamako"),
        description="Time zone of the programme: its days, working hours and nights.",
    )
    language: Literal["fr", "en"] = Field(default="fr", description="Language of the texts for staff, `fr` or `en`.")
    pathway: str = Field(
        default="mali", description="The process that new cases follow: a bundled pathway's name or a YAML file."
    )
    country_profile: str = Field(
        default="mali",
        description="What intake knows of the country of return: a bundled profile's name or a YAML file.",
    )
    mapping_file: Path | None = Field(
        default=None, description="YAML file that names the columns of manifests with headers of their own."
    )
    instruments_dir: Path | None = Field(
        default=None, description="Folder with the programme's own instruments, one YAML file each (instruments.md)."
    )
    nightly_hour: int = Field(
        default=2, ge=0, le=23, description="Hour of the nightly run, in the programme's time zone."
    )
    dispatch_interval: float = Field(
        default=0.5,
        gt=0,
        le=60,
        description="Seconds between two looks for transitions whose effects wait to be carried out.",
    )
    allow_loopback_webhooks: bool = Field(
        default=False,
        description="Deliver to this machine's own addresses too; for development and the demo only.",
    )
    web_host: str = Field(default="127.0.0.1", description="Address on which the web process listens.")
    web_port: int = Field(default=8000, ge=1, le=65535, description="Port on which the web process listens.")
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        pattern=r"^https?://",
        description="Address under which partners reach the web process; events name their schemas by it.",
    )
    smtp_host: str | None = Field(
        default=None, description="Mail server for the daily messages to partners; it must offer STARTTLS."
    )
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Port of the mail server.")
    smtp_sender: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$",
        description="Address from which the messages come.",
    )
    smtp_user: str | None = Field(default=None, description="Name at the mail server, when it asks for one.")
    smtp_password: SecretStr | None = Field(
        default=None, json_schema_extra={"secret": True}, description="Password at the mail server."
    )
    smtp_ca_file: Path | None = Field(
        default=None,
        description="PEM file of the authority of the mail server's certificate, when the system does not know it.",
    )
    drop_dir: Path | None = Field(
        default=None, description="Folder under which partners find their daily files, each in a folder of its own."
    )
    bridges_dir: Path | None = Field(
        default=None,
        description="Folder with the programme's own mappings, `NAME.yaml` each (partners/bridges.md).",
    )
    prefect_host: str = Field(default="127.0.0.1", description="Address on which the Prefect server listens.")
    prefect_port: int = Field(default=4200, ge=1, le=65535, description="Port on which the Prefect server listens.")
    prefect_api_url: str = Field(
        default_factory=lambda fields: f"http://{fields['prefect_host']}:{fields['prefect_port']}/api",
        pattern=r"^https?://",
        description="Address of the Prefect API, when it is another server than the one that `segin up` starts.",
    )
    log_format: Literal["console", "json"] = Field(
        default="console", description="`console` for people, `json` for a log collector."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important level that is logged."
    )
    backup_dir: Path = Field(
        default_factory=lambda fields: fields["data_dir"] / "backups",
        description="Folder for the nightly backups; best on another disk.",
    )
    notes_key: str | None = Field(
        default=None,
        repr=False,
        json_schema_extra={"secret": True},
        description="Key of the notes of psychosocial sessions: 32 bytes in base64; earlier keys after a comma.",
    )
    backups_kept: int = Field(default=14, ge=1, description="How many nightly backups are kept.")


def load_settings() -> Settings:
    """The settings of this process's environment.

    Raises SettingsError for an unknown `SEGIN_...` variable (a misspelt one would be ignored in silence) and for a
    value that cannot be used.
    """
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and not name.startswith(_TEST_PREFIX) and name not in known:
            raise _unknown(name, known)
    try:
        return Settings()
    except ValidationError as error:
        raise _unusable(error) from None


def describe_settings() -> Iterator[tuple[str, str, str]]:
    """(environment variable, default as written, description) of each setting, for the documentation and the CLI."""
    defaults = Settings.model_construct()
    for name, field in Settings.model_fields.items():
        default = getattr(defaults, name)
        yield f"{PREFIX}{name}".upper(), "" if default is None else _written(default), field.description or ""


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unknown(name: str, known: set[str]) -> SettingsError:
    close = difflib.get_close_matches(name, known, n=1)
    return SettingsError(
        f"There is no setting {name}.",
        f"Le paramètre {name} n'existe pas.",
        remedy=f"Did you mean {close[0]}?" if close else "docs/settings.md lists all settings.",
        remedy_fr=f"Vouliez-vous dire {close[0]} ?" if close else "docs/settings.md donne la liste des paramètres.",
    )


def _unusable(error: ValidationError) -> SettingsError:
    first = error.errors(include_url=False)[0]
    field_name = str(first["loc"][0]).lower().removeprefix(PREFIX.lower())
    name = f"{PREFIX}{field_name}".upper()
    extra: Any = Settings.model_fields[field_name].json_schema_extra or {}
    shown = None if extra.get("secret") else repr(first["input"])
    default = next(default for known, default, _ in describe_settings() if known == name)
    return SettingsError(
        f"The setting {name} cannot be {shown or 'used'}: {first['msg']}.",
        f"Le paramètre {name} ne peut pas {f'valoir {shown}' if shown else 'servir'} ({first['msg']}).",
        remedy=f"Correct it, or unset it to use {default or 'none'}; docs/settings.md explains it.",
        remedy_fr=f"Corrigez-le, ou retirez-le pour {default or 'aucun'} ; voir docs/settings.md.",
    )
