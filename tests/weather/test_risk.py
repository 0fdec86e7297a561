"""What the states of copies come to."""

import pytest

from d4cbuild.model.weather import LookHow, LookState
from d4cbuild.weather.risk import Buildable, Copy, Judgement, Risk, judge

OK, CHANGED, GONE = LookState.OK, LookState.CHANGED, LookState.GONE
UNREACHABLE, REFUSED = LookState.UNREACHABLE, LookState.REFUSED


def copy(
    spot: str,
    state: LookState = OK,
    how: LookHow = LookHow.HASHED,
    age_days: float | None = None,
    here: bool = False,
) -> Copy:
    return Copy(spot, state, how, 0 if state is OK else age_days, here)


def said(*copies: Copy) -> tuple[Risk, Buildable, int]:
    found = judge(copies, fresh_days=30)
    return found.risk, found.buildable, found.copies


def test_two_independent_copies_are_safe() -> None:
    assert said(copy("one"), copy("two")) == (Risk.SAFE, Buildable.YES, 2)


def test_copies_that_fail_together_are_one() -> None:
    assert said(copy("one"), copy("one")) == (Risk.AT_RISK, Buildable.YES, 1)


def test_copies_on_this_machine_only_are_at_risk() -> None:
    here = [copy("one", here=True), copy("two", here=True)]
    assert said(*here)[0] is Risk.AT_RISK
    assert said(*here, copy("three"))[0] is Risk.SAFE


def test_sizes_alone_make_nothing_safe() -> None:
    weak = [copy("one", how=LookHow.SIZE), copy("two", how=LookHow.SIZE)]
    assert said(*weak)[:2] == (Risk.AT_RISK, Buildable.YES)
    assert said(*weak, copy("three", how=LookHow.LISTED))[0] is Risk.SAFE


def test_only_where_everything_was_looked_into_something_is_lost() -> None:
    assert said(copy("one", GONE), copy("two", CHANGED)) == (Risk.LOST, Buildable.NO, 0)
    assert said() == (Risk.LOST, Buildable.NO, 0)


@pytest.mark.parametrize("state", [UNREACHABLE, REFUSED])
def test_what_could_not_be_looked_at_is_not_lost(state: LookState) -> None:
    assert said(copy("one", GONE), copy("two", state)) == (Risk.UNKNOWN, Buildable.UNKNOWN, 0)


@pytest.mark.parametrize("state", [UNREACHABLE, REFUSED])
def test_a_copy_seen_lately_counts_while_it_cannot_be_looked_at(state: LookState) -> None:
    assert said(copy("one"), copy("two", state, age_days=29)) == (Risk.SAFE, Buildable.YES, 2)
    assert said(copy("one"), copy("two", state, age_days=31))[0] is Risk.AT_RISK
    alone = said(copy("two", state, age_days=29))
    assert alone == (Risk.AT_RISK, Buildable.UNKNOWN, 1)


@pytest.mark.parametrize("state", [GONE, CHANGED])
def test_a_copy_that_was_seen_to_be_no_more_does_not_count_however_lately(
    state: LookState,
) -> None:
    assert said(copy("one"), copy("two", state, age_days=1))[2] == 1


def reasons(*copies: Copy) -> str:
    found: Judgement = judge(copies, 30)
    return "; ".join(found.reasons)


def test_reasons_name_who_could_not_be_looked_at_and_who_has_other_bytes() -> None:
    told = reasons(copy("one"), copy("two", UNREACHABLE), copy("three", CHANGED))
    assert "could not be looked at now: two" in told
    assert "other bytes are served by: three" in told
    assert "only one independent copy" in told
