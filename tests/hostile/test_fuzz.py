"""Some hundred cases of what ``bench/fuzz.py`` throws by the hundred thousand: a value or a known error, never more."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from tests.hostile.fuzzed_messages import CLAIMS, show
from tests.hostile.fuzzing import TARGETS, Target

CASES = 150


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_whatever_comes_is_a_value_or_a_known_error(target: Target) -> None:
    """No other exception, no hang, no memory above the bound; what is accepted holds."""

    @settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(target.cases)
    def attempt(case: object) -> None:
        target.attempt(case)

    target.warm_up()
    attempt()


def test_the_claims_of_a_kernel_are_shown() -> None:
    """The valid sample fills a cell with every kind of output, so that damaged ones can do harm."""
    shown = show(CLAIMS).decode()
    assert all(f'"output_type": "{kind}"' in shown for kind in ("stream", "display_data", "execute_result", "error"))
