"""Small models that ship with the project, so that it works before anything is downloaded."""
