"""Whether the process that holds a lease still runs: right about processes here, silent about those elsewhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from flows.liveness import is_gone, name_holder


def _holder_elsewhere_in_time(holder: str, pid: int) -> str:
    machine, _, started, own = holder.split(":")
    return f"{machine}:{pid}:{started}:{own}"


def test_a_run_in_this_process_is_not_gone_and_has_a_name_of_its_own() -> None:
    first, second = name_holder(), name_holder()
    assert first != second
    assert not is_gone(first)
    assert not is_gone(second)


def test_a_process_is_gone_when_it_was_killed_even_before_anybody_noticed() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", "from flows.liveness import name_holder; print(name_holder(), flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    holder = child.stdout.readline().strip()
    assert not is_gone(holder)
    child.send_signal(signal.SIGSTOP)
    os.waitpid(child.pid, os.WUNTRACED)
    assert not is_gone(holder), "one that stands still may wake up"
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert is_gone(holder), "killed, and not yet fetched by its parent"
    child.communicate()
    assert is_gone(holder)


def test_a_number_that_another_process_has_now_does_not_count() -> None:
    later = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert is_gone(_holder_elsewhere_in_time(name_holder(), later.pid))
    finally:
        later.communicate(b"\n")


def test_nobody_knows_about_processes_elsewhere() -> None:
    machine, *rest = name_holder().split(":")
    assert not is_gone(":".join([machine[::-1], "999999999", *rest[1:]]))
