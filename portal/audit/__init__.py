"""What happened, who did it, through which door."""
