"""Whether bytes claim to be an image: by how they begin, whatever their name or declared type.

Wider than what is read here, so that an image of another kind is told as one and not passed over.
"""

import re

HEAD = 64
"""So many first bytes are enough."""
_MAGIC = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|II[*+]\0|MM\0[*+]|8BPS|\xff\x4f\xff\x51|\xff\x0a"
    # BMP: two letters alone could begin a text, so the size of its second header must be right.
    rb"|BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0|RIFF.{4}WEBP"
    rb"|\0\0\0\x0c(?:jP  |JXL )\r\n\x87\n"  # JPEG 2000, JPEG XL
    rb"|.{4}ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1|avi[fs]|crx )"  # HEIC, AVIF, raw
    rb"|P[1-7Ff]\s+(?:#|\d)|P7\nWIDTH|\x76\x2f\x31\x01|#\?R|DDS |SIMPLE  ="  # PNM, EXR, HDR, DDS...
    rb"|II\xbc\x01|IIRO|IIU\0|FUJIFILMCCD-RAW", re.DOTALL)  # JPEG XR, raw


def claims_to_be_an_image(head: bytes) -> bool:
    """Whether a file that begins with `head` (its first HEAD bytes) says that it is an image."""
    return _MAGIC.match(head) is not None
