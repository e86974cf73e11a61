"""From an exception to one sentence and an exit code."""

import errno
import os
import sys
import traceback

from hdm.errors import HDMError
from hdm.terminal import say

INTERRUPTED = 130
TERMINATED = 143


def report(error: BaseException) -> int:
    """Print `error: <sentence>` on stderr and return the exit code.

    With HDM_DEBUG=1 in the environment the traceback comes first.
    """
    if os.environ.get("HDM_DEBUG", "0") not in ("", "0"):
        traceback.print_exception(error)
    say(f"error: {sentence(error)}", sys.stderr)
    return error.exit_code if isinstance(error, HDMError) else 1


def sentence(error: BaseException) -> str:
    """What happened and what to do, on one line."""
    if isinstance(error, HDMError):
        return _one_line(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" while writing {error.filename}" if error.filename else ""
        return (f"the disk is full{where}; free some space, then run the same command again "
                "(nothing that was finished is lost).")
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return (f"no permission for {error.filename or 'a file'} ({error.strerror}); make it "
                "accessible, then run the same command again.")
    if isinstance(error, MemoryError):
        return ("out of memory; lower image.size or the training batch in params.yaml, then run "
                "the same command again.")
    return (f"unexpected {type(error).__name__}: {_one_line(error) or 'no details'}; "
            "run with HDM_DEBUG=1 to see where.")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
