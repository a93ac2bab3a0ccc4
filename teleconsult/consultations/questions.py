"""The questions of the consultation form and the consents, in the words a patient reads.

To add a question, add one `Field` to `FIELDS`: form, autosave, validation, review page and the dermatologist's view
follow from it. Nothing needs a migration, because answers are stored by field name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

MIN_PHOTOS, MAX_PHOTOS = 2, 8
STORY_LIMIT = 2000


class Step(StrEnum):
    """The four pages of the form, in order."""

    SKIN = "skin"
    PHOTOS = "photos"
    HEALTH = "health"
    REVIEW = "review"


class Kind(StrEnum):
    """How a question is asked."""

    SELECT = "select"
    CARDS = "cards"
    SEGMENTS = "segments"
    CHECKS = "checks"
    DATE = "date"
    LINE = "line"
    TEXT = "text"


@dataclass(frozen=True)
class Option:
    """One thing to choose."""

    value: str
    label: str


@dataclass(frozen=True)
class Field:
    """One question."""

    name: str
    step: Step
    kind: Kind
    label: str
    missing: str = ""
    """What to say when it is not answered; empty makes the question optional."""
    options: tuple[Option, ...] = ()
    hint: str = ""
    summary: str = ""
    """A shorter label for lists of answers."""
    limit: int = 500
    """Longest text, in characters."""
    least: int = 0
    """Shortest text that says something, in characters."""
    rows: int = 3
    shown_if: tuple[str, frozenset[str]] | None = None
    """Asked only when that other field holds one of these values."""
    alert_if: frozenset[str] = field(default_factory=frozenset)
    """Answers a dermatologist must not overlook."""

    @property
    def title(self) -> str:
        """Label for lists of answers."""
        return self.summary or self.label


def _options(pairs: str) -> tuple[Option, ...]:
    """From "value=Label; value=Label"."""
    return tuple(Option(*pair.split("=", 1)) for pair in pairs.split("; "))


NONE = "none"

FIELDS: tuple[Field, ...] = (
    Field(
        "site",
        Step.SKIN,
        Kind.SELECT,
        "Where is it?",
        "Choose where on your body it is.",
        _options(
            "scalp=Scalp; face=Face; left_cheek=Left cheek; right_cheek=Right cheek; lips=Lips; "
            "neck=Neck; chest=Chest; belly=Belly; back=Back; left_arm=Left arm; "
            "right_arm=Right arm; left_forearm=Left forearm; right_forearm=Right forearm; "
            "left_hand=Left hand; right_hand=Right hand; both_hands=Both hands; groin=Groin; "
            "buttocks=Buttocks; left_leg=Left leg; right_leg=Right leg; both_legs=Both legs; "
            "left_foot=Left foot; right_foot=Right foot; both_feet=Both feet; nails=Nails; "
            "several=Several places"
        ),
        summary="Where",
    ),
    Field(
        "concern",
        Step.SKIN,
        Kind.CARDS,
        "What is your main concern?",
        "Choose what concerns you most.",
        _options(
            "rash=A rash; spot=A spot or mole; acne=Acne; hair=Hair or scalp; nail=A nail; "
            "itch=Itch without a rash; other=Something else"
        ),
        summary="Main concern",
    ),
    Field(
        "changing",
        Step.SKIN,
        Kind.CARDS,
        "Is the spot changing?",
        "Tell us whether it is changing.",
        _options("no=No; growing=It grows; colour=Its colour changes; bleeding=It bleeds; unsure=I’m not sure"),
        summary="Changing",
        shown_if=("concern", frozenset({"spot"})),
        alert_if=frozenset({"growing", "colour", "bleeding"}),
    ),
    Field(
        "duration",
        Step.SKIN,
        Kind.SEGMENTS,
        "How long have you had it?",
        "Choose how long you have had it.",
        _options("days=Days; weeks=Weeks; months=Months; years=Years"),
        summary="How long",
    ),
    Field(
        "symptoms",
        Step.SKIN,
        Kind.CHECKS,
        "Does it do any of this?",
        "Tell us what it does, or choose None of these.",
        _options(
            "itch=Itch; pain=Hurt; burning=Burn; bleeding=Bleed; discharge=Weep; scaling=Flake; none=None of these"
        ),
        summary="Symptoms",
    ),
    Field(
        "severity",
        Step.SKIN,
        Kind.SELECT,
        "How much does it bother you, from 0 to 10?",
        options=_options("0=0, not at all; 1=1; 2=2; 3=3; 4=4; 5=5; 6=6; 7=7; 8=8; 9=9; 10=10, unbearable"),
        summary="Bother, 0 to 10",
    ),
    Field(
        "sleep",
        Step.SKIN,
        Kind.SEGMENTS,
        "Does it disturb your sleep?",
        "Tell us whether it disturbs your sleep.",
        _options("no=No; sometimes=Sometimes; often=Often"),
        summary="Disturbs sleep",
    ),
    Field(
        "story",
        Step.SKIN,
        Kind.TEXT,
        "Describe it in your own words",
        "Describe it in at least 20 characters.",
        hint="When it started, how it changed, and what makes it better or worse.",
        summary="In your words",
        limit=STORY_LIMIT,
        least=20,
        rows=6,
    ),
    Field(
        "tried",
        Step.SKIN,
        Kind.TEXT,
        "What have you tried, and did it help?",
        summary="Tried",
        hint="Creams, tablets, home remedies.",
        limit=1000,
        rows=2,
    ),
    Field(
        "flags",
        Step.SKIN,
        Kind.CHECKS,
        "Do any of these apply right now?",
        "Tell us if any of these apply, or choose None of these.",
        _options(
            "unwell=Fever, or feeling very unwell; spreading=It is spreading fast, within hours; "
            "mucosa=Blisters or sores in the mouth, eyes or genitals; "
            "swelling=Swelling of the face or lips, or trouble breathing; "
            "severe_pain=Severe pain; none=None of these"
        ),
        hint="We ask before anything else, because these need someone today.",
        summary="Warning signs",
    ),
    Field(
        "dob",
        Step.HEALTH,
        Kind.DATE,
        "Date of birth",
        "Enter your date of birth.",
        hint="For example 27 3 1985",
        summary="Born",
        limit=12,
    ),
    Field(
        "sex",
        Step.HEALTH,
        Kind.SEGMENTS,
        "Sex at birth",
        "Choose your sex at birth.",
        _options("female=Female; male=Male; intersex=Intersex"),
    ),
    Field(
        "pregnant",
        Step.HEALTH,
        Kind.CARDS,
        "Are you pregnant or breastfeeding?",
        "Tell us whether you are pregnant or breastfeeding.",
        _options("no=No; yes=Yes; maybe=I could be; na=Not applicable"),
        hint="Some creams and tablets are not safe then.",
        summary="Pregnant or breastfeeding",
        alert_if=frozenset({"yes", "maybe"}),
    ),
    Field(
        "allergies",
        Step.HEALTH,
        Kind.CARDS,
        "Any allergies?",
        "Tell us about allergies, or choose None.",
        _options("none=None that I know of; some=Yes"),
        summary="Allergies",
        alert_if=frozenset({"some"}),
    ),
    Field(
        "allergies_text",
        Step.HEALTH,
        Kind.TEXT,
        "Which, and what happens?",
        "Name the allergy and what happens.",
        shown_if=("allergies", frozenset({"some"})),
        summary="Allergic to",
        rows=2,
    ),
    Field(
        "medicines",
        Step.HEALTH,
        Kind.CARDS,
        "Any medicines, including creams and the pill?",
        "Tell us about medicines, or choose None.",
        _options("none=None; some=Yes"),
        summary="Medicines",
    ),
    Field(
        "medicines_text",
        Step.HEALTH,
        Kind.TEXT,
        "Names and doses",
        "Name your medicines.",
        shown_if=("medicines", frozenset({"some"})),
        summary="Takes",
        rows=2,
    ),
    Field(
        "conditions",
        Step.HEALTH,
        Kind.CHECKS,
        "Do you have any of these?",
        "Choose your conditions, or None of these.",
        _options(
            "atopy=Eczema, asthma or hay fever; diabetes=Diabetes; immune=Weak immune system; "
            "liver_kidney=Liver or kidney disease; heart=Heart disease; "
            "cancer=Cancer, now or before; other=Something else; none=None of these"
        ),
        summary="Conditions",
        alert_if=frozenset({"immune", "liver_kidney"}),
    ),
    Field(
        "conditions_text",
        Step.HEALTH,
        Kind.LINE,
        "Which other condition?",
        "Name the condition.",
        shown_if=("conditions", frozenset({"other"})),
        summary="Other condition",
        limit=200,
    ),
    Field(
        "skin_cancer",
        Step.HEALTH,
        Kind.CARDS,
        "Has anyone had skin cancer?",
        "Tell us about skin cancer, or choose Nobody.",
        _options("none=Nobody; me=I have; family=A parent, brother, sister or child; unsure=I’m not sure"),
        summary="Skin cancer",
        alert_if=frozenset({"me", "family"}),
    ),
    Field(
        "skin_type",
        Step.HEALTH,
        Kind.CARDS,
        "How does your skin react to strong sun?",
        options=_options(
            "1=Always burns, never tans; 2=Usually burns, tans a little; "
            "3=Sometimes burns, tans evenly; 4=Rarely burns, tans easily; 5=Very rarely burns; "
            "6=Never burns; unsure=Not sure"
        ),
        summary="Skin type",
    ),
    Field("gp", Step.HEALTH, Kind.LINE, "Your own doctor", summary="Own doctor", hint="Name and town.", limit=200),
    Field(
        "question",
        Step.HEALTH,
        Kind.TEXT,
        "What do you most want to know?",
        summary="Wants to know",
        limit=500,
    ),
)

BY_NAME: dict[str, Field] = {f.name: f for f in FIELDS}


@dataclass(frozen=True)
class ConsentText:
    """Something a patient agrees to, in the words shown. Change the words and the version together."""

    kind: str
    version: str
    text: str
    missing: str


CONSENTS: tuple[ConsentText, ...] = (
    ConsentText(
        "care",
        "2026-11",
        "I agree to be assessed remotely from photos and text.",
        "Agree to remote care.",
    ),
    ConsentText(
        "data",
        "2026-11",
        "I agree that my health data is used to answer me.",
        "Agree to the use of your health data.",
    ),
    ConsentText(
        "urgent",
        "2026-11",
        "I understand this is not for emergencies.",
        "Confirm that this is not an emergency.",
    ),
)
