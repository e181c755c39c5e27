"""Small models that are part of the project, so that it works without a download."""
