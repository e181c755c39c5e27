"""The bot's commands, one package or module each. They send requests to the engine and show the results."""
