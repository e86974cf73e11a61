"""Which version serves: the one place where the alias `champion` moves.

Each time a version goes into service it is written on the version itself, so that the registry
alone tells who served when.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hdm.errors import RegistryError
from hdm.line import Line
from hdm.registry.continuity import unfitting
from hdm.registry.decision_log import note, noted, now, person
from hdm.registry.fetch import check_version
from hdm.registry.history import LIVE, services
from hdm.registry.mlflow_uris import TEXT_LENGTH
from hdm.registry.model_versions import CHALLENGER, CHAMPION, PREVIOUS, aliases

if TYPE_CHECKING:
    from hdm.registry.gate import Decision

WITHDRAWN = "hdm.withdrawn"


def put_in_service(client: Any, line: Line, version: str, why: str, action: str = "promote",
                   ) -> None:
    """Make `version` champion; the one before becomes `previous`, a challenger is overtaken.

    Raises RegistryError, with nothing changed, if its files are not those that were registered.

    At no moment there is no champion, and a killed attempt is finished by doing it again. Said of
    the champion, it settles which version serves in a registry that was restored.
    """
    model = line.model_name
    check_version(line, version)
    names = aliases(client, model)
    before = names.get(CHAMPION)
    if before != version or unfitting(client, line):
        if before and before != version:
            client.set_registered_model_alias(model, PREVIOUS, before)
        _mark_live(client, model, version)
        client.set_registered_model_alias(model, CHAMPION, version)
        note(line, action, version, why, replaced=before or "")
    elif _noted_live(line) != version:  # killed before it was noted
        note(line, action, version, why, replaced=names.get(PREVIOUS, ""))
    if aliases(client, model).get(CHALLENGER) in (version, before):
        client.delete_registered_model_alias(model, CHALLENGER)


def carry_out(client: Any, line: Line, version: str, decision: "Decision") -> list[str]:
    """Point the aliases as decided, note it, and return those of `version`."""
    why = " ".join(reason.sentence for reason in decision.deciding)
    if decision.outcome == "promote":
        put_in_service(client, line, version, why)
        return [CHAMPION]
    client.set_registered_model_alias(line.model_name, CHALLENGER, version)
    note(line, decision.outcome, version, why)
    return [CHALLENGER]


def roll_back(client: Any, line: Line, why: str, to: str = "") -> str:
    """Return to the version behind `previous`, or to version `to`; the number that serves then.

    The withdrawn version is marked, so that a second rollback goes further back and not forth. One
    that was killed before it was noted is finished by doing it again.
    Raises RegistryError, with nothing changed, if there is nothing to return to, or its files are
    not those that were registered.
    """
    model = line.model_name
    names = aliases(client, model)
    tags = {str(v.version): v.tags for v in client.search_model_versions(f"name = '{model}'")}
    live, left = names.get(CHAMPION, ""), _left(line, tags)
    begun = bool(live and left) and left != live and to in ("", live)
    target = live if begun else to or names.get(PREVIOUS, "")
    if not target:
        raise RegistryError(f"{model} has no previous version to return to; name one with --to "
                            f"(`hdm history {line.name}` lists them).")
    if target == live and not begun:
        raise RegistryError(f"version {target} of {model} is live already; nothing was changed.")
    if target not in tags:
        raise RegistryError(f"{model} has no version {target}; `hdm history {line.name}` lists "
                            "what there is.")
    check_version(line, target)
    if not begun:
        if live:
            said = f"{now()} by {person()}: {why}"
            client.set_model_version_tag(model, live, WITHDRAWN, said[:TEXT_LENGTH])
        _mark_live(client, model, target)
        client.set_registered_model_alias(model, CHAMPION, target)
    older = _last_live_before(client, model, target)
    if older:
        client.set_registered_model_alias(model, PREVIOUS, older)
    else:
        client.delete_registered_model_alias(model, PREVIOUS)
    note(line, "rollback", target, why, replaced=left if begun else live)
    return target


def _left(line: Line, tags: Mapping[str, Mapping[str, str]]) -> str:
    """The version that went into service last, as far as anybody noted, if it was withdrawn; or
    ''. Where another is live, a rollback to that one was not finished. tags: of each version."""
    served = _noted_live(line)
    return served if WITHDRAWN in tags.get(served, {}) else ""


def _noted_live(line: Line) -> str:
    """The version that went into service last, as far as anybody noted; or ''."""
    return next((str(entry["version"]) for entry in reversed(noted(line))
                 if "replaced" in entry), "")


def _mark_live(client: Any, model: str, version: str) -> None:
    tags = client.get_model_version(model, version).tags
    times = f"{tags.get(LIVE, '')} {now()}".strip()
    client.set_model_version_tag(model, version, LIVE, times[-TEXT_LENGTH:])


def _last_live_before(client: Any, model: str, target: str) -> str:
    """The version that served last before `target` first did, and was not withdrawn; or ''."""
    alive = {str(v.version): v.tags for v in client.search_model_versions(f"name = '{model}'")}
    past: list[str] = []
    for served in services(client, model):
        if served.version == target:
            break
        if WITHDRAWN not in alive[served.version]:
            past.append(served.version)
    return past[-1] if past else ""
