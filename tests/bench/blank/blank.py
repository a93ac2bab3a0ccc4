"""The least Reflex there is: a heading, and one word that the server sends once the page is hydrated."""

import reflex as rx


class Blank(rx.State):
    word: rx.Field[str] = rx.field("waiting")

    @rx.event
    def load(self) -> None:
        self.word = "usable"


def page() -> rx.Component:
    return rx.el.main(rx.el.h1("Blank"), rx.el.p(Blank.word))


app = rx.App(toaster=None)
app.add_page(page, route="/", title="Blank", on_load=Blank.load)
