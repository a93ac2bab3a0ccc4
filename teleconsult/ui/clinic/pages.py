"""The addresses of this folder."""

from __future__ import annotations

from teleconsult.ui.clinic.queue_page import queue
from teleconsult.ui.clinic.queue_state import HERE, Queue
from teleconsult.ui.clinic.review_page import review
from teleconsult.ui.clinic.review_state import Review
from teleconsult.ui.page import Page

PAGES = [
    Page(HERE, queue, "Queue", on_load=Queue.load),
    Page(f"{HERE}/[cid]", review, "Case", on_load=Review.open),
]
