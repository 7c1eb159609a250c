from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from rumiai.errors import StoreError
from rumiai.records.schema import MIGRATIONS, migrate


def connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def tables(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_a_new_file_gets_all_tables(tmp_path: Path) -> None:
    connection = connect(tmp_path / "r.sqlite")
    migrate(connection)
    assert {"runs", "videos", "stages", "attempts", "errors", "events"} <= tables(connection)
    assert version(connection) == len(MIGRATIONS)
    connection.close()


def test_an_older_file_keeps_its_rows_and_gets_what_is_new(tmp_path: Path) -> None:
    connection = connect(tmp_path / "r.sqlite")
    migrate(connection, ["CREATE TABLE a (x)"])
    connection.execute("INSERT INTO a VALUES (7)")
    migrate(connection, ["CREATE TABLE a (x)", "ALTER TABLE a ADD COLUMN y;\nUPDATE a SET y = x + 1"])
    assert connection.execute("SELECT x, y FROM a").fetchall() == [(7, 8)]
    assert version(connection) == 2
    connection.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    connection = connect(tmp_path / "r.sqlite")
    migrate(connection, ["CREATE TABLE a (x)"])
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, ["CREATE TABLE a (x)", "CREATE TABLE b (x)", "nonsense"])
    assert tables(connection) == {"a"}
    assert version(connection) == 1
    connection.close()


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    connection = connect(tmp_path / "r.sqlite")
    connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match=r"version 99, expected \d+ at most"):
        migrate(connection)
    assert tables(connection) == set()
    connection.close()
