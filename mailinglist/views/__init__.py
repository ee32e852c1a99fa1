"""What answers without a login: pages for strangers (public) and addresses for monitoring (health)."""
