"""English, with the day first and 24 hours, as the staff pages write times everywhere."""
