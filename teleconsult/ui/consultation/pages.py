"""The addresses of this folder."""

from __future__ import annotations

from teleconsult.consultations.questions import Step
from teleconsult.ui.consultation.addresses import LIST
from teleconsult.ui.consultation.form import Form
from teleconsult.ui.consultation.photo_page import photos
from teleconsult.ui.consultation.photo_step import Photos
from teleconsult.ui.consultation.questions import health, skin
from teleconsult.ui.consultation.review import Review
from teleconsult.ui.consultation.review_page import review
from teleconsult.ui.page import Page

_ROUTE = f"{LIST}/[cid]"

PAGES = [
    Page(f"{_ROUTE}/{Step.SKIN}", skin, "Your skin", on_load=Form.open),
    Page(f"{_ROUTE}/{Step.PHOTOS}", photos, "Your photos", on_load=[Form.open, Photos.load]),
    Page(f"{_ROUTE}/{Step.HEALTH}", health, "Your health", on_load=Form.open),
    Page(f"{_ROUTE}/{Step.REVIEW}", review, "Review and pay", on_load=[Form.open, Photos.load, Review.enter]),
]
