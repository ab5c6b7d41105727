"""What trainers write: kohya's sd-scripts into LoRAs, PyTorch Lightning beside the weights."""

from datetime import UTC, datetime

from atlas.claims.claim import Claim, Held, Kind, Parent
from atlas.claims.merged_models import LEGACY, SHA256
from atlas.claims.values import digest_of, number_of, text_of
from atlas.fingerprints.provenance import UPDATES
from atlas.tensors.tensors import FileMetadata

KOHYA, LIGHTNING, AVERAGED = "kohya", "lightning", "averaged weights"
SPEC = "modelspec"
FIRST, LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""What lies outside is no date of a diffusion model: clocks that were not set begin in 1970."""


def kohya(said: FileMetadata, held: Held) -> list[Claim]:
    """
    Return what `ss_*` says: the model that was trained on, and the place of the file in its run.

    A LoRA that was extracted from two models has the same keys without a session.
    """
    texts = said.texts
    if not any(key.startswith("ss_") for key in texts):
        return []
    is_lora = bool(text_of(texts.get("ss_network_module")))
    name = text_of(texts.get("ss_sd_model_name"))
    sha256 = digest_of(texts.get("ss_new_sd_model_hash"), SHA256)
    legacy = digest_of(texts.get("ss_sd_model_hash"), LEGACY)
    session = text_of(texts.get("ss_session_id"))
    claims = []
    if parent := name or sha256 or legacy:
        kind = Kind.LORA if is_lora else Kind.FINE_TUNE
        base = Parent(parent, sha256=sha256, legacy_hash=legacy)
        claims.append(Claim(KOHYA, kind, parents=(base,), detail=_words(said)))
    steps, epoch = (number_of(texts.get(key)) for key in ("ss_steps", "ss_epoch"))
    order = steps if steps is not None else epoch
    if session and order is not None:
        told = [f"session {session}"]
        told += [
            f"{words} {value:.17g}"
            for words, value in (("epoch", epoch), ("step", steps))
            if value is not None
        ]
        claims.append(Claim(KOHYA, Kind.EPOCH, order=order, detail=", ".join(told)))
    if is_lora and not claims:
        words = "a LoRA that was extracted from two models, which are not told"
        claims.append(Claim(KOHYA, Kind.OTHER, detail=words))
    return claims


def lightning(said: FileMetadata, held: Held) -> list[Claim]:
    """Return what stands beside the weights of a checkpoint of PyTorch Lightning."""
    steps, epoch = (number_of(said.texts.get(key)) for key in ("global_step", "epoch"))
    if steps is None and epoch is None:
        return []
    version = text_of(said.texts.get("pytorch-lightning_version"))
    told = [f"PyTorch Lightning {version}" if version else "as a trainer saves it"]
    told += [f"epoch {epoch:.17g}"] if epoch is not None else []
    told += [f"step {steps:.17g}"] if steps is not None else []
    order = steps if steps is not None else epoch
    return [Claim(LIGHTNING, Kind.EPOCH, order=order, detail=", ".join(told))]


def averaged(said: FileMetadata, held: Held) -> list[Claim]:
    """Return how often the averaged weights beside the raw ones (EMA) had been updated."""
    count = number_of(said.texts.get(UPDATES))
    if count is None or count < 0:
        return []
    detail = f"{count:.17g} updates of the averaged weights"
    return [Claim(AVERAGED, Kind.EPOCH, order=count, detail=detail)]


def dates(said: FileMetadata, held: Held) -> list[Claim]:
    """
    Return when a model was made: ModelSpec's `date`, and the end of a run of kohya's sd-scripts.

    Dates of files are not looked at: they are those of a copy.
    """
    seconds = next(
        filter(
            None,
            (
                number_of(said.texts.get(key))
                for key in ("ss_training_finished_at", "ss_training_started_at")
            ),
        ),
        None,
    )
    found = [(SPEC, _from_text(text_of(said.texts.get("modelspec.date"))))]
    found.append((KOHYA, _from_seconds(seconds)))
    return [
        Claim(source, Kind.DATE, order=date.timestamp(), detail=f"made on {date:%Y-%m-%d}")
        for source, date in found
        if date is not None and FIRST <= date < LAST
    ]


def _from_text(text: str) -> datetime | None:
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date


def _from_seconds(seconds: float | None) -> datetime | None:
    known = seconds is not None and FIRST.timestamp() <= seconds < LAST.timestamp()
    return datetime.fromtimestamp(seconds or 0.0, UTC) if known else None


def _words(said: FileMetadata) -> str:
    keys = {"ss_network_module": "", "ss_network_dim": "rank ", "ss_base_model_version": ""}
    found = [
        f"{words}{text}" for key, words in keys.items() if (text := text_of(said.texts.get(key)))
    ]
    return ", ".join(found)
