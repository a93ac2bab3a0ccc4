import os

import reflex as rx

address = os.environ["BLANK_URL"]

config = rx.Config(
    app_name="blank",
    disable_plugins=[rx.plugins.SitemapPlugin],
    api_url=address,
    deploy_url=address,
    cors_allowed_origins=[address],
    state_manager_mode=rx.constants.StateManagerMode.MEMORY,
    frontend_compression_formats=["brotli", "gzip"],
    default_color_mode="light",
    show_built_with_reflex=False,
    telemetry_enabled=False,
)
