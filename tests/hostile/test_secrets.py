"""Nothing of the caller's environment, keys, tokens or home turns up anywhere."""

from tests.hostile.secrets import look_for_secrets
from tests.hostile.surroundings import surroundings
from tests.tally import Fate


def test_no_secret_of_the_caller_reaches_a_sandbox_log_manifest_or_bundle() -> None:
    with surroundings() as around:
        cases = list(look_for_secrets(around, "bubblewrap"))
    assert [(each.name, each.note) for each in cases if each.fate is not Fate.SURVIVED] == []
    assert [each.name for each in cases if "nothing there" in each.name] == []
    assert len(cases) == 7
