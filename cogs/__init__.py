"""The commands, one family a package. They hand requests to the engine and show what comes back."""
