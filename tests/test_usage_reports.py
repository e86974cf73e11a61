"""Nothing that HDM uses reports that it was used."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
WATCHED = """
import socket
import sys

def listed(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        print("asked:", event, arguments)

sys.addaudithook(listed)
import tiny
assert tiny.encoder().encode(tiny.textures(1)).shape[1] == 152
print("openvino" in sys.modules)
"""


def test_the_encoders_runtime_tells_nobody_and_leaves_no_mark(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": f"{ROOT}{os.pathsep}"
                   f"{ROOT / 'tests'}", "CI": "", "TF_BUILD": "", "JENKINS_URL": ""}
    done = subprocess.run([sys.executable, "-c", WATCHED], env=environment, capture_output=True,
                          text=True, timeout=300, check=True)
    assert done.stdout.split() == ["True"], done.stdout
    assert list(tmp_path.rglob("*openvino*")) == []
