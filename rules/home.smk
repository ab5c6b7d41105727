import subprocess
import tarfile
import tempfile
from io import BytesIO
from os import PathLike
from pathlib import Path

from snakemake.sourcecache import HostingProviderFile


def home_of(basedir):
    """
    Return the folder of the workflow on disk.

    Scripts and facts lie beside the Snakefile. Where another workflow takes this one from a
    repository, by github(…), Snakemake fetches the files of rules alone; so all files
    of that commit are laid into Snakemake's cache, once.
    """
    if isinstance(basedir, PathLike):
        return Path(basedir)
    if not isinstance(basedir, HostingProviderFile):
        raise WorkflowError(
            f"{basedir.get_path_or_uri(secret_free=True)}: the workflow's scripts can't be fetched "
            "from there. Clone the repository and name the Snakefile's path on disk, or use github(…)"
        )
    repository = basedir.hosted_repo.repo_clone
    commit = git(repository, "rev-parse", "--verify", f"{basedir.ref}^{{commit}}")
    home = workflow.sourcecache.cache_path / "diffusion-atlas" / commit.decode().strip()
    if not home.is_dir():
        lay_out(git(repository, "archive", "--format=tar", home.name), home)
    return home


def git(repository, *words):
    """Return what git says of a repository."""
    done = subprocess.run(["git", "-C", repository, *words], capture_output=True)
    if done.returncode != 0:
        raise WorkflowError(
            f"git {' '.join(words)} in {repository}: {done.stderr.decode().strip()}"
        )
    return done.stdout


def lay_out(archive, home):
    """Unpack an archive as a folder that is there whole or not at all."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as partial:
        tree = Path(partial) / "tree"
        with tarfile.open(fileobj=BytesIO(archive)) as files:
            files.extractall(tree, filter="data")
        try:
            tree.rename(home)
        except OSError:  # another process was first
            if not home.is_dir():
                raise
