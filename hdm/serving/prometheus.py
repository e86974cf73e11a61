"""What Prometheus may ask: counters and gauges in a registry of their own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
IMAGES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """All figures of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        line, r = ["line"], self.registry
        self.requests = Counter("hdm_requests", "Requests answered.", ["line", "status"],
                                registry=r)
        self.seconds = Histogram("hdm_request_seconds", "From the request to its answer.", line,
                                 buckets=SECONDS, registry=r)
        self.batch = Histogram("hdm_batch_images", "Images judged at once.", line,
                               buckets=IMAGES, registry=r)
        self.waiting = Gauge("hdm_waiting_images", "Images that wait or are judged.", line,
                             registry=r)
        self.decisions = Counter("hdm_decisions", "Images by decision.",
                                 ["line", "version", "decision"], registry=r)
        self.undecidable = Counter("hdm_undecidable", "Images that could not be judged.", line,
                                   registry=r)
        self.undecidable_run = Gauge("hdm_undecidable_run", "Newest images in a row that could not "
                                     "be judged.", line, registry=r)
        self.version = Gauge("hdm_model_version", "Version that serves; 0: none.", line,
                             registry=r)
        self.reloads = Counter("hdm_reloads", "Versions loaded, or tried to.",
                               ["line", "outcome"], registry=r)
        self.problem = Gauge("hdm_model_problem", "1 while the live version cannot be loaded or "
                             "the registry does not answer.", line, registry=r)
        self.dropped = Counter("hdm_log_dropped", "Predictions that were not logged.",
                               ["line", "why"], registry=r)

    def text(self) -> bytes:
        """Everything in Prometheus's text format."""
        return generate_latest(self.registry)
