"""An alarm as e-mail."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime, localtime, make_msgid

from hdm.alarms.alarm_message import Message
from hdm.alarms.alarm_settings import Mail, secret
from hdm.errors import ConfigError, HDMError


def send(settings: Mail, message: Message) -> None:
    """Raises HDMError with what the server answered, or why it could not be reached."""
    if settings.user and settings.security == "none":
        raise ConfigError("a password is not sent over a connection that is not encrypted; set "
                          "mail.security to starttls or ssl.")
    password = secret(settings.password_env) if settings.user else ""
    try:
        with _connected(settings) as server:
            if settings.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.user:
                server.login(settings.user, password)
            refused = server.send_message(letter(settings, message))
    except smtplib.SMTPRecipientsRefused as error:
        raise HDMError(f"it refused every address: {', '.join(error.recipients)}") from None
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error.decode("utf-8", "replace") \
            if isinstance(error.smtp_error, bytes) else str(error.smtp_error)
        raise HDMError(f"it answered {error.smtp_code} {' '.join(said.split())[:200]}") from None
    except ssl.SSLError as error:
        raise HDMError(f"its certificate is not accepted ({error.reason or error})") from None
    except (OSError, smtplib.SMTPException) as error:
        raise HDMError(f"it cannot be reached ({' '.join(str(error).split())[:200]})") from None
    if refused:
        raise HDMError(f"it refused the addresses {', '.join(refused)}")


def letter(settings: Mail, message: Message) -> EmailMessage:
    """The e-mail itself."""
    made = EmailMessage()
    made["Subject"] = message.subject()
    made["From"] = settings.sender
    made["To"] = ", ".join(settings.to)
    made["Date"] = format_datetime(localtime())
    made["Message-ID"] = make_msgid(f"hdm-{message.id.replace(':', '')}",
                                    settings.sender.rpartition("@")[2])
    made["Auto-Submitted"] = "auto-generated"  # nobody's absence note is wanted
    made.set_content(message.text())
    return made


def _connected(settings: Mail) -> smtplib.SMTP:
    if settings.security == "ssl":
        return smtplib.SMTP_SSL(settings.host, settings.port, timeout=settings.timeout,
                                context=ssl.create_default_context())
    return smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout)
