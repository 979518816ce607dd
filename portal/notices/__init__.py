"""The bell: what a colleague should look at."""
