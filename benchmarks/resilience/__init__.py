"""What a line survives: kills, lost writes, full disks, servers that are away, and a long day.

The plant and the servers are those of the tests.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "end_to_end")]
