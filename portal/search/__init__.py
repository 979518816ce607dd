"""Finding cases by what is written on them."""
