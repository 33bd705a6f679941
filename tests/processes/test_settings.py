"""What an office sees when it sets something, rightly or wrongly."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from models.settings import Settings, SettingsError, load_settings


def test_the_defaults_need_no_configuration() -> None:
    settings = load_settings()
    assert settings.database_url == "sqlite:///segin-data/segin.db"
    assert settings.timezone == ZoneInfo("Africa/Bamako")
    assert settings.allow_loopback_webhooks is False


def test_what_is_derived_follows_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGIN_DATA_DIR", "/srv/segin")
    monkeypatch.setenv("SEGIN_PREFECT_PORT", "4321")
    settings = load_settings()
    assert settings.database_url == "sqlite:////srv/segin/segin.db"
    assert settings.backup_dir == Path("/srv/segin/backups")
    assert settings.prefect_api_url == "http://127.0.0.1:4321/api"


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGIN_WEB_PORT", "")
    assert load_settings().web_port == 8000


@pytest.mark.parametrize(
    ("name", "value", "default"),
    [
        ("SEGIN_WEB_PORT", "eighty", "8000"),
        ("SEGIN_WEB_PORT", "70000", "8000"),
        ("SEGIN_NIGHTLY_HOUR", "24", "2"),
        ("SEGIN_TIMEZONE", "Africa/Atlantis", "Africa/Bamako"),
        ("SEGIN_LANGUAGE", "de", "fr"),
        ("SEGIN_DISPATCH_INTERVAL", "0", "0.5"),
        ("SEGIN_PREFECT_API_URL", "localhost:4200", "http://127.0.0.1:4200/api"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_default(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, default: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert name in caught.value.message_en
    assert value in caught.value.message_en
    assert name in caught.value.message_fr
    assert default in caught.value.remedy
    assert caught.value.exit_code == 2


def test_a_misspelt_setting_is_refused_with_the_right_spelling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGIN_DATABSE_URL", "postgresql://segin:s3cret@db/segin")
    with pytest.raises(SettingsError, match="Did you mean SEGIN_DATABASE_URL") as caught:
        load_settings()
    assert "s3cret" not in str(caught.value)


def test_the_database_password_is_never_shown() -> None:
    settings = Settings(database_url="postgresql://segin:s3cret@db/segin")
    assert "s3cret" not in repr(settings)
    with pytest.raises(ValidationError) as caught:
        Settings(database_url=["s3cret"])
    assert "s3cret" not in str(caught.value)
