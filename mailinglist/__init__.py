"""Mailinglist: lists, subscribers, campaigns and the engine that sends them. Never imports ``bounces``."""

from mailinglist.celery import app as celery_app

__all__ = ["celery_app"]
