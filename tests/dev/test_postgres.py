"""The embedded server: passwords only, sockets only, side by side, and up again after every kind of death."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from app.dev.postgres import Cluster, PostgresError, embedded_binaries
from tests.support.skips import skip


def ask(cluster: Cluster, query: str) -> str:
    with psycopg.connect(cluster.admin_url) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return str(row[0])


def kill(cluster: Cluster) -> None:
    pid = cluster.running_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def test_it_is_reached_by_socket_and_password_only(cluster: Cluster) -> None:
    cluster.start()
    assert ask(cluster, "show listen_addresses") == ""
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(replace(cluster, password="another").admin_url)
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(f"postgresql://postgres@/postgres?host={quote(str(cluster.socket_folder))}")


def test_only_the_tests_trade_durability_for_speed(cluster: Cluster) -> None:
    cluster.start()
    assert ask(cluster, "show fsync") == "off"
    cluster.stop()
    durable = replace(cluster, durable=True)
    durable.start()
    for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
        assert ask(durable, f"show {setting}") == "on"
    assert int(ask(durable, "show max_connections")) >= 200


def test_what_was_committed_is_there_after_a_stop(cluster: Cluster) -> None:
    cluster.start()
    with psycopg.connect(cluster.admin_url) as connection:
        connection.execute("create table kept as select 7 as number")
    cluster.stop()
    assert cluster.running_pid() is None
    cluster.start()
    assert ask(cluster, "select number from kept") == "7"


def test_it_starts_again_after_it_was_killed(cluster: Cluster) -> None:
    cluster.start()
    kill(cluster)
    cluster.start()
    assert ask(cluster, "select 1") == "1"


def test_a_pid_file_whose_number_another_process_got_does_not_stand_in_the_way(cluster: Cluster) -> None:
    cluster.start()
    kill(cluster)
    pid_file = cluster.data / "postmaster.pid"
    _, rest = pid_file.read_text().split("\n", 1)
    pid_file.write_text(f"1\n{rest}")
    cluster.start()
    assert ask(cluster, "select 1") == "1"


def test_a_server_that_outlived_its_supervisor_is_replaced(cluster: Cluster) -> None:
    cluster.start()
    before = cluster.running_pid()
    cluster.start()
    assert cluster.running_pid() not in {before, None}


def test_two_folders_are_two_servers(cluster: Cluster, tmp_path: Path) -> None:
    other = replace(cluster, home=tmp_path / "other")
    cluster.start()
    try:
        other.start()
        assert cluster.running_pid() != other.running_pid()
        other.stop()
        assert ask(cluster, "select 1") == "1"
    finally:
        other.stop()


def test_a_path_too_long_or_too_odd_for_a_socket_is_no_obstacle(tmp_path: Path) -> None:
    home = tmp_path / "with, a comma and spaces" / ("long" * 25)
    cluster = Cluster(home, "secret", False, embedded_binaries())
    try:
        cluster.start()
        assert ask(cluster, "select 1") == "1"
        assert cluster.socket_folder.parent == Path("/tmp")  # noqa: S108
    finally:
        cluster.stop()
        cluster.socket_folder.rmdir()


def test_root_runs_it_as_another_user_in_a_folder_only_root_may_enter(
    cluster: Cluster, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        skip("needs-root")
    tmp_path.chmod(0o700)
    cluster.start()
    pid = cluster.running_pid()
    assert Path(f"/proc/{pid}").stat().st_uid != 0
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_an_interrupted_first_start_leaves_nothing_half_made(cluster: Cluster) -> None:
    half = cluster.home / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    cluster.start()
    assert ask(cluster, "select 1") == "1"


def test_data_of_another_version_is_refused_in_words(cluster: Cluster) -> None:
    cluster.data.mkdir(parents=True)
    (cluster.data / "PG_VERSION").write_text("14\n")
    with pytest.raises(PostgresError, match="made by PostgreSQL 14"):
        cluster.start()


def test_a_start_that_fails_shows_the_servers_words(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop()
    (cluster.data / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(PostgresError, match="no_such_setting"):
        cluster.start()
