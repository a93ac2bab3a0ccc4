"""The watch: every ten minutes somebody is told while something is not as it should be.

That it runs at all is the worker's sign of life: Sentry raises an alarm when its check-in stays away.
"""

from __future__ import annotations

from teleconsult import jobs, privacy
from teleconsult.billing import pulse

EVERY = "*/10 * * * *"


@jobs.app.periodic(cron=EVERY)
@jobs.app.task(name="billing.watch", queueing_lock="billing.watch", lock="billing.watch")
def watch(timestamp: int) -> None:
    """The periodic job. `timestamp` is when it was due, seconds since 1970 UTC."""
    del timestamp
    privacy.check_in("teleconsult-worker", fine=True)
    for trouble in pulse.troubles(pulse.read()):
        privacy.alert(trouble, "error", fingerprint=(trouble,))
