"""CPU seconds of a run: one line at its end, and by module if MATINEE_TEST_CPU is 1."""

import os
from collections import Counter

import pytest

SHOWN = 60
SLOW_SECONDS = 20


def spent() -> float:
    """User and system seconds of this process and of the children that it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class Meter:
    """Sums the CPU seconds of this process or, in an xdist controller, of all its workers."""

    def __init__(self, config):
        self.config = config
        self.modules = Counter()
        self.unmarked = {}
        self.workers = 0.0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item, nextitem):
        before = spent()
        try:
            return (yield)
        finally:
            self.modules[item.nodeid.partition("::")[0]] += spent() - before

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        before = spent()
        try:
            return (yield)
        finally:
            if spent() - before > SLOW_SECONDS and not item.get_closest_marker("slow"):
                self.unmarked[item.nodeid] = spent() - before

    def pytest_sessionfinish(self, session):
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["cpu"] = {
                "total": spent(),
                "modules": dict(self.modules),
                "unmarked": self.unmarked,
            }

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node, error):
        if found := getattr(node, "workeroutput", {}).get("cpu"):
            self.workers += found["total"]
            self.modules.update(found["modules"])
            self.unmarked |= found["unmarked"]

    def pytest_terminal_summary(self, terminalreporter):
        own = os.times()  # without children: the workers are counted by what they report
        seconds = own.user + own.system + self.workers if self.workers else spent()
        terminalreporter.write_line(f"{seconds:.0f} CPU seconds in all processes")
        for test, cost in self.unmarked.items():
            terminalreporter.write_line(f"mark as slow, {cost:.0f} CPU seconds: {test}")
        if os.environ.get("MATINEE_TEST_CPU") == "1":
            for module, cost in self.modules.most_common(SHOWN):
                terminalreporter.write_line(f"{cost:8.1f}  {module}")
