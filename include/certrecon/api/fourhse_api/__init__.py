"""4HSE's certificate API in whole: what can be read and written, with the documented requirements."""
