"""Addresses under /hooks/."""

from django.urls import path

from bounces import views

urlpatterns = [path("ses/", views.ses_webhook, name="ses-webhook")]
