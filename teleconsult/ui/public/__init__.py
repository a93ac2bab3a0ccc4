"""Pages for everybody: what is offered, help, the legal pages, and what is shown when there is nothing to show."""
