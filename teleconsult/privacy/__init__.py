"""What may leave the process besides answers to its user: error reports and log lines, by allow-list.

A patient's words, names, e-mail addresses, file names, cookies and tokens never do. What isn't known to be harmless is
removed, so a new field, integration or library leaks nothing until somebody allows it here.
"""

from teleconsult.privacy.logs import configure_logging
from teleconsult.privacy.sentry import alert, capture, check_in, init_sentry

__all__ = ["alert", "capture", "check_in", "configure_logging", "init_sentry"]
