"""Which failures go away by themselves, told from their words: libraries have no common type."""

import re

# What ends the same way when tried again, even where the network is named as well.
LASTING = re.compile(
    r"no space left|disk (is |quota )?(full|exceeded)|quota exceeded|insufficient storage|\b507\b"
    r"|storage ?full|read-only|permission denied|access ?denied", re.IGNORECASE)
# Hindrances that go away by themselves.
PASSING = re.compile(
    r"unable to acquire lock|is busy|database is locked"
    r"|connection (refused|reset|aborted|timed out)|timed out|timeout|remote end closed"
    r"|network is unreachable|no route to host|name resolution|name or service not known"
    r"|temporarily unavailable|service unavailable|bad gateway|too many 50\d|server closed the "
    r"connection|terminating connection|database system is (starting up|shutting down)"
    r"|ssl (syscall|connection)|recovery mode|incomplete read|broken pipe", re.IGNORECASE)


def worth_retrying(sentence: str) -> bool:
    """Whether another try may end better: locks and networks, not full disks or refused access."""
    return bool(PASSING.search(sentence)) and not LASTING.search(sentence)
