"""An output of a rebuild that may have failed, beside the manifest's."""

from __future__ import annotations

from d4cbuild.build.make import Making
from d4cbuild.build.result import ComparedOutput
from d4cbuild.build.verify import compare_output
from d4cbuild.errors import BuildFailed
from d4cbuild.model.manifest import OutputRecord
from d4cbuild.model.verdict import Verdict


def compared(record: OutputRecord, answer: Making | BuildFailed) -> ComparedOutput:
    """Say what became of an output.

    Args:
        record: The manifest's.
        answer: What the rebuild made, or why it failed.
    """
    if not isinstance(answer, Making):
        return ComparedOutput(record.name, Verdict.FAILED, {}, reason=str(answer))
    (made,) = (made for made in answer.outputs if made.output.name == record.name)
    return compare_output(record, made)
