"""4HSE's API v2, as far as its documents go."""
