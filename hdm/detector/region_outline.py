"""A polygon of few corners around the pixels of one region."""

import numpy as np

CORNERS = 12
"""Most corners of an outline."""
COARSER = 1.5
Corner = tuple[int, int]
"""(x, y), in pixels."""


def outline_of(mask: np.ndarray, gap: int) -> list[Corner]:
    """Corners around all of the mask (H, W), which holds at least one pixel, within its frame.

    Along the pixels' edges: a mask that is full gives (0, 0), (W, 0), (W, H), (0, H). gap: parts
    of the mask that far apart are bridged.
    """
    import cv2

    height, width = mask.shape
    reach = (gap + 1) // 2
    edge = 2 * reach + 1  # wider than what closing looks at
    grid = np.zeros((height + 1 + 2 * edge, width + 1 + 2 * edge), np.uint8)
    for row in (edge, edge + 1):  # a pixel covers four corners of the grid
        for column in (edge, edge + 1):
            grid[row:row + height, column:column + width] |= mask.astype(np.uint8)
    closed = cv2.morphologyEx(grid, cv2.MORPH_CLOSE, np.ones((2 * reach + 1,) * 2, np.uint8))
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    contour = contours[0] if len(contours) == 1 else cv2.convexHull(np.concatenate(contours))
    corners = _few(contour)
    # A part that hangs on by a corner is gone round by passing there twice, which is no outline.
    if len(corners) < 3 or len(np.unique(corners[:, 0], axis=0)) < len(corners):
        corners = _few(cv2.convexHull(contour))
    return [(int(x) - edge, int(y) - edge) for x, y in corners[:, 0]]


def _few(contour: np.ndarray) -> np.ndarray:
    """A contour (N, 1, 2) with at most `CORNERS` of its corners."""
    import cv2

    corners, tolerance = contour, max(0.5, 0.01 * cv2.arcLength(contour, True))
    while len(corners) > CORNERS:
        corners = cv2.approxPolyDP(contour, tolerance, True)
        tolerance *= COARSER
    return corners
