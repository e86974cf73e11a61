"""`python -m hdm.orchestration.shared_dvc LINE repro ...`: DVC, and results go from checkout to
checkout through the project's default remote.

DVC's run cache remembers which outputs a stage made of which inputs, but passes over outputs that
persist, as such a stage may go on from what is there. Ours only leave them in place until they are
replaced whole, so here they are remembered, too. And DVC copies the whole run cache at every push
and pull; here one entry is looked up by its key, so that a hundred lines cost no more than one.
What is not in DVC's cache (a decision, a receipt) is never taken from another checkout.

Without a default remote this is DVC and nothing else, but for how dvc.lock is read and written. A
remote that cannot be reached costs a note.
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from dvc.stage import cache as dvc_cache

from hdm.config import STAGES
from hdm.line import Line
from hdm.orchestration import dvc_lock_of_line
from hdm.orchestration.child_process import dvc
from hdm.registry.ledger import edit_ledger

FIRST = ("samples", "configure")
"""Stages before the eight whose outputs are worth sharing; a line may have no `samples`."""
PROBE = "data/dvc.yaml:store_probe"


def main(arguments: list[str]) -> int:
    """DVC's exit code: what could not be shared changes nothing of it."""
    from dvc.cli import main as run_dvc

    line, *words = arguments
    words = dvc(*words)[1:]
    dvc_lock_of_line.only(line)
    _leave_the_probe_out()
    if not _shared():
        return int(run_dvc(words))
    _remember_persisting()
    if _reached():
        _look_up_one_by_one()
        _miss_what_is_missing()
        words.append("--pull")
    code = int(run_dvc(words))
    if "--pull" in words:
        try:
            _push(line)
        except Exception as error:
            _note(f"what {line} made could not be shared", error, "the next run shares it")
    return code


def _leave_the_probe_out() -> None:
    """It is of all lines, and two cannot write it at once: who runs one line has looked before."""
    from dvc.repo import reproduce as module  # type: ignore[attr-defined]

    plan = module.plan_repro
    module.plan_repro = lambda *graph, **how: [
        stage for stage in plan(*graph, **how) if stage.addressing != PROBE]


def _shared() -> bool:
    from dvc.config import Config

    return bool(Config.from_cwd()["core"].get("remote"))


def _reached() -> bool:
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            remote = _remote(repo)
            remote.fs.exists(remote.path)
    except Exception as error:
        _note("the DVC remote cannot be reached", error,
              "nothing is fetched, and what is made now is shared by a later run")
        return False
    return True


def _note(what: str, error: Exception, then: str) -> None:
    said = str(error).strip().splitlines()
    print(f"note {what} ({said[0] if said else type(error).__name__}); {then}.", flush=True)


def _remote(repo: Any) -> Any:
    return repo.cloud.get_remote_odb(None, "run cache", hash_name="md5-dos2unix")


def _remember_persisting() -> None:
    """Let DVC remember stages whose outputs persist, if all of these are kept in its cache."""
    hashable: Callable[[Any], bool] = dvc_cache._can_hash
    restore = dvc_cache.StageCache.restore

    def remembered(stage: Any) -> bool:
        kept = [out for out in stage.outs if out.persist]
        if kept and not all(out.use_cache for out in stage.outs):
            return False
        for out in kept:
            out.persist = False
        try:
            return hashable(stage)
        finally:
            for out in kept:
                out.persist = True

    def restored(self: Any, stage: Any, **how: Any) -> None:
        from dvc.exceptions import CheckoutError, ConfirmRemoveError

        try:
            restore(self, stage, **how)
        except (CheckoutError, ConfirmRemoveError, OSError) as error:
            raise dvc_cache.RunCacheNotFoundError(stage) from error
        _forget_run(stage.name)

    dvc_cache._can_hash = remembered
    dvc_cache.StageCache.restore = restored


def _forget_run(stage: str) -> None:
    """The outputs are not those of the run that the ledger names."""
    name, _, line = stage.partition("@")
    with suppress(Exception), edit_ledger(Line.load(line)) as links:
        links.pop(name, None)


def _look_up_one_by_one() -> None:
    """Fetch the one entry that is asked for, instead of all that the remote has."""
    load = dvc_cache.StageCache._load

    def looked_up(self: Any, stage: Any) -> Any:
        if not (found := load(self, stage)):
            try:
                _fetch(self.repo, dvc_cache._get_stage_hash(stage))
                found = load(self, stage)
            except Exception as error:
                _note("the DVC remote was not asked", error, f"{stage.addressing} is run")
        return found

    dvc_cache.StageCache._load = looked_up
    dvc_cache.StageCache.pull = lambda self, remote, odb=None: []


def _miss_what_is_missing() -> None:
    """A source that is away, as on a disk that is not mounted, is an error as ever: with `--pull`
    DVC would take it for unchanged."""
    from dvc.exceptions import DvcException
    from dvc.stage import Stage

    reproduce = Stage.reproduce

    def reproduced(self: Any, **how: Any) -> Any:
        for dep in self.deps:
            if not dep.exists:
                with suppress(DvcException):
                    self.repo.pull(dep.def_path)
        return reproduce(self, **how | {"pull": all(dep.exists for dep in self.deps)})

    Stage.reproduce = reproduced


def _fetch(repo: Any, key: str) -> None:
    remote = _remote(repo)
    for file in remote.fs.find(remote.fs.join(remote.path, "runs", key[:2], key)):
        target = Path(repo.stage_cache._get_cache_path(key, remote.fs.name(file)))
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.{os.getpid()}.tmp")
        remote.fs.get_file(file, str(part))
        part.replace(target)


def _push(line: str) -> None:
    """Send what the line's present outputs are and what they were made of, unless it is there.

    The entry goes last: where it is, so are the files that it names.
    """
    from dvc.repo import Repo

    with Repo(_wait_for_lock=True) as repo:
        with repo.lock:
            stages = _stages(repo, line)
        remote = _remote(repo)
        for stage in stages:
            key, value = _entry(stage)
            here = Path(repo.stage_cache._get_cache_path(key, value))
            there = remote.fs.join(remote.path, "runs", key[:2], key, value)
            if not here.is_file() or remote.fs.exists(there):
                continue
            for objects in stage.get_used_objs().values():
                if failed := repo.cloud.push(objects).failed:
                    raise OSError(f"{len(failed)} files were not taken")
            remote.fs.makedirs(remote.fs.parent(there), exist_ok=True)
            part = f"{there}.{os.getpid()}.tmp"
            remote.fs.put_file(str(here), part)
            remote.fs.mv(part, there)


def _stages(repo: Any, line: str) -> list[Any]:
    """The line's stages that DVC remembers, as dvc.lock has them."""
    from dvc.dvcfile import load_file

    known = load_file(repo, "dvc.yaml").stages
    stages = [known[name] for stage in (*FIRST, *STAGES) if (name := f"{stage}@{line}") in known]
    return [stage for stage in stages if _has_run(stage)]


def _has_run(stage: Any) -> bool:
    try:
        return all(out.hash_info for out in stage.outs) and dvc_cache._can_hash(stage)
    except OSError:  # what it was made of is not here
        return False


def _entry(stage: Any) -> tuple[str, str]:
    from dvc.stage.serialize import to_single_stage_lockfile

    return (dvc_cache._get_stage_hash(stage),
            dvc_cache._get_cache_hash(to_single_stage_lockfile(stage)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
