"""The template to compare with: a file, or what Git has of the project's own at a revision."""

import subprocess
from pathlib import Path

from paycli.audit.model import LARGEST, read
from paycli.audit.report import Subject
from paycli.errors import PaycliError, UsageError


def from_file(path: Path, root: Path, *, own: bool = False) -> Subject:
    """Read a template file; in the report it is called as it lies in the project at `root`, else by its whole path.

    Raises UsageError where it can't be read or is no template.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(LARGEST + 1)  # no more is needed to refuse it; a device has no end
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} can't be read: {error}", hint="Name a template file, in UTF-8.", code="template_unreadable"
        ) from None
    resolved = path.resolve()
    name = resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else str(resolved)
    return Subject(read(text, str(path)), name, own)


def since(reference: str, environment: str, root: Path) -> Subject:
    """Read what --since names: a file where there is one of that name, else a revision of Git.

    Raises PaycliError where it is neither, or the revision has no template of the environment.
    """
    if Path(reference).is_file():
        return from_file(Path(reference), root)
    revision = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
    if revision is None and _git(root, "rev-parse", "--git-dir") is None:
        raise UsageError(
            f"{reference!r} is no file, and Git knows no repository here to have it as a revision.",
            hint="Name a template file, or call paycli in a clone of the project, where git can be run (`git log` says "
            "what is in its way).",
            code="no_repository",
        )
    if revision is None:
        raise UsageError(
            f"{reference!r} is neither a file nor a revision of this Git repository.",
            hint="Name a template file, a branch, a tag or a commit.",
            code="unknown_revision",
        )
    path = f"templates/{environment}.yaml"
    text = _git(root, "show", f"{revision.strip()}:./{path}")
    if text is None:
        raise PaycliError(
            f"There is no {path} at {reference}.",
            hint="Only environments whose template is committed have an earlier one; name a file otherwise.",
            code="no_earlier_template",
        )
    return Subject(read(text, f"{path} at {reference}"), f"{reference}:{path}", own=False)


def _git(root: Path, *arguments: str) -> str | None:
    """Return what Git says, None where it refuses or isn't there."""
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are a list, and no option comes from outside
            ["git", "-C", str(root), *arguments],  # noqa: S607 - the user's own Git
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
