"""The largest, longest and deepest that is taken of what strangers wrote or serve.

What is beyond is refused with an error that names the limit. A recipe's own limits (memory, disk,
time) are in :class:`d4cbuild.sandbox.job.Limits`, waiting in :mod:`d4cbuild.sources.patience`, and
those of the normal form, which is carried alone, beside its code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_KIB, _MIB, _GIB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class InputLimits:
    """Limits of input. Each name ends in its unit; one without a unit is a count.

    Attributes:
        text_bytes: A recipe, lock, manifest, policy or other record.
        key_file_bytes: A key.
        signatures: In one envelope.
        type_depth: Lists and structures in a column's type, one in the other.
        path_bytes: A path in an archive, a package, or a recipe's code.
        name_bytes: One part of a path.
        archive_members: Files in an archive of a bundle.
        bundle_files: Files in a bundle's folder.
        sums_bytes: ``SHA256SUMS`` of a bundle.
        small_archive_bytes: An archive of a bundle that is read into memory.
        history_bytes: The git history in a bundle.
        history_objects: Objects in it.
        object_bytes: One of them.
        code_entries: Files and folders of a recipe's code.
        code_bytes: All of them together.
        code_file_bytes: One of them.
        body_bytes: What a server sends, and what is unpacked of it, where no size is locked.
        control_bytes: The description in a Debian package.
        inside_bytes: Everything in an archive that is looked into to tell what changed.
        inside_members: Files in such an archive.
        compared_bytes: One file in an archive that is compared with another.
        compared_depth: Archives in archives that are compared.
        compared_text_bytes: A text that is compared line by line.
        wkb_depth: Shapes in shapes.
        log_bytes: What a job prints.
    """

    text_bytes: int = 16 * _MIB
    key_file_bytes: int = 16 * _KIB
    signatures: int = 100
    type_depth: int = 16
    path_bytes: int = 1024
    name_bytes: int = 255
    archive_members: int = 100_000
    bundle_files: int = 10_000
    sums_bytes: int = 4 * _MIB
    small_archive_bytes: int = 256 * _MIB
    history_bytes: int = _GIB
    history_objects: int = 500_000
    object_bytes: int = 256 * _MIB
    code_entries: int = 100_000
    code_bytes: int = 256 * _MIB
    code_file_bytes: int = 64 * _MIB
    body_bytes: int = 64 * _GIB
    control_bytes: int = 4 * _MIB
    inside_bytes: int = 16 * _GIB
    inside_members: int = 200_000
    compared_bytes: int = 64 * _GIB
    compared_depth: int = 3
    compared_text_bytes: int = 8 * _MIB
    wkb_depth: int = 16
    log_bytes: int = 64 * _MIB


LIMITS: Final = InputLimits()
