"""Every ten minutes somebody is told while something is not as it should be."""

from __future__ import annotations

import pytest

from teleconsult.billing import pulse, watch
from tests.billing.conftest import Alert


@pytest.mark.usefixtures("database")
def test_each_trouble_is_one_alert(alerts: list[Alert]) -> None:
    troubles = pulse.troubles(pulse.read())
    assert "worker_silent" in troubles, "nothing works here"
    watch.watch.func(0)
    assert alerts == [Alert(trouble, "error") for trouble in troubles]
