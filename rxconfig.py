"""What Reflex needs to know, while it compiles the pages and while it serves them."""

import reflex as rx

from teleconsult.settings import get_settings
from teleconsult.ui.first_paint import InlineStyles, PrerenderAll

settings = get_settings()

config = rx.Config(
    app_name="teleconsult",
    plugins=[rx.plugins.TailwindV4Plugin(), PrerenderAll(), InlineStyles()],
    disable_plugins=[rx.plugins.SitemapPlugin],
    # The compiled pages ask the host they came from; see teleconsult/ops/build.py.
    api_url=settings.public_url,
    deploy_url=settings.public_url,
    cors_allowed_origins=[settings.public_url],
    # The default writes what patients typed into files that everybody on the machine can read.
    state_manager_mode=rx.constants.StateManagerMode.REDIS
    if settings.redis_url
    else rx.constants.StateManagerMode.MEMORY,
    redis_url=settings.redis_url or None,
    trusted_proxy_hops=settings.trusted_proxy_hops,
    frontend_compression_formats=["brotli", "gzip"],
    default_color_mode="light",
    show_built_with_reflex=False,
    telemetry_enabled=False,
)
