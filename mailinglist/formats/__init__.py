"""How times are written: see settings.FORMAT_MODULE_PATH."""
