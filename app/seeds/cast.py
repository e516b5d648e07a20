"""The people of the demo: who they are, when they teach, what they sell, and what has happened between them."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "mentorships-demo"  # noqa: S105  (the same for every demo account, on purpose)

WEEKDAYS = {str(day): [[540, 720], [810, 1080]] for day in range(1, 6)}
EVENINGS = {str(day): [[1080, 1320]] for day in range(1, 7)}
MORNINGS = {str(day): [[480, 780]] for day in (1, 2, 3, 4, 5)}
WEEKENDS = {"6": [[600, 1080]], "7": [[600, 960]]}
LATE = {"1": [[840, 1200]], "3": [[840, 1200]], "4": [[600, 840], [960, 1200]], "6": [[660, 900]]}


@dataclass(frozen=True)
class DemoProduct:
    """A pack on sale; the price in minor units."""

    title: str
    price_minor: int
    currency: str
    sessions: int = 4
    validity_days: int = 45


@dataclass(frozen=True)
class DemoMentor:
    """A mentor: hours in wall minutes by ISO weekday."""

    email: str
    name: str
    time_zone: str
    headline: str
    bio: str
    hours: dict[str, list[list[int]]]
    seats: int
    products: tuple[DemoProduct, ...]
    google: bool = False


@dataclass(frozen=True)
class DemoStudent:
    """A student and their story with each mentor: sessions of the pack already completed, and still booked."""

    email: str
    name: str
    time_zone: str
    stories: tuple[DemoStory, ...] = ()


@dataclass(frozen=True)
class DemoStory:
    """A pack with one mentor (by e-mail): bought `days_ago`, `done` sessions behind them, `booked` ahead."""

    mentor: str
    days_ago: int
    done: int
    booked: int = 0
    sessions: int = 4


ADMIN = ("admin@example.test", "Alex Moreau", "Europe/Paris")

LISBON, TOKYO, KOLKATA = "mentor@example.test", "mentor-tokyo@example.test", "mentor-kolkata@example.test"
GUADALAJARA, ADELAIDE, NAIROBI = (
    "mentor-guadalajara@example.test",
    "mentor-adelaide@example.test",
    "mentor-nairobi@example.test",
)

MENTORS = (
    DemoMentor(
        LISBON,
        "Inês Duarte",
        "Europe/Lisbon",
        "Character designer; teaches silhouette, gesture and the courage to leave things out.",
        "I draw people for animation: who they are before they say a word.\n\n"
        "We look at what you made, find the one line that carries it, and draw it again. Bring unfinished work. "
        "Between sessions I leave notes, so that you know what to try next.",
        WEEKDAYS,
        3,
        (
            DemoProduct("Four sessions", 48_000, "EUR"),
            DemoProduct("Portfolio before the deadline", 66_000, "EUR", sessions=6, validity_days=40),
        ),
        google=True,
    ),
    DemoMentor(
        TOKYO,
        "Kenji Watanabe",
        "Asia/Tokyo",
        "Ink and wash, landscapes from memory.",
        "Ink can't be taken back, which is why it teaches so well.\n\n"
        "We begin with breathing and water, and end with a mountain that you have only seen once.",
        EVENINGS,
        5,
        (DemoProduct("Four evenings", 52_000, "JPY"),),
    ),
    DemoMentor(
        KOLKATA,
        "Meera Banerjee",
        "Asia/Kolkata",
        "Children’s books, from thumbnail to print.",
        "Thirty-two pages are a very small theatre. I help you light it, and to send it to a publisher after that.",
        WEEKENDS,
        2,
        (DemoProduct("Four Sundays", 24_000, "USD", validity_days=60),),
    ),
    DemoMentor(
        GUADALAJARA,
        "Tomás Herrera",
        "America/Mexico_City",
        "Lettering and sign painting with a brush that is older than you.",
        "Letters are drawings that everybody can read. We paint them large, standing up, until the arm knows.",
        LATE,
        4,
        (DemoProduct("Four sessions", 36_000, "USD"),),
    ),
    DemoMentor(
        ADELAIDE,
        "Ruby Clarke",
        "Australia/Adelaide",
        "Watercolour outdoors, whatever the weather does.",
        "Paint what the light does, not what the tree is. You take me along on your phone; I look over your shoulder.",
        MORNINGS,
        4,
        (DemoProduct("Four mornings", 40_000, "USD"), DemoProduct("A single look", 12_000, "USD", 1, 30)),
    ),
    DemoMentor(
        NAIROBI,
        "Wanjiru Kamau",
        "Africa/Nairobi",
        "Comics: pacing, panels, and the silence between them.",
        "A page is a piece of time. We read yours aloud, move three panels, and it begins to breathe.",
        WEEKDAYS,
        6,
        (DemoProduct("Four sessions", 30_000, "USD"),),
    ),
)

STUDENTS = (
    DemoStudent("student@example.test", "Maya Brooks", "America/New_York", (DemoStory(LISBON, 12, 1),)),
    DemoStudent("student-last@example.test", "Jonas Weber", "Europe/Berlin", (DemoStory(LISBON, 33, 3),)),
    DemoStudent("student-new@example.test", "Sofia Rossi", "Europe/Rome"),
    DemoStudent("priya@example.test", "Priya Nair", "Asia/Kolkata", (DemoStory(KOLKATA, 20, 1, 1),)),
    DemoStudent("oliver@example.test", "Oliver Grant", "Europe/London", (DemoStory(KOLKATA, 30, 2, 1),)),
    DemoStudent("hana@example.test", "Hana Sato", "Asia/Tokyo", (DemoStory(TOKYO, 25, 2, 1),)),
    DemoStudent("lucas@example.test", "Lucas Silva", "America/Sao_Paulo", (DemoStory(TOKYO, 14, 1, 1),)),
    DemoStudent("amara@example.test", "Amara Obi", "Africa/Lagos", (DemoStory(NAIROBI, 28, 3, 1),)),
    DemoStudent("nils@example.test", "Nils Berg", "Europe/Stockholm", (DemoStory(NAIROBI, 9, 0, 2),)),
    DemoStudent("chloe@example.test", "Chloé Martin", "Europe/Paris", (DemoStory(NAIROBI, 18, 2),)),
    DemoStudent("ethan@example.test", "Ethan Cole", "America/Chicago", (DemoStory(GUADALAJARA, 22, 2, 1),)),
    DemoStudent("valeria@example.test", "Valeria Ruiz", "America/Bogota", (DemoStory(GUADALAJARA, 8, 1, 1),)),
    DemoStudent("isla@example.test", "Isla Murray", "Australia/Sydney", (DemoStory(ADELAIDE, 30, 3, 1),)),
    DemoStudent("tariq@example.test", "Tariq Aziz", "Asia/Karachi", (DemoStory(ADELAIDE, 6, 0, 1),)),
)

# Who waits for a seat, in this order: (student, mentor).
WAITING = (("tariq@example.test", KOLKATA), ("chloe@example.test", KOLKATA), ("isla@example.test", KOLKATA))

# Discord accounts: id and name there.
DISCORD = (("student@example.test", "100000000000000001", "demo.student"),)
