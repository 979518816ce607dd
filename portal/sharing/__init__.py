"""Who may see what: access, the rules, the guard, the window."""
