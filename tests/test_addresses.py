import pytest

from teleconsult import addresses


@pytest.mark.parametrize(
    "path",
    ["/", "/consultations", "/consultations/new/skin", "/consultations?payment=success&session_id=cs_1",
     "/clinic#queue",
     "/consultations?q=a%20b", "/settings/"],
)  # fmt: skip
def test_a_path_of_ours_is_safe(path: str) -> None:
    assert addresses.safe_next(path) == path


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
        "\\/evil.example",
        "@evil.example", "evil.example", "javascript:alert(1)", "https:evil.example", "data:text/html,x",
        "/%0d%0aSet-Cookie:x",
        "/\r\nSet-Cookie:x", "/%2f/evil.example", "/%2fevil.example", "/%252fevil.example", "/%5cevil.example",
        "/\tevil",
        "/%09/evil.example", " /consultations", "/consultations ", "", None, 5, ["/"], "/。。/evil", "/\u2025/evil",
        "/a//b",
        "/a/../..//evil", "/../x", "/api/auth/sign-out", "/_upload/x", "/https://evil.example", "/x" * 400, "/\0",
        "/\x7f",
    ],
)  # fmt: skip
def test_anything_else_is_not(target: object) -> None:
    assert addresses.safe_next(target) == ""


def test_the_way_back_is_carried_without_breaking_the_address() -> None:
    assert addresses.with_next("/sign-in", "/consultations?payment=success&x=1") == (
        "/sign-in?next=/consultations%3Fpayment%3Dsuccess%26x%3D1"
    )
    assert addresses.with_next("/sign-in", "//evil") == "/sign-in"
    assert addresses.with_next("/sign-in", "/clinic", problem="mismatch") == "/sign-in?problem=mismatch&next=/clinic"


def test_each_role_has_a_home_and_strangers_the_landing_page() -> None:
    assert [addresses.home(role) for role in ("patient", "dermatologist", "operator", "", "admin")] == [
        "/consultations", "/clinic", "/operations", "/", "/",
    ]  # fmt: skip
