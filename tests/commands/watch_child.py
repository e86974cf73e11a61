"""`hdm watch` in a process of its own, which may be killed: what is bright is odd to it."""

import sys
import time

from bright_detector import Seeing

import hdm
from hdm.cli import main


class Slow(Seeing):
    """Takes a while for each picture, so that a kill meets it at work."""

    def predict(self, images, batch_size=16):
        time.sleep(0.01 * len(images))
        return super().predict(images, batch_size)


if __name__ == "__main__":
    hdm.HDM = type("HDM", (), {"load": staticmethod(lambda *_, **__: Slow())})
    main(sys.argv[1:])
