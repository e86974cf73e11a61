"""Two workers of one pool, each with a checkout and a DVC cache of its own: what becomes of a line
whose worker is killed, and of many lines at once.

The plant and the servers are those of the tests.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "end_to_end")]
