"""An alarm as HTTP POST: JSON, signed where a secret is set."""

import hashlib
import hmac

from hdm import __version__
from hdm.alarms.alarm_message import Message
from hdm.alarms.alarm_settings import Webhook, secret
from hdm.errors import HDMError

SIGNATURE = "X-HDM-Signature"
AGAIN = (408, 425, 429, 500, 502, 503, 504)
"""Answers after which it is tried again: not now, rather than never."""


def post(settings: Webhook, message: Message) -> None:
    """Raises HDMError with what the receiver answered, or why it could not be reached."""
    import requests  # late: only those who have a webhook wait for it
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    body = message.body()
    headers = {"Content-Type": "application/json", "User-Agent": f"hdm/{__version__}",
               "X-HDM-Event": message.event, "X-HDM-Id": message.id}
    if settings.secret_env:
        headers[SIGNATURE] = signature(secret(settings.secret_env), body)
    again = Retry(settings.retries, backoff_factor=0.5, status_forcelist=AGAIN, redirect=False,
                  allowed_methods=None, raise_on_status=False, respect_retry_after_header=False)
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=again))
        try:
            # Its content is not read, and it is not followed elsewhere: that would be a GET.
            with session.post(settings.url, data=body, headers=headers, timeout=settings.timeout,
                              allow_redirects=False, stream=True) as answer:
                if not 200 <= answer.status_code < 300:
                    raise HDMError(f"it answered {answer.status_code} {answer.reason}")
        except requests.RequestException as error:
            raise HDMError(_why(error)) from None


def signature(key: str, body: bytes) -> str:
    """What the header says: sha256= and the HMAC of the body in hexadecimal figures."""
    return "sha256=" + hmac.new(key.encode("utf-8"), body, hashlib.sha256).hexdigest()


def _why(error: Exception) -> str:
    """In plain words, without the addresses of objects in memory."""
    import requests
    from urllib3.exceptions import ReadTimeoutError

    # The last of several tries is wrapped.
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.ReadTimeout) or isinstance(reason, ReadTimeoutError):
        return "it did not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not accepted"
    if isinstance(error, requests.ConnectionError):
        return "it cannot be reached"
    return type(error).__name__
