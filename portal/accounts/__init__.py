"""Who: accounts, profiles and permissions, invitations, sessions, sign-in, throttling."""
