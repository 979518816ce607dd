"""What administrators set for the whole platform while it runs: mail, links, sign-in."""
